import type { Explanation } from "../planner/explanation.ts";
import type { Finding, Job } from "../project/job.ts";

export type { Explanation, GraphNode } from "../planner/explanation.ts";

export type ChangeKind = "create" | "upgrade" | "suspend" | "resume" | "remove" | "none";

/** Why a job changes, in a reviewer's words: `view order_view changed`, `parallelism.default 1 → 2`. */
export interface Reason {
  readonly object: string;
  readonly text: string;
}

/** What happens to a job's state, as far as it is known: design 6 says more once plans are pinned. */
export type StateVerdict =
  | { readonly kind: "none"; readonly text: string }
  | { readonly kind: "kept"; readonly text: string }
  | { readonly kind: "dropped"; readonly text: string }
  | { readonly kind: "flink-decides"; readonly text: string }
  /** The deployment refuses the job: only a person can tell from which state it is to start. */
  | { readonly kind: "unknown"; readonly text: string };

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
  /** Names of jobs that were found alike on both sides without running them; nothing more is known of them. */
  readonly unrecorded: readonly string[];
  readonly findings: readonly Finding[];
  readonly digest: string;
}
