import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { Folders, runAction, type StepEnded, type StepOptions } from "../process/harness.ts";
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

/** Real dbt and Flink's own planner on both sides; the cluster and GitHub are fakes. The tests are chapters, in order. */
const folders = new Folders();
let flink: FakeFlink;
let github: FakeGithub;
let repository: Repository;
let ledger: string;
let base: string;

const totals = tableModel({
  name: "totals",
  query: "select amount, count(*) as n from {{ ref('large_orders') }} group by amount",
  connector: { connector: "print", "print-identifier": "https://me:{{ env_var('SINK_PASSWORD', '') }}@host/" },
  execution: { "s3.secret-key": "{{ env_var('SINK_PASSWORD', '') }}" },
}).replaceAll(/"([^"]*)\{\{ (env_var\([^)]*\)) \}\}([^"]*)"/g, '"$1" ~ $2 ~ "$3"');

beforeAll(async () => {
  await provideAll();
  flink = await FakeFlink.start();
  github = await FakeGithub.start();
  github.tokens.set("token-of-the-job", { actions: "read", contents: "read", "pull-requests": "write" });
  ledger = await folders.make();
  repository = await openRepository(folders, {
    "profiles.yml": profiles,
    "dbt_project.yml": shopProject,
    "models/sources.yml": ordersSource(10),
    "models/large_orders.sql": largeOrders(10),
    "models/totals.sql": totals,
  });
  base = repository.git("rev-parse", "HEAD");
});
afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  await flink?.[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

const step = (inputs: Readonly<Record<string, string>>, more: Partial<StepOptions> = {}): Promise<StepEnded> => {
  const sha = repository.git("rev-parse", "HEAD");
  const run = github.environmentOf(github.startRun({ headSha: sha }));
  return runAction(
    { "github-token": "token-of-the-job", "dbt-env": "SINK_PASSWORD", ...inputs },
    { cwd: repository.folder, ...more, environment: { ...environment, ...run, ...more.environment } },
  );
};
const deploy = (mode: string): Promise<StepEnded> =>
  step(
    {
      command: "deploy",
      "require-reviewed-plan": mode,
      "gateway-url": flink.gatewayUrl,
      "jobmanager-url": flink.jobmanagerUrl,
      "savepoint-dir": "file:///savepoints",
      "ledger-dir": ledger,
    },
    { environment: { SINK_PASSWORD: "hunter2" } },
  );

test("a first deployment comes with no pull request, and is noted", async () => {
  const { code, stdout } = await deploy("warn");
  expect(code, stdout).toBe(0);
  expect(stdout).toContain(`commit ${base} came with no merged pull request`);
});

test("a pull request is planned without the secret, and deployed with it: it is what was reviewed", async () => {
  const head = await repository.commit({ "models/large_orders.sql": largeOrders(30) });
  const pull = github.pulls.open({ head, base });
  const payload = {
    pull_request: {
      number: pull.number,
      head: { sha: head, ref: "change", repo: { full_name: FakeGithub.repository } },
      base: { ref: "main", sha: base, repo: { full_name: FakeGithub.repository } },
    },
  };
  const planned = await step({ command: "plan" }, { event: { name: "pull_request", payload } });
  expect(planned.code, planned.stdout).toBe(0);
  expect(github.comments.on(pull.number)[0]?.body).toContain("view large_orders changed");

  github.pulls.merge(pull, head);
  const { code, stdout } = await deploy("true");
  expect(code, stdout).toBe(0);
  expect(stdout).toContain("what is deployed is what pull request 1 showed (comment)");
  expect(github.comments.on(pull.number)[1]?.body).toContain("1 of 1 jobs changed, all of them hold");
  expect(JSON.stringify(github.comments.on(pull.number))).not.toContain("hunter2");
});

test("what was put on top of it without a review is refused, and nothing is touched", async () => {
  const [reviewed] = github.pulls.all;
  if (reviewed === undefined) throw new Error("there is a pull request");
  const before = flink.living("totals");
  const commit = await repository.commit({ "models/large_orders.sql": largeOrders(50) });
  expect((await deploy("true")).outputs.reason).toBe("plan-missing");
  // As if the merge had brought it.
  reviewed.landed.push(commit);
  const { outputs, summary } = await deploy("true");
  expect(outputs.reason).toBe("plan-changed");
  expect(summary).toMatch(/\| \*\*totals\*\* \| upgrade, [0-9a-f]{12} \| upgrade, [0-9a-f]{12} \|/);
  expect(flink.living("totals")).toEqual(before);
});
