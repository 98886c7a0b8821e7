import type { Cluster } from "../deploy/cluster.ts";
import { guardedCluster } from "../deploy/guarded-cluster.ts";
import { listedStorage } from "../deploy/state-storage.ts";
import type { RunContext } from "../deploy/task.ts";
import type { RunInputs } from "../inputs/inputs.ts";
import type { HeldLock } from "../ledger/held-lock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Shell } from "./shell.ts";

export interface Locked {
  readonly cluster: Cluster;
  readonly lock: HeldLock;
  readonly ledger: Ledger;
}

/** What jobs are worked on with while the environment is locked: nothing is done to them once the lock is lost. */
export function runContext({ cluster, lock, ledger }: Locked, inputs: RunInputs, shell: Shell): RunContext {
  const { clock, signal, deadline } = shell;
  return {
    cluster: guardedCluster(cluster, lock.confirm),
    ledger,
    log: (job, line) => shell.log(`${job}: ${line}`),
    storage: listedStorage({ ...inputs, ...shell, signal: deadline }),
    clock,
    signal,
    deadline,
  };
}
