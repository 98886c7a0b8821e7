import type { ClusterJob } from "../deploy/cluster.ts";
import { hasEnded } from "../deploy/cluster.ts";
import type { StatusInputs } from "../inputs/inputs.ts";
import { fold, type RecordedJob } from "../ledger/fold.ts";
import { readEntries } from "../ledger/ledger.ts";
import { renderStatus, type StatusRow } from "../report/status.ts";
import { openCluster } from "./cluster.ts";
import { matchingNames } from "./names.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { openStore } from "./stores.ts";

/** Shows what the ledger records beside what the cluster runs. `job-down` or `needs-operator` where they disagree. */
export async function status(inputs: StatusInputs, shell: Shell): Promise<CommandResult> {
  const store = await openStore(inputs, shell);
  const deployed = fold(await readEntries(store));
  const { cluster: opened, flinkVersion } = await openCluster(inputs, [], shell);
  await using cluster = opened;
  const jobs = await cluster.jobs();
  const strangers = [...new Set(jobs.filter((job) => !hasEnded(job.state)).map((job) => job.name))];
  const recorded = [...deployed.values()].filter(({ settled, attempt }) => settled !== null || attempt !== null);
  const names = [...new Set([...recorded.map(({ name }) => name), ...strangers])].sort();
  const wanted = inputs.jobs.length === 0 ? names : matchingNames(names, inputs.jobs);
  const rows = wanted.map((name) => rowOf(name, deployed.get(name) ?? null, jobs));
  await shell.print(renderStatus({ environment: inputs.environment, flinkVersion, rows }));
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

function rowOf(name: string, recorded: RecordedJob | null, jobs: readonly ClusterJob[]): StatusRow {
  const settled = recorded?.settled ?? null;
  const expected = settled?.kind === "running" || settled?.kind === "finished" ? settled.jobId : null;
  const alive = jobs.filter((job) => !hasEnded(job.state) && (job.name === name || job.id === expected));
  const ours = jobs.find((job) => job.id === expected) ?? null;
  return {
    job: name,
    recorded: settled?.kind ?? "unknown",
    commit: recorded?.commit ?? null,
    since: recorded?.at ?? null,
    jobId: expected ?? alive[0]?.id ?? null,
    clusterState: ours?.state ?? alive[0]?.state ?? null,
    savepoint: settled !== null && "savepoint" in settled ? settled.savepoint : null,
    problem: problemOf(recorded, ours, alive),
  };
}

function problemOf(recorded: RecordedJob | null, ours: ClusterJob | null, alive: readonly ClusterJob[]): string | null {
  const settled = recorded?.settled ?? null;
  if (recorded?.attempt) return "a deployment of it did not end; run the same command again";
  if (settled === null) return "runs and is not in the ledger; the next deployment takes it over or leaves it";
  if (settled.kind === "running") {
    const then = "run `deploy`, which starts it again or says which path it needs";
    if (ours === null) return `job ${settled.jobId} is not known to the cluster any more; ${then}`;
    // A batch job is recorded only once it has finished.
    if (ours.state === "FINISHED")
      return `job ${settled.jobId} is FINISHED; run \`deploy\`, which tells whether it read its sources to their end`;
    if (hasEnded(ours.state)) return `job ${settled.jobId} is ${ours.state}; ${then}`;
    if (ours.state === "RESTARTING" || ours.state === "FAILING") return `job ${settled.jobId} is ${ours.state}`;
  }
  const others = alive.filter((job) => job.id !== ours?.id);
  if (others.length > 0) return `also runs as ${others.map((job) => job.id).join(", ")}`;
  return settled.kind === "down" ? adviceFor(settled) : null;
}

function adviceFor({ savepoint }: { readonly savepoint: string | null }): string {
  return savepoint === null
    ? "is down, and nothing of its state is kept; mend the cause and run `deploy`, which starts it empty"
    : `is down; mend the cause and run \`deploy\`, which starts it from ${savepoint}`;
}
