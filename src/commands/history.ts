import { type Difference, differences, startOf } from "../deploy/rollback-plan.ts";
import type { HistoryInputs } from "../inputs/inputs.ts";
import { fold } from "../ledger/fold.ts";
import { historyOf } from "../ledger/history.ts";
import { readEntries } from "../ledger/ledger.ts";
import type { Store } from "../ledger/store.ts";
import { loadJob } from "../ledger/stored-job.ts";
import { type HistoryRow, renderHistory, type WayBack } from "../report/history.ts";
import { matchingNames } from "./names.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { openStore } from "./stores.ts";

/** Shows the deployments that changed jobs, and what a rollback to each would start from. Touches no cluster. */
export async function history(inputs: HistoryInputs, shell: Shell): Promise<CommandResult> {
  const store = await openStore(inputs, shell);
  const entries = await readEntries(store);
  if (entries.length === 0) shell.log(`the ledger (${store.description}) holds nothing`);
  const { rests, deployments } = historyOf(entries);
  const known = [...rests.keys()].sort();
  const names = inputs.jobs.length === 0 ? known : matchingNames(known, inputs.jobs);
  const deployed = fold(entries);
  const rows: HistoryRow[] = [];
  for (const deployment of deployments.toReversed()) {
    const { ids, commit, at, kind } = deployment;
    const changes = deployment.changes.filter(({ job }) => names.includes(job));
    if (changes.length === 0) continue;
    const found = differences({ rests }, deployed, deployment, names);
    const ways = await Promise.all(found.map((difference) => wayBackOf(difference, store)));
    const rollback = ways.filter((way) => way !== null);
    rows.push({ deployment: ids.at(-1) ?? "", commit, at, kind, changes, rollback });
  }
  await shell.print(renderHistory({ environment: inputs.environment, rows }));
  return { reason: "ok", message: null, outputs: { jobs: JSON.stringify(rows) } };
}

async function wayBackOf(difference: Difference, store: Store): Promise<WayBack | null> {
  const { job } = difference;
  switch (difference.kind) {
    case "none":
      return null;
    case "absent":
      return { job, how: "remove", savepoint: null, why: "it did not exist" };
    case "untold":
      return { job, how: "impossible", savepoint: null, why: "the ledger does not know its program of then" };
    case "program": {
      const { left, reference } = difference;
      const { job: stored } = await loadJob(store, reference);
      const start = startOf(left, stored, { keepsProgress: false, mayStartEmpty: false });
      switch (start.kind) {
        case "left":
          return { job, how: "restore", savepoint: start.left.path, why: null };
        case "in-hand":
        case "progress":
          return { job, how: "restore", savepoint: null, why: "it is being stopped with a savepoint" };
        case "empty":
          return { job, how: "start-empty", savepoint: null, why: start.why };
        case "none":
          return { job, how: "impossible", savepoint: null, why: start.why };
      }
    }
  }
}
