import type { Program } from "../project/job.ts";

/** Flink's own job states; `ended` ones never change again. */
export type FlinkState =
  | "INITIALIZING"
  | "CREATED"
  | "RUNNING"
  | "FAILING"
  | "FAILED"
  | "CANCELLING"
  | "CANCELED"
  | "FINISHED"
  | "RESTARTING"
  | "SUSPENDED"
  | "RECONCILING";

export function hasEnded(state: FlinkState): boolean {
  return state === "FAILED" || state === "CANCELED" || state === "FINISHED";
}

export interface ClusterJob {
  readonly id: string;
  readonly name: string;
  readonly state: FlinkState;
}

/** What can be seen of one job. `null` is "cannot be known this way": the gateway alone tells the state and no more. */
export interface Progress {
  readonly allTasksRunning: boolean | null;
  /** The path the job was restored from; "" when it started empty. */
  readonly restoredFrom: string | null;
  readonly completedCheckpoints: number | null;
  /** Whether the job takes checkpoints by itself. */
  readonly checkpoints: boolean | null;
  readonly failures: number | null;
  readonly lastFailure: string | null;
  readonly freeSlots: number | null;
}

export type StopStatus =
  | { readonly kind: "unknown" }
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed"; readonly savepoint: string | null }
  | { readonly kind: "failed"; readonly cause: string };

export interface StopRequest {
  readonly jobId: string;
  readonly triggerId: string;
  readonly withSavepoint: boolean;
  readonly savepointFolder: string | null;
}

/** A session in which a program's tables exist, so that only the INSERT is left to send. */
export interface PreparedProgram extends AsyncDisposable {
  /** Fixed job id, and the path to restore from; Flink refuses an id that it has seen. */
  submit(options: { readonly jobId: string; readonly name: string; readonly restore: string | null }): Promise<void>;
}

/** The cluster as the deployment sees it: through the JobManager's REST, or through the gateway alone. */
export interface Cluster {
  readonly through: "jobmanager" | "gateway";
  jobs(): Promise<readonly ClusterJob[]>;
  progress(jobId: string): Promise<Progress | null>;
  /** Idempotent by trigger id where the JobManager is reached. */
  stop(request: StopRequest): Promise<void>;
  stopStatus(request: StopRequest): Promise<StopStatus>;
  /** The newest savepoint that an ended job's own record names; null where there is none or it cannot be asked. */
  lastSavepoint(jobId: string): Promise<string | null>;
  cancel(jobId: string): Promise<void>;
  prepare(program: Program): Promise<PreparedProgram>;
}
