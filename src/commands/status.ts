import { type Cluster, type ClusterJob, type Health, hasEnded } from "../deploy/cluster.ts";
import { inParallel } from "../deploy/in-parallel.ts";
import { stateTimes, suspensionWarning } from "../deploy/suspension-age.ts";
import { DeployError, describeError } from "../errors.ts";
import type { StatusInputs } from "../inputs/inputs.ts";
import { type Deployed, fold } from "../ledger/fold.ts";
import { readEntries } from "../ledger/ledger.ts";
import type { Store } from "../ledger/store.ts";
import { renderStatus } from "../report/status.ts";
import { statusRow } from "../report/status-row.ts";
import { openCluster } from "./cluster.ts";
import { driftIssuePlace, keepDriftIssue } from "./drift-issue.ts";
import { matchingNames } from "./names.ts";
import { noteCheckpoints } from "./note-checkpoints.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { openStore } from "./stores.ts";

/** Jobs that are asked about at a time, in four requests each. */
const parallelJobs = 4;

/**
 * Shows what the ledger records beside what the cluster runs, notes the newest checkpoints, and keeps a ledger that would
 * expire. `job-down` or `needs-operator` where there are problems; warnings change nothing about the result.
 */
export async function status(inputs: StatusInputs, shell: Shell): Promise<CommandResult> {
  const issuePlace = driftIssuePlace(inputs, shell);
  const store = await openStore(inputs, shell);
  const entries = await readEntries(store);
  const deployed = fold(entries);
  const { cluster: opened, flinkVersion } = await openCluster(inputs, [], shell);
  await using cluster = opened;
  const jobs = await cluster.jobs();
  const strangers = [...new Set(jobs.filter((job) => !hasEnded(job.state)).map((job) => job.name))];
  const recorded = [...deployed.values()].filter(({ settled, attempt }) => settled !== null || attempt !== null);
  const names = [...new Set([...recorded.map(({ name }) => name), ...strangers])].sort();
  const wanted = inputs.jobs.length === 0 ? names : matchingNames(names, inputs.jobs);

  const healths = await healthOf(wanted, deployed, jobs, cluster);
  if (inputs.noteCheckpoints) {
    const seen = [...healths].flatMap(([job, { jobId, health }]) => {
      const path = health?.newestCheckpoint?.path ?? null;
      return path === null ? [] : [{ job, jobId, path }];
    });
    await noteCheckpoints(seen, { store, deployed, inputs, shell });
  }
  if (entries.length > 0) await refresh(store, shell);
  const times = stateTimes(entries);
  const limit = { now: shell.now().getTime(), limitMs: inputs.warnSuspendedMs };
  const rows = wanted.map((name) => {
    const of = deployed.get(name) ?? null;
    const warning = of === null ? null : suspensionWarning(of, times, limit);
    return statusRow({ name, recorded: of, jobs, health: healths.get(name)?.health ?? null, warning });
  });
  await shell.print(renderStatus({ environment: inputs.environment, flinkVersion, rows }));
  if (issuePlace !== null) await keepDriftIssue(rows, issuePlace, inputs, shell);
  const wrong = rows.filter((row) => row.problem !== null);
  const isDown = wrong.some(
    ({ recorded, clusterState: state }) =>
      (recorded === "running" || recorded === "down") && (state === null || state === "FAILED" || state === "CANCELED"),
  );
  return {
    reason: wrong.length === 0 ? "ok" : isDown ? "job-down" : "needs-operator",
    message: wrong.length === 0 ? null : wrong.map((row) => `${row.job}: ${row.problem}`).join("\n"),
    outputs: { jobs: JSON.stringify(rows) },
  };
}

interface Asked {
  readonly jobId: string;
  readonly health: Health | null;
}

/** Of those of the jobs that run as the ledger says, by their names. */
async function healthOf(
  names: readonly string[],
  deployed: Deployed,
  jobs: readonly ClusterJob[],
  cluster: Cluster,
): Promise<ReadonlyMap<string, Asked>> {
  const alive = new Set(jobs.filter((job) => !hasEnded(job.state)).map((job) => job.id));
  const running = names.flatMap((name) => {
    const settled = deployed.get(name)?.settled ?? null;
    return settled?.kind === "running" && alive.has(settled.jobId) ? [{ name, jobId: settled.jobId }] : [];
  });
  const asked = await inParallel(running, parallelJobs, async ({ name, jobId }) => {
    return [name, { jobId, health: await cluster.health(jobId) }] as const;
  });
  return new Map(asked);
}

/** What keeps it from that is a line in the log: the status is known all the same, and the next one tries again. */
async function refresh(store: Store, shell: Shell): Promise<void> {
  try {
    const done = (await store.refresh?.()) ?? null;
    if (done !== null) shell.log(done);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    shell.log(`the ledger was not made to last longer: ${describeError(error)}`);
  }
}
