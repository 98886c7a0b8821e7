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
  /** Its next checkpoint would come too late: it is to be asked for. */
  | { readonly kind: "checkpoint" }
  | { readonly kind: "fails"; readonly cause: string };

/** More failures than one that a cluster may have by itself, and no checkpoint in between: a restart loop. */
const restartLoop = 3;

export interface Seen {
  readonly seesProgress: boolean;
  readonly progress: Progress | null;
  readonly waitedMs: number;
  readonly steadyMs: number;
  readonly lagMs: number;
  readonly checkpointsAsked: number | "refused";
}

/** In the cause of a job that waits in vain for slots. */
export const noSlots = "the cluster has no free task slot";

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
  if (progress !== null && progress.failures >= restartLoop && progress.completedCheckpoints === 0) {
    return { kind: "fails", cause: `it restarts again and again${because}` };
  }
  if (mode === "batch") {
    return late
      ? { kind: "fails", cause: `it did not finish within ${timeout / 1000} s${because}` }
      : { kind: "wait", for: "the batch job to finish" };
  }
  const proof = proven(job, restore, seen, limits);
  if (proof.kind !== "wait" || !late) return proof;
  const slots = job.allTasksRunning === false && progress?.freeSlots === 0 ? `; ${noSlots}` : "";
  return { kind: "fails", cause: `${proof.for} was not seen within ${timeout / 1000} s${slots}${because}` };
}

function proven(job: ClusterJob, restore: string | null, seen: Seen, limits: VerifyLimits): Verification {
  const { progress } = seen;
  if (job.state !== "RUNNING") return { kind: "wait", for: "state RUNNING" };
  if (job.allTasksRunning === false) return { kind: "wait", for: "RUNNING of every task" };
  if (!seen.seesProgress) {
    return steady(seen, limits, "seen RUNNING; without `jobmanager-url` its checkpoints and its restore path are not");
  }
  if (progress === null) return { kind: "wait", for: "its first statistics" };
  const misrestored = wronglyRestored(job.id, progress, restore);
  // An answer from before the restore may still come from the JobManager's cache.
  if (misrestored !== null && seen.steadyMs < seen.lagMs) return { kind: "wait", for: "its restore path" };
  if (misrestored !== null) return { kind: "fails", cause: misrestored };
  return checkpointed(progress, seen, limits);
}

/** A checkpoint that this very job completed lies in the folder of its id. */
export function isRestoredFromItself(jobId: string, { restoredFrom }: Progress): boolean {
  return normalisePath(restoredFrom).includes(`/${jobId}/chk-`);
}

/** After a checkpoint of its own, a restart's path is that one: then nothing is told of the first. */
function wronglyRestored(jobId: string, progress: Progress, restore: string | null): string | null {
  if (isRestoredFromItself(jobId, progress)) return null;
  if (progress.completedCheckpoints > 0 && progress.restores > (restore === null ? 0 : 1)) return null;
  const expected = restore === null ? "" : normalisePath(restore);
  const found = progress.restoredFrom === "" ? "" : normalisePath(progress.restoredFrom);
  if (expected === found) return null;
  return `it was restored from ${found === "" ? "nothing" : found} instead of ${expected === "" ? "nothing" : expected}`;
}

function checkpointed(progress: Progress, seen: Seen, limits: VerifyLimits): Verification {
  const { completedCheckpoints: completed, checkpointIntervalMs: interval } = progress;
  if (interval === null) {
    return steady(
      seen,
      limits,
      "it takes no checkpoints (execution.checkpointing.interval is not set), so a failure loses its state",
    );
  }
  if (completed >= limits.checkpoints) return { kind: "holds", note: null };
  const isTooSlow = interval * (limits.checkpoints - completed) * 2 > limits.timeoutMs;
  if (isTooSlow && seen.checkpointsAsked === "refused") {
    const note = `seen RUNNING; its next checkpoint is due every ${interval / 1000} s, too late to wait for`;
    return steady(seen, limits, note);
  }
  if (isTooSlow && seen.checkpointsAsked !== "refused" && seen.checkpointsAsked <= completed) {
    return { kind: "checkpoint" };
  }
  return {
    kind: "wait",
    for: limits.checkpoints === 1 ? "a completed checkpoint" : `${limits.checkpoints} completed checkpoints`,
  };
}

function steady(seen: Seen, limits: VerifyLimits, note: string): Verification {
  if (seen.steadyMs < limits.steadyMs) return { kind: "wait", for: "a steady RUNNING" };
  return { kind: "holds", note };
}
