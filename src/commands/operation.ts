import type { RunContext } from "../deploy/task.ts";
import type { ClusterInputs, LockInputs, RunInputs, StoreInputs } from "../inputs/inputs.ts";
import { openLedger } from "../ledger/ledger.ts";
import { openCluster } from "./cluster.ts";
import { readInitSql } from "./init-sql.ts";
import { runContext } from "./run-context.ts";
import type { Shell } from "./shell.ts";
import { lockEnvironment, openStore } from "./stores.ts";

type OperationInputs = { readonly command: string } & StoreInputs & LockInputs & ClusterInputs & RunInputs;

/** For a command that changes an environment's jobs and deploys no project: the environment is locked meanwhile. */
export async function operateOn<T>(
  inputs: OperationInputs,
  shell: Shell,
  work: (context: RunContext) => Promise<T>,
): Promise<T> {
  const opened = await openCluster(inputs, await readInitSql(inputs.initSql, shell.cwd), shell);
  await using cluster = opened.cluster;
  const store = await openStore(inputs, shell);
  await using lock = await lockEnvironment(store, inputs, shell);
  const ledger = await openLedger(store, {
    environment: inputs.environment,
    project: null,
    commit: null,
    now: () => shell.now().toISOString(),
    confirmLock: lock.confirm,
  });
  return await work(runContext({ cluster, lock, ledger }, inputs, shell));
}
