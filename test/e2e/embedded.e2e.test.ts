import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Distribution, defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { startCluster, startGateway } from "../../src/flink/embedded.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-embedded-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const log = () => undefined;
const cacheFolder = defaultCacheFolder(process.env);
const distributionOf = (version: string, environment: NodeJS.ProcessEnv = process.env): Promise<Distribution> =>
  provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, environment, log });

const source = "CREATE TABLE orders (id BIGINT, amount INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')";
const sink = "CREATE TABLE totals (id BIGINT, total INT) WITH ('connector' = 'blackhole')";
const insert = "INSERT INTO totals SELECT id, SUM(amount) FROM orders GROUP BY id";

describe.each(["1.20.3", "2.3.0", "1.17.2"])("the gateway of Flink %s without a cluster", (version) => {
  test("plans, starts no job, hears this machine only, knows no secret, and is gone after its stop", async () => {
    const distribution = await distributionOf(version);
    const environment = { ...process.env, GITHUB_TOKEN: "a-token" };
    const own = join(folder, `gateway-${version}`);
    const embedded = await startGateway({ distribution, folder: own, log, environment });
    const gateway = new Gateway({ url: embedded.url });
    expect(await gateway.info()).toMatchObject({ version });
    await using session = await gateway.openSession();
    await session.execute(source);
    await session.execute(sink);
    expect(JSON.stringify(await session.execute(`EXPLAIN ${insert}`))).toContain("GroupAggregate");
    await expect(session.execute(insert)).rejects.toMatchObject({ code: "statement-failed" });

    expect(listeningAddresses(embedded.pid)).toEqual(["127.0.0.1"]);
    expect(readFileSync(`/proc/${embedded.pid}/environ`, "utf8")).not.toContain("a-token");
    await embedded.stop();
    expect(isAlive(embedded.pid)).toBe(false);
    expect(readdirSync(own).sort()).toEqual(["conf", "log"]);
  });
});

test("a second start needs no network: neither pip nor Maven is asked", async () => {
  const first = await distributionOf("1.20.3");
  expect(await distributionOf("1.20.3", { PATH: "" })).toEqual(first);
});

test("a cluster runs a job, loses a TaskManager and its gateway and gets them back, and is gone after its stop", async () => {
  const distribution = await distributionOf("1.20.3");
  const cluster = await startCluster({ distribution, folder: join(folder, "cluster"), slots: 2, log });
  const jobManager = new JobManager({ url: cluster.jobmanagerUrl });
  expect(await jobManager.overview()).toMatchObject({ slotsTotal: 2 });
  const first = cluster.pids;
  expect(allPids(first).flatMap(listeningAddresses)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);

  await using session = await new Gateway({ url: cluster.gatewayUrl }).openSession();
  await session.execute(source);
  await session.execute(sink);
  const { jobId } = await session.execute(insert);
  const states = async () => (await jobManager.job(jobId ?? ""))?.vertices.map(({ status }) => status);
  await vi.waitFor(async () => expect(new Set(await states())).toEqual(new Set(["RUNNING"])), { timeout: 30_000 });

  await Promise.all([cluster.killTaskManager(), cluster.killGateway()]);
  expect([...first.taskmanagers, first.gateway].filter(isAlive)).toEqual([]);
  await Promise.all([cluster.startTaskManager(), cluster.startGateway()]);
  expect(await new Gateway({ url: cluster.gatewayUrl }).info()).toMatchObject({ version: "1.20.3" });

  const last = cluster.pids;
  await cluster.stop();
  expect(allPids(last).filter(isAlive)).toEqual([]);
});

test("no process of Flink's outlives ours, even when ours is killed by SIGKILL", async () => {
  const src = new URL("../../src/flink/", import.meta.url).href;
  const options = { distribution: await distributionOf("1.20.3"), folder: join(folder, "killed"), slots: 1 };
  const script = `
    const { startCluster } = await import("${src}embedded.ts");
    const { pids } = await startCluster({ ...${JSON.stringify(options)}, log: () => undefined });
    console.log(JSON.stringify(pids));`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(parent.stdout, "data");
  const pids = allPids(JSON.parse(String(line)));
  expect(pids.filter(isAlive)).toHaveLength(3);

  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 });
});

describe("a Flink that does not start", () => {
  test("says why in Flink's words, and where its log is", async () => {
    const distribution = await distributionOf("1.20.3");
    const config = { "sql-gateway.endpoint.type": "nonsense" };
    const own = join(folder, "broken-gateway");
    await expect(startGateway({ distribution, folder: own, config, log })).rejects.toMatchObject({
      code: "flink-start-failed",
      message: expect.stringMatching(/Could not find any factory for identifier 'nonsense'.*log\/gateway\.log/s),
    });
  });

  test("takes the rest of its cluster with it", async () => {
    const distribution = await distributionOf("1.20.3");
    const config = { "taskmanager.memory.segment-size": "1b" };
    const own = join(folder, "broken-cluster");
    await expect(startCluster({ distribution, folder: own, config, log })).rejects.toMatchObject({
      code: "flink-start-failed",
      message: expect.stringContaining("taskmanager-1"),
    });
    expect(processesIn(own)).toEqual([]);
  });

  test("is `interrupted` when the signal fires, and nothing runs on", async () => {
    const distribution = await distributionOf("1.20.3");
    const own = join(folder, "interrupted");
    const controller = new AbortController();
    const started = startGateway({ distribution, folder: own, log, signal: controller.signal });
    await vi.waitFor(() => expect(existsSync(join(own, "log", "gateway.log"))).toBe(true), { timeout: 30_000 });
    controller.abort();
    await expect(started).rejects.toMatchObject({ code: "interrupted" });
    expect(processesIn(own)).toEqual([]);
  });
});

interface Pids {
  readonly jobmanager: number;
  readonly taskmanagers: readonly number[];
  readonly gateway: number;
}

const allPids = ({ jobmanager, taskmanagers, gateway }: Pids) => [jobmanager, ...taskmanagers, gateway];

/** A zombie that nobody has reaped yet has ended. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && /^State:\s+[^ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

function processesIn(workingFolder: string): readonly number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => linkOf(`/proc/${pid}/cwd`) === workingFolder && isAlive(pid));
}

/** The different addresses on which a process listens, from Linux's own tables. */
function listeningAddresses(pid: number): readonly string[] {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  const rows = ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/net/${name}`, "utf8").split("\n"));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const listening = fields.filter(
    ([, , , state, , , , , , inode]) => state === "0A" && sockets.has(`socket:[${inode}]`),
  );
  return [...new Set(listening.map(([, address = ""]) => addressOf(address)))];
}

/** 127.0.0.1 is 0100007F there, alone or as the last part of an IPv6 address. */
const addressOf = (hex: string) => (/^(0{16}FFFF0000)?0100007F:/.test(hex) ? "127.0.0.1" : hex);

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // The process or its file has gone since it was listed.
    return null;
  }
}
