import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { Folders, runAction, runCli, type StepEnded, type StepOptions } from "../process/harness.ts";
import {
  environment,
  largeOrders,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  type Repository,
  shopProject,
  tableModel,
} from "./projects.ts";

const folders = new Folders();
let cluster: EmbeddedCluster;
let repository: Repository;
let base: string;
let savepoints: string;
beforeAll(async () => {
  const distribution = await provideAll();
  cluster = await startCluster({ distribution, folder: await folders.make(), slots: 4, log: () => undefined });
  savepoints = await folders.make();
  repository = await openRepository(folders, {
    "shop/profiles.yml": profiles,
    "shop/dbt_project.yml": shopProject,
    "shop/models/sources.yml": ordersSource(10),
    "shop/models/large_orders.sql": largeOrders(10),
    "shop/models/totals.sql": tableModel({
      name: "totals",
      query: "select amount, count(*) as n from {{ ref('large_orders') }} group by amount",
    }),
    "shop/models/numbers.sql": tableModel({
      name: "numbers",
      query: "select order_number from {{ source('raw', 'orders') }}",
    }),
  });
  base = repository.git("rev-parse", "HEAD");
});
afterAll(async () => {
  await cluster?.stop();
  await folders[Symbol.asyncDispose]();
});

const step = (inputs: Readonly<Record<string, string>>, more: Partial<StepOptions> = {}): Promise<StepEnded> =>
  runAction({ "project-dir": "shop", ...inputs }, { cwd: repository.folder, environment, ...more });
const reach = () => ({
  "gateway-url": cluster.gatewayUrl,
  "jobmanager-url": cluster.jobmanagerUrl,
  "savepoint-dir": `file://${savepoints}`,
});

test("deploy: outputs for the next steps, the outcome in the summary and the log", async () => {
  const { code, outputs, summary, stdout, stderr } = await step({ command: "deploy", ...reach() });
  expect(code, stdout).toBe(0);
  expect(outputs).toMatchObject({
    reason: "ok",
    "has-changes": "true",
    deployment: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  const jobs = JSON.parse(outputs.jobs ?? "") as readonly { job: string; ending: string; jobId: string }[];
  expect(jobs.map(({ job, ending }) => ({ job, ending }))).toEqual([
    { job: "numbers", ending: "created" },
    { job: "totals", ending: "created" },
  ]);
  expect(summary).toContain("## default: 2 of 2 jobs changed, all of them hold");
  for (const { jobId } of jobs) expect(summary).toContain(jobId);
  expect(stdout).toContain(summary.trim());
  expect(stderr).toBe("");
});

test("plan in a pull request starts from its base, and is the command's plan", async () => {
  await repository.commit({ "shop/models/large_orders.sql": largeOrders(30) });
  const event = { name: "pull_request", payload: { pull_request: { number: 7, base: { ref: "main", sha: base } } } };
  const action = await step({ command: "plan" }, { event });
  expect(action.code, action.stdout).toBe(0);
  expect(JSON.parse(action.outputs.jobs ?? "")).toEqual([
    { job: "totals", change: "upgrade", state: expect.any(String) },
  ]);
  expect(action.outputs).toMatchObject({ reason: "ok", "has-changes": "true" });
  expect(action.outputs["plan-file"]).toBe(join(repository.folder, ".flink-dbt-deploy", "plan.json"));
  expect(action.summary).toContain("view large_orders changed");
  const planOfAction = readFileSync(action.outputs["plan-file"] ?? "", "utf8");

  const options = { cwd: repository.folder, environment };
  const command = await runCli(["plan", "--project-dir", "shop", "--base", base], options);
  expect(command.code).toBe(0);
  expect(command.stdout.trim()).toBe(action.summary.trim());
  expect(readFileSync(action.outputs["plan-file"] ?? "", "utf8")).toBe(planOfAction);
});

test("deploy of the change keeps the state; again, there is nothing to do", async () => {
  const changed = await step({ command: "deploy", ...reach() });
  expect(changed.code, changed.stdout).toBe(0);
  expect(changed.summary).toMatch(/\| \*\*totals\*\* \| 🟢 upgraded \| `[0-9a-f]{32}` \| from `file:/);
  const again = await step({ command: "deploy", ...reach() });
  expect(again.outputs).toMatchObject({ reason: "ok", "has-changes": "false" });
});

test("a failure is an annotation with its code, in the output, and in the summary", async () => {
  await repository.commit({ "shop/models/numbers.sql": tableModel({ name: "numbers", query: "select 1 as" }) });
  const failed = await step({ command: "deploy", ...reach() });
  expect(failed).toMatchObject({ code: 1, outputs: { reason: "model-invalid" } });
  expect(failed.errors).toEqual([
    {
      title: "flink-dbt-deploy: model-invalid",
      message: expect.stringMatching(/^shop\/models\/numbers\.sql|^models\/numbers\.sql/),
    },
  ]);
  expect(failed.summary).toMatch(/^### ❌ model-invalid\n\n```text\nmodels\/numbers\.sql/);
});
