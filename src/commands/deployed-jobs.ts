import { type Deployed, takenBy } from "../ledger/fold.ts";
import { loadJob } from "../ledger/stored-job.ts";
import type { Job } from "../project/job.ts";

export interface DeployedJobs {
  readonly jobs: readonly Job[];
  /** Those that the ledger says are suspended or down: by name the digest of the program that took the savepoint. */
  readonly suspended: ReadonlyMap<string, string | null>;
  /** Those of them that the `suspend` command suspended: they rest until `resume`. */
  readonly held: ReadonlySet<string>;
  /** What is known of the others. */
  readonly past: ReadonlyMap<string, "removed" | "taken-over">;
  /** Streaming jobs as they ran whose removal left no savepoint. */
  readonly lost: ReadonlyMap<string, Job>;
  /** The compiled plans that jobs were deployed with, by name; of streaming jobs of the version only. */
  readonly compiledPlans: ReadonlyMap<string, string>;
}

/** The commits that those of the deployed jobs came with which are not in head any more. */
export function commitsOfRemoved(
  recorded: Deployed,
  deployed: DeployedJobs,
  head: readonly Job[],
): readonly (string | null)[] {
  const names = new Set(head.map(({ name }) => name));
  const removed = deployed.jobs.filter(({ name }) => !names.has(name));
  return removed.map(({ name }) => recorded.get(name)?.commit ?? null);
}

/** The project's jobs that the ledger says are deployed, with their secrets sealed; removed ones are none. */
export async function deployedJobs(
  values: Parameters<typeof loadJob>[0],
  deployed: Deployed,
  { project, flinkVersion }: { readonly project: string; readonly flinkVersion: string },
): Promise<DeployedJobs> {
  const jobs: Job[] = [];
  const suspended = new Map<string, string | null>();
  const held = new Set<string>();
  const past = new Map<string, "removed" | "taken-over">();
  const lost = new Map<string, Job>();
  const compiledPlans = new Map<string, string>();
  for (const { name, settled, project: owner } of deployed.values()) {
    if (owner !== null && owner !== project) continue;
    if (settled?.kind === "removed" && settled.savepoint !== null) past.set(name, "removed");
    if (settled?.kind === "running" && settled.reference === null) past.set(name, "taken-over");
    if (settled?.kind === "removed" && settled.savepoint === null && settled.reference !== null) {
      const { job } = await loadJob(values, settled.reference);
      if (job.program.runtimeMode === "streaming") lost.set(name, job);
    }
    if (settled === null || settled.kind === "removed" || settled.reference === null) continue;
    const { job, compiledPlan, flinkVersion: version } = await loadJob(values, settled.reference);
    jobs.push({ ...job, name });
    if (compiledPlan !== null && version === flinkVersion) compiledPlans.set(name, compiledPlan);
    // A job that is down is started again from its savepoint, as a suspended one is.
    if (settled.kind === "down") suspended.set(name, settled.reference.digest);
    if (settled.kind === "suspended") suspended.set(name, takenBy(settled)?.digest ?? null);
    if (settled.kind === "suspended" && settled.by === "command") held.add(name);
  }
  return { jobs, suspended, held, past, lost, compiledPlans };
}
