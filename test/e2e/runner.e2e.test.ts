import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { freePorts } from "../../src/flink/ports.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { distFolder, Folders, writeFiles } from "../process/harness.ts";
import {
  environment,
  largeOrders,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  type Repository,
  shopProject,
  tableModel,
} from "./projects.ts";
import { goTool } from "./tools.ts";

const act = goTool("act", "github.com/nektos/act", "v0.2.89");
const root = join(import.meta.dirname, "..", "..");
const token = "token-of-the-job";

const expression = (name: string): string => `\${{ ${name} }}`;

/** A workflow's step with the bundled action, whose files lie in the repository. act answers actions/checkout itself. */
const workflow = (name: string, on: string, inputs: Readonly<Record<string, string>>): string => `name: ${name}
on:
${on}
jobs:
  ${name}:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
      - id: flink
        uses: ./action
        with:
          project-dir: shop
          github-token: \${{ github.token }}
          store: git
${Object.entries(inputs)
  .map(([input, value]) => `          ${input}: ${JSON.stringify(value)}`)
  .join("\n")}
      - if: always()
        env:
          REASON: \${{ steps.flink.outputs.reason }}
          JOBS: \${{ steps.flink.outputs.jobs }}
        run: |
          echo "reason=$REASON"
          echo "jobs=$JOBS"
`;

const folders = new Folders();
let cluster: EmbeddedCluster;
let github: FakeGithub;
let repository: Repository;
let home: string;
let server: string;
beforeAll(async () => {
  if ("missing" in act) return;
  const distribution = await provideAll();
  cluster = await startCluster({ distribution, folder: await folders.make(), slots: 4, log: () => undefined });
  github = await FakeGithub.start();
  github.tokens.set(token, {
    actions: "read",
    contents: "write",
    "pull-requests": "write",
    statuses: "write",
    deployments: "write",
  });
  // Without its own settings act asks which image to use.
  home = await folders.make({ ".config/act/actrc": "" });
  server = await folders.make();
  // act's cache server speaks version 1 of that service alone, and the store `cache` version 2.
  const ledger = join(await folders.make(), "ledger.git");
  execFileSync("git", ["init", "--quiet", "--bare", ledger]);
  const reach = {
    "ledger-git": ledger,
    "gateway-url": cluster.gatewayUrl,
    "jobmanager-url": cluster.jobmanagerUrl,
    "savepoint-dir": `file://${await folders.make()}`,
  };
  const dispatched =
    "  workflow_dispatch:\n    inputs:\n      operation: { type: string }\n      jobs: { type: string }";
  repository = await openRepository(folders, {
    ".github/workflows/plan.yml": workflow("plan", "  pull_request:", { command: "plan" }),
    ".github/workflows/deploy.yml": workflow("deploy", "  push:", { command: "deploy", ...reach }),
    ".github/workflows/operate.yml": workflow("operate", dispatched, {
      command: expression("inputs.operation"),
      jobs: expression("inputs.jobs"),
      ...reach,
    }),
    "shop/profiles.yml": profiles,
    "shop/dbt_project.yml": shopProject,
    "shop/models/sources.yml": ordersSource(10),
    "shop/models/large_orders.sql": largeOrders(10),
    "shop/models/totals.sql": tableModel({
      name: "totals",
      query: "select amount, count(*) as n from {{ ref('large_orders') }} group by amount",
    }),
  });
  cpSync(distFolder, join(repository.folder, "action", "dist"), { recursive: true });
  cpSync(join(root, "action.yml"), join(repository.folder, "action", "action.yml"));
  await repository.commit({});
});
afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  await cluster?.stop();
  await folders[Symbol.asyncDispose]();
});

interface Ran {
  readonly code: number | null;
  readonly log: string;
  readonly reason: string;
  readonly jobs: readonly Readonly<Record<string, unknown>>[];
}

/** The workflow of this event, by a real runner on this machine. */
async function run(event: string, payload: unknown): Promise<Ran> {
  if ("missing" in act) throw new Error(act.missing);
  await writeFiles(home, { "event.json": JSON.stringify(payload) });
  const variables = {
    ...environment,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_REPOSITORY: FakeGithub.repository,
    GITHUB_REPOSITORY_ID: String(FakeGithub.repositoryId),
    ACTIONS_CACHE_SERVICE_V2: "true",
  };
  const [artifactPort = 0] = await freePorts(1);
  const args = [
    event,
    ...["-P", "ubuntu-latest=-self-hosted", "-e", join(home, "event.json"), "-s", `GITHUB_TOKEN=${token}`],
    ...["--cache-server-addr", "127.0.0.1", "--cache-server-path", join(server, "cache")],
    ...["--artifact-server-addr", "127.0.0.1", "--artifact-server-path", join(server, "artifacts")],
    ...["--artifact-server-port", String(artifactPort)],
    ...Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
  ];
  const child = spawn(act.path, args, {
    cwd: repository.folder,
    env: { HOME: home, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, LANG: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  const output = (name: string): string => new RegExp(`\\| ${name}=(.*)$`, "m").exec(log)?.[1] ?? "";
  return { code, log, reason: output("reason"), jobs: JSON.parse(output("jobs") || "[]") };
}

const living = async () => {
  const answer = await fetch(`${cluster.jobmanagerUrl}/jobs/overview`);
  const { jobs } = (await answer.json()) as {
    readonly jobs: readonly { readonly name: string; readonly state: string }[];
  };
  return jobs.filter(({ state }) => state === "RUNNING").map(({ name }) => name);
};

test("plan on pull_request, deploy on push, operate on workflow_dispatch, with the ledger in a repository", async ({
  skip,
}) => {
  if ("missing" in act) skip(act.missing);
  const base = repository.git("rev-parse", "HEAD");
  const push = (after: string) => ({ ref: "refs/heads/main", after, repository: { default_branch: "main" } });
  const first = await run("push", push(base));
  expect(first.code, first.log).toBe(0);
  expect(first).toMatchObject({ reason: "ok", jobs: [{ job: "totals", ending: "created" }] });
  expect(await living()).toEqual(["totals"]);

  const head = await repository.commit({ "shop/models/large_orders.sql": largeOrders(30) });
  const { number } = github.pulls.open({ head, base });
  const repo = { full_name: FakeGithub.repository };
  const planned = await run("pull_request", {
    action: "opened",
    number,
    pull_request: { number, head: { sha: head, ref: "change", repo }, base: { sha: base, ref: "main", repo } },
  });
  expect(planned.code, planned.log).toBe(0);
  expect(planned.jobs).toMatchObject([{ job: "totals", change: "upgrade" }]);
  expect(github.comments.on(number)).toHaveLength(1);
  expect(github.comments.on(number)[0]?.body).toContain("large_orders");
  expect(github.statuses.of(head)).toMatchObject([{ context: "flink-dbt-deploy / default", state: "success" }]);

  const upgraded = await run("push", push(head));
  expect(upgraded.code, upgraded.log).toBe(0);
  expect(upgraded.jobs).toMatchObject([{ job: "totals", ending: "upgraded" }]);
  expect(upgraded.log).toMatch(/from file:\S+savepoint/);

  const saved = await run("workflow_dispatch", { inputs: { operation: "savepoint", jobs: "totals" } });
  expect(saved.code, saved.log).toBe(0);
  expect(saved.jobs).toMatchObject([{ job: "totals", ending: "saved" }]);
  expect(await living()).toEqual(["totals"]);

  const suspended = await run("workflow_dispatch", { inputs: { operation: "suspend", jobs: "totals" } });
  expect(suspended.code, suspended.log).toBe(0);
  expect(suspended.jobs).toMatchObject([{ job: "totals", ending: "suspended" }]);
  expect(await living()).toEqual([]);
  // The runner hides what is secret.
  for (const { log } of [first, planned, upgraded, saved, suspended]) expect(log).not.toContain(token);
});
