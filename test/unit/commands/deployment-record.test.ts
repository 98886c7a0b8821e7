import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRecord } from "../../../src/commands/deployment-record.ts";
import type { OnGithub } from "../../../src/commands/on-github.ts";
import { GithubApi } from "../../../src/github/api.ts";
import { violations } from "../../contract/github-description.ts";
import { FakeGithub, type WorkflowRun } from "../../fakes/fake-github.ts";

const commit = "c".repeat(40);
const wanted = { environment: "production", project: "shop", commit, deployment: "d".repeat(32) };

let github: FakeGithub;
let run: WorkflowRun;
let lines: string[];
beforeEach(async () => {
  github = await FakeGithub.start();
  github.tokens.set("job", { deployments: "write" });
  run = github.startRun();
  lines = [];
});
afterEach(async () => {
  expect(violations(github.exchanges)).toEqual([]);
  await github[Symbol.asyncDispose]();
});

const log = (line: string): void => void lines.push(line);
const page = (): string => `https://github.com/${FakeGithub.repository}/actions/runs/${run.id}`;
const here = (): OnGithub => ({
  api: new GithubApi({
    url: github.apiUrl,
    repository: FakeGithub.repository,
    token: "job",
    sleep: async () => undefined,
    now: () => github.clock.now,
    log: () => undefined,
  }),
  server: "https://github.com",
  run: page(),
  commit,
  branch: "main",
});
const recorded = () =>
  github.deployments.all.map(({ environment, sha, statuses }) => [
    environment,
    sha,
    ...statuses.map(({ state, logUrl }) => `${state} ${logUrl === page()}`),
  ]);

/** As GitHub does for a job with `environment:`, before the job starts. */
async function ofWorkflow(environment: string, logUrl: string): Promise<void> {
  const { api } = here();
  const sent = { decoder: (value: unknown) => value as { readonly id: number }, permission: "deployments: write" };
  const { id } = await api.send("POST", "/deployments", { ...sent, body: { ref: commit, environment, payload: "" } });
  await api.send("POST", `/deployments/${id}/statuses`, { ...sent, body: { state: "in_progress", log_url: logUrl } });
}

describe("a deployment's record on GitHub", () => {
  test("begins, and ends with how it went, with a link to the run each time", async () => {
    await using record = await openRecord(wanted, here(), { log });
    await record.end("success", "1 of 3 jobs changed");
    expect(recorded()).toEqual([["production", commit, "in_progress true", "success true"]]);
    const [only] = github.deployments.all;
    expect(only).toMatchObject({ description: "flink-dbt-deploy: shop", task: "deploy" });
    expect(only?.statuses.map(({ description }) => description)).toEqual([
      "flink-dbt-deploy: shop",
      "1 of 3 jobs changed",
    ]);
    expect(lines).toEqual([]);
  });

  test("the commit's bad statuses do not stand in its way", async () => {
    github.tokens.set("job", { deployments: "write", statuses: "write" });
    const sent = { body: { state: "failure" }, decoder: () => null, permission: "statuses: write" };
    await here().api.send("POST", `/statuses/${commit}`, sent);
    await openRecord(wanted, here(), { log });
    expect(recorded()).toHaveLength(1);
  });

  test("says that it broke off where it did, and a description is as long as GitHub takes it", async () => {
    {
      await using _record = await openRecord(wanted, here(), { log });
    }
    const record = await openRecord(wanted, here(), { log });
    await record.end("failure", "🚀".repeat(200));
    expect(recorded().map(([, , ...states]) => states)).toEqual([
      ["in_progress true", "error true"],
      ["in_progress true", "failure true"],
    ]);
    expect(lines).toEqual([]);
  });

  test("is GitHub's own where the workflow's job has an environment, whatever that is called", async () => {
    await ofWorkflow("live", `${page()}/job/77`);
    await (await openRecord(wanted, here(), { log })).end("success", "done");
    expect(recorded()).toEqual([["live", commit, "in_progress false"]]);
    expect(lines).toEqual(["GitHub records this deployment itself, for the environment live of the workflow's job"]);
  });

  test("is not another run's, nor one of ours before", async () => {
    await ofWorkflow("production", `${page()}1/job/77`);
    await (await openRecord(wanted, here(), { log })).end("failure", "no");
    await (await openRecord(wanted, here(), { log })).end("success", "yes");
    expect(recorded()).toHaveLength(3);
  });

  test("is made once where the answer to its making was lost", async () => {
    github.trouble({
      matches: ({ method, path }) => method === "POST" && path.endsWith("/deployments"),
      effect: "cut-after",
    });
    await (await openRecord(wanted, here(), { log })).end("success", "done");
    expect(recorded()).toEqual([["production", commit, "in_progress true", "success true"]]);
  });

  test("a missing permission is a line of the log, and so is a forge that knows no deployments", async () => {
    github.tokens.set("job", { contents: "read" });
    await (await openRecord(wanted, here(), { log })).end("success", "done");
    github.tokens.set("job", { deployments: "write" });
    github.trouble({ matches: () => true, effect: { status: 404, body: { message: "Not Found" } } });
    await (await openRecord(wanted, here(), { log })).end("success", "done");
    expect(recorded()).toEqual([]);
    expect(lines).toEqual([
      expect.stringMatching(/^the deployment is not recorded on GitHub: .*permissions: deployments: write/),
      expect.stringMatching(/^the deployment is not recorded on GitHub: .* answered 404/),
    ]);
  });

  test("there is none outside of GitHub", async () => {
    await (await openRecord(wanted, null, { log })).end("success", "done");
    expect([recorded(), lines]).toEqual([[], []]);
  });
});
