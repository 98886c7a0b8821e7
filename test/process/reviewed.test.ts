import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { diffJobs } from "../../src/plan/diff.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { encodePlan } from "../../src/plan/plan-file.ts";
import type { Job } from "../../src/project/job.ts";
import { renderComment } from "../../src/report/comment.ts";
import { commentMarker } from "../../src/report/comment-marker.ts";
import { violations } from "../contract/github-description.ts";
import { FakeFlink } from "../fakes/fake-flink.ts";
import type { PullRequest } from "../fakes/fake-github/pulls.ts";
import { FakeGithub, type GithubRequest } from "../fakes/fake-github.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { Folders, runAction, type StepEnded, writeFiles } from "./harness.ts";
import { zipOf } from "./zip.ts";

const head = "1".repeat(40);
const landed = "d".repeat(40);
const ours = "github-actions[bot]";

const running = (name: string, parallelism = 1): Job =>
  job(name, {
    executionConfig: { "pipeline.name": name, ...checkpointing, "parallelism.default": String(parallelism) },
  });

function plan(base: readonly Job[], wanted: readonly Job[], more: Partial<Plan> = {}): Plan {
  return makePlan({
    project: "shop",
    environment: "default",
    base: "deployed",
    head,
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base, head: wanted, renames: {} }),
    unrecorded: [],
    findings: [],
    ...more,
  });
}

const reviewed = plan([running("orders")], [running("orders", 2)]);
const another = plan([running("orders")], [running("orders", 3)]);
const commentOf = (made: Plan): string => renderComment(made, { files: null, runUrl: null, planUrl: null, fork: null });

/** `orders` runs. What a step deploys comes from a plan file, so that no dbt is needed, and is held against the review. */
describe("a deployment on GitHub is held against what was reviewed", () => {
  let folders: Folders;
  let flink: FakeFlink;
  let github: FakeGithub;
  let ledger: string;
  beforeEach(async () => {
    folders = new Folders();
    ledger = await folders.make();
    flink = await FakeFlink.start();
    github = await FakeGithub.start();
    github.tokens.set("token-of-the-job", {
      actions: "read",
      contents: "read",
      deployments: "write",
      "pull-requests": "write",
    });
    await deployed([running("orders")], { fake: flink, ledger });
  });
  afterEach(async () => {
    // Git's own commits are not in the part of GitHub's description that is kept.
    const described = github.exchanges.filter(({ request }) => !request.path.includes("/git/commits/"));
    expect(violations(described)).toEqual([]);
    await github[Symbol.asyncDispose]();
    await flink[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });

  /** A run of the workflow on main at that commit. */
  async function push(made: Plan, inputs: Readonly<Record<string, string>> = {}, commit = landed): Promise<StepEnded> {
    const cwd = await folders.make();
    await writeFiles(cwd, { "plan.json": encodePlan({ ...made, head: commit }) });
    return await runAction(
      {
        command: "deploy",
        "plan-file": "plan.json",
        "require-reviewed-plan": "true",
        "gateway-url": flink.gatewayUrl,
        "jobmanager-url": flink.jobmanagerUrl,
        "savepoint-dir": "file:///savepoints",
        "ledger-dir": ledger,
        "github-token": "token-of-the-job",
        ...inputs,
      },
      { cwd, environment: github.environmentOf(github.startRun({ headSha: commit })) },
    );
  }

  /** As a run of the pull request does that planned it. */
  const planned = (pull: PullRequest, made: Plan): void => void github.comments.add(pull.number, ours, commentOf(made));
  const uploaded = (made: Plan, run: Parameters<FakeGithub["startRun"]>[0] = {}): void =>
    github.artifacts.upload(
      github.startRun({ headSha: head, ...run }),
      "flink-plan-default",
      zipOf("plan.json", encodePlan(made)),
    );
  const sent = (): readonly string[] =>
    github.requests.filter(({ service }) => service === "api").map(({ method, path }) => `${method} ${path}`);
  const untouched = (before: readonly string[]): void => expect(flink.living("orders")).toEqual(before);

  test("merged: it is what the comment showed, and the pull request, the others and GitHub's record are told", async () => {
    const pull = github.pulls.open({ head });
    planned(pull, reviewed);
    github.pulls.merge(pull, landed);
    const open = github.pulls.open({ head: "2".repeat(40) });
    planned(open, plan([running("orders")], [running("orders", 9)], { head: "2".repeat(40) }));
    const unrelated = github.pulls.open({ head: "3".repeat(40) });

    const { code, outputs, stdout, summary } = await push(reviewed);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain(`what is deployed is what pull request ${pull.number} showed (comment)`);
    expect(summary).toMatch(/\| \*\*orders\*\* \| 🟢 upgraded \| .* \| running `[0-9a-f]{8}` of commit `c{10}` \|/);
    const savepoints = JSON.parse(outputs.savepoints ?? "") as Readonly<Record<string, string>>;
    expect(savepoints).toEqual({ orders: expect.stringMatching(/^file:.*savepoint-/) });

    const [, outcome, ...more] = github.comments.on(pull.number);
    expect(outcome?.login).toBe(ours);
    expect(outcome?.body).toContain("default: 1 of 1 jobs changed, all of them hold");
    expect(more).toEqual([]);
    const [, told] = github.comments.on(open.number);
    expect(told?.body).toMatch(/is \[deployed from dddddddddd\]\(https:\S+\/actions\/runs\/\d+\) since .* UTC/);
    expect(github.comments.on(unrelated.number)).toEqual([]);
    const [record, ...others] = github.deployments.all;
    expect(others).toEqual([]);
    expect(record).toMatchObject({ environment: "default", sha: landed, login: ours });
    expect(record?.statuses.map(({ state }) => state)).toEqual(["in_progress", "success"]);

    // The same again has nothing to do, and says it in the same comments.
    await push(reviewed);
    expect(github.comments.on(pull.number)).toHaveLength(2);
    expect(github.comments.on(open.number)).toHaveLength(2);
  });

  test("squashed: it is what the plan file of the pull request's own run says, whatever the comment does", async () => {
    const pull = github.pulls.open({ head });
    uploaded(another, { headRepositoryId: 99 });
    uploaded(another, { conclusion: "failure" });
    uploaded(plan([], [running("other")], { project: "bank" }));
    uploaded(reviewed);
    planned(pull, another);
    github.pulls.merge(pull, landed);
    const { code, stdout } = await push(reviewed);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/what pull request 1 showed \(plan file of run \d+\)/);
  });

  test("rebased: every commit of it leads to the plan, and one of a trial merge counts", async () => {
    const pull = github.pulls.open({ head, base: "b".repeat(40) });
    const trial = "7".repeat(40);
    github.commits.add(trial, "b".repeat(40), head);
    planned(pull, { ...reviewed, head: trial });
    github.pulls.merge(pull, "5".repeat(40), landed);
    const { code, stdout } = await push(reviewed);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("showed (comment)");
  });

  test("not merged yet, but named: it is held against that pull request, which gets the outcome and nothing else", async () => {
    const pull = github.pulls.open({ head });
    planned(pull, reviewed);
    const named = { "pull-request": String(pull.number) };
    expect((await push(another, named, head)).outputs.reason).toBe("plan-changed");
    const { code, stdout } = await push(reviewed, named, head);
    expect(code, stdout).toBe(0);
    const [, outcome, ...more] = github.comments.on(pull.number);
    expect(outcome?.body).toContain("default: 1 of 1 jobs changed, all of them hold");
    expect(more).toEqual([]);
  });

  test("changed: it ends before any effect, with the difference for each job", async () => {
    const pull = github.pulls.open({ head });
    planned(pull, reviewed);
    github.pulls.merge(pull, landed);
    const before = flink.living("orders");
    const { code, outputs, errors, summary } = await push(another);
    expect([code, outputs.reason]).toEqual([1, "plan-changed"]);
    expect(errors[0]?.message).toMatch(
      /this is not what pull request 1 showed \(comment\):\norders: reviewed upgrade, [0-9a-f]{12}, to be deployed upgrade, [0-9a-f]{12}/,
    );
    expect(summary).toMatch(
      /\| Job \| Reviewed \| To be deployed \| \|\n.*\n\| \*\*orders\*\* \| upgrade, [0-9a-f]{12} \| upgrade, /,
    );
    untouched(before);
    expect(github.deployments.all).toEqual([]);
    expect(github.comments.on(pull.number).at(-1)?.body).toContain("`default`: not deployed");

    const warned = await push(another, { "require-reviewed-plan": "warn" });
    expect(warned.code, warned.stdout).toBe(0);
    expect(warned.summary).toContain("It is deployed all the same");
    const [, outcome, ...more] = github.comments.on(pull.number);
    expect([outcome?.body, more]).toEqual([expect.stringContaining("all of them hold"), []]);
    expect(warned.stdout).toContain("warning: not as reviewed: orders: reviewed upgrade");
  });

  test("a job of another pull request, whose run was skipped, is reviewed by that one; one of none is told", async () => {
    await deployed([running("orders"), running("payments")], { fake: flink, ledger });
    const skipped = github.pulls.open({ head: "2".repeat(40) });
    planned(skipped, plan([running("payments")], [running("payments", 2)], { head: "2".repeat(40) }));
    github.pulls.merge(skipped, "e".repeat(40));
    const pull = github.pulls.open({ head });
    planned(pull, reviewed);
    github.pulls.merge(pull, landed);
    const base = [running("orders"), running("payments")];
    const refused = await push(plan(base, [running("orders", 2), running("payments", 5)]));
    expect(refused.outputs.reason).toBe("plan-changed");
    expect(refused.errors[0]?.message).toContain("payments: reviewed unchanged, to be deployed upgrade");
    const both = await push(plan(base, [running("orders", 2), running("payments", 2)]));
    expect(both.code, both.stdout).toBe(0);
  });

  test("a plan that somebody else wrote, or that is of an older commit, is none", async () => {
    const pull = github.pulls.open({ head: "0".repeat(40) });
    planned(pull, { ...another, head: "0".repeat(40) });
    pull.commits.push(head);
    github.comments.add(pull.number, "mallory", commentOf(another));
    github.comments.add(pull.number, null, commentOf(another));
    github.pulls.merge(pull, landed);
    const before = flink.living("orders");
    const refused = await push(another);
    expect(refused.outputs.reason).toBe("plan-missing");
    expect(refused.errors[0]?.message).toContain("pull request 1 has no plan for shop on default");
    expect(refused.stdout).toContain(`is of ${"0".repeat(40)}, not of its newest commit ${head}`);
    untouched(before);
    planned(pull, reviewed);
    expect((await push(reviewed)).code).toBe(0);
  });

  test("pushed directly: it is refused, or noted where that is enough; where nothing changes there is nothing to review", async () => {
    const before = flink.living("orders");
    const refused = await push(reviewed);
    expect(refused.outputs.reason).toBe("plan-missing");
    expect(refused.errors[0]?.message).toContain(`commit ${landed} came with no merged pull request`);
    untouched(before);
    expect((await push(plan([running("orders")], [running("orders")]))).code).toBe(0);
    const noted = await push(reviewed, { "require-reviewed-plan": "warn" });
    expect(noted.code, noted.stdout).toBe(0);
    expect(noted.stdout).toContain("warning: not held against a reviewed plan: commit");
  });

  test("a plan file bomb in an artifact is passed over, and so is one that is no plan", async () => {
    const pull = github.pulls.open({ head });
    planned(pull, reviewed);
    github.pulls.merge(pull, landed);
    const run = github.startRun({ headSha: head });
    const bomb = zipOf("plan.json", Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.byteLength).toBeLessThan(1024 * 1024);
    github.artifacts.upload(run, "flink-plan-default", bomb);
    const { code, stdout } = await push(reviewed);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("the plan file of pull request 1: artifact");
    expect(stdout).toContain("showed (comment)");
  });

  test("GitHub out of order ends what must be held against a review, and nothing else; nothing is posted then", async () => {
    const isPulls = ({ path }: GithubRequest): boolean => path.endsWith(`/commits/${landed}/pulls`);
    github.trouble({
      matches: isPulls,
      effect: { status: 403, body: { message: "Resource not accessible" } },
      times: 99,
    });
    const before = flink.living("orders");
    const refused = await push(reviewed);
    expect(refused.outputs.reason).toBe("github-failed");
    expect(refused.errors[0]?.message).toContain("pull-requests: read");
    untouched(before);
    github.tokens.set("token-of-the-job", { contents: "read" });
    const warned = await push(reviewed, { "require-reviewed-plan": "warn" });
    expect(warned.code, warned.stdout).toBe(0);
    expect(warned.stdout).toContain("the pull request is not known:");
    expect(warned.stdout).toContain("the deployment is not recorded on GitHub:");
    expect(warned.summary).toContain("open pull requests were not told");
  });

  test("it asks GitHub for nothing where it is told to look at nothing and to tell nobody", async () => {
    const off = { "require-reviewed-plan": "false", comment: "off", "deployment-record": "off" };
    expect((await push(reviewed, off)).code).toBe(0);
    expect(sent()).toEqual([]);
    expect(commentMarker("outcome", reviewed)).not.toBe(commentMarker("plan", reviewed));
  });
});
