import type { Config } from "./job.ts";

/** One statement as the adapter sent it, in order. */
export interface RecordedStatement {
  /** Verbatim, with dbt's query comment and the adapter's hints. */
  readonly sql: string;
  readonly executionConfig: Config;
  /** From dbt's query comment: `model.shop.x`, `operation.shop.shop-on-run-start-0`; null where there is none. */
  readonly nodeId: string | null;
}

/** The manifest's nodes that matter here: models, seeds and sources. Paths are relative to the project. */
export interface ManifestNode {
  readonly uniqueId: string;
  readonly resourceType: "model" | "seed" | "source" | "snapshot" | "test" | "operation" | "other";
  readonly materialized: string | null;
  readonly name: string;
  /** What the adapter renders as the relation: the identifier or alias. */
  readonly relation: string;
  readonly file: string;
  readonly dependsOn: readonly string[];
  /** dbt's config as in the manifest: only to be compared and shown, what is sent is in the recording. */
  readonly config: unknown;
}

/** The ordered statements that the user's own dbt and adapter would send, with the manifest of the same run. */
export interface Recording {
  readonly project: string;
  readonly target: string;
  readonly dbtVersion: string;
  readonly adapterVersion: string;
  readonly statements: readonly RecordedStatement[];
  readonly nodes: readonly ManifestNode[];
  /** The full statement with its hints that dbt wrote to target/run, by unique_id; a suspended model is only there. */
  readonly written: Readonly<Record<string, string>>;
  /** Unique ids of the models whose jobs are wanted; null for all. What they read was run with them. */
  readonly selected: readonly string[] | null;
}
