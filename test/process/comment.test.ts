import { afterEach, beforeEach, expect, test } from "vitest";
import { diffJobs } from "../../src/plan/diff.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { encodePlan } from "../../src/plan/plan-file.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { job } from "../unit/plan/jobs.ts";
import { Folders, runAction, type StepEnded } from "./harness.ts";

const head = "a".repeat(40);
const fork = { fullName: "mallory/shop", id: 666 };
const pushedTo = { head_branch: "change", head_repository: { full_name: fork.fullName, owner: { login: "mallory" } } };
const token = "token-of-the-job";

function plan(more: Partial<Plan> = {}): Plan {
  return makePlan({
    project: "shop",
    environment: "production",
    base: "b".repeat(40),
    head,
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base: [], head: [job("orders")], renames: {} }),
    unrecorded: [],
    findings: [],
    ...more,
  });
}

let folders: Folders;
let github: FakeGithub;
beforeEach(async () => {
  folders = new Folders();
  github = await FakeGithub.start();
  github.tokens.set(token, { contents: "read", "pull-requests": "write", statuses: "write" });
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

/** In the run that GitHub starts once the plan's has ended. */
async function told(text: string | null, by = "pull_request"): Promise<StepEnded> {
  const cwd = await folders.make(text === null ? {} : { "plan.json": text });
  return await runAction(
    { command: "comment", environment: "production", "plan-file": "plan.json", "github-token": token },
    {
      cwd,
      environment: github.environmentOf(github.startRun()),
      event: { name: "workflow_run", payload: { workflow_run: { head_sha: head, event: by, ...pushedTo } } },
    },
  );
}
const writes = () => github.requests.filter(({ method, path }) => method !== "GET" && !path.endsWith("/graphql"));

test("a fork's plan is told on its pull request, and the same plan again is not", async () => {
  const { number } = github.pulls.open({ head, fork });
  expect(await told(encodePlan(plan()))).toMatchObject({ code: 0, outputs: { reason: "ok", "has-changes": "true" } });
  const [comment] = github.comments.on(number);
  expect(comment?.body).toContain("orders");
  expect(github.statuses.latest(head)).toMatchObject([{ state: "success", context: "flink-dbt-deploy / production" }]);
  expect(await told(encodePlan(plan()))).toMatchObject({ code: 0 });
  expect(github.comments.on(number)).toHaveLength(1);
});

const altered = (change: (text: string) => string) => change(encodePlan(plan()));
test.each([
  ["not JSON", "{", "cannot be read"],
  ["of another environment", encodePlan(plan({ environment: "staging" })), "is of environment staging"],
  ["of another commit", encodePlan(plan({ head: "c".repeat(40) })), `is of commit ${"c".repeat(40)}`],
  ["altered", altered((text) => text.replaceAll("orders", "others")), "digest"],
  ["of a later version", altered((text) => text.replace('"version": 1', '"version": 2')), "has version 2"],
  ["without its jobs", altered((text) => text.replace('"changes"', '"chances"')), "cannot be read"],
])("a plan file that is %s is refused, and nothing is posted", async (_name, text, said) => {
  github.pulls.open({ head, fork });
  const { code, outputs, errors } = await told(text);
  expect({ code, reason: outputs.reason }).toEqual({ code: 1, reason: "inputs-invalid" });
  expect(errors[0]?.message).toContain(said);
  expect(writes()).toEqual([]);
});

test("a pull request that has newer commits than the plan gets none", async () => {
  github.pulls.open({ head: "d".repeat(40), fork });
  expect(await told(encodePlan(plan()))).toMatchObject({ code: 0 });
  expect(writes()).toEqual([]);
});

test("the plan of a merge queue's commit is its status alone", async () => {
  expect(await told(encodePlan(plan()), "merge_group")).toMatchObject({ code: 0, outputs: { reason: "ok" } });
  expect(writes().map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST /repos/${FakeGithub.repository}/statuses/${head}`,
  ]);
});

test("a plan's run that ended without a plan is the commit's status `error`, and no comment", async () => {
  const { number } = github.pulls.open({ head, fork });
  const { code, outputs, errors } = await told(null);
  expect({ code, reason: outputs.reason }).toEqual({ code: 1, reason: "inputs-invalid" });
  expect(errors[0]?.message).toContain("ended without a plan");
  expect(writes().map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST /repos/${FakeGithub.repository}/statuses/${head}`,
  ]);
  expect(JSON.parse(String(writes()[0]?.body))).toMatchObject({
    state: "error",
    context: "flink-dbt-deploy / production",
  });
  expect(github.comments.on(number)).toEqual([]);
});

test("where it may not comment, that is an error: there is nothing else that it does", async () => {
  github.pulls.open({ head, fork });
  github.tokens.set(token, { contents: "read", "pull-requests": "read" });
  const { code, outputs } = await told(encodePlan(plan()));
  expect({ code, reason: outputs.reason }).toEqual({ code: 1, reason: "github-failed" });
});
