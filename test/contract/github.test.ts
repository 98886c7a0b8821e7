import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeGithub } from "../fakes/fake-github.ts";
import { usedOperations, violations } from "./github-description.ts";

const head = "a".repeat(40);
const merged = "c".repeat(40);
const everything = Object.fromEntries(
  ["actions", "contents", "deployments", "issues", "pull-requests", "statuses"].map((name) => [name, "write" as const]),
);

let fake: FakeGithub;
beforeEach(async () => {
  fake = await FakeGithub.start();
  fake.tokens.set("job", everything);
  fake.tokens.set("person", everything);
  fake.accounts.give("person", "mona");
});
afterEach(async () => await fake[Symbol.asyncDispose]());

interface Asked {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Below the repository, or with `//` below the root. */
async function ask(method: string, path: string, { token = "job", body, headers = {} }: Asked = {}) {
  const url = path.startsWith("//") ? `${fake.apiUrl}${path.slice(1)}` : `${fake.apiUrl}/repos/acme/shop${path}`;
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text === "" ? null : (JSON.parse(text) as { readonly id: number; readonly number: number });
  return { status: response.status, headers: response.headers, json };
}

const many = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe("the fake GitHub replies as GitHub describes", () => {
  test("of pull requests, their comments and reactions", async () => {
    const { number } = fake.pulls.open({ head, fork: { fullName: "mallory/shop", id: 99 } });
    fake.pulls.merge(fake.pulls.open({ head: "d".repeat(40) }), merged);
    await ask("GET", `/pulls/${number}`);
    await ask("GET", "/pulls?state=all&base=main&per_page=1");
    await ask("GET", "/pulls?head=mallory%3Achange");
    await ask("GET", `/commits/${merged}/pulls`);
    await ask("GET", "/commits/nonsense/pulls");
    const made = await ask("POST", `/issues/${number}/comments`, { body: { body: "hello" } });
    const one = `/issues/comments/${made.json?.id}`;
    fake.comments.add(number, null, "of somebody who left");
    await ask("GET", `/issues/${number}/comments?per_page=1&page=2`);
    await ask("PATCH", one, { body: { body: "hello again" } });
    await ask("GET", one);
    const reaction = await ask("POST", `${one}/reactions`, { body: { content: "eyes" } });
    await ask("POST", `${one}/reactions`, { body: { content: "eyes" } });
    await ask("GET", `${one}/reactions`);
    await ask("DELETE", `${one}/reactions/${reaction.json?.id}`);
    await ask("DELETE", one);
    await ask("GET", one);
    expect(violations(fake.exchanges)).toEqual([]);
    expect([...usedOperations(fake.exchanges)].map((used) => used.replace("/repos/{owner}/{repo}", ""))).toEqual([
      "GET /pulls/{pull_number} 200",
      "GET /pulls 200",
      "GET /commits/{commit_sha}/pulls 200",
      "GET /commits/{commit_sha}/pulls 422",
      "POST /issues/{issue_number}/comments 201",
      "GET /issues/{issue_number}/comments 200",
      "PATCH /issues/comments/{comment_id} 200",
      "GET /issues/comments/{comment_id} 200",
      "POST /issues/comments/{comment_id}/reactions 201",
      "POST /issues/comments/{comment_id}/reactions 200",
      "GET /issues/comments/{comment_id}/reactions 200",
      "DELETE /issues/comments/{comment_id}/reactions/{reaction_id} 204",
      "DELETE /issues/comments/{comment_id} 204",
      "GET /issues/comments/{comment_id} 404",
    ]);
  });

  test("of statuses, deployments, issues, people and artifacts", async () => {
    const status = { state: "success", context: "ci", description: "good", target_url: "https://ci.example.org/1" };
    await ask("POST", `/statuses/${head}`, { body: status });
    await ask("GET", `/commits/${head}/statuses`);
    const first = await ask("POST", "/deployments", { body: { ref: head, environment: "production", payload: {} } });
    const second = await ask("POST", "/deployments", { body: { ref: head, payload: { plan: "p" } } });
    for (const { json } of [first, second]) {
      await ask("POST", `/deployments/${json?.id}/statuses`, {
        body: { state: "success", log_url: "https://x.org/1" },
      });
    }
    await ask("GET", `/deployments/${first.json?.id}`);
    await ask("GET", "/deployments?environment=production");
    await ask("GET", `/deployments/${first.json?.id}/statuses`);
    const issue = await ask("POST", "/issues", { body: { title: "drift", body: "text", labels: ["flink"] } });
    await ask("PATCH", `/issues/${issue.json?.number}`, { body: { state: "closed", state_reason: "completed" } });
    await ask("GET", `/issues/${issue.json?.number}`);
    await ask("GET", "/issues?state=all&labels=flink");
    await ask("GET", "//user", { token: "person" });
    fake.accounts.setRole("mona", "maintain");
    await ask("GET", "/collaborators/mona/permission");
    fake.artifacts.add(fake.startRun(), "plan");
    await ask("GET", "/actions/artifacts?name=plan");
    await ask("GET", `/actions/artifacts/${fake.artifacts.all[0]?.id}/zip`);
    expect(violations(fake.exchanges)).toEqual([]);
    expect(fake.exchanges.map(({ reply }) => reply.status)).not.toContain(404);
    const states = fake.deployments.all.map(({ statuses }) => statuses.map(({ state }) => state));
    expect(states).toEqual([["success", "inactive"], ["success"]]);
  });

  test("with refusals that it describes too", async () => {
    const { number } = fake.pulls.open({ head });
    const refused = [
      await ask("POST", `/issues/${number}/comments`, { body: { body: "x".repeat(65_537) } }),
      await ask("POST", `/issues/${number}/comments`, { body: { body: "" } }),
      await ask("POST", "/issues/77/comments", { body: { body: "x" } }),
      await ask("POST", `/statuses/${head}`, { body: { state: "failure", description: "x".repeat(141) } }),
      await ask("GET", "//user"),
      await ask("GET", "/collaborators/nobody/permission"),
      await ask("GET", "/pulls", { token: "unknown" }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([422, 422, 404, 422, 403, 404, 401]);
    expect(violations(fake.exchanges)).toEqual([]);
  });

  test("and takes a comment of 65,536 characters, however many bytes they are", async () => {
    const { number } = fake.pulls.open({ head });
    const { status } = await ask("POST", `/issues/${number}/comments`, { body: { body: "🚀".repeat(65_536) } });
    expect(status).toBe(201);
  });
});

describe("the fake GitHub behaves as GitHub does", () => {
  test("a token does what it was given, and reads what it may write", async () => {
    const { number } = fake.pulls.open({ head });
    fake.tokens.set("reader", { "pull-requests": "read" });
    fake.tokens.set("issues", { issues: "write" });
    const comment = { body: { body: "x" } };
    const statuses = [
      await ask("GET", `/issues/${number}/comments`, { token: "reader" }),
      await ask("POST", `/issues/${number}/comments`, { token: "reader", ...comment }),
      await ask("POST", `/issues/${number}/comments`, { token: "issues", ...comment }),
      await ask("GET", "/deployments", { token: "issues" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 403, 201, 403]);
  });

  test("what it made is its author's: the job's bot's, or a person's", async () => {
    const { number } = fake.pulls.open({ head });
    await ask("POST", `/issues/${number}/comments`, { body: { body: "x" } });
    await ask("POST", `/issues/${number}/comments`, { token: "person", body: { body: "y" } });
    expect(fake.comments.on(number).map(({ login }) => login)).toEqual(["github-actions[bot]", "mona"]);
  });

  test("a list has pages of 30, or of as many as are asked for up to 100, linked by the repository's id", async () => {
    const { number } = fake.pulls.open({ head });
    for (const index of many(250)) fake.comments.add(number, "mona", String(index));
    const page = async (query: string) => {
      const { json, headers } = await ask("GET", `/issues/${number}/comments${query}`);
      return { length: (json as unknown as unknown[]).length, link: headers.get("link") };
    };
    const path = `${fake.apiUrl}/repositories/42/issues/${number}/comments`;
    expect(await page("")).toMatchObject({ length: 30 });
    expect(await page("?per_page=500&page=2")).toMatchObject({ length: 100 });
    expect((await page("?per_page=100&page=2")).link).toBe(
      [
        `<${path}?per_page=100&page=1>; rel="prev"`,
        `<${path}?per_page=100&page=3>; rel="next"`,
        `<${path}?per_page=100&page=3>; rel="last"`,
        `<${path}?per_page=100&page=1>; rel="first"`,
      ].join(", "),
    );
    expect(await page("?per_page=100&page=4")).toMatchObject({ length: 0 });
  });

  test("what has not changed since its ETag is not sent again, and costs nothing", async () => {
    const { number } = fake.pulls.open({ head });
    fake.limits.remaining = 3;
    const path = `/issues/${number}/comments`;
    const first = await ask("GET", path);
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await ask("GET", path, { headers })).status).toBe(304);
    fake.comments.add(number, "mona", "new");
    expect((await ask("GET", path, { headers })).status).toBe(200);
    expect(fake.limits.remaining).toBe(1);
  });

  test("who asks too often is told when to ask again, and who makes too much too", async () => {
    const { number } = fake.pulls.open({ head });
    fake.limits.creations = 1;
    const create = () => ask("POST", `/issues/${number}/comments`, { body: { body: "x" } });
    expect((await create()).status).toBe(201);
    const secondary = await create();
    expect([secondary.status, secondary.headers.get("retry-after")]).toEqual([403, "60"]);
    fake.limits.remaining = 0;
    const primary = await ask("GET", "/pulls");
    expect([primary.status, primary.headers.get("x-ratelimit-remaining")]).toEqual([403, "0"]);
  });

  test("a merged commit leads to its pull request, whichever way it was merged", async () => {
    const [merge, squash, rebase] = ["1", "2", "3"].map((sign) => fake.pulls.open({ head: sign.repeat(40) }));
    if (!merge || !squash || !rebase) throw new Error("three were opened");
    fake.pulls.merge(merge, "d".repeat(40), "1".repeat(40));
    fake.pulls.merge(squash, "e".repeat(40));
    fake.pulls.merge(rebase, "5".repeat(40), "6".repeat(40));
    const numberOf = async (sha: string) => {
      const { json } = await ask("GET", `/commits/${sha.repeat(40)}/pulls`);
      return (json as unknown as { number: number }[]).map(({ number }) => number);
    };
    expect(await numberOf("d")).toEqual([merge.number]);
    expect(await numberOf("e")).toEqual([squash.number]);
    expect(await numberOf("2")).toEqual([squash.number]);
    expect([await numberOf("5"), await numberOf("6")]).toEqual([[rebase.number], [rebase.number]]);
    expect(await numberOf("9")).toEqual([]);
    const fork = fake.pulls.open({ head: "4".repeat(40), fork: { fullName: "mallory/shop", id: 99 } });
    expect(await numberOf("4")).toEqual([]);
    fake.pulls.merge(fork, "7".repeat(40));
    expect(await numberOf("7")).toEqual([fork.number]);
  });

  test("a commit with a bad status is not deployed unless that is meant", async () => {
    await ask("POST", `/statuses/${head}`, { body: { state: "failure", context: "ci" } });
    expect((await ask("POST", "/deployments", { body: { ref: head } })).status).toBe(409);
    expect((await ask("POST", "/deployments", { body: { ref: head, required_contexts: [] } })).status).toBe(201);
  });
});
