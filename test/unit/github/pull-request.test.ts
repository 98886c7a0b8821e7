import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GithubApi } from "../../../src/github/api.ts";
import { downloadArtifact, planArtifactName, planArtifacts } from "../../../src/github/plan-artifact.ts";
import { isOfHead, pullRequestOfCommit, recentPullRequests } from "../../../src/github/pull-request.ts";
import { violations } from "../../contract/github-description.ts";
import { FakeGithub } from "../../fakes/fake-github.ts";

const sha = (sign: string): string => sign.repeat(40);

let github: FakeGithub;
let api: GithubApi;
beforeEach(async () => {
  github = await FakeGithub.start();
  github.tokens.set("job", { actions: "read", contents: "read", "pull-requests": "read" });
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
  // Git's own commits are not in the part of GitHub's description that is kept.
  const described = github.exchanges.filter(
    ({ request, reply }) => !/\/git\/commits\//.test(request.path) && reply.status !== 405,
  );
  expect(violations(described)).toEqual([]);
  await github[Symbol.asyncDispose]();
});

const ofCommit = async (commit: string, branch: string | null = "main"): Promise<number | null> =>
  (await pullRequestOfCommit(api, { commit, branch }))?.number ?? null;

describe("the pull request that brought a commit", () => {
  test("is found after a merge, a squash and a rebase; a direct push has none", async () => {
    const [merge, squash, rebase] = ["1", "2", "3"].map((sign) => github.pulls.open({ head: sha(sign) }));
    if (!merge || !squash || !rebase) throw new Error("three were opened");
    github.pulls.merge(merge, sha("d"));
    github.pulls.merge(squash, sha("e"));
    github.pulls.merge(rebase, sha("5"), sha("6"));
    expect(await ofCommit(sha("d"))).toBe(merge.number);
    expect(await ofCommit(sha("e"))).toBe(squash.number);
    expect([await ofCommit(sha("5")), await ofCommit(sha("6"))]).toEqual([rebase.number, rebase.number]);
    expect(await ofCommit(sha("9"))).toBeNull();
    expect(await ofCommit("nonsense")).toBeNull();
  });

  test("is none that only holds the commit, open or closed without a merge, or merged into another branch", async () => {
    github.pulls.open({ head: sha("1") });
    github.pulls.close(github.pulls.open({ head: sha("1") }));
    expect(await ofCommit(sha("1"))).toBeNull();
    const elsewhere = github.pulls.open({ head: sha("2"), baseRef: "develop" });
    github.pulls.merge(elsewhere, sha("7"));
    expect(await ofCommit(sha("7"))).toBeNull();
    expect(await ofCommit(sha("7"), "develop")).toBe(elsewhere.number);
    expect(await ofCommit(sha("7"), null)).toBe(elsewhere.number);
  });

  test("is found among the merged ones where a forge has no list for a commit", async () => {
    const pull = github.pulls.open({ head: sha("1") });
    github.pulls.merge(pull, sha("d"));
    github.trouble({
      matches: ({ path }) => path.endsWith("/pulls") && path.includes("/commits/"),
      effect: { status: 405 },
    });
    expect(await ofCommit(sha("d"))).toBe(pull.number);
  });

  test("a missing permission is an error that names it, not a commit without a pull request", async () => {
    github.tokens.set("job", { contents: "read" });
    await expect(ofCommit(sha("d"))).rejects.toThrow(
      expect.objectContaining({ code: "github-failed", message: expect.stringContaining("pull-requests: read") }),
    );
  });
});

test("the newest pull requests are listed by state and branch", async () => {
  github.pulls.open({ head: sha("1") });
  github.pulls.merge(github.pulls.open({ head: sha("2") }), sha("d"));
  github.pulls.open({ head: sha("3"), baseRef: "develop" });
  const numbers = async (state: "open" | "closed", branch: string | null) =>
    (await recentPullRequests(api, { state, branch })).map(({ number }) => number);
  expect(await numbers("open", "main")).toEqual([1]);
  expect(await numbers("open", null)).toEqual([3, 1]);
  expect(await numbers("closed", "main")).toEqual([2]);
});

test("a plan is of the newest commit, or of a trial merge of it, and of nothing else", async () => {
  const { number } = github.pulls.open({ head: sha("1"), base: sha("b") });
  github.pulls.merge(github.pulls.all[0] ?? github.pulls.open({ head: sha("0") }), sha("d"));
  const pull = await pullRequestOfCommit(api, { commit: sha("d"), branch: null });
  if (pull === null) throw new Error(`pull request ${number} was merged`);
  github.commits.add(sha("a"), sha("b"), sha("1"));
  github.commits.add(sha("c"), sha("b"), sha("2"));
  expect(await isOfHead(api, sha("1"), pull)).toBe(true);
  expect(await isOfHead(api, sha("a"), pull)).toBe(true);
  expect(await isOfHead(api, sha("c"), pull)).toBe(false);
  expect(await isOfHead(api, sha("8"), pull)).toBe(false);
  expect(await isOfHead(api, `${sha("1")} with changes not committed`, pull)).toBe(false);
});

test("plan files count that a good run of this repository's own commit uploaded, newest first", async () => {
  const [head, name] = [sha("1"), planArtifactName("production")];
  const runs = [
    github.startRun({ headSha: head }),
    github.startRun({ headSha: head, headRepositoryId: 99 }),
    github.startRun({ headSha: sha("2") }),
    github.startRun({ headSha: head, conclusion: "failure" }),
    github.startRun({ headSha: head, conclusion: null }),
    github.startRun({ headSha: head }),
  ];
  for (const [index, run] of runs.entries()) github.artifacts.upload(run, name, Buffer.from(String(index)));
  github.artifacts.add(github.startRun({ headSha: head }), planArtifactName("staging"), `${name}.other`);
  const found = await planArtifacts(api, { environment: "production", head });
  const contents = await Promise.all(found.map(({ id }) => downloadArtifact(api, id, 100)));
  expect(contents.map(String)).toEqual(["5", "0"]);
  github.clock.passDays(91);
  expect(await planArtifacts(api, { environment: "production", head })).toEqual([]);
});
