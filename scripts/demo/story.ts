import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedCluster } from "../../src/flink/embedded.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { decodePlan } from "../../src/plan/plan-file.ts";
import { type RunningJob, runningJobs, waitFor } from "./cluster-facts.ts";
import { describeProof, proveExactlyOnce, stretchesOf } from "./proof.ts";
import { badEdit, commitEdit, createShop, goodEdit } from "./shop.ts";
import { committedRows, orderNumberOf } from "./sink-files.ts";
import { clusterArguments, projectArguments, type Stage } from "./stage.ts";

const jobs = ["order_log", "order_tiers", "revenue_per_customer", "revenue_per_interval"];
const changed = ["order_log", "revenue_per_customer", "revenue_per_interval"];
const unchanged = ["order_tiers"];
/** What `order*` matches. */
const suspended = ["order_log", "order_tiers"];

export interface StoryRequest {
  readonly stage: Stage;
  readonly cluster: EmbeddedCluster;
  readonly flinkVersion: string;
  /** The Markdown of the plan is left here; absolute. */
  readonly planMarkdown: string;
}

/** A shop's jobs from their first deployment to the proof. Returns the proof's lines, throws at the first step that fails. */
export async function tellStory({
  stage,
  cluster,
  flinkVersion,
  planMarkdown,
}: StoryRequest): Promise<readonly string[]> {
  const { places, signal, screen } = stage;
  const jobManager = new JobManager({ url: cluster.jobmanagerUrl, signal });
  const onProject = projectArguments(places);
  const onCluster = clusterArguments(places, cluster);
  const onBoth = [...onProject, ...onCluster];
  const running = (names: readonly string[]) => runningExactly(jobManager, names, signal);
  const sink = (name: string) => join(places.output, name);
  let before: Running = new Map();

  await stage.step("Deploy the shop", async () => {
    await createShop(places.shop);
    await stage.done(["deploy"], onBoth);
    before = await running(jobs);
    return `${jobs.length} jobs run, ${await someMore(sink("order_log"), signal)} orders so far`;
  });

  await stage.step("Plan a change", async () => {
    await commitEdit(places.shop, goodEdit);
    screen.line(`commit: ${goodEdit.message}`);
    const planFile = join(places.folder, "plan.json");
    const more = ["--flink-version", flinkVersion, "--plan-file", planFile, "--markdown-file", planMarkdown];
    await stage.done(["plan", "--base", "HEAD~1"], [...onProject, ...more]);
    const plan = decodePlan(await readFile(planFile, "utf8"));
    const changes = plan.changes.filter(({ kind }) => kind !== "none");
    for (const { kind, job, reasons } of changes) {
      screen.line(`${kind} ${job.padEnd(20)}  ${reasons.map(({ text }) => text).join(", ")}`);
    }
    expectNames("the plan", changes.map(({ job }) => job), changed); // biome-ignore format: one claim
    return `${changes.length} of ${jobs.length} jobs change; plan.md shows how`;
  });

  await stage.step("Deploy the change", async () => {
    await stage.done(["deploy"], onBoth);
    const after = await running(jobs);
    for (const name of changed) expectContinued(name, before.get(name), after.get(name));
    for (const name of unchanged) expectSame(name, before.get(name), after.get(name));
    before = after;
    const orders = await someMore(sink("order_log"), signal);
    return `${changed.length} jobs go on from savepoints, 1 left alone, ${orders} orders so far`;
  });

  await stage.step("Deploy an invalid query", async () => {
    await commitEdit(places.shop, badEdit);
    screen.line(`commit: ${badEdit.message}`);
    const { code, lines } = await stage.command(["deploy"], onBoth);
    if (code === 0 || !lines.some((line) => line.startsWith("model-invalid:"))) {
      throw new Error("the model was not refused as model-invalid");
    }
    const after = await running(jobs);
    for (const name of jobs) expectSame(name, before.get(name), after.get(name));
    return `refused, and all ${jobs.length} jobs run on untouched`;
  });

  await stage.step("Suspend two jobs", async () => {
    await stage.done(["suspend", "--jobs", "order*"], onCluster);
    await running(jobs.filter((name) => !suspended.includes(name)));
    return `${suspended.join(" and ")} are stopped, each with a savepoint`;
  });

  await stage.step("Resume them", async () => {
    await stage.done(["resume", "--jobs", "order*"], onCluster);
    const after = await running(jobs);
    for (const name of suspended) expectContinued(name, before.get(name), after.get(name));
    return `both go on from their savepoints, ${await someMore(sink("order_log"), signal)} orders so far`;
  });

  await stage.step("Suspend everything", async () => {
    await stage.done(["suspend", "--jobs", "*"], onCluster);
    await running([]);
    return "no job runs, every file is complete";
  });

  let proofs: readonly string[] = [];
  await stage.step("Prove exactly-once", async () => {
    proofs = await proveAll(suspended.map((name) => ({ name, folder: sink(name) })));
    const log = await committedRows(sink("order_log"));
    const stretches = stretchesOf(log.map((row) => ({ number: orderNumberOf(row), mark: row[vatColumn] ?? "" })));
    if (stretches.length !== 2) throw new Error("the new query did not take over from the old one at one order");
    for (const { mark, first, last } of stretches) screen.line(`orders ${first} to ${last}: ${mark} % VAT`);
    return "nothing lost, nothing twice";
  });
  return proofs;
}

/** Of order_log's files. */
const vatColumn = 2;

type Running = ReadonlyMap<string, RunningJob>;

/** Flink's overview may be some seconds old. */
const overviewSeconds = 20;

function runningExactly(jobManager: JobManager, names: readonly string[], signal: AbortSignal): Promise<Running> {
  return waitFor({
    for: names.length === 0 ? "that no job runs" : `that these jobs run and no other: ${names.join(", ")}`,
    seconds: overviewSeconds,
    signal,
    look: () => runningJobs(jobManager),
    until: (running) => [...running.keys()].sort().join() === [...names].sort().join(),
  });
}

function expectNames(what: string, found: readonly string[], expected: readonly string[]): void {
  if ([...found].sort().join() === [...expected].sort().join()) return;
  throw new Error(`${what} names ${found.join(", ")} instead of ${expected.join(", ")}`);
}

function expectContinued(name: string, before: RunningJob | undefined, after: RunningJob | undefined): void {
  if (after === undefined || after.id === before?.id) throw new Error(`${name} was not started anew`);
  if (after.restored === null) throw new Error(`${name} was started without its savepoint`);
}

function expectSame(name: string, before: RunningJob | undefined, after: RunningJob | undefined): void {
  if (before === undefined || after?.id !== before.id) throw new Error(`${name} was touched`);
}

/** Waits until the jobs have written another stretch of orders, and returns how many there are. */
async function someMore(folder: string, signal: AbortSignal): Promise<number> {
  const count = async (): Promise<number> => (await committedRows(folder)).length;
  const start = await count();
  const until = (orders: number): boolean => orders >= start + 40;
  return await waitFor({ for: "another 40 orders in the files", seconds: 60, signal, look: count, until });
}

/** A line per sink; throws with all of them where one is not exactly-once. */
async function proveAll(
  sinks: readonly { readonly name: string; readonly folder: string }[],
): Promise<readonly string[]> {
  const proofs = await Promise.all(
    sinks.map(async ({ name, folder }) => {
      const proof = proveExactlyOnce((await committedRows(folder)).map(orderNumberOf));
      return { holds: proof.kind === "exactly-once", text: `${name}: ${describeProof(proof)}` };
    }),
  );
  const texts = proofs.map(({ text }) => text);
  if (proofs.some(({ holds }) => !holds)) throw new Error(`not exactly-once\n${texts.join("\n")}`);
  return texts;
}
