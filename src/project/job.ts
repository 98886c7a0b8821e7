/** `last_state` goes on from the newest retained checkpoint; the adapter knows the first two only. */
export type UpgradeMode = "stateless" | "savepoint" | "last_state";
export type DesiredState = "running" | "suspended";
export type RuntimeMode = "streaming" | "batch";
export type Config = Readonly<Record<string, string>>;

/** Where a statement comes from: the dbt node and its file, relative to the project; null where dbt names none. */
export interface Origin {
  readonly nodeId: string | null;
  readonly file: string | null;
}

/** An object that a job reads, or a statement that prepares the session, as recorded (dbt's comments and hints removed). */
export type Definition =
  | { readonly kind: "table" | "view"; readonly name: string; readonly sql: string; readonly origin: Origin }
  /** A table model: its columns are those of its SELECT and only a planner knows them. */
  | {
      readonly kind: "table-as";
      readonly name: string;
      readonly sql: string;
      readonly origin: Origin;
      readonly select: CreateTableAs;
    }
  /** SET, USE, CREATE FUNCTION, CREATE CATALOG and the like, run in order before everything that follows them. */
  | { readonly kind: "statement"; readonly name: null; readonly sql: string; readonly origin: Origin };

/** The parts of `CREATE TABLE name ... WITH (options) AS select`, each verbatim. */
export interface CreateTableAs {
  /** The relation as written: `t`, `` `t` `` or `c.d.t`. */
  readonly relation: string;
  /** Between the relation and AS, without the columns that the SELECT decides: PARTITIONED BY, WITH and so on. */
  readonly clauses: string;
  readonly query: string;
}

/** What a recording says of one job; a planner completes it to a `Job`. Immutable. */
export interface JobDefinition {
  /** `pipeline.name`; where none is set, the relation's name. */
  readonly name: string;
  readonly origin: Origin;
  readonly relation: string;
  readonly upgradeMode: UpgradeMode;
  readonly desiredState: DesiredState;
  readonly runtimeMode: RuntimeMode;
  /** As sent with the statement; without the restore path, which is `startFrom`. */
  readonly executionConfig: Config;
  /** A savepoint path that the model's own execution_config names for its first start; null where none. */
  readonly startFrom: string | null;
  /** In the order sent: everything that the query reads, directly or not, and the session's preparation. */
  readonly definitions: readonly Definition[];
  readonly sink: CreateTableAs;
  readonly preHooks: readonly string[];
  readonly postHooks: readonly string[];
}

/** One statement of a program, with the object it makes where it makes one. */
export interface ProgramStatement {
  readonly kind: "table" | "view" | "statement";
  readonly name: string | null;
  readonly sql: string;
  readonly origin: Origin;
}

/** Everything one job needs and nothing else: run `setup`, `sink`, then `insert` in an empty session. */
export interface Program {
  readonly setup: readonly ProgramStatement[];
  readonly sink: ProgramStatement;
  readonly insert: string;
  readonly runtimeMode: RuntimeMode;
  readonly executionConfig: Config;
  readonly preHooks: readonly string[];
  readonly postHooks: readonly string[];
}

/** A program with a name, an upgrade mode and a desired state. `digest` is `programDigest(program)`. */
export interface Job {
  readonly name: string;
  readonly origin: Origin;
  readonly upgradeMode: UpgradeMode;
  readonly desiredState: DesiredState;
  readonly startFrom: string | null;
  readonly program: Program;
  /** sha-256 in hex over the program's canonical form. */
  readonly digest: string;
}

/** A problem of one model or of the project that a plan shows and a deployment refuses when it is an error. */
export interface Finding {
  readonly severity: "error" | "warning" | "note";
  readonly code:
    | "model-invalid"
    | "hint-unsafe"
    | "duplicate-job-name"
    | "table-differs"
    | "compiles-differently"
    | "left-alone"
    | "unknown";
  /** One or two sentences, in Flink's or dbt's own words where they speak; never a stack trace. */
  readonly message: string;
  readonly job: string | null;
  readonly file: string | null;
  readonly line: number | null;
}
