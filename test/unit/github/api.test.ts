import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fields, number, string } from "../../../src/flink/decode.ts";
import { type ApiOptions, GithubApi, nothing } from "../../../src/github/api.ts";
import { FakeGithub, secondaryRateLimit } from "../../fakes/fake-github.ts";

const comment = fields((read) => ({ id: read.get("id", number), body: read.get("body", string) }));
const wanted = { decoder: comment, permission: "pull-requests: write" };

let fake: FakeGithub;
let comments: string;
let lines: string[];
let pauses: number[];
beforeEach(async () => {
  fake = await FakeGithub.start();
  fake.tokens.set("job", { "pull-requests": "write", statuses: "write" });
  comments = `/issues/${fake.pulls.open({ head: "a".repeat(40) }).number}/comments`;
  lines = [];
  pauses = [];
});
afterEach(async () => await fake[Symbol.asyncDispose]());

const open = (options: Partial<ApiOptions> = {}): GithubApi =>
  new GithubApi({
    url: fake.apiUrl,
    repository: FakeGithub.repository,
    token: "job",
    sleep: async (ms) => void pauses.push(ms),
    now: () => fake.clock.now,
    log: (line) => void lines.push(line),
    ...options,
  });
const trace = (): readonly string[] => fake.requests.map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
const failed = (message: RegExp) => ({ code: "github-failed", message: expect.stringMatching(message) });

describe("a list", () => {
  beforeEach(() => {
    for (let index = 0; index < 250; index += 1) fake.comments.add(1, "mona", String(index));
  });
  const bodies = async (api: GithubApi) => (await api.pages(comments, wanted)).map(({ body }) => body);

  test("is read to its end, by the links to its pages", async () => {
    expect(await bodies(open())).toEqual(Array.from({ length: 250 }, (_, index) => String(index)));
    expect(fake.requests.map(({ path, query }) => `${path}?${query}`)).toEqual([
      "/repos/acme/shop/issues/1/comments?per_page=100",
      "/repositories/42/issues/1/comments?per_page=100&page=2",
      "/repositories/42/issues/1/comments?per_page=100&page=3",
    ]);
  });

  test("is read by number where a link leads to another host, which never sees the token", async () => {
    fake.site.api = "http://forge.internal:3000/api";
    expect(await bodies(open())).toHaveLength(250);
    expect(fake.requests.map(({ query }) => query.get("page"))).toEqual([null, "2", "3"]);
  });

  test("ends where a forge answers every page with the whole list", async () => {
    const body = Array.from({ length: 100 }, (_, id) => ({ id, body: "x" }));
    fake.trouble({ matches: () => true, effect: { status: 200, body }, times: 9 });
    expect(await bodies(open())).toHaveLength(100);
    expect(fake.requests).toHaveLength(2);
  });

  test("may be a field of the answer", async () => {
    fake.trouble({ matches: () => true, effect: { status: 200, body: { rows: [{ id: 1, body: "x" }] } } });
    expect(await open().pages("/rows", { ...wanted, within: "rows" })).toEqual([{ id: 1, body: "x" }]);
  });

  test("that has not changed is not sent again", async () => {
    const api = open();
    const before = await bodies(api);
    fake.limits.remaining = 3;
    expect(await bodies(api)).toEqual(before);
    expect(fake.limits.remaining).toBe(3);
  });

  test("with an item of another shape is refused, with the place in it", async () => {
    fake.trouble({ matches: () => true, effect: { status: 200, body: [{ id: 1, body: "x" }, { id: "2" }] } });
    await expect(bodies(open())).rejects.toMatchObject(failed(/cannot be read: \[1\]\.id is "2", not a number/));
  });
});

describe("a thing", () => {
  test("that is not there is null where that is asked, and else an error", async () => {
    expect(await open().find("/issues/comments/9", wanted)).toBeNull();
    await expect(open().get("/issues/comments/9", wanted)).rejects.toMatchObject(failed(/answered 404/));
  });

  test("is changed by what may be sent twice, as often as it takes", async () => {
    const { id } = fake.comments.add(1, "mona", "old");
    fake.trouble({ matches: () => true, effect: "cut-after" });
    const changed = await open().send("PATCH", `/issues/comments/${id}`, { ...wanted, body: { body: "new" } });
    expect(changed).toEqual({ id, body: "new" });
    expect(fake.requests).toHaveLength(2);
  });

  test("is deleted, with an answer that says nothing", async () => {
    const { id } = fake.comments.add(1, "mona", "old");
    await open().send("DELETE", `/issues/comments/${id}`, { ...wanted, decoder: nothing });
    expect(fake.comments.on(1)).toEqual([]);
  });
});

describe("what makes one more each time", () => {
  const create = async (api: GithubApi) =>
    await api.create(comments, {
      ...wanted,
      body: { body: "mine" },
      look: async () => (await api.pages(comments, wanted)).find(({ body }) => body === "mine") ?? null,
    });

  test("is sent once", async () => {
    expect(await create(open())).toMatchObject({ body: "mine" });
    expect(trace()).toEqual(["POST comments"]);
  });

  test("is looked for where its answer was lost, and not made again where it is there", async () => {
    fake.trouble({ matches: ({ method }) => method === "POST", effect: "cut-after" });
    expect(await create(open())).toMatchObject({ body: "mine" });
    expect(trace()).toEqual(["POST comments", "GET comments"]);
    expect(fake.comments.on(1)).toHaveLength(1);
  });

  test("is made where it was looked for in vain", async () => {
    fake.trouble({ matches: ({ method }) => method === "POST", effect: { status: 502 } });
    await create(open());
    expect(trace()).toEqual(["POST comments", "GET comments", "POST comments"]);
    expect(fake.comments.on(1)).toHaveLength(1);
  });

  test("is made without a look where a limit refused it, as late as it was told", async () => {
    fake.trouble({ matches: ({ method }) => method === "POST", effect: secondaryRateLimit(7) });
    await create(open());
    expect(trace()).toEqual(["POST comments", "POST comments"]);
    expect(pauses).toEqual([7_000]);
  });
});

describe("a refusal", () => {
  test("names the request without its query, the status, the permission, and GitHub's words", async () => {
    fake.tokens.set("weak", {});
    await expect(open({ token: "weak" }).get("/pulls?signature=secret", wanted)).rejects.toMatchObject({
      code: "github-failed",
      status: 403,
      message:
        `GET ${fake.apiUrl}/repos/acme/shop/pulls answered 403: the token may not do that; give the job ` +
        "`permissions: pull-requests: write`, or another `github-token` (Resource not accessible by integration)",
    });
  });

  test.each([
    [401, "the token is not valid; check `github-token`"],
    [404, "give the job `permissions: pull-requests: write`"],
    [405, "the server has no such resource"],
    [501, "the server has no such resource"],
    [301, "the repository has another name now"],
    [422, "it does not take what was sent (Validation Failed)"],
  ])("of status %i is explained", async (status, text) => {
    const body = { message: status === 422 ? "Validation Failed" : "" };
    fake.trouble({ matches: () => true, effect: { status, body } });
    await expect(open().get("/pulls", wanted)).rejects.toMatchObject({ message: expect.stringContaining(text) });
  });

  test("has the code that the client was opened with", async () => {
    await expect(open({ code: "ledger-unreadable" }).get("/nothing", wanted)).rejects.toMatchObject({
      code: "ledger-unreadable",
    });
  });

  test("of a resource that a forge lacks is a line of the log where the resource is optional", async () => {
    fake.trouble({ matches: () => true, effect: { status: 405 } });
    const api = open();
    expect(await api.optional("commit statuses", () => api.get("/statuses", wanted))).toBeNull();
    expect(lines).toEqual([expect.stringMatching(/^no commit statuses here: GET .* answered 405/)]);
  });

  test("of another kind is none, also there", async () => {
    const api = open({ token: "unknown" });
    await expect(api.optional("commit statuses", () => api.get("/statuses", wanted))).rejects.toMatchObject(
      failed(/401/),
    );
  });
});

describe("a file", () => {
  test("is fetched from where the API says, without the token", async () => {
    fake.trouble({
      matches: ({ path }) => path.endsWith("/zip"),
      effect: { status: 302, headers: { location: `${fake.apiUrl.replace("/api", "/blobs")}/file?sig=s` } },
    });
    fake.trouble({
      matches: ({ service }) => service === "blobs",
      effect: { status: 200, body: Buffer.from("bytes") },
    });
    const body = await open().download("/actions/artifacts/1/zip", { permission: "actions: read", maxBytes: 5 });
    expect(body?.toString()).toBe("bytes");
    expect(fake.requests.map(({ token }) => token)).toEqual(["job", ""]);
  });

  test("larger than may be is refused, and that does not pass", async () => {
    const location = `${fake.apiUrl.replace("/api", "/blobs")}/file`;
    fake.trouble({
      matches: ({ service }) => service === "api",
      effect: { status: 302, headers: { location } },
      times: 9,
    });
    fake.trouble({
      matches: ({ service }) => service === "blobs",
      effect: { status: 200, body: Buffer.alloc(6) },
      times: 9,
    });
    const download = open().download("/actions/artifacts/1/zip", { permission: "actions: read", maxBytes: 5 });
    await expect(download).rejects.toMatchObject(failed(/larger than 5 bytes/));
    expect(fake.requests).toHaveLength(2);
  });
});
