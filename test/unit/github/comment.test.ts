import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GithubApi } from "../../../src/github/api.ts";
import { type OwnComment, postComment } from "../../../src/github/comment.ts";
import { FakeGithub, type GithubRequest } from "../../fakes/fake-github.ts";

const marker = "<!-- ours -->";
const bot = "github-actions[bot]";

let fake: FakeGithub;
let number: number;
beforeEach(async () => {
  fake = await FakeGithub.start();
  fake.tokens.set("job", { "pull-requests": "write" });
  ({ number } = fake.pulls.open({ head: "a".repeat(40) }));
});
afterEach(async () => await fake[Symbol.asyncDispose]());

const api = (): GithubApi =>
  new GithubApi({
    url: fake.apiUrl,
    repository: FakeGithub.repository,
    token: "job",
    sleep: async () => undefined,
    now: () => fake.clock.now,
    log: () => undefined,
  });
const own = (text: string): OwnComment => ({ number, marker, body: `${marker}\n${text}` });
const post = (text: string, mode: "update" | "renew" = "update") => postComment(api(), own(text), mode);
const add = (text: string, login = bot) => fake.comments.add(number, login, own(text).body);
const bodies = (login = bot): readonly string[] =>
  fake.comments.on(number).flatMap((one) => (one.login === login ? [one.body.replace(`${marker}\n`, "")] : []));
/** Does something when the first matching request arrives, before it is answered. */
function when(matches: (request: GithubRequest) => boolean, happens: () => void): void {
  fake.trouble({
    matches: (request) => {
      if (!matches(request)) return false;
      fake.settleTroubles();
      happens();
      return false;
    },
    effect: "truncate",
  });
}
const isPost = ({ method, path }: GithubRequest): boolean => method === "POST" && path.endsWith("/comments");
const isPatch = ({ method }: GithubRequest): boolean => method === "PATCH";

describe("of two runs that post at once", () => {
  test("the later one puts its text into the earlier one's comment, and takes its own away", async () => {
    when(isPost, () => void add("theirs"));
    expect(await post("mine")).toMatchObject({ kind: "updated" });
    expect(bodies()).toEqual(["mine"]);
  });

  test("the later one takes its own away where both say the same", async () => {
    when(isPost, () => void add("the same"));
    await post("the same");
    expect(fake.requests.some(isPatch)).toBe(false);
    expect(bodies()).toEqual(["the same"]);
  });

  test("the later one alone stays under `renew`", async () => {
    when(isPost, () => void add("theirs"));
    expect(await post("mine", "renew")).toMatchObject({ kind: "renewed" });
    expect(bodies()).toEqual(["mine"]);
  });
});

describe("a comment", () => {
  test("that is there several times is left once", async () => {
    for (const text of ["first", "second", "third"]) add(text);
    expect(await post("new")).toMatchObject({ kind: "updated" });
    expect(bodies()).toEqual(["new"]);
  });

  test("that is deleted while it is edited is posted again", async () => {
    const { id } = add("old");
    when(isPatch, () => fake.comments.remove(id));
    expect(await post("new")).toMatchObject({ kind: "created" });
    expect(bodies()).toEqual(["new"]);
  });

  test("that is deleted by another run first is deleted enough", async () => {
    add("first");
    const { id } = add("second");
    when(
      ({ method }) => method === "DELETE",
      () => fake.comments.remove(id),
    );
    await post("new");
    expect(bodies()).toEqual(["new"]);
  });

  test("says the same although another run, and another line end, is in it", async () => {
    add("more in https://github.com/acme/shop/actions/runs/7/artifacts/8\r\nend\n\n");
    const { kind } = await post("more in https://github.com/acme/shop/actions/runs/9/artifacts/10\nend");
    expect(kind).toBe("unchanged");
    expect(fake.requests.map(({ method }) => method)).not.toContain("PATCH");
  });

  test("with the marker further down is not ours", async () => {
    fake.comments.add(number, bot, `> ${marker}\nquoted`);
    expect(await post("new")).toMatchObject({ kind: "created" });
  });

  test("of a deleted account is not ours", async () => {
    fake.comments.add(number, null, own("old").body);
    expect(await post("new")).toMatchObject({ kind: "created" });
  });

  test("of an app is known as its own, whose token GitHub tells no user of", async () => {
    fake.accounts.give("job", "shop-planner[bot]");
    add("old", "shop-planner[bot]");
    add("the job's");
    expect(await post("new")).toMatchObject({ kind: "updated" });
    expect([bodies("shop-planner[bot]"), bodies()]).toEqual([["new"], ["the job's"]]);
  });

  test("of an app is one in the end where nothing tells whose the token is", async () => {
    fake.accounts.give("job", "shop-planner[bot]");
    add("old", "shop-planner[bot]");
    fake.trouble({ matches: ({ path }) => /^\/(graphql|user)$/.test(path), effect: { status: 404 }, times: 99 });
    await post("new");
    expect(bodies("shop-planner[bot]")).toEqual(["new"]);
  });
});
