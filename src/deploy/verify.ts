import { normalisePath } from "../flink/paths.ts";
import type { RuntimeMode } from "../project/job.ts";
import type { ClusterJob, Progress } from "./cluster.ts";

export interface VerifyLimits {
  readonly timeoutMs: number;
  readonly batchTimeoutMs: number;
  /** Completed checkpoints that prove that a new job works. */
  readonly checkpoints: number;
  /** How long a job must be seen RUNNING without a break where its checkpoints cannot be seen. */
  readonly steadyMs: number;
}

export type Verification =
  | { readonly kind: "holds"; readonly note: string | null }
  | { readonly kind: "finished" }
  | { readonly kind: "wait"; readonly for: string }
  | { readonly kind: "fails"; readonly cause: string };

/** More failures than one that a cluster may have by itself, and no checkpoint in between: a restart loop. */
const restartLoop = 3;

export interface Seen {
  readonly progress: Progress | null;
  readonly waitedMs: number;
  readonly steadyMs: number;
}

/** Whether a submitted job holds: all tasks RUNNING, restored from the very path given, checkpoints completed. Pure. */
export function verify(
  job: ClusterJob,
  restore: string | null,
  mode: RuntimeMode,
  seen: Seen,
  limits: VerifyLimits,
): Verification {
  const { progress } = seen;
  const because = progress?.lastFailure ? `: ${progress.lastFailure}` : "";
  if (job.state === "FINISHED") return { kind: "finished" };
  if (job.state === "FAILED" || job.state === "CANCELED") {
    return { kind: "fails", cause: `it is ${job.state}${because}` };
  }
  const timeout = mode === "batch" ? limits.batchTimeoutMs : limits.timeoutMs;
  const late = seen.waitedMs >= timeout;
  if ((progress?.failures ?? 0) >= restartLoop && (progress?.completedCheckpoints ?? 0) === 0) {
    return { kind: "fails", cause: `it restarts again and again${because}` };
  }
  if (mode === "batch") {
    return late
      ? { kind: "fails", cause: `it did not finish within ${timeout / 1000} s` }
      : { kind: "wait", for: "the batch job to finish" };
  }
  const misrestored = wronglyRestored(progress, restore);
  if (misrestored !== null) return { kind: "fails", cause: misrestored };
  const proof = proven(job, seen, limits);
  if (proof.kind === "wait" && late) {
    const slots =
      progress?.allTasksRunning === false && progress.freeSlots === 0 ? "; the cluster has no free task slot" : "";
    return { kind: "fails", cause: `${proof.for} was not seen within ${timeout / 1000} s${slots}${because}` };
  }
  return proof;
}

/** The JobManager tells the restored path once the job runs; after a checkpoint of its own a restart shows that one. */
function wronglyRestored(progress: Progress | null, restore: string | null): string | null {
  if (progress === null || progress.restoredFrom === null || progress.allTasksRunning !== true) return null;
  if ((progress.completedCheckpoints ?? 0) > 0) return null;
  const expected = normalisePath(restore ?? "");
  const found = normalisePath(progress.restoredFrom);
  if (expected === found) return null;
  return `it was restored from ${found === "" ? "nothing" : found} instead of ${expected === "" ? "nothing" : expected}`;
}

function proven(job: ClusterJob, seen: Seen, limits: VerifyLimits): Verification {
  const { progress } = seen;
  if (job.state !== "RUNNING") return { kind: "wait", for: "state RUNNING" };
  if (progress === null || progress.completedCheckpoints === null) {
    if (seen.steadyMs < limits.steadyMs) return { kind: "wait", for: "a steady RUNNING" };
    return {
      kind: "holds",
      note: "seen RUNNING; without `jobmanager-url` its checkpoints and its restore path cannot be seen",
    };
  }
  if (progress.allTasksRunning === false) return { kind: "wait", for: "RUNNING of every task" };
  if (progress.checkpoints === false) {
    if (seen.steadyMs < limits.steadyMs) return { kind: "wait", for: "a steady RUNNING" };
    return {
      kind: "holds",
      note: "it takes no checkpoints (execution.checkpointing.interval is not set), so a failure loses its state",
    };
  }
  if (progress.completedCheckpoints < limits.checkpoints) {
    return {
      kind: "wait",
      for: limits.checkpoints === 1 ? "a completed checkpoint" : `${limits.checkpoints} completed checkpoints`,
    };
  }
  return { kind: "holds", note: null };
}
