import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultCacheFolder, provideDistribution } from "../src/flink/distribution.ts";
import { startCluster } from "../src/flink/embedded.ts";
import { JobManager } from "../src/flink/jobmanager.ts";
import { generateProject } from "./generate-project.ts";
import { markdownTable, median, spread } from "./measure.ts";

/**
 * An upgrade of many jobs in one deployment, beside that of one job alone on the same cluster: wall time, each job's
 * interruption (from the old job's end to RUNNING of all the new one's tasks, as the JobManager tells them) and the
 * ledger's entries. Usage: node bench/many-jobs.ts [jobs] [runs]
 */
const jobs = Number(process.argv[2] ?? 50);
const runs = Number(process.argv[3] ?? 3);
const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bench-many-jobs-"));
const cacheFolder = defaultCacheFolder(process.env);
const distribution = await provideDistribution({
  version: "1.20.3",
  flinkHome: null,
  connectors: [],
  cacheFolder,
  log: console.error,
});
await using cluster = await startCluster({
  distribution,
  folder: join(folder, "cluster"),
  slots: jobs + 1,
  log: console.error,
  config: {
    // So that the observer sees tasks as they come to run; the deployment has no use for it.
    "web.refresh-interval": "20",
    "taskmanager.memory.process.size": "4g",
    "taskmanager.network.memory.max": "1g",
    "state.checkpoints.dir": `file://${folder}/checkpoints`,
  },
});
const jobmanager = new JobManager({ url: cluster.jobmanagerUrl });

interface Upgrade {
  readonly seconds: number;
  readonly interruptions: readonly number[];
  readonly entries: number;
}

async function deploy(project: string, head: string): Promise<number> {
  const start = performance.now();
  const args = [
    ...[join(root, "dist", "cli.js"), "deploy", "--head", head, "--profiles-dir", project],
    ...["--environment", environmentOf(project), "--ledger-dir", join(folder, "ledger")],
    ...["--gateway-url", cluster.gatewayUrl, "--jobmanager-url", cluster.jobmanagerUrl],
    ...["--savepoint-dir", `file://${folder}/savepoints`],
  ];
  const child = spawn(process.execPath, args, { cwd: project, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`deploy ended with ${code}\n${said}`);
  return (performance.now() - start) / 1000;
}

const environmentOf = (project: string): string => project.split("/").at(-1) ?? "";
const entriesOf = (project: string): number =>
  readdirSync(join(folder, "ledger", environmentOf(project), "entries")).length;

/** The moments at which each job that was not there before has all its tasks running. */
async function watchStarts(until: { done: boolean }): Promise<ReadonlyMap<string, number>> {
  const known = new Set((await jobmanager.jobs()).map(({ id }) => id));
  const started = new Map<string, number>();
  while (!until.done) {
    for (const { id, tasks } of await jobmanager.jobs()) {
      const isUp = (tasks.total ?? 0) > 0 && tasks.running === tasks.total;
      if (!known.has(id) && isUp && !started.has(id)) started.set(id, Date.now());
    }
    await sleep(5);
  }
  return started;
}

async function upgrade(count: number): Promise<Upgrade> {
  const project = mkdtempSync(join(folder, `project-${count}-`));
  generateProject(project, count, count);
  await deploy(project, "HEAD~1");
  const old = new Map(
    (await jobmanager.jobs()).filter(({ endTime }) => endTime === null).map((job) => [job.name, job.id]),
  );
  const before = entriesOf(project);
  const until = { done: false };
  const watching = watchStarts(until);
  const seconds = await deploy(project, "HEAD").finally(() => {
    until.done = true;
  });
  const started = await watching;
  const all = await jobmanager.jobs();
  const interruptions = all.flatMap(({ id, name }) => {
    const up = started.get(id);
    const ended = all.find((job) => job.id === old.get(name))?.endTime;
    return up === undefined || ended === undefined || ended === null ? [] : [up - ended];
  });
  if (interruptions.length !== count) throw new Error(`${interruptions.length} of ${count} interruptions were seen`);
  const entries = entriesOf(project) - before;
  for (const { id, endTime } of all) if (endTime === null) await jobmanager.cancel(id);
  while ((await jobmanager.jobs()).some(({ endTime }) => endTime === null)) await sleep(100);
  return { seconds, interruptions, entries };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const upgrades: Record<"one" | "many", Upgrade[]> = { one: [], many: [] };
for (let run = 0; run < runs; run += 1) {
  upgrades.one.push(await upgrade(1));
  upgrades.many.push(await upgrade(jobs));
}
const meansOf = (all: readonly Upgrade[]): readonly number[] => all.map(({ interruptions }) => mean(interruptions));
const alone = median(meansOf(upgrades.one));
const row = (name: string, all: readonly Upgrade[]): readonly string[] => [
  name,
  spread(
    all.map(({ seconds }) => seconds),
    1,
  ),
  spread(meansOf(all), 0),
  spread(
    all.flatMap(({ interruptions }) => Math.max(...interruptions)),
    0,
  ),
  `**${(median(meansOf(all)) / alone).toFixed(2)}**`,
  String(median(all.map(({ entries }) => entries))),
];
console.log(
  markdownTable(
    [
      "Jobs upgraded",
      "Wall time, s",
      "Mean interruption, ms",
      "Longest, ms",
      "Mean as a ratio to one alone",
      "Ledger entries",
    ],
    [row("1", upgrades.one), row(String(jobs), upgrades.many)],
  ),
);
await cluster.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
