import { setTimeout as sleep } from "node:timers/promises";
import type { JobManager } from "../../src/flink/jobmanager.ts";

export interface RunningJob {
  readonly id: string;
  /** The savepoint that it was started from; null for one that started empty. */
  readonly restored: string | null;
}

/** What Flink itself says is running, by name: the demo believes no report of the product's. */
export async function runningJobs(jobManager: JobManager): Promise<ReadonlyMap<string, RunningJob>> {
  const running = (await jobManager.jobs()).filter((job) => job.state === "RUNNING");
  const found = await Promise.all(
    running.map(async ({ id, name }): Promise<readonly [string, RunningJob]> => {
      const checkpoints = await jobManager.checkpoints(id);
      return [name, { id, restored: checkpoints?.restored?.path ?? null }];
    }),
  );
  const jobs = new Map(found);
  if (jobs.size < found.length) throw new Error(`two jobs of one name run: ${found.map(([name]) => name).join(", ")}`);
  return jobs;
}

export interface Wait<T> {
  readonly for: string;
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly look: () => Promise<T>;
  readonly until: (seen: T) => boolean;
}

/** Looks again and again until what is waited for is seen, and returns it; throws after that many seconds. */
export async function waitFor<T>(wait: Wait<T>): Promise<T> {
  const end = performance.now() + wait.seconds * 1000;
  for (;;) {
    const seen = await wait.look();
    if (wait.until(seen)) return seen;
    if (performance.now() > end) throw new Error(`${wait.for} was not seen within ${wait.seconds} s`);
    await sleep(200, undefined, { signal: wait.signal });
  }
}
