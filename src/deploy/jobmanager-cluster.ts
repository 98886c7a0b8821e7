import type { Gateway } from "../flink/gateway.ts";
import { isWhollyRunning, type JobManager } from "../flink/jobmanager.ts";
import type { Cluster, FlinkState, Progress, StopStatus } from "./cluster.ts";
import { prepareProgram } from "./prepare.ts";

export interface ClusterOptions {
  readonly gateway: Gateway;
  readonly initSql: readonly string[];
  readonly signal: AbortSignal;
}

/** The cluster through the JobManager's REST, where everything can be seen; programs go through the gateway. */
export function jobmanagerCluster(jobmanager: JobManager, options: ClusterOptions): Cluster {
  return {
    through: "jobmanager",
    async jobs() {
      const jobs = await jobmanager.jobs();
      return jobs.map((job) => ({ id: job.id, name: job.name, state: job.state as FlinkState }));
    },
    progress: (jobId) => progressOf(jobmanager, jobId),
    async stop(request) {
      await jobmanager.stopWithSavepoint(request.jobId, {
        targetDirectory: request.savepointFolder,
        triggerId: request.triggerId,
      });
    },
    async stopStatus(request): Promise<StopStatus> {
      const status = await jobmanager.savepointStatus(request.jobId, request.triggerId);
      return status.kind === "completed" ? { kind: "completed", savepoint: status.path } : status;
    },
    async lastSavepoint(jobId) {
      const checkpoints = await jobmanager.checkpoints(jobId);
      return checkpoints?.latestSavepoint?.path ?? null;
    },
    cancel: (jobId) => jobmanager.cancel(jobId),
    prepare: (program) => prepareProgram(program, options),
  };
}

async function progressOf(jobmanager: JobManager, jobId: string): Promise<Progress | null> {
  const [job, checkpoints, interval, exceptions] = await Promise.all([
    jobmanager.job(jobId),
    jobmanager.checkpoints(jobId),
    jobmanager.checkpointInterval(jobId),
    jobmanager.exceptions(jobId),
  ]);
  if (job === null) return null;
  const allTasksRunning = isWhollyRunning(job);
  const starved = allTasksRunning ? null : await jobmanager.overview();
  return {
    allTasksRunning,
    restoredFrom: checkpoints === null ? null : (checkpoints.restored?.path ?? ""),
    completedCheckpoints: checkpoints?.counts.completed ?? null,
    checkpoints: interval !== null,
    failures: exceptions.length,
    lastFailure: exceptions[0]?.text ?? null,
    freeSlots: starved?.slotsAvailable ?? null,
  };
}
