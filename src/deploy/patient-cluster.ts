import { DeployError, inOneLine } from "../errors.ts";
import type { Cluster } from "./cluster.ts";

export interface Patience {
  /** How long an unreachable cluster is asked again; then its error is thrown. */
  readonly limitMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => number;
  readonly log: (line: string) => void;
}

const firstPauseMs = 200;
const longestPauseMs = 2_000;

export function isUnreachable(error: unknown): error is DeployError {
  return (
    error instanceof DeployError && (error.code === "gateway-unreachable" || error.code === "jobmanager-unreachable")
  );
}

/**
 * The same cluster, asked again for a while when it does not answer: a restart of the gateway or the JobManager, or a
 * broken line, is no outcome of a job. Only what may be repeated: looks, and what is idempotent by its id.
 */
export function patientCluster(cluster: Cluster, patience: Patience): Cluster {
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    const since = patience.clock();
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      try {
        return await ask();
      } catch (error) {
        if (!isUnreachable(error) || patience.clock() - since + pause > patience.limitMs) throw error;
        patience.log(`asking again: ${inOneLine(error.message)}`);
        await patience.sleep(pause);
      }
    }
  };
  return {
    through: cluster.through,
    jobs: () => patiently(() => cluster.jobs()),
    progress: (jobId) => patiently(() => cluster.progress(jobId)),
    lagMs: () => patiently(() => cluster.lagMs()),
    stop: (request) => patiently(() => cluster.stop(request)),
    stopStatus: (request) => patiently(() => cluster.stopStatus(request)),
    takeSavepoint: (request) => patiently(() => cluster.takeSavepoint(request)),
    savepointStatus: (request) => patiently(() => cluster.savepointStatus(request)),
    lastSavepoint: (jobId) => patiently(() => cluster.lastSavepoint(jobId)),
    retainedCheckpoint: (jobId) => patiently(() => cluster.retainedCheckpoint(jobId)),
    retention: (jobId) => patiently(() => cluster.retention(jobId)),
    health: (jobId) => patiently(() => cluster.health(jobId)),
    checkpointDirectory: () => patiently(() => cluster.checkpointDirectory()),
    cancel: (jobId) => patiently(() => cluster.cancel(jobId)),
    checkpoint: (jobId, triggerId) => patiently(() => cluster.checkpoint(jobId, triggerId)),
    fence: (jobId) => patiently(() => cluster.fence(jobId)),
    dispose: (path) => patiently(() => cluster.dispose(path)),
    prepare: (program) => cluster.prepare(program),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
