import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commentMarker } from "../../src/report/comment-marker.ts";
import { violations } from "../contract/github-description.ts";
import { openRepository, type Repository } from "../e2e/projects.ts";
import { FakeGithub, secondaryRateLimit } from "../fakes/fake-github.ts";
import { Folders, runAction, runCli, type StepEnded, type StepOptions } from "./harness.ts";

/** One job, which is the same on both sides: neither dbt nor Flink is needed to plan that. */
const manifest = JSON.stringify({
  metadata: {
    dbt_schema_version: "https://schemas.getdbt.com/dbt/manifest/v7.json",
    dbt_version: "1.3.8",
    adapter_type: "flink",
  },
  nodes: {
    "model.shop.orders": {
      resource_type: "model",
      name: "orders",
      alias: "orders",
      package_name: "shop",
      original_file_path: "models/orders.sql",
      config: { materialized: "table" },
      depends_on: { nodes: [] },
      raw_code: "select 1",
    },
  },
  sources: {},
  macros: {},
});
const project = {
  "dbt_project.yml": "name: shop\nprofile: shop\n",
  "profiles.yml":
    "shop:\n  target: dev\n  outputs:\n    dev: { type: flink, host: localhost, port: 8083, session_name: s }\n",
  "manifest.json": manifest,
};
const dbt = `${process.execPath} ${join(import.meta.dirname, "..", "fakes", "fake-dbt.ts")}`;
const bot = "github-actions[bot]";
const marker = commentMarker("plan", { project: "shop", environment: "default" });

let folders: Folders;
let github: FakeGithub;
let repository: Repository;
let base: string;
let head: string;
let number: number;
beforeEach(async () => {
  folders = new Folders();
  github = await FakeGithub.start();
  github.tokens.set("job", { "pull-requests": "write", statuses: "write" });
  repository = await openRepository(folders, project);
  base = repository.git("rev-parse", "HEAD");
  head = await repository.commit({ "README.md": "first" });
  ({ number } = github.pulls.open({ head, base }));
});
afterEach(async () => {
  expect(violations(github.exchanges)).toEqual([]);
  await github[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

interface Step {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly event?: NonNullable<StepOptions["event"]>;
  readonly environment?: Readonly<Record<string, string>>;
}

const planInputs = { "dbt-command": dbt, "flink-home": "/nowhere" };

/** A step of a workflow run of its own; what it asked of GitHub is alone in the log. */
async function plan({ inputs = {}, token = "job", event = ofPullRequest(), environment = {} }: Step = {}) {
  before = github.requests.length;
  const step = await runAction(
    { command: "plan", "github-token": token, base, ...planInputs, ...inputs },
    { cwd: repository.folder, event, environment: { ...github.environmentOf(github.startRun()), ...environment } },
  );
  return step;
}
let before = 0;

function ofPullRequest(fork: string | null = null): NonNullable<StepOptions["event"]> {
  const end = (sha: string, ref: string, repository: string) => ({ sha, ref, repo: { full_name: repository } });
  const pull = { number, head: end(head, "change", fork ?? "acme/shop"), base: end(base, "main", "acme/shop") };
  return { name: "pull_request", payload: { pull_request: pull } };
}

/** What the last step asked, in order. */
function trace(): readonly string[] {
  return github.requests.slice(before).map(({ method, path, query }) => {
    const page = query.get("page");
    const place = path.replace(/^\/(repos\/acme\/shop|repositories\/42)/, "").replaceAll(/[0-9a-f]{40}/g, "<commit>");
    return `${method} ${place.replace(/(comments\/)\d+/, "$1<id>")}${page === null ? "" : ` page ${page}`}`;
  });
}

/** The comments of one that begin with the marker. */
const posted = (login = bot) =>
  github.comments.on(number).filter((comment) => comment.login === login && comment.body.startsWith(marker));
const status = () => github.statuses.latest(head)[0];
const isComment = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === "POST" && path.endsWith("/comments");

function expectPlanned(step: StepEnded): void {
  expect(step, step.stdout + step.stderr).toMatchObject({ code: 0, outputs: { reason: "ok" } });
}

describe("a plan of a pull request", () => {
  test("is posted as its first comment, with a status of its head", async () => {
    const step = await plan();
    expectPlanned(step);
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "POST /issues/1/comments",
      "GET /issues/1/comments",
      "POST /statuses/<commit>",
    ]);
    expect(posted().map(({ body }) => body)).toEqual([expect.stringContaining("No job changes.")]);
    expect(status()).toMatchObject({
      context: "flink-dbt-deploy / default",
      state: "success",
      description: "No job changes",
      targetUrl: "https://github.com/acme/shop/actions/runs/7001",
    });
    expect(step.stdout).toContain(`comment on pull request ${number} created: https://github.com/acme/shop/pull/1#`);
  });

  test("is edited in place after a push", async () => {
    await plan();
    const [first] = posted();
    head = await repository.commit({ "README.md": "second" });
    expectPlanned(await plan());
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "POST /graphql",
      "PATCH /issues/comments/<id>",
      "POST /statuses/<commit>",
    ]);
    expect(posted()).toEqual([first]);
    expect(first?.body).toContain(head.slice(0, 8));
  });

  test("is left as it is where another run says the same: nothing is written", async () => {
    await plan();
    const [first] = posted();
    const text = first?.body;
    expectPlanned(await plan({ inputs: { "commit-status": "false" } }));
    expect(trace()).toEqual(["GET /issues/1/comments", "POST /graphql"]);
    expect(first?.body).toBe(text);
  });

  test("is found on whichever page it stands", async () => {
    for (let index = 0; index < 240; index += 1) github.comments.add(number, "mona", `remark ${index}`);
    await plan();
    head = await repository.commit({ "README.md": "second" });
    expectPlanned(await plan());
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "GET /issues/1/comments page 2",
      "GET /issues/1/comments page 3",
      "POST /graphql",
      "PATCH /issues/comments/<id>",
      "POST /statuses/<commit>",
    ]);
    expect(posted()).toHaveLength(1);
  });

  test("leaves a comment alone that somebody else gave the same beginning", async () => {
    const forged = github.comments.add(number, "mallory", `${marker}\nAll is well.`);
    expectPlanned(await plan());
    expect(trace().slice(0, 3)).toEqual(["GET /issues/1/comments", "POST /graphql", "POST /issues/1/comments"]);
    expect(forged.body).toBe(`${marker}\nAll is well.`);
    expect(posted()).toHaveLength(1);
  });

  test("has a comment of its own for each environment", async () => {
    await plan();
    expectPlanned(await plan({ inputs: { environment: "production" } }));
    expect(github.comments.on(number).map(({ body }) => body.split("\n")[0])).toEqual([
      marker,
      commentMarker("plan", { project: "shop", environment: "production" }),
    ]);
  });

  test("is a person's comment where the token is a person's", async () => {
    github.tokens.set("pat", { "pull-requests": "write", statuses: "write" });
    github.accounts.give("pat", "mona");
    await plan({ token: "pat" });
    head = await repository.commit({ "README.md": "second" });
    expectPlanned(await plan({ token: "pat" }));
    expect([posted("mona").length, posted().length]).toEqual([1, 0]);
  });

  test("is posted anew with `renew`, and the one before is deleted", async () => {
    await plan({ inputs: { comment: "renew" } });
    const [first] = posted();
    head = await repository.commit({ "README.md": "second" });
    expectPlanned(await plan({ inputs: { comment: "renew" } }));
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "POST /graphql",
      "POST /issues/1/comments",
      "GET /issues/1/comments",
      "DELETE /issues/comments/<id>",
      "POST /statuses/<commit>",
    ]);
    expect(posted()).toHaveLength(1);
    expect(posted()[0]?.id).toBeGreaterThan(first?.id ?? Number.POSITIVE_INFINITY);
  });

  test("is not posted with `off`, and asks nothing at all without the status too", async () => {
    expectPlanned(await plan({ inputs: { comment: "off" } }));
    expect(trace()).toEqual(["POST /statuses/<commit>"]);
    expectPlanned(await plan({ inputs: { comment: "off", "commit-status": "false" } }));
    expect(trace()).toEqual([]);
  });

  test("ends with one comment where two runs post at once", async () => {
    await Promise.all([plan(), plan()]);
    expect(posted()).toHaveLength(1);
  });

  test("has the status `error` where there is no plan, and the comment stays", async () => {
    await plan();
    const text = posted()[0]?.body;
    head = await repository.commit({ "dbt-fails": "Compilation Error in model orders" });
    const step = await plan();
    expect(step).toMatchObject({ code: 1, outputs: { reason: "dbt-failed" } });
    expect(trace()).toEqual(["POST /statuses/<commit>"]);
    expect(status()).toMatchObject({
      state: "error",
      description: "dbt-failed: dbt compile of head failed: Compilation Error in model orders",
    });
    expect(posted()[0]?.body).toBe(text);
  });
});

describe("trouble with GitHub fails no plan, and is said", () => {
  test("a token that may not write", async () => {
    github.tokens.set("reader", { "pull-requests": "read" });
    const step = await plan({ token: "reader" });
    expectPlanned(step);
    const [comment, commit] = [
      "the comment was not posted: POST .* answered 403: .*`permissions: pull-requests: write`",
      "the commit status was not posted: POST .* answered 403: .*`permissions: statuses: write`",
    ];
    for (const text of [comment, commit]) expect(step.stdout).toMatch(new RegExp(`warning: ${text}`));
    expect(step.summary).toContain("⚠️ the comment was not posted: POST");
    expect(step.summary).toContain("⚠️ the commit status was not posted: POST");
  });

  test("a comment that it does not take", async () => {
    const body = { message: "Validation Failed", errors: [{ message: "body is too long" }] };
    github.trouble({ matches: isComment, effect: { status: 422, body } });
    const step = await plan();
    expectPlanned(step);
    expect(step.summary).toContain("answered 422: it does not take what was sent (Validation Failed");
    expect(status()).toMatchObject({ state: "success" });
  });

  test("a rate limit is waited for, as long as GitHub says", async () => {
    github.trouble({ matches: isComment, effect: secondaryRateLimit(1) });
    const step = await plan();
    expectPlanned(step);
    expect(step.stdout).toContain("its rate limit is used up until");
    expect(step.summary).not.toContain("⚠️");
    expect(trace().slice(0, 3)).toEqual([
      "GET /issues/1/comments",
      "POST /issues/1/comments",
      "POST /issues/1/comments",
    ]);
    expect(posted()).toHaveLength(1);
  });

  test("an answer that was lost: the comment is looked for before it is posted again", async () => {
    github.trouble({ matches: isComment, effect: "cut-after" });
    expectPlanned(await plan());
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "POST /issues/1/comments",
      "GET /issues/1/comments",
      "POST /graphql",
      "GET /issues/1/comments",
      "POST /statuses/<commit>",
    ]);
    expect(posted()).toHaveLength(1);
  });

  test("a fork, whose run may only read: one line says what to do", async () => {
    github.tokens.set("reader", { "pull-requests": "read" });
    const step = await plan({ token: "reader", event: ofPullRequest("mallory/shop") });
    expectPlanned(step);
    expect(trace()).toEqual(["GET /issues/1/comments", "POST /issues/1/comments"]);
    expect(step.summary.match(/⚠️.*/g)).toEqual([
      expect.stringMatching(/^⚠️ the pull request comes from mallory\/shop, and its run has a token that only reads/),
    ]);
  });

  test("a token that is none", async () => {
    const step = await plan({ token: "expired" });
    expectPlanned(step);
    expect(step.summary).toContain("answered 401: the token is not valid; check \\`github-token\\`");
  });

  test("a forge that has neither GraphQL nor statuses", async () => {
    const lacks = (path: RegExp, status: number): void =>
      github.trouble({ matches: (request) => path.test(request.path), effect: { status }, times: 99 });
    lacks(/\/graphql$/, 404);
    lacks(/\/statuses\//, 405);
    github.accounts.give("job", "gitea-actions");
    await plan();
    head = await repository.commit({ "README.md": "second" });
    const step = await plan();
    expectPlanned(step);
    expect(trace()).toEqual([
      "GET /issues/1/comments",
      "POST /graphql",
      "GET /user",
      "PATCH /issues/comments/<id>",
      "POST /statuses/<commit>",
    ]);
    expect(posted("gitea-actions")).toHaveLength(1);
    expect(step.stdout).toMatch(/no commit statuses here: POST .* answered 405: the server has no such resource/);
    expect(step.summary).not.toContain("⚠️");
  });
});

describe("the pull request is", () => {
  test("that of the commit, for the end of another workflow", async () => {
    const step = await plan({ event: { name: "workflow_run", payload: { workflow_run: { head_sha: head } } } });
    expectPlanned(step);
    expect(trace()[0]).toBe("GET /commits/<commit>/pulls");
    expect(posted()).toHaveLength(1);
    expect(status()).toMatchObject({ state: "success" });
  });

  test("looked for in the list of a forge that does not find it by the commit", async () => {
    github.trouble({ matches: ({ path }) => /\/commits\/\w+\/pulls$/.test(path), effect: { status: 405 } });
    await plan({ event: { name: "push", payload: {} }, environment: { GITHUB_SHA: head } });
    expect(trace().slice(0, 2)).toEqual(["GET /commits/<commit>/pulls", "GET /pulls"]);
    expect(posted()).toHaveLength(1);
  });

  test("none for the merge queue, whose commit has the status", async () => {
    await plan({ event: { name: "merge_group", payload: { merge_group: { head_sha: head, base_sha: base } } } });
    expect(trace()).toEqual(["POST /statuses/<commit>"]);
    expect(posted()).toEqual([]);
  });

  test("none for a commit of no open pull request, of which nothing is posted", async () => {
    const step = await plan({ event: { name: "push", payload: {} }, environment: { GITHUB_SHA: "f".repeat(40) } });
    expectPlanned(step);
    expect(trace()).toEqual(["GET /commits/<commit>/pulls"]);
    expect(step.summary).not.toContain("⚠️");
  });

  test("the one that is named, whose head has the status", async () => {
    await plan({ inputs: { "pull-request": String(number) }, event: { name: "workflow_dispatch", payload: {} } });
    expect(trace()[0]).toBe(`GET /pulls/${number}`);
    expect(posted()).toHaveLength(1);
    expect(status()).toMatchObject({ state: "success" });
  });
});

describe("the command", () => {
  const command = (given: Readonly<Record<string, string>>, ...flags: readonly string[]) => {
    before = github.requests.length;
    const inputs = Object.entries({ base, ...planInputs }).map(([name, value]) => `--${name}=${value}`);
    return runCli(["plan", ...inputs, ...flags], { cwd: repository.folder, environment: given });
  };
  const here = (): Readonly<Record<string, string>> => ({
    GITHUB_API_URL: github.apiUrl,
    GITHUB_REPOSITORY: FakeGithub.repository,
    GITHUB_TOKEN: "job",
  });

  test("posts nothing, and asks nothing, outside of a workflow", async () => {
    const ended = await command(here());
    expect(ended.code).toBe(0);
    expect(trace()).toEqual([]);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/comment|status|github/i);
  });

  test("posts where the pull request is named and a token and a repository are there", async () => {
    expect((await command(here(), `--pull-request=${number}`)).code).toBe(0);
    expect(posted()).toHaveLength(1);
    expect(status()).toMatchObject({ state: "success", targetUrl: `https://github.com/acme/shop/pull/${number}` });
  });

  test("says what is missing where a pull request is named without a token", async () => {
    const ended = await command({ ...here(), GITHUB_TOKEN: "" }, `--pull-request=${number}`);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("⚠️ nothing is posted to pull request 1: \\`github-token\\` is not given");
  });
});
