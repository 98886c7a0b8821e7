import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { type Ended, Folders, filesWith, runCli, startCli } from "../process/harness.ts";
import {
  environment,
  largeOrders,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  type Repository,
  shopProject,
  type TableModel,
  tableModel,
} from "./projects.ts";

/** One cluster, one repository and one ledger through the life of a project; the tests are its chapters, in order. */
const folders = new Folders();
let cluster: EmbeddedCluster;
let jobManager: JobManager;
let repository: Repository;
let output: string;
const secret = "hunter2";

beforeAll(async () => {
  const distribution = await provideAll();
  const folder = await folders.make();
  output = await folders.make({ "prices/part": "1\n2\n3\n" });
  cluster = await startCluster({ distribution, folder, slots: 12, log: () => undefined });
  jobManager = new JobManager({ url: cluster.jobmanagerUrl });
});
afterAll(async () => {
  await cluster?.stop();
  await folders[Symbol.asyncDispose]();
});

const csv = (name: string) => ({ connector: "filesystem", format: "csv", path: `file://${output}/${name}` });
const orders = "{{ source('raw', 'orders') }}";
/** `part` is nullable throughout: another nullability is another topology, which does not take the state. */
const log = (query: string): string => tableModel({ name: "log", query, connector: csv("log") });
const totals = (more: Partial<TableModel> = {}): string =>
  tableModel({
    name: "totals",
    query: "select amount, count(*) as n from {{ ref('large_orders') }} group by amount",
    ...more,
  });
const sampled = (more: Partial<TableModel> = {}): string =>
  tableModel({
    name: "sampled",
    query: "select order_number from {{ ref('large_orders') }}",
    connector: { connector: "print", "print-identifier": `https://me:${secret}@host/` },
    execution: { "s3.secret-key": secret },
    config: "upgrade_mode='stateless'",
    ...more,
  });

interface DeployedRow {
  readonly result: string;
  readonly state: string;
}
type Rows = Readonly<Record<string, DeployedRow>>;

const reach = (): readonly string[] => [
  ...["--gateway-url", cluster.gatewayUrl],
  ...["--jobmanager-url", cluster.jobmanagerUrl],
];
const flags = (): readonly string[] => [...reach(), "--savepoint-dir", `file://${output}/savepoints`];

async function deploy(...more: readonly string[]): Promise<Ended & { readonly rows: Rows }> {
  const ended = await runCli(["deploy", ...flags(), ...more], { cwd: repository.folder, environment });
  expect(`${ended.stdout}${ended.stderr}`).not.toContain(secret);
  return { ...ended, rows: rowsIn(ended.stdout) };
}

/** The table of the outcome: `| **job** | result | job id | state | ...`. */
function rowsIn(markdown: string): Rows {
  const rows = [...markdown.matchAll(/^\| \*\*(.+?)\*\* \| (?:\S+ )?([a-z ]+) \| .+? \| (.+?) \|/gmu)];
  return Object.fromEntries(rows.map(([, job = "", result = "", state = ""]) => [job, { result, state }]));
}
const results = ({ rows }: { rows: Rows }) =>
  Object.fromEntries(Object.entries(rows).map(([job, { result }]) => [job, result]));

const operate = (command: string, ...more: readonly string[]): Promise<Ended> =>
  runCli([command, ...flags(), ...more], { cwd: repository.folder, environment });

async function running(): Promise<readonly string[]> {
  const jobs = await jobManager.jobs();
  return jobs
    .filter(({ state }) => state === "RUNNING")
    .map(({ name }) => name)
    .sort();
}

const linesOf = (name: string): readonly string[] =>
  readdirSync(join(output, name), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.name.startsWith("."))
    .flatMap((file) => readFileSync(join(file.parentPath, file.name), "utf8").split("\n"))
    .filter((line) => line !== "");

test("the first deployment starts every job, runs the batch model to its end, and its secrets are nowhere", async () => {
  repository = await openRepository(folders, {
    "profiles.yml": profiles,
    "dbt_project.yml": shopProject,
    "models/sources.yml": `${ordersSource(20)}
      - name: prices
        config:
          connector_properties: { connector: filesystem, format: csv, path: "file://${output}/prices" }
        columns: [{name: price, data_type: INT}]
`,
    "models/large_orders.sql": largeOrders(10),
    "models/log.sql": log(`select order_number, order_number * 1 as part from ${orders}`),
    "models/totals.sql": totals(),
    "models/sampled.sql": sampled(),
    "models/nightly.sql": tableModel({
      name: "nightly",
      query: "select price * 2 as doubled from {{ source('raw', 'prices') }}",
      connector: csv("nightly"),
      config: "type=none",
    }),
  });
  const first = await deploy();
  expect(first.code, first.stderr).toBe(0);
  expect(results(first)).toEqual({ log: "created", totals: "created", sampled: "created", nightly: "finished" });
  expect(await running()).toEqual(["log", "sampled", "totals"]);
  expect([...linesOf("nightly")].sort()).toEqual(["2", "4", "6"]);
  expect(filesWith(secret, join(repository.folder, ".flink-dbt-deploy"))).toEqual([]);
});

test("the same again does nothing and says so; the batch model is not run again", async () => {
  const again = await deploy();
  expect(again.code).toBe(0);
  expect(again.stdout).toContain("nothing to do, every job is as the project says");
  expect(linesOf("nightly")).toHaveLength(3);
});

test("a changed view moves the two jobs that read it: one with its state, the stateless one without", async () => {
  await repository.commit({ "models/large_orders.sql": largeOrders(20) });
  const changed = await deploy();
  expect(changed.code, changed.stderr).toBe(0);
  expect(changed.rows).toEqual({
    totals: { result: "upgraded", state: expect.stringMatching(/^from `file:.*savepoints.default.totals/) },
    sampled: { result: "upgraded", state: expect.stringContaining("dropped") },
  });
});

test("a changed source moves every job that reads it; a new name is a removal and a creation, or with `renames` one job", async () => {
  const source = readFileSync(join(repository.folder, "models/sources.yml"), "utf8");
  await repository.commit({
    "models/sources.yml": source.replace('rows-per-second: "20"', 'rows-per-second: "30"'),
    "models/totals.sql": totals({ name: "totals_by_amount" }),
    "models/sampled.sql": sampled({ name: "sampled_orders" }),
  });
  const changed = await deploy("--renames", "totals=totals_by_amount");
  expect(changed.code, changed.stderr).toBe(0);
  expect(changed.rows).toMatchObject({
    log: { result: "upgraded", state: expect.stringContaining("from `file:") },
    totals_by_amount: { result: "upgraded", state: expect.stringContaining("from `file:") },
    sampled: { result: "removed", state: expect.stringContaining("kept in `file:") },
    sampled_orders: { result: "created", state: "—" },
  });
  expect(await running()).toEqual(["log", "sampled_orders", "totals_by_amount"]);
});

test("while a job is suspended by command, a deployment leaves it so; job_state suspends; removed-jobs keeps", async () => {
  const suspended = await operate("suspend", "--jobs", "log");
  expect(suspended.code, suspended.stderr).toBe(0);
  await repository.commit({
    "models/log.sql": log(`select order_number, order_number * 2 as part from ${orders}`),
    "models/totals.sql": totals({ name: "totals_by_amount", config: "job_state='suspended'" }),
    "models/sampled.sql": null,
  });
  const changed = await deploy("--removed-jobs", "keep");
  expect(changed.code, changed.stderr).toBe(0);
  expect(changed.rows).toMatchObject({
    totals_by_amount: { result: "suspended", state: expect.stringContaining("kept in `file:") },
    log: { result: "unchanged" },
    sampled_orders: { result: "unchanged" },
  });
  expect(changed.stdout).toContain("suspended; the change takes effect when it is resumed");
  expect(changed.stdout).toContain("no model defines it any more; it is kept");
  expect(await running()).toEqual(["sampled_orders"]);
});

test("resume and job_state bring both back with their state; what no model defines is then stopped", async () => {
  const resumed = await operate("resume", "--jobs", "log");
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(rowsIn(resumed.stdout)).toMatchObject({
    log: { result: "resumed", state: expect.stringContaining("from `file:") },
  });
  await repository.commit({ "models/totals.sql": totals({ name: "totals_by_amount" }) });
  const changed = await deploy();
  expect(changed.code, changed.stderr).toBe(0);
  expect(changed.rows).toMatchObject({
    totals_by_amount: { result: "resumed", state: expect.stringContaining("from `file:") },
    sampled_orders: { result: "removed", state: expect.stringContaining("kept in `file:") },
  });
  expect(await running()).toEqual(["log", "totals_by_amount"]);
});

test("with keep-savepoints, those that neither the jobs nor a rollback need are disposed of", async () => {
  const savepoints = (): readonly string[] =>
    readdirSync(join(output, "savepoints", "default"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith("_metadata"))
      .map((file) => file.split("/")[0] ?? "")
      .sort();
  // Of log: at the new source, and suspended. Of totals: at the new view, at the new source, and suspended.
  const removed = ["sampled", "sampled_orders"];
  expect(savepoints()).toEqual(["log", "log", ...removed, "totals", "totals_by_amount", "totals_by_amount"]);
  const tidied = await deploy("--keep-savepoints", "1");
  expect(tidied.code, tidied.stderr).toBe(0);
  expect(tidied.stdout).toContain("nothing to do");
  expect(savepoints()).toEqual(["log", ...removed, "totals_by_amount", "totals_by_amount"]);
  expect(tidied.stderr).toMatch(/totals_by_amount: disposed of the old savepoint file:\S+\/totals\//);
  expect((await deploy("--keep-savepoints", "1")).stderr).not.toContain("disposed of");
});

test("without savepoint-dir nothing is stopped", async () => {
  await repository.commit({
    "models/totals.sql": totals({ name: "totals_by_amount", execution: { "parallelism.default": "2" } }),
  });
  const { code, stderr } = await runCli(["deploy", ...reach()], { cwd: repository.folder, environment });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^totals_by_amount: .*must be stopped with a savepoint, and `savepoint-dir` is not set$/m);
  expect(stderr).toContain("savepoint-dir-missing: ");
  expect(await running()).toEqual(["log", "totals_by_amount"]);
});

test("what fails or gets no slots is put back, or is down where it is new; the rest is deployed, from a start path", async () => {
  const savepoint = await savepointOf("sampled_orders");
  const wide = { "parallelism.default": "50" };
  await repository.commit({
    "models/log.sql": log(`select order_number, 1 / (order_number * 0) as part from ${orders}`),
    "models/totals.sql": totals({ name: "totals_by_amount", execution: wide }),
    "models/sampled.sql": sampled({
      name: "sampled_again",
      execution: { "execution.savepoint.path": savepoint },
      config: "upgrade_mode='savepoint'",
    }),
    "models/wide.sql": tableModel({
      name: "wide",
      query: "select amount from {{ ref('large_orders') }}",
      execution: wide,
    }),
  });
  // One at a time: Flink gives every free slot to a job that waits for more.
  const changed = await deploy("--verify-timeout", "15", "--parallel-jobs", "1");
  expect(changed.code).toBe(1);
  expect(changed.rows).toMatchObject({
    log: { result: "put back", state: expect.stringContaining("from `file:") },
    totals_by_amount: { result: "put back", state: expect.stringContaining("from `file:") },
    sampled_again: { result: "created", state: `from ${savepoint}` },
    wide: { result: "failed", state: "—" },
  });
  expect(changed.stderr).toMatch(/^log: .*\/ by zero/m);
  expect(changed.stderr).toMatch(/^totals_by_amount: .*no free task slot/m);
  expect(changed.stderr).toMatch(/^wide: .*no free task slot/m);
  expect(changed.stderr).toMatch(/\n(rolled-back|no-slots): .*\n$/);
  expect(changed.stderr).not.toMatch(/^\s+at /m);
  expect(await running()).toEqual(["log", "sampled_again", "totals_by_amount"]);
});

test("through all of it, every order came into the log once", async () => {
  const suspended = await operate("suspend", "--jobs", "log");
  expect(suspended.code, suspended.stderr).toBe(0);
  const numbers = linesOf("log").map((line) => Number(line.split(",")[0]));
  expect(numbers.length).toBeGreaterThan(100);
  expect([...numbers].sort((a, b) => a - b)).toEqual(numbers.map((_number, index) => index + 1));
});

test("a full stop of the cluster while a job is verified is told, and what to do then brings the job back", async () => {
  const model = { name: "totals_by_amount", execution: { "parallelism.default": "1" } };
  const commit = await repository.commit({ "models/totals.sql": totals(model), "models/wide.sql": null });
  const args = ["deploy", ...flags(), "--head", commit, "--verify-checkpoints", "1000"];
  const broken = await startCli(args, { cwd: repository.folder, environment });
  await broken.said(/totals_by_amount: waiting for \d+ completed checkpoints/);
  await cluster.killJobManager();
  const { code, stdout, stderr } = await broken.ended;
  expect(code).toBe(1);
  expect(`${stdout}${stderr}`).toContain("jobmanager-unreachable");
  expect(stderr).not.toMatch(/^\s+at /m);

  await cluster.startJobManager();
  const asked = await deploy("--head", commit);
  expect(asked.stderr).toContain("\nneeds-operator: ");
  const [, savepoint = ""] =
    /totals_by_amount was submitted from (file:\S+?), and the cluster does not know it/.exec(asked.stderr) ?? [];
  const answer = { ...model.execution, "execution.savepoint.path": savepoint };
  await repository.commit({ "models/totals.sql": totals({ ...model, execution: answer }) });
  const answered = await deploy();
  expect(answered.rows).toMatchObject({ totals_by_amount: { result: "upgraded", state: `from ${savepoint}` } });
  expect(await running()).toContain("totals_by_amount");
});

async function savepointOf(job: string): Promise<string> {
  const options = { cwd: repository.folder, environment };
  const { stdout, stderr } = await runCli(["status", ...reach(), "--jobs", job], options);
  const savepoint = /: savepoint `(file:[^`]+)`/.exec(stdout)?.[1];
  if (savepoint === undefined) throw new Error(`${job} has no savepoint\n${stdout}\n${stderr}`);
  return savepoint;
}
