import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeGithub } from "../fakes/fake-github.ts";
import { Folders, runAction, workflowCommandsIn } from "../process/harness.ts";
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
let github: FakeGithub;
beforeAll(async () => {
  await provideAll();
  github = await FakeGithub.start();
  github.tokens.set("job", { "pull-requests": "write", statuses: "write" });
});
afterAll(async () => {
  await github[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

const secret = "geheim-hunter2";
const logTable = { connector: "print", "print-identifier": `https://me:${secret}@host/` };
const log = (column: string) => tableModel({ name: "log", query: `select ${column}`, connector: logTable });

test("a plan with a wrong model: a comment without secrets, a failed status, and the model's line in the change", async () => {
  const repository = await openRepository(folders, {
    "shop/profiles.yml": profiles,
    "shop/dbt_project.yml": shopProject,
    "shop/models/sources.yml": ordersSource(10),
    "shop/models/log.sql": log("order_number from {{ source('raw', 'orders') }}"),
  });
  const base = repository.git("rev-parse", "HEAD");
  const broken = "select\n    order_number,\n    no_such_column\nfrom {{ source('raw', 'orders') }}";
  const head = await repository.commit({
    "shop/models/log.sql": log("amount from {{ source('raw', 'orders') }}"),
    "shop/models/broken.sql": tableModel({ name: "broken", query: broken }),
  });
  const { number } = github.pulls.open({ head, base });
  const repo = { full_name: FakeGithub.repository };
  const pull = { number, head: { sha: head, ref: "change", repo }, base: { sha: base, ref: "main", repo } };
  const step = await runAction(
    { command: "plan", "project-dir": "shop", "github-token": "job" },
    {
      cwd: repository.folder,
      environment: { ...environment, ...github.environmentOf(github.startRun()) },
      event: { name: "pull_request", payload: { pull_request: pull } },
    },
  );
  expect(step, step.stdout).toMatchObject({ code: 1, outputs: { reason: "model-invalid" } });

  const [comment, ...others] = github.comments.on(number);
  expect(others).toEqual([]);
  expect(comment?.body).toContain("This plan cannot be deployed");
  expect(comment?.body).toContain("no_such_column");
  expect(comment?.body).toContain(`https://github.com/acme/shop/blob/${head}/shop/models/broken.sql#L9`);
  expect(comment?.body).not.toContain(secret);
  expect(github.statuses.latest(head)).toMatchObject([
    {
      context: "flink-dbt-deploy / default",
      state: "failure",
      description: "1 error, cannot be deployed; 1 job: 1 to upgrade",
    },
  ]);
  const errors = workflowCommandsIn(step.stdout).filter(({ name }) => name === "error");
  expect(errors.map(({ properties }) => properties)).toEqual([
    "title=flink-dbt-deploy%3A model-invalid,file=shop/models/broken.sql,line=9",
    "title=flink-dbt-deploy%3A model-invalid",
  ]);
  expect(errors[0]?.message).toContain("Column 'no_such_column' not found in any table");
});
