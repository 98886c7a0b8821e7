import type { Cluster } from "../deploy/cluster.ts";
import { gatewayCluster } from "../deploy/gateway-cluster.ts";
import { jobmanagerCluster } from "../deploy/jobmanager-cluster.ts";
import type { Settings } from "../deploy/step.ts";
import { DeployError } from "../errors.ts";
import { Gateway } from "../flink/gateway.ts";
import { JobManager } from "../flink/jobmanager.ts";
import type { ClusterInputs, VerifyInputs } from "../inputs/inputs.ts";
import type { Shell } from "./shell.ts";

export interface OpenedCluster {
  readonly cluster: Cluster;
  /** As the gateway tells it. */
  readonly flinkVersion: string;
}

/** Reaches the cluster and makes sure that both doors lead to Flink of one version. */
export async function openCluster(
  inputs: ClusterInputs,
  initSql: readonly string[],
  shell: Shell,
): Promise<OpenedCluster> {
  // What is in hand goes on after an interruption, as long as there is time.
  const signal = shell.deadline;
  const gateway = new Gateway({ url: inputs.gatewayUrl, signal });
  const { version } = await gateway.info();
  const options = { gateway, initSql, signal };
  if (inputs.jobmanagerUrl === null) return { cluster: gatewayCluster(options), flinkVersion: version };
  const jobmanager = new JobManager({ url: inputs.jobmanagerUrl, signal });
  const config = await jobmanager.config();
  if (config.version !== version) {
    throw new DeployError(
      "version-mismatch",
      `the SQL Gateway is Flink ${version}, but the JobManager is ${config.version}; run both from one version`,
    );
  }
  return { cluster: jobmanagerCluster(jobmanager, options), flinkVersion: version };
}

export const verifyLimits = (inputs: VerifyInputs): Settings["verify"] => ({
  timeoutMs: inputs.verifyTimeoutMs,
  batchTimeoutMs: inputs.batchTimeoutMs,
  checkpoints: inputs.verifyCheckpoints,
  steadyMs: inputs.steadyTimeMs,
});
