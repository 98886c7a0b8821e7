import type { Cluster } from "../deploy/cluster.ts";
import { gatewayCluster } from "../deploy/gateway-cluster.ts";
import { jobmanagerCluster } from "../deploy/jobmanager-cluster.ts";
import type { Settings } from "../deploy/step.ts";
import { DeployError } from "../errors.ts";
import { Gateway } from "../flink/gateway.ts";
import type { HttpOptions } from "../flink/http.ts";
import { JobManager } from "../flink/jobmanager.ts";
import { tlsDispatcher } from "../flink/tls.ts";
import type { ClusterInputs, VerifyInputs } from "../inputs/inputs.ts";
import { rememberSecret } from "../secrets.ts";
import { readInputFile } from "./input-file.ts";
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
  const access = { ...(await accessOf(inputs, shell)), signal };
  const gateway = new Gateway({ url: inputs.gatewayUrl, ...access });
  const { version } = await gateway.info();
  const options = { gateway, initSql, signal };
  if (inputs.jobmanagerUrl === null) return { cluster: gatewayCluster(options), flinkVersion: version };
  const jobmanager = new JobManager({ url: inputs.jobmanagerUrl, ...access });
  const config = await jobmanager.config();
  if (config.version !== version) {
    throw new DeployError(
      "version-mismatch",
      `the SQL Gateway is Flink ${version}, but the JobManager is ${config.version}; run both from one version`,
    );
  }
  return { cluster: jobmanagerCluster(jobmanager, options), flinkVersion: version };
}

/** Files are read anew by each command. They, and what they lead to, are for these two services alone. */
async function accessOf({ gatewayUrl, jobmanagerUrl, access }: ClusterInputs, { cwd, log }: Shell): Promise<Access> {
  const { headers, tlsCa, tlsCert, tlsKey } = access;
  const read = async (input: "tls-ca" | "tls-cert" | "tls-key", file: string | null): Promise<string | null> =>
    file === null ? null : await readInputFile({ input, file, cwd, maxBytes: maxPemBytes });
  const ca = await read("tls-ca", tlsCa);
  const cert = await read("tls-cert", tlsCert);
  const key = await read("tls-key", tlsKey);
  if (key !== null) rememberSecret(key);
  for (const url of [gatewayUrl, jobmanagerUrl ?? gatewayUrl]) {
    if (Object.keys(headers).length > 0 && isReadOnTheWay(url)) {
      log(`${new URL(url).origin} gets a token over http, which everyone on the way can read: use https`);
    }
  }
  const dispatcher = tlsDispatcher({ ca, cert, key });
  return { headers, ...(dispatcher === null ? {} : { dispatcher }) };
}

type Access = Pick<HttpOptions, "headers" | "dispatcher">;

/** A bundle of all public roots is a quarter of it. */
const maxPemBytes = 1024 * 1024;

function isReadOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
}

export const verifyLimits = (inputs: VerifyInputs): Settings["verify"] => ({
  timeoutMs: inputs.verifyTimeoutMs,
  batchTimeoutMs: inputs.batchTimeoutMs,
  checkpoints: inputs.verifyCheckpoints,
  steadyMs: inputs.steadyTimeMs,
});
