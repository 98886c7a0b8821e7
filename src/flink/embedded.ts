import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { mergedConfig } from "./configuration.ts";
import type { Distribution } from "./distribution.ts";
import { configure, type FlinkProcess, type Host, prepareHost, startFlink, untilReady } from "./flink-process.ts";
import { freePorts, isFree } from "./ports.ts";
import { gatewayIsReady, instanceKey } from "./probe.ts";

export interface EmbeddedOptions {
  readonly distribution: Distribution;
  /** Of its own: gets `conf`, `log` and `tmp`; the logs stay when it stops. Absolute. */
  readonly folder: string;
  /** Flink's config, before our defaults; addresses and ports stay ours. */
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

const loopback = "127.0.0.1";
const graceMilliseconds = 10_000;

export const gatewayProgram = {
  name: "gateway",
  mainClass: "org.apache.flink.table.gateway.SqlGateway",
  args: [],
  heapMegabytes: 512,
};

/** Config of a gateway that listens on that port of this machine only. */
export function gatewayConfig(port: number): Readonly<Record<string, string>> {
  return {
    "sql-gateway.endpoint.rest.address": loopback,
    "sql-gateway.endpoint.rest.bind-address": loopback,
    "sql-gateway.endpoint.rest.port": String(port),
  };
}

/**
 * Starts a SQL Gateway without a cluster, enough for DDL, EXPLAIN and COMPILE PLAN. It ends with this process, however
 * that ends. Throws `java-missing` or `flink-start-failed`.
 */
export async function startGateway(options: EmbeddedOptions): Promise<EmbeddedGateway> {
  const start = performance.now();
  const { folder, distribution } = options;
  const host = await prepareHost(distribution, folder, options.environment ?? process.env);
  const { url, gateway } = await onFreePorts(1, async ([port = 0]) => {
    const instance = randomUUID();
    await configure(host, mergedConfig(noCluster, options.config ?? {}, required(host, port, instance)));
    const url = `http://${loopback}:${port}`;
    return { url, gateway: await startReadyGateway(host, url, instance, options.signal) };
  });
  options.log(`SQL Gateway of Flink ${distribution.version} ready after ${secondsSince(start)} s`);
  const stop = once(async () => {
    await gateway.process.stop(graceMilliseconds);
    await rm(join(folder, "tmp"), { recursive: true, force: true });
  });
  return { url, folder, pid: gateway.process.pid, stop, [Symbol.asyncDispose]: stop };
}

/** Nothing listens on port 1: a statement that would start a job fails at once, whatever else runs on this machine. */
const noCluster = { "rest.address": loopback, "rest.port": "1", "rest.retry.max-attempts": "0" };

function required(host: Host, port: number, instance: string): Readonly<Record<string, string>> {
  return { ...gatewayConfig(port), "io.tmp.dirs": join(host.folder, "tmp"), [instanceKey]: instance };
}

/** Starts the gateway's process and waits until it answers as that instance. */
export async function startReadyGateway(
  host: Host,
  url: string,
  instance: string,
  signal: AbortSignal | undefined,
): Promise<FlinkProcess> {
  const gateway = await startFlink(host, gatewayProgram);
  try {
    await untilReady(gateway, () => gatewayIsReady(url, instance), signal);
    return gateway;
  } catch (error) {
    await gateway.process.stop(0);
    throw error;
  }
}

/** Starts something on free ports, and again on others where another process took one in between. */
export async function onFreePorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts(count);
    try {
      return await start(ports);
    } catch (error) {
      const stillFree = await Promise.all(ports.map(isFree));
      if (attempt === 3 || stillFree.every(Boolean)) throw error;
    }
  }
}

/** The same promise for every call. */
export function once(action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => {
    result ??= action();
    return result;
  };
}

export const secondsSince = (start: number): string => ((performance.now() - start) / 1000).toFixed(1);
