import type { Finding, Job } from "../project/job.ts";

export type ChangeKind = "create" | "upgrade" | "suspend" | "resume" | "remove" | "none";

/** Why a job changes, in a reviewer's words: `view order_view changed`, `parallelism.default 1 → 2`. */
export interface Reason {
  readonly object: string;
  readonly text: string;
}

/** What Flink's planner says of one job. `plan` has node numbers normalised, so an unchanged plan shows no difference. */
export interface Explanation {
  readonly plan: string;
  readonly advice: string | null;
  readonly graph: readonly GraphNode[];
  /** The compiled plan, canonical JSON; null for a batch job, which has none. */
  readonly compiledPlan: string | null;
}

export interface GraphNode {
  readonly id: number;
  /** A short type for the reader: `GroupAggregate`, `TableSourceScan(orders)`. */
  readonly label: string;
  /** The whole description, for comparing. */
  readonly description: string;
  readonly inputs: readonly number[];
  readonly parallelism: number | null;
}

/** What happens to a job's state, as far as it is known: design 6 says more once plans are pinned. */
export type StateVerdict =
  | { readonly kind: "none"; readonly text: string }
  | { readonly kind: "kept"; readonly text: string }
  | { readonly kind: "dropped"; readonly text: string }
  | { readonly kind: "flink-decides"; readonly text: string };

export interface Change {
  readonly kind: ChangeKind;
  readonly job: string;
  /** The job's name before, where a rename keeps its state; else null. */
  readonly renamedFrom: string | null;
  readonly before: Job | null;
  readonly after: Job | null;
  readonly reasons: readonly Reason[];
  readonly state: StateVerdict;
  readonly explainedBefore: Explanation | null;
  readonly explainedAfter: Explanation | null;
}

/** Base jobs against head jobs. `digest` covers what a deployment would do: names, kinds, digests, modes. */
export interface Plan {
  readonly version: 1;
  readonly project: string;
  readonly environment: string;
  readonly base: string;
  readonly head: string;
  readonly dbtVersion: string;
  readonly adapterVersion: string;
  readonly flinkVersion: string;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly digest: string;
}
