import type { Job } from "../project/job.ts";

/** Jobs in waves along the graph: a job that reads another job's table comes in a later wave. Pure. */
export function wavesOf(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const byNode = new Map(
    jobs.flatMap((job) => (job.origin.nodeId === null ? [] : [[job.origin.nodeId, job] as const])),
  );
  const levels = new Map<Job, number>();
  const levelOf = (job: Job, path: ReadonlySet<Job>): number => {
    const known = levels.get(job);
    if (known !== undefined) return known;
    if (path.has(job)) return 0;
    const inner = new Set([...path, job]);
    const read = job.program.setup.flatMap(({ origin }) => {
      const other = origin.nodeId === null ? undefined : byNode.get(origin.nodeId);
      return other === undefined || other === job ? [] : [other];
    });
    const level = Math.max(-1, ...read.map((other) => levelOf(other, inner))) + 1;
    levels.set(job, level);
    return level;
  };
  const waves: Job[][] = [];
  for (const job of jobs) {
    const level = levelOf(job, new Set());
    waves[level] ??= [];
    waves[level].push(job);
  }
  return waves.filter((wave) => wave !== undefined);
}
