import type { Cluster } from "../deploy/cluster.ts";
import { DeployError } from "../errors.ts";
import type { DeployInputs } from "../inputs/inputs.ts";
import type { Store } from "../ledger/store.ts";
import { openCluster } from "./cluster.ts";
import { readInitSql } from "./init-sql.ts";
import type { Shell } from "./shell.ts";
import { openStore } from "./stores.ts";

/** What a deployment works with, wherever its plan comes from. */
export interface Site extends AsyncDisposable {
  readonly inputs: DeployInputs;
  readonly shell: Shell;
  readonly cluster: Cluster;
  readonly flinkVersion: string;
  readonly store: Store;
}

/** Reaches the cluster and the ledger's store; throws `version-mismatch` where `flink-version` names another Flink. */
export async function openSite(inputs: DeployInputs, shell: Shell): Promise<Site> {
  const store = await openStore(inputs, shell);
  const { cluster, flinkVersion } = await openCluster(inputs, await readInitSql(inputs.initSql, shell.cwd), shell);
  if (inputs.flinkVersion !== null && inputs.flinkVersion !== flinkVersion) {
    await cluster[Symbol.asyncDispose]();
    throw new DeployError(
      "version-mismatch",
      `flink-version is ${inputs.flinkVersion}, but the cluster at ${inputs.gatewayUrl} runs ${flinkVersion}`,
    );
  }
  return { inputs, shell, cluster, flinkVersion, store, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}
