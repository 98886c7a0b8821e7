import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { clusterAddress, clusterDefaults } from "./cluster-process.ts";
import { mergedConfig } from "./configuration.ts";
import type { Distribution } from "./distribution.ts";
import {
  configure,
  graceMilliseconds,
  type Host,
  loopback,
  prepareHost,
  startFlink,
  untilReady,
} from "./flink-process.ts";
import { gatewayAddress, gatewayProgram } from "./gateway-process.ts";
import { onFreePorts } from "./ports.ts";
import { gatewayIsReady, instanceKey } from "./probe.ts";
import { SessionCluster } from "./session-cluster.ts";

export interface EmbeddedOptions {
  readonly distribution: Distribution;
  /** Of its own: gets `conf`, `log` and `tmp`; the logs stay when it stops. Absolute. */
  readonly folder: string;
  /** Flink's config; goes before our defaults, while addresses, ports and slots stay ours. */
  readonly config?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Where Java is looked for; ours where none is given. Little of it reaches Flink. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface EmbeddedGateway extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a SQL Gateway without a cluster, enough for DDL, EXPLAIN and COMPILE PLAN. It ends with this process, however
 * that ends. Throws `java-missing`, `flink-start-failed` or `interrupted`.
 */
export async function startGateway(options: EmbeddedOptions): Promise<EmbeddedGateway> {
  const start = performance.now();
  const { folder, distribution, signal } = options;
  const host = await prepareHost(distribution, folder, options.environment ?? process.env);
  const { url, gateway } = await onFreePorts(1, async ([port = 0]) => {
    const instance = randomUUID();
    const required = { ...gatewayAddress(port), ...ownFolder(host, instance) };
    await configure(host, mergedConfig(noCluster, options.config ?? {}, required));
    const url = `http://${loopback}:${port}`;
    const gateway = await startFlink(host, gatewayProgram);
    try {
      await untilReady(gateway, () => gatewayIsReady(url, instance), signal);
    } catch (error) {
      await gateway.process.stop(0);
      throw error;
    }
    return { url, gateway };
  });
  options.log(`SQL Gateway of Flink ${distribution.version} ready after ${secondsSince(start)} s`);
  const stop = async () => {
    await gateway.process.stop(graceMilliseconds);
    await rm(join(folder, "tmp"), { recursive: true, force: true });
  };
  return { url, folder, pid: gateway.process.pid, stop, [Symbol.asyncDispose]: stop };
}

/** Nothing listens on port 1: a statement that would start a job fails at once, whatever else runs on this machine. */
const noCluster = { "rest.address": loopback, "rest.port": "1", "rest.retry.max-attempts": "0" };

const ownFolder = (host: Host, instance: string) => ({
  "io.tmp.dirs": join(host.folder, "tmp"),
  [instanceKey]: instance,
});

export interface EmbeddedClusterOptions extends EmbeddedOptions {
  /** Of each TaskManager; 8 unless given. */
  readonly slots?: number;
  /** 1 unless given. */
  readonly taskManagers?: number;
}

/** A session cluster (JobManager, TaskManagers) and its SQL Gateway. */
export type EmbeddedCluster = Omit<SessionCluster, "start">;

/**
 * Starts a session cluster and its SQL Gateway on loopback; ready when every slot is there and the gateway answers.
 * It ends with this process, however that ends. Throws `java-missing`, `flink-start-failed` or `interrupted`.
 */
export async function startCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const start = performance.now();
  const { distribution, signal, slots = 8, taskManagers = 1 } = options;
  const host = await prepareHost(distribution, options.folder, options.environment ?? process.env);
  const cluster = await onFreePorts(3, async ([gateway = 0, rest = 0, rpc = 0]) => {
    const instance = randomUUID();
    const required = {
      ...gatewayAddress(gateway),
      ...clusterAddress({ rest, rpc }, slots),
      ...ownFolder(host, instance),
    };
    await configure(host, mergedConfig(clusterDefaults(slots), options.config ?? {}, required));
    const [gatewayUrl, jobmanagerUrl] = [`http://${loopback}:${gateway}`, `http://${loopback}:${rest}`];
    const cluster = new SessionCluster({ host, instance, slots, gatewayUrl, jobmanagerUrl, signal });
    await cluster.start(taskManagers);
    return cluster;
  });
  options.log(`Flink ${distribution.version} with ${slots * taskManagers} slots ready after ${secondsSince(start)} s`);
  return cluster;
}

const secondsSince = (start: number): string => ((performance.now() - start) / 1000).toFixed(1);
