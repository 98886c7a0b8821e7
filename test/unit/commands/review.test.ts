import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OnGithub } from "../../../src/commands/on-github.ts";
import { holdAgainstReview, type ReviewRequest } from "../../../src/commands/review.ts";
import { GithubApi } from "../../../src/github/api.ts";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { renderComment } from "../../../src/report/comment.ts";
import { FakeGithub, type GithubRequest } from "../../fakes/fake-github.ts";
import { job } from "../plan/jobs.ts";

const [head, landed] = ["1".repeat(40), "d".repeat(40)];
const permissions = { actions: "read", contents: "read", "pull-requests": "write" } as const;

function planOf(...jobs: readonly string[]): Plan {
  return makePlan({
    project: "shop",
    environment: "default",
    base: "b".repeat(40),
    head,
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base: [], head: jobs.map((name) => job(name)), renames: {} }),
    unrecorded: [],
    findings: [],
  });
}

let github: FakeGithub;
let lines: string[];
beforeEach(async () => {
  github = await FakeGithub.start();
  github.tokens.set("job", permissions);
  lines = [];
});
afterEach(async () => await github[Symbol.asyncDispose]());

const commentOf = (plan: Plan): string => renderComment(plan, { files: null, runUrl: null, planUrl: null, fork: null });

/** A pull request that was merged, and whose plan our own comment shows. */
function merged({ isPlanned = true } = {}): void {
  const pull = github.pulls.open({ head });
  if (isPlanned) github.comments.add(pull.number, "github-actions[bot]", commentOf(planOf("orders")));
  github.pulls.merge(pull, landed);
}

async function held(mode: ReviewRequest["mode"], plan = planOf("orders")) {
  const here: OnGithub = {
    api: new GithubApi({
      url: github.apiUrl,
      repository: FakeGithub.repository,
      token: "job",
      sleep: async () => undefined,
      now: () => github.clock.now,
      log: () => undefined,
    }),
    server: "https://github.com",
    run: "https://github.com/acme/shop/actions/runs/1",
    commit: landed,
    branch: "main",
  };
  const shell = { log: (line: string) => void lines.push(line), print: async () => undefined, environment: {} };
  return await holdAgainstReview({ plan, commit: landed, pullRequest: null, mode, comment: "off" }, here, shell);
}

/** For good, and of no kind that says what there is. */
function outOfOrder(path: RegExp): void {
  const matches = (request: GithubRequest): boolean => path.test(request.path);
  github.trouble({ matches, effect: { status: 502 }, times: 99 });
}

describe("a GitHub that does not answer is not taken for one without a plan:", () => {
  test.each([
    ["the pull request", /\/commits\/[^/]+\/pulls$/, "the pull request is not known: GET "],
    ["the plan file", /\/actions\/artifacts$/, "GET "],
    ["the comment", /\/issues\/\d+\/comments$/, "GET "],
  ])("%s", async (_what, path, said) => {
    merged();
    outOfOrder(path);
    await expect(held("true")).rejects.toMatchObject({ code: "github-failed" });
    expect(lines).toEqual([]);
    await held("warn");
    expect(lines).toEqual([expect.stringContaining(`warning: not held against a reviewed plan: ${said}`)]);
    expect(lines[0]).toContain("answered 502");
  });

  test("other pull requests, which may explain a job that this one leaves alone", async () => {
    merged();
    outOfOrder(/\/shop\/pulls$/);
    await expect(held("true", planOf("orders", "payments"))).rejects.toMatchObject({ code: "github-failed" });
    await held("warn", planOf("orders", "payments"));
    expect(lines[0]).toContain("the plans of other pull requests are not known: GET ");
  });
});

describe("a job that may not read artifacts", () => {
  beforeEach(() => void github.tokens.set("job", { contents: "read", "pull-requests": "write" }));

  test("has the comment still", async () => {
    merged();
    await held("true");
    expect(lines).toEqual([
      expect.stringMatching(/^the plan file of pull request 1: .* answered 403: .*actions: read/),
      "what is deployed is what pull request 1 showed (comment)",
    ]);
  });

  test("has the comments of other pull requests too, whichever of them has none", async () => {
    merged();
    const [explains, silent] = ["2", "3"].map((sign) => github.pulls.open({ head: sign.repeat(40) }));
    if (!explains || !silent) throw new Error("two were opened");
    const payments = { ...planOf("payments"), head: "2".repeat(40) };
    github.comments.add(explains.number, "github-actions[bot]", commentOf(payments));
    github.pulls.merge(explains, "e".repeat(40));
    github.pulls.merge(silent, "f".repeat(40));
    await held("true", planOf("orders", "payments"));
    expect(lines.at(-1)).toContain("what is deployed is what pull request 1 showed (comment)");
  });

  test("does not know of a plan where there is no comment", async () => {
    merged({ isPlanned: false });
    await expect(held("true")).rejects.toMatchObject({ code: "github-failed" });
  });
});

test("a forge without artifacts has the comment, or no plan", async () => {
  github.trouble({ matches: ({ path }) => path.endsWith("/actions/artifacts"), effect: { status: 404 }, times: 99 });
  merged();
  await held("true");
  expect(lines.at(-1)).toContain("showed (comment)");
  for (const comment of github.comments.on(1)) comment.body = "something else";
  await expect(held("true")).rejects.toMatchObject({ code: "plan-missing" });
});
