import { DeployError } from "../errors.ts";
import type { Gateway } from "../flink/gateway.ts";
import { type Sleep, sleep } from "../flink/http.ts";
import type { JobManager } from "../flink/jobmanager.ts";
import type {
  Cluster,
  Disposal,
  FlinkState,
  Health,
  LastSavepoint,
  Progress,
  Retained,
  Retention,
  StopStatus,
} from "./cluster.ts";
import { fence } from "./fence.ts";
import { prepareProgram } from "./prepare.ts";

export interface ClusterOptions {
  readonly gateway: Gateway;
  readonly initSql: readonly string[];
  readonly signal: AbortSignal;
  /** Between two looks at what takes its time; real unless given. */
  readonly sleep?: Sleep;
}

/** An answer from the cache is at most this much older than `web.refresh-interval` says. */
const marginMs = 200;

/** The cluster through the JobManager's REST, where everything can be seen; programs go through the gateway. */
export function jobmanagerCluster(jobmanager: JobManager, options: ClusterOptions): Cluster {
  let lag: number | null = null;
  return {
    through: "jobmanager",
    async jobs() {
      // Never from Flink's cache, unlike everything below /jobs/:id.
      const jobs = await jobmanager.jobs();
      return jobs.map(({ id, name, state, tasks }) => ({
        id,
        name,
        state: state as FlinkState,
        allTasksRunning: (tasks.total ?? 0) > 0 && (tasks.running ?? 0) + (tasks.finished ?? 0) === tasks.total,
      }));
    },
    progress: (jobId) => progressOf(jobmanager, jobId),
    async lagMs() {
      lag ??= (await jobmanager.config()).refreshIntervalMs + marginMs;
      return lag;
    },
    async stop(request) {
      const { jobId, savepointFolder, triggerId } = request;
      try {
        await jobmanager.stopWithSavepoint(jobId, { targetDirectory: savepointFolder, triggerId });
      } catch (error) {
        // It has ended by itself: the next look shows how.
        if (!(error instanceof DeployError) || error.code !== "unknown-job") throw error;
      }
    },
    stopStatus: (request) => savepointStatusOf(jobmanager, request),
    async takeSavepoint({ jobId, triggerId, savepointFolder }) {
      try {
        await jobmanager.triggerSavepoint(jobId, { targetDirectory: savepointFolder, triggerId });
      } catch (error) {
        // It has ended by itself: the next look shows how.
        if (!(error instanceof DeployError) || error.code !== "unknown-job") throw error;
      }
    },
    savepointStatus: (request) => savepointStatusOf(jobmanager, request),
    lastSavepoint: (jobId) => lastSavepointOf(jobmanager, jobId),
    retainedCheckpoint: (jobId) => retainedCheckpointOf(jobmanager, jobId),
    retention: (jobId) => retentionOf(jobmanager, jobId),
    health: (jobId) => healthOf(jobmanager, jobId),
    async checkpointDirectory() {
      const config = await jobmanager.clusterConfig();
      return config["execution.checkpointing.dir"] ?? config["state.checkpoints.dir"] ?? null;
    },
    async cancel(jobId) {
      try {
        await jobmanager.cancel(jobId);
      } catch (error) {
        if (!(error instanceof DeployError) || error.code !== "unknown-job") throw error;
      }
    },
    checkpoint: (jobId, triggerId) => jobmanager.triggerCheckpoint(jobId, triggerId),
    fence: (jobId) => fence(jobId, options),
    dispose: (path) => dispose(path, jobmanager, options),
    prepare: (program) => prepareProgram(program, options),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function savepointStatusOf(
  jobmanager: JobManager,
  { jobId, triggerId }: { readonly jobId: string; readonly triggerId: string },
): Promise<StopStatus> {
  const status = await jobmanager.savepointStatus(jobId, triggerId);
  return status.kind === "completed" ? { kind: "completed", savepoint: status.path } : status;
}

async function lastSavepointOf(jobmanager: JobManager, jobId: string): Promise<LastSavepoint> {
  const checkpoints = await jobmanager.checkpoints(jobId);
  if (checkpoints === null) return { kind: "unknown" };
  const { latestSavepoint: savepoint, latestCompleted } = checkpoints;
  if (savepoint === null || savepoint.path === null) return { kind: "none" };
  return { kind: "known", path: savepoint.path, isNewest: savepoint.id > (latestCompleted?.id ?? 0) };
}

async function retentionOf(jobmanager: JobManager, jobId: string): Promise<Retention | null> {
  const [config, checkpoints] = await Promise.all([jobmanager.checkpointConfig(jobId), jobmanager.checkpoints(jobId)]);
  if (config === null) return null;
  return {
    survivesCancel: config.survivesCancel,
    hasCheckpoint: typeof checkpoints?.latestCompleted?.path === "string",
  };
}

/** Flink deletes the checkpoints of a job that ends well, and by its policy those of one that fails or is cancelled. */
async function retainedCheckpointOf(jobmanager: JobManager, jobId: string): Promise<Retained> {
  const [config, checkpoints, job] = await Promise.all([
    jobmanager.checkpointConfig(jobId),
    jobmanager.checkpoints(jobId),
    jobmanager.job(jobId),
  ]);
  if (config === null || checkpoints === null || job === null) return { kind: "unknown" };
  const survives = job.state === "FAILED" ? config.survivesFailure : job.state === "CANCELED" && config.survivesCancel;
  // A savepoint may be newer; it is told by `lastSavepoint`, and belongs to whoever asked for it.
  const path = checkpoints.latestCompleted?.path ?? null;
  return survives && path !== null ? { kind: "found", path } : { kind: "none" };
}

async function progressOf(jobmanager: JobManager, jobId: string): Promise<Progress | null> {
  const [checkpoints, config, exceptions, overview] = await Promise.all([
    jobmanager.checkpoints(jobId),
    jobmanager.checkpointConfig(jobId),
    jobmanager.exceptions(jobId),
    jobmanager.overview(),
  ]);
  return {
    restoredFrom: checkpoints?.restored?.path ?? "",
    restores: checkpoints?.counts.restored ?? 0,
    completedCheckpoints: checkpoints?.counts.completed ?? 0,
    newestCheckpoint: checkpoints?.latestCompleted?.path ?? null,
    checkpointIntervalMs: config?.intervalMs ?? null,
    failures: exceptions.length,
    lastFailure: exceptions[0]?.text.slice(0, 500) ?? null,
    freeSlots: overview.slotsAvailable,
  };
}

async function healthOf(jobmanager: JobManager, jobId: string): Promise<Health | null> {
  const [job, checkpoints, config, exceptions] = await Promise.all([
    jobmanager.job(jobId),
    jobmanager.checkpoints(jobId),
    jobmanager.checkpointConfig(jobId),
    jobmanager.exceptions(jobId),
  ]);
  if (job === null) return null;
  const newest = checkpoints?.latestCompleted ?? null;
  return {
    now: job.now,
    startedAt: job.startTime,
    newestCheckpoint:
      newest === null ? null : { path: newest.path, at: newest.triggerTime, stateSize: newest.stateSize },
    checkpointIntervalMs: config?.intervalMs ?? null,
    failuresSince: exceptions.filter(({ timestamp }) => timestamp > (newest?.triggerTime ?? 0)).length,
    lastFailure: exceptions[0]?.text.slice(0, 500) ?? null,
  };
}

/** Flink deletes file by file, which takes its time for a large state. */
const disposalLimitMs = 5 * 60_000;

async function dispose(path: string, jobmanager: JobManager, options: ClusterOptions): Promise<Disposal> {
  const { signal, sleep: pauseFor = sleep } = options;
  let triggerId: string;
  try {
    triggerId = await jobmanager.disposeSavepoint(path);
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== "savepoint-failed") throw error;
    return { failed: error.message };
  }
  let waitedMs = 0;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const status = await jobmanager.disposalStatus(triggerId);
    switch (status.kind) {
      case "completed":
        return "disposed";
      case "failed":
        return isGone(status.cause) ? "missing" : { failed: status.cause };
      case "unknown":
        return { failed: "the JobManager was restarted meanwhile" };
      case "in-progress":
        if (waitedMs >= disposalLimitMs) return { failed: `it takes longer than ${disposalLimitMs / 60_000} min` };
        await pauseFor(pauseMs, signal);
        waitedMs += pauseMs;
    }
  }
}

/** Flink has no field for it; these are its words from 1.17 to 2.3. Without its metadata nothing can start from it. */
function isGone(cause: string): boolean {
  return /Cannot find (?:checkpoint or savepoint file\/directory|meta data file)/.test(cause);
}
