import { afterEach, beforeEach, expect, test } from "vitest";
import { diffJobs } from "../../src/plan/diff.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { renderComment } from "../../src/report/comment.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { job } from "../unit/plan/jobs.ts";
import { Folders, runAction, type StepEnded } from "./harness.ts";

const head = "a".repeat(40);
const token = "token-of-the-job";
const bot = "github-actions[bot]";

let folders: Folders;
let github: FakeGithub;
beforeEach(async () => {
  folders = new Folders();
  github = await FakeGithub.start();
  github.tokens.set(token, { contents: "read", "pull-requests": "write" });
  github.accounts.setRole("mona", "write");
  github.accounts.setRole("eve", "read");
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

const planOf = (environment: string, of: string): string => {
  const plan = makePlan({
    project: "shop",
    environment,
    base: "b".repeat(40),
    head: of,
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base: [], head: [job("orders")], renames: {} }),
    unrecorded: [],
    findings: [],
  });
  return renderComment(plan, { files: null, runUrl: null, planUrl: null, fork: null });
};

interface Given {
  readonly login?: string;
  readonly type?: string;
  readonly action?: string;
  readonly isPullRequest?: boolean;
  readonly environments?: string;
}

/** Somebody comments, and the workflow's step reads it. */
async function commented(
  number: number,
  body: string,
  given: Given = {},
): Promise<StepEnded & { reactions: string[] }> {
  const { login = "mona", type = "User", action = "created", isPullRequest = true } = given;
  const { environments = "staging, test" } = given;
  const comment = github.comments.add(number, login, body);
  const payload = {
    action,
    issue: { number, ...(isPullRequest ? { pull_request: {} } : {}) },
    comment: { id: comment.id, body, created_at: comment.createdAt, user: { login, type } },
  };
  const step = await runAction(
    { command: "comment-command", environment: "staging", environments, "github-token": token },
    {
      cwd: await folders.make(),
      environment: github.environmentOf(github.startRun()),
      event: { name: "issue_comment", payload },
    },
  );
  return { ...step, reactions: comment.reactions.all.map(({ content }) => content) };
}
const answers = (number: number) =>
  github.comments.on(number).flatMap(({ body, login }) => (login === bot && body.includes("answer") ? [body] : []));

test("a command of somebody who may write, on the planned head, is handed to the workflow and answered", async () => {
  const { number } = github.pulls.open({ head });
  github.comments.add(number, bot, planOf("staging", head));
  const step = await commented(number, "/flink deploy staging\r\n");
  expect(step).toMatchObject({ code: 0, reactions: ["rocket"] });
  expect(step.outputs).toMatchObject({
    operation: "deploy",
    target: "staging",
    "target-jobs": "",
    head,
    base: "origin/main",
  });
  expect(answers(number)).toEqual([expect.stringContaining("`/flink deploy staging` is being done: http")]);
  const suspended = await commented(number, "/flink suspend orders_*");
  expect(suspended.outputs).toMatchObject({ operation: "suspend", target: "staging", "target-jobs": "orders_*" });
  expect((await commented(number, "nice work")).reactions).toEqual([]);
});

test("what is deployed is what was planned: GitHub's trial merge, and no other merge of the head", async () => {
  const pull = github.pulls.open({ head });
  const [trial, moved] = ["7".repeat(40), "8".repeat(40)];
  for (const merge of [trial, moved]) github.commits.add(merge, "b".repeat(40), head);
  pull.mergeCommit = trial;
  github.comments.add(pull.number, bot, planOf("staging", trial));
  expect((await commented(pull.number, "/flink deploy staging")).outputs).toMatchObject({
    operation: "deploy",
    head: trial,
  });
  pull.mergeCommit = moved;
  expect((await commented(pull.number, "/flink deploy staging")).outputs.operation).toBe("none");
  expect(answers(pull.number).at(-1)).toContain("the base branch has moved since");
  expect((await commented(pull.number, "/flink suspend orders")).outputs.operation).toBe("suspend");
});

test("no environment is deployed to that is not named", async () => {
  const { number } = github.pulls.open({ head });
  github.comments.add(number, bot, planOf("staging", head));
  expect((await commented(number, "/flink deploy staging", { environments: "" })).outputs.operation).toBe("none");
  expect(answers(number).at(-1)).toContain("`staging` is none of the environments that this workflow may deploy to");
  expect((await commented(number, "/flink suspend orders", { environments: "" })).outputs.operation).toBe("suspend");
});

test("somebody who may not write gets a reaction, and nothing else", async () => {
  const { number } = github.pulls.open({ head });
  github.comments.add(number, bot, planOf("staging", head));
  for (const login of ["eve", "stranger"]) {
    const step = await commented(number, "/flink deploy staging", { login });
    expect(step).toMatchObject({ code: 0, outputs: { operation: "none" }, reactions: ["-1"] });
  }
  expect(answers(number)).toEqual([]);
});

test.each([
  ["no plan", () => undefined],
  ["a plan of an older head", (number: number) => github.comments.add(number, bot, planOf("staging", "c".repeat(40)))],
  ["a plan of another environment", (number: number) => github.comments.add(number, bot, planOf("test", head))],
  ["a plan that somebody forged", (number: number) => github.comments.add(number, "mallory", planOf("staging", head))],
])("with %s, nothing that changes jobs is done", async (_name, given) => {
  const { number } = github.pulls.open({ head });
  given(number);
  const step = await commented(number, "/flink deploy staging");
  expect(step).toMatchObject({ code: 0, outputs: { operation: "none" }, reactions: ["confused"] });
  expect(answers(number)[0]).toContain("the newest commit has no plan on this pull request");
  // To plan is the way out.
  expect((await commented(number, "/flink plan")).outputs).toMatchObject({
    operation: "plan",
    target: "staging",
    head,
  });
});

test("a plan that came after the comment was not what the commenter saw", async () => {
  const { number } = github.pulls.open({ head });
  const early = github.clock.now.toISOString();
  github.clock.passDays(1);
  github.comments.add(number, bot, planOf("staging", head));
  const comment = github.comments.add(number, "mona", "/flink deploy staging");
  const payload = {
    action: "created",
    issue: { number, pull_request: {} },
    comment: { id: comment.id, body: comment.body, created_at: early, user: { login: "mona", type: "User" } },
  };
  const { outputs } = await runAction(
    { command: "comment-command", environment: "staging", environments: "staging", "github-token": token },
    {
      cwd: await folders.make(),
      environment: github.environmentOf(github.startRun()),
      event: { name: "issue_comment", payload },
    },
  );
  expect(outputs.operation).toBe("none");
});

test("a fork's head, an environment that is not offered, and what is no command are refused with why", async () => {
  const { number } = github.pulls.open({ head, fork: { fullName: "mallory/shop", id: 666 } });
  github.comments.add(number, bot, planOf("staging", head));
  await commented(number, "/flink deploy staging");
  expect(answers(number).at(-1)).toContain("comes from a fork");
  expect((await commented(number, "/flink status")).outputs.operation).toBe("status");
  const own = github.pulls.open({ head: "d".repeat(40) });
  await commented(own.number, "/flink deploy production");
  expect(answers(own.number).at(-1)).toContain("`production` is none of the environments");
  await commented(own.number, "/flink drop everything");
  expect(answers(own.number).at(-1)).toContain("write one of `/flink plan`");
});

test("a bot gives no commands, and its comments fail nothing", async () => {
  const { number } = github.pulls.open({ head });
  for (const body of ["/flink status", "Bump the connectors"]) {
    const step = await commented(number, body, { login: "renovate[bot]", type: "Bot" });
    expect(step).toMatchObject({ code: 0, outputs: { operation: "none" }, reactions: [] });
  }
  expect(answers(number)).toEqual([]);
});

test.each<Given>([{ action: "edited" }, { isPullRequest: false }])(
  "an event with %j is none that is obeyed",
  async (given) => {
    const { number } = github.pulls.open({ head });
    const step = await commented(number, "/flink status", given);
    expect(step).toMatchObject({ code: 1, outputs: { reason: "inputs-invalid" } });
  },
);
