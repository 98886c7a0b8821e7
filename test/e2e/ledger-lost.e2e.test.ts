import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { checkpointing, deployed } from "../process/deployed.ts";
import { Folders, runAction, type StepEnded } from "../process/harness.ts";
import { job } from "../unit/plan/jobs.ts";
import {
  environment,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  shopProject,
  tableModel,
} from "./projects.ts";

const folders = new Folders();
let flink: FakeFlink;
let github: FakeGithub;
let cwd: string;
beforeAll(async () => {
  await provideAll();
  flink = await FakeFlink.start();
  github = await FakeGithub.start();
  const query = "select amount from {{ source('raw', 'orders') }}";
  const repository = await openRepository(folders, {
    "profiles.yml": profiles,
    "dbt_project.yml": shopProject,
    "models/sources.yml": ordersSource(10),
    "models/totals.sql": tableModel({ name: "totals", query, execution: checkpointing }),
  });
  cwd = repository.folder;
  // A deployment of long ago, whose ledger is gone: the cluster runs its job.
  const totals = job("totals", { executionConfig: { "pipeline.name": "totals", ...checkpointing } });
  await deployed([totals], { fake: flink, ledger: await folders.make() });
});
afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  await flink?.[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

async function deploy(inputs: Readonly<Record<string, string>> = {}): Promise<StepEnded> {
  const run = github.environmentOf(github.startRun());
  const reach = { "gateway-url": flink.gatewayUrl, "jobmanager-url": flink.jobmanagerUrl };
  const kept = { store: "artifact, cache", "savepoint-dir": "file:///savepoints", "github-token": "token-of-the-job" };
  return await runAction(
    { command: "deploy", ...reach, ...kept, ...inputs },
    { cwd, environment: { ...environment, ...run, RUNNER_TEMP: await folders.make() } },
  );
}

test("an empty ledger that is kept for a while only is no first deployment where the cluster knows a job", async () => {
  const running = flink.living("totals");
  const refused = await deploy();
  expect(refused.outputs.reason, refused.stdout).toBe("ledger-lost");
  expect(refused.errors[0]?.message).toContain(`jobs of this project: totals (${running[0]}, RUNNING)`);
  expect(flink.living("totals")).toEqual(running);
  const written = [...github.artifacts.all.map(({ name }) => name), ...github.caches.all.map(({ key }) => key)];
  expect(written.filter((name) => !name.includes("~lock."))).toEqual([]);
});

test("it is where the user says so; then the job is taken over with its state", async () => {
  const first = await deploy({ "first-deployment": "true" });
  expect(first.outputs.reason, first.stdout).toBe("ok");
  const numbers = flink.numbers("totals");
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  const again = await deploy();
  expect(again.outputs, again.stdout).toMatchObject({ reason: "ok", "has-changes": "false" });
});
