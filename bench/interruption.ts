import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultCacheFolder, provideDistribution } from "../src/flink/distribution.ts";
import { startCluster } from "../src/flink/embedded.ts";
import { Gateway } from "../src/flink/gateway.ts";
import { JobManager } from "../src/flink/jobmanager.ts";
import { provideDbt } from "../src/project/python.ts";
import { markdownTable, median, spread } from "./measure.ts";

/**
 * The interruption of an upgrade, from the old job's end to RUNNING of all the new job's tasks, as the JobManager tells
 * them: `flink-dbt-deploy deploy`, the adapter's own `dbt run`, and a bare loop of REST stop, INSERT and poll, in turn on
 * one cluster. Usage: node bench/interruption.ts [runs]
 */
const runs = Number(process.argv[2] ?? 10);
const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bench-interruption-"));
const cacheFolder = defaultCacheFolder(process.env);
const distribution = await provideDistribution({
  version: "1.20.3",
  flinkHome: null,
  connectors: [],
  cacheFolder,
  log: console.error,
});
const dbt = await provideDbt({
  dbtCommand: null,
  requirements: ["dbt-core==1.3.8", "dbt-flink-adapter==1.3.11"],
  cacheFolder,
  environment: process.env,
  log: console.error,
});
await using cluster = await startCluster({
  distribution,
  folder: join(folder, "cluster"),
  slots: 8,
  log: console.error,
  config: {
    // So that the observer sees tasks as they come to run; the deployment has no use for it.
    "web.refresh-interval": "20",
    "state.checkpoints.dir": `file://${folder}/checkpoints`,
    "state.savepoints.dir": `file://${folder}/savepoints`,
  },
});
const jobmanager = new JobManager({ url: cluster.jobmanagerUrl });
const gateway = new Gateway({ url: cluster.gatewayUrl });

const source = `CREATE TABLE orders (id BIGINT, customer INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
  'fields.customer.min' = '1', 'fields.customer.max' = '50')`;
const query = (version: number): string =>
  `SELECT customer, COUNT(*) AS n, ${version} AS version FROM orders GROUP BY customer`;

/** Watches the job of a name be replaced, and tells the milliseconds between. */
async function interruption(name: string, upgrade: () => Promise<unknown>): Promise<number> {
  const old = await runningId(name);
  const done = upgrade();
  const watched = (async (): Promise<number> => {
    for (;;) {
      const fresh = (await jobmanager.jobs()).find(
        (job) => job.name === name && job.id !== old && job.state === "RUNNING",
      );
      const details = fresh === undefined ? null : await jobmanager.job(fresh.id);
      if (details?.vertices.every((vertex) => vertex.status === "RUNNING")) return Date.now();
      await sleep(5);
    }
  })();
  const [runningAt] = await Promise.all([watched, done]);
  const ended = (await jobmanager.job(old))?.endTime;
  if (ended === null || ended === undefined) throw new Error(`job ${old} has no end`);
  return runningAt - ended;
}

async function runningId(name: string): Promise<string> {
  const found = (await jobmanager.jobs()).find((job) => job.name === name && job.state === "RUNNING");
  if (found === undefined) throw new Error(`no job ${name} runs`);
  return found.id;
}

function makeProject(name: string): string {
  const project = join(folder, name);
  mkdirSync(join(project, "models"), { recursive: true });
  const url = new URL(cluster.gatewayUrl);
  writeFileSync(
    join(project, "dbt_project.yml"),
    `name: ${name}\nversion: 1.0.0\nconfig-version: 2\nprofile: bench\non-run-start: ["{{ create_sources() }}"]\n`,
  );
  writeFileSync(
    join(project, "profiles.yml"),
    `bench:\n  target: dev\n  outputs:\n    dev: {type: flink, host: ${url.hostname}, port: ${url.port}, session_name: s, database: d, schema: s, threads: 1}\n`,
  );
  writeFileSync(
    join(project, "models", "sources.yml"),
    `version: 2
sources:
  - name: raw
    tables:
      - name: orders
        config: {type: streaming, connector_properties: {connector: datagen, rows-per-second: "100", fields.customer.min: "1", fields.customer.max: "50"}}
        columns: [{name: id, data_type: BIGINT}, {name: customer, data_type: INT}]
`,
  );
  writeModel(project, name, 0);
  execFileSync("git", ["init", "-q"], { cwd: project });
  return project;
}

function writeModel(project: string, name: string, version: number): void {
  writeFileSync(
    join(project, "models", `${name}_sink.sql`),
    `{{ config(materialized='table', type='streaming', upgrade_mode='savepoint', connector_properties={'connector': 'blackhole'},
  execution_config={'pipeline.name': '${name}', 'execution.checkpointing.interval': '1s', 'state.savepoints.dir': 'file://${folder}/savepoints'}) }}
${query(version).replace("orders", "{{ source('raw', 'orders') }}")}
`,
  );
}

async function run(command: string, args: readonly string[], cwd: string, home: string): Promise<void> {
  mkdirSync(join(home, ".dbt"), { recursive: true });
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, HOME: home, FLINK_DBT_DEPLOY_CACHE: cacheFolder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = text(child.stdout);
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${await said}`);
}

const tool = makeProject("by_tool");
const adapter = makeProject("by_adapter");
const byTool = async (version: number): Promise<void> => {
  writeModel(tool, "by_tool", version);
  const git = (...args: readonly string[]): unknown =>
    execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@localhost", ...args], { cwd: tool });
  git("add", "-A");
  git("commit", "-qm", String(version));
  const urls = ["--gateway-url", cluster.gatewayUrl, "--jobmanager-url", cluster.jobmanagerUrl];
  const places = [
    "--savepoint-dir",
    `file://${folder}/savepoints`,
    "--ledger-dir",
    join(folder, "ledger"),
    "--profiles-dir",
    tool,
  ];
  await run(
    process.execPath,
    [join(root, "dist", "cli.js"), "deploy", ...urls, ...places],
    tool,
    join(folder, "home-tool"),
  );
};
const byAdapter = async (version: number): Promise<void> => {
  writeModel(adapter, "by_adapter", version);
  const [command = "", ...args] = dbt.command;
  await run(command, [...args, "run", "--profiles-dir", adapter], adapter, join(folder, "home-adapter"));
};
let bareNumber = 0;
const byHand = async (version: number): Promise<void> => {
  await using session = await gateway.openSession();
  await session.execute(source);
  await session.execute(
    "CREATE TABLE bare_sink (customer INT, n BIGINT, version INT) WITH ('connector' = 'blackhole')",
  );
  const restore = bareNumber === 0 ? null : await stopped(await runningId("bare"));
  bareNumber += 1;
  await session.execute(`INSERT INTO bare_sink ${query(version)}`, {
    executionConfig: {
      "pipeline.name": "bare",
      "execution.checkpointing.interval": "1s",
      ...(restore === null ? {} : { "execution.savepoint.path": restore }),
    },
  });
};

async function stopped(jobId: string): Promise<string> {
  const trigger = await jobmanager.stopWithSavepoint(jobId, { targetDirectory: `file://${folder}/savepoints` });
  for (;;) {
    const status = await jobmanager.savepointStatus(jobId, trigger);
    if (status.kind === "completed") return status.path;
    if (status.kind === "failed") throw new Error(status.cause);
    await sleep(5);
  }
}

const ways = { by_tool: byTool, by_adapter: byAdapter, bare: byHand };
const figures: Record<keyof typeof ways, number[]> = { by_tool: [], by_adapter: [], bare: [] };
for (const way of Object.values(ways)) await way(0);
for (const name of Object.keys(ways)) while (!(await isUp(name))) await sleep(100);
for (let version = 1; version <= runs; version += 1) {
  for (const [name, way] of Object.entries(ways)) {
    // The adapter cannot stop a job whose tasks do not all run yet.
    await sleep(1500);
    figures[name as keyof typeof ways].push(await interruption(name, () => way(version)));
  }
}

async function isUp(name: string): Promise<boolean> {
  const id = await runningId(name).catch(() => null);
  const details = id === null ? null : await jobmanager.job(id);
  return details?.vertices.every((vertex) => vertex.status === "RUNNING") ?? false;
}

const own = median(figures.by_tool);
console.log(
  markdownTable(
    ["Upgrade by", "Interruption, ms", "Ours as a ratio to it"],
    [
      ["flink-dbt-deploy deploy", spread(figures.by_tool, 0), "1"],
      [
        "dbt run with dbt-flink-adapter",
        spread(figures.by_adapter, 0),
        `**${(own / median(figures.by_adapter)).toFixed(2)}**`,
      ],
      ["bare REST stop, INSERT, poll", spread(figures.bare, 0), `**${(own / median(figures.bare)).toFixed(2)}**`],
    ],
  ),
);
await cluster.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
