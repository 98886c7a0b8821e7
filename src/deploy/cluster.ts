import type { DifferingTable } from "../planner/existing-tables.ts";
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
  /** Null where only the gateway is reached: it tells the job's state, which is RUNNING before any task is. */
  readonly allTasksRunning: boolean | null;
}

/** What the JobManager tells of one job; it may be `lagMs` old. */
export interface Progress {
  /** The path of the newest restore; "" when it started empty. */
  readonly restoredFrom: string;
  /** How often it was restored, by its restarts too. */
  readonly restores: number;
  readonly completedCheckpoints: number;
  /** The path of the newest completed one; null where there is none, or nothing outside of Flink can address it. */
  readonly newestCheckpoint: string | null;
  /** Null when it takes none by itself. */
  readonly checkpointIntervalMs: number | null;
  readonly failures: number;
  readonly lastFailure: string | null;
  readonly freeSlots: number;
}

export type StopStatus =
  /** Never asked for, or forgotten. */
  | { readonly kind: "unknown" }
  | { readonly kind: "in-progress" }
  /** Asked for, and its answer is lost: only the job's end will show that it happened. */
  | { readonly kind: "untold" }
  | { readonly kind: "completed"; readonly savepoint: string }
  /** `savepoint`: it was made, and then the job failed instead of ending well. */
  | { readonly kind: "failed"; readonly cause: string; readonly savepoint: string | null };

/** What became of a savepoint that is not needed any more; `missing`: it was not there any more. */
export type Disposal = "disposed" | "missing" | "cannot" | { readonly failed: string };

/** How a job that runs is doing, for a person to see. Times in ms since 1970, by the JobManager's clock. */
export interface Health {
  readonly now: number;
  readonly startedAt: number;
  readonly newestCheckpoint: HealthyCheckpoint | null;
  /** Null when it takes none by itself. */
  readonly checkpointIntervalMs: number | null;
  /** Those after the newest checkpoint was asked for, or all where there is none. */
  readonly failuresSince: number;
  readonly lastFailure: string | null;
}

export interface HealthyCheckpoint {
  /** Null where nothing outside of Flink can address it. */
  readonly path: string | null;
  /** When it was asked for: what the job processed since is not in it. */
  readonly at: number;
  /** Bytes; null where Flink does not tell. */
  readonly stateSize: number | null;
}

/** What an ended job's own record says of its savepoints. */
export type LastSavepoint =
  | { readonly kind: "unknown" }
  | { readonly kind: "none" }
  /** `isNewest`: no checkpoint came after it, so a FINISHED job was stopped with it. */
  | { readonly kind: "known"; readonly path: string; readonly isNewest: boolean };

/** Whether a job left state behind that nothing newer can follow. */
export type Retained =
  /** Nobody can tell. */
  { readonly kind: "unknown" } | { readonly kind: "none" } | { readonly kind: "found"; readonly path: string };

/** What becomes of a running job's checkpoints when it is cancelled. */
export interface Retention {
  readonly survivesCancel: boolean;
  readonly hasCheckpoint: boolean;
}

/** The storage of checkpoints and savepoints, as far as it can be listed from here. */
export interface StateStorage {
  /** In the checkpoint folder of one job, `<dir>/<job id>`; a complete one only. */
  newestCheckpoint(folder: string): Promise<Retained>;
  /** In a folder that holds the savepoints of one attempt. */
  savepoint(folder: string): Promise<Retained>;
}

export interface StopRequest {
  readonly jobId: string;
  readonly triggerId: string;
  readonly withSavepoint: boolean;
  readonly savepointFolder: string | null;
}

/** For a savepoint of a job that goes on running. */
export interface SavepointRequest {
  readonly jobId: string;
  readonly triggerId: string;
  readonly savepointFolder: string;
}

/** A session in which a program's tables exist, so that only the INSERT is left to send. */
export interface PreparedProgram extends AsyncDisposable {
  /** Tables that a catalog held before, and not as the program declares them: they are taken as they are. */
  readonly differing: readonly DifferingTable[];
  /** Fixed job id, and the path to restore from; Flink refuses an id that it has seen. Returns what is to be noted. */
  submit(options: {
    readonly jobId: string;
    readonly name: string;
    readonly restore: string | null;
  }): Promise<readonly string[]>;
}

/** The cluster as the deployment sees it: through the JobManager's REST, or through the gateway alone. */
export interface Cluster extends AsyncDisposable {
  readonly through: "jobmanager" | "gateway";
  jobs(): Promise<readonly ClusterJob[]>;
  /** Null while the JobManager has nothing to tell; always through the gateway alone. */
  progress(jobId: string): Promise<Progress | null>;
  /** How old `progress` and `lastSavepoint` may be, in ms: the JobManager answers them from a cache. */
  lagMs(): Promise<number>;
  /** Idempotent by trigger id where the JobManager is reached. */
  stop(request: StopRequest): Promise<void>;
  stopStatus(request: StopRequest): Promise<StopStatus>;
  /** The job goes on running. Idempotent by trigger id; throws `savepoint-failed` through the gateway alone. */
  takeSavepoint(request: SavepointRequest): Promise<void>;
  savepointStatus(request: SavepointRequest): Promise<StopStatus>;
  lastSavepoint(jobId: string): Promise<LastSavepoint>;
  /** Of a job that is FAILED or CANCELED: the checkpoint that Flink kept of it. */
  retainedCheckpoint(jobId: string): Promise<Retained>;
  /** Null where nobody can tell. */
  retention(jobId: string): Promise<Retention | null>;
  /** Null through the gateway alone, and of a job that the JobManager does not know. */
  health(jobId: string): Promise<Health | null>;
  /** Where jobs keep their checkpoints that do not say so themselves, as a URI; null where the cluster does not tell. */
  checkpointDirectory(): Promise<string | null>;
  cancel(jobId: string): Promise<void>;
  /** Asks for a checkpoint now; false where that cannot be asked for. One too many does no harm. */
  checkpoint(jobId: string, triggerId: string): Promise<boolean>;
  /** Starts a job under this id that does nothing and ends; also fulfilled where the id is used up already. */
  fence(jobId: string): Promise<void>;
  /** Deletes a savepoint, whatever needs it. Once more does no harm. */
  dispose(path: string): Promise<Disposal>;
  prepare(program: Program): Promise<PreparedProgram>;
}
