import { afterEach, beforeEach, expect, test } from "vitest";
import { GithubApi } from "../../../src/github/api.ts";
import { keepIssue } from "../../../src/github/issue.ts";
import { FakeGithub } from "../../fakes/fake-github.ts";

const marker = "<!-- flink-dbt-deploy drift production -->";
const wish = { marker, label: "flink-drift", title: "production: 1 remark", body: "- orders is down" };
const token = "token-of-the-job";

let github: FakeGithub;
let api: GithubApi;
beforeEach(async () => {
  github = await FakeGithub.start();
  github.tokens.set(token, { issues: "write" });
  api = new GithubApi({
    url: github.apiUrl,
    repository: FakeGithub.repository,
    token,
    sleep: async () => undefined,
    now: () => github.clock.now,
    log: () => undefined,
  });
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
});
const writes = () =>
  github.requests
    .filter(({ method, path }) => method !== "GET" && path !== "/graphql")
    .map(({ method, path }) => `${method} ${path}`);

test("an issue is opened once, brought up to date, left alone where it says the same, and closed", async () => {
  const opened = await keepIssue(api, wish);
  expect(opened).toMatchObject({ what: "opened", url: expect.stringContaining("/issues/1") as string });
  expect(github.issues.all).toMatchObject([{ title: wish.title, labels: ["flink-drift"], state: "open" }]);
  expect((await keepIssue(api, wish)).what).toBe("unchanged");
  expect(writes()).toHaveLength(1);
  expect((await keepIssue(api, { ...wish, body: "- orders and customers are down" })).what).toBe("updated");
  expect(github.issues.all[0]?.body).toContain("customers");
  expect((await keepIssue(api, { ...wish, body: null })).what).toBe("closed");
  expect(github.issues.all).toMatchObject([{ state: "closed", stateReason: "completed" }]);
  expect((await keepIssue(api, { ...wish, body: null })).what).toBe("none");
  expect((await keepIssue(api, wish)).what).toBe("opened");
  expect(github.issues.all).toHaveLength(2);
});

test("somebody else's issue with our marker is neither edited nor closed", async () => {
  github.issues.add("mallory", { title: "mine", body: `${marker}\nnothing to see` });
  expect((await keepIssue(api, { ...wish, body: null })).what).toBe("none");
  expect((await keepIssue(api, wish)).what).toBe("opened");
  expect(github.issues.all).toMatchObject([{ title: "mine", state: "open" }, { title: wish.title }]);
});

test("a forge that passes over whose issues are asked for does not make somebody else's ours", async () => {
  const theirs = { number: 9, title: "mine", body: `${marker}\nx`, user: { login: "mallory" }, html_url: "http://x/9" };
  const matches = ({ method, path }: { readonly method: string; readonly path: string }) =>
    method === "GET" && path.endsWith("/issues");
  github.trouble({ matches, effect: { status: 200, body: [theirs] }, times: 9 });
  expect((await keepIssue(api, { ...wish, body: null })).what).toBe("none");
});

test("ours of another environment, and one that only quotes the marker, are not it", async () => {
  github.issues.add("github-actions[bot]", { title: "staging", body: "<!-- flink-dbt-deploy drift staging -->\nx" });
  github.issues.add("github-actions[bot]", { title: "quote", body: `as it was\n${marker}\nx` });
  await keepIssue(api, { ...wish, body: null });
  expect(github.issues.all.map(({ state }) => state)).toEqual(["open", "open"]);
});

test("it is found behind more than a page of others", async () => {
  await keepIssue(api, wish);
  for (let index = 0; index < 150; index += 1) github.issues.add("github-actions[bot]", { title: `other ${index}` });
  expect((await keepIssue(api, wish)).what).toBe("unchanged");
});

test("an answer that is lost opens no second one", async () => {
  github.trouble({ matches: ({ method, path }) => method === "POST" && path.endsWith("/issues"), effect: "cut-after" });
  expect((await keepIssue(api, wish)).what).toBe("opened");
  expect(github.issues.all).toHaveLength(1);
});

test("two that two runs opened at once become one", async () => {
  for (const title of ["first", "second"]) github.issues.add("github-actions[bot]", { title, body: `${marker}\nx` });
  await keepIssue(api, wish);
  expect(github.issues.all).toMatchObject([{ title: wish.title, state: "open" }, { state: "closed" }]);
});

test("without the permission it says which one it needs", async () => {
  github.tokens.set(token, { issues: "read" });
  await expect(keepIssue(api, wish)).rejects.toMatchObject({
    code: "github-failed",
    message: expect.stringContaining("issues: write") as string,
  });
});
