import type { Cluster } from "./cluster.ts";

/** The same cluster; `confirm` is asked before every effect and throws where this run may have none any more. */
export function guardedCluster(cluster: Cluster, confirm: () => Promise<void>): Cluster {
  return {
    through: cluster.through,
    jobs: () => cluster.jobs(),
    progress: (jobId) => cluster.progress(jobId),
    lagMs: () => cluster.lagMs(),
    async stop(request) {
      await confirm();
      await cluster.stop(request);
    },
    stopStatus: (request) => cluster.stopStatus(request),
    async takeSavepoint(request) {
      confirm();
      await cluster.takeSavepoint(request);
    },
    savepointStatus: (request) => cluster.savepointStatus(request),
    lastSavepoint: (jobId) => cluster.lastSavepoint(jobId),
    retainedCheckpoint: (jobId) => cluster.retainedCheckpoint(jobId),
    retention: (jobId) => cluster.retention(jobId),
    health: (jobId) => cluster.health(jobId),
    checkpointDirectory: () => cluster.checkpointDirectory(),
    async cancel(jobId) {
      await confirm();
      await cluster.cancel(jobId);
    },
    async checkpoint(jobId, triggerId) {
      await confirm();
      return await cluster.checkpoint(jobId, triggerId);
    },
    async fence(jobId) {
      await confirm();
      await cluster.fence(jobId);
    },
    async dispose(path) {
      await confirm();
      return await cluster.dispose(path);
    },
    async prepare(program) {
      const prepared = await cluster.prepare(program);
      return {
        ...prepared,
        async submit(options) {
          await confirm();
          return await prepared.submit(options);
        },
      };
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
