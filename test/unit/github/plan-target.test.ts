import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GithubApi } from "../../../src/github/api.ts";
import { findPlanTarget } from "../../../src/github/plan-target.ts";
import { decodeRunEvent } from "../../../src/github/run-event.ts";
import { violations } from "../../contract/github-description.ts";
import { FakeGithub } from "../../fakes/fake-github.ts";

const head = "a".repeat(40);
const fork = { fullName: "mallory/shop", id: 666 };

let github: FakeGithub;
let api: GithubApi;
beforeEach(async () => {
  github = await FakeGithub.start();
  github.tokens.set("job", { "pull-requests": "read" });
  api = new GithubApi({
    url: github.apiUrl,
    repository: FakeGithub.repository,
    token: "job",
    sleep: async () => undefined,
    now: () => github.clock.now,
    log: () => undefined,
  });
});
afterEach(async () => {
  expect(violations(github.exchanges.filter(({ reply }) => reply.status !== 405))).toEqual([]);
  await github[Symbol.asyncDispose]();
});

/** As the run finds it that starts once a pull request's run has ended. */
async function ofEnded({ branch = "change", from = fork.fullName }: { branch?: string; from?: string | null } = {}) {
  const repository = from === null ? null : { full_name: from, owner: { login: from.split("/")[0] } };
  const run = { head_sha: head, event: "pull_request", head_branch: branch, head_repository: repository };
  return await findPlanTarget(api, {
    event: decodeRunEvent("workflow_run", { workflow_run: run }, null),
    number: null,
  });
}
const nowhere = { number: null, head: null, fork: null };

describe("after a run of a fork's commit, which GitHub lists no pull request for, the plan is told", () => {
  test("on the open pull request of the fork's branch", async () => {
    github.pulls.open({ head, fork: { fullName: "eve/shop", id: 667 } });
    github.pulls.close(github.pulls.open({ head, fork }));
    const { number } = github.pulls.open({ head, fork });
    expect(await ofEnded()).toMatchObject({ number, head, fork: "mallory/shop" });
  });

  test("however the branch is named", async () => {
    const branch = "a&state=closed#?/../ü%20+";
    const { number } = github.pulls.open({ head, fork, headRef: branch });
    expect(await ofEnded({ branch })).toMatchObject({ number });
  });

  test("nowhere where the branch has newer commits, or the fork is gone", async () => {
    github.pulls.open({ head: "d".repeat(40), fork });
    expect(await ofEnded()).toEqual(nowhere);
    github.pulls.open({ head, fork });
    expect(await ofEnded({ from: null })).toEqual(nowhere);
  });

  test("not on a pull request of this repository that has the same commit", async () => {
    github.pulls.open({ head });
    expect(await ofEnded()).toEqual(nowhere);
  });

  test("on it where a forge has no list for a commit", async () => {
    const { number } = github.pulls.open({ head, fork });
    github.trouble({ matches: ({ path }) => path.includes("/commits/"), effect: { status: 405 } });
    expect(await ofEnded()).toMatchObject({ number });
  });
});

test("after a run of this repository's own commit the plan is told on its pull request", async () => {
  const { number } = github.pulls.open({ head });
  expect(await ofEnded({ from: FakeGithub.repository })).toMatchObject({ number, head, fork: null });
  expect(github.requests).toHaveLength(1);
});
