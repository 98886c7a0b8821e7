import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { GitHttpServer } from "../unit/ledger/git-http-server.ts";
import { GitPlaces } from "../unit/ledger/git-places.ts";
import { lock, write } from "../unit/ledger/store-contract.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, type Result, run, runCli, writeFiles } from "./harness.ts";

const places = new GitPlaces();
const token = "gh0_s3cr3t";
let server: GitHttpServer;
beforeAll(async () => {
  server = await GitHttpServer.start(places.folder, `x-access-token:${token}`);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  places[Symbol.dispose]();
});

describe.each(["command", "action"] as const)("through the %s", (door: Door) => {
  let folders: Folders;
  let cwd: string;
  let ledger: string;
  let fake: FakeFlink;
  beforeEach(async () => {
    folders = new Folders();
    cwd = await folders.make();
    ledger = await folders.make();
    fake = await FakeFlink.start();
    const orders = job("orders", { executionConfig: { "pipeline.name": "orders", ...checkpointing } });
    await deployed([orders], { fake, ledger });
  });
  afterEach(async () => {
    await fake[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });
  const call = (command: string, inputs: Readonly<Record<string, string>>, secret?: string): Promise<Result> => {
    // The action's inputs are variables anyway; the command has a variable for what is secret.
    const isVariable = door === "command" && secret !== undefined;
    const environment: Record<string, string> = isVariable ? { FLINK_DBT_DEPLOY_LEDGER_GIT_TOKEN: secret } : {};
    const given = secret === undefined || isVariable ? inputs : { ...inputs, "ledger-git-token": secret };
    return run(door, command, given, { cwd, environment });
  };
  const file = () => join(cwd, "ledger.json");
  const exported = (inputs: Readonly<Record<string, string>>) =>
    call("ledger-export", { "ledger-file": "ledger.json", ...inputs });

  test("a ledger moves from a folder into git, and everything goes on there", async () => {
    const url = `${server.origin}/${places.bare().split("/").at(-1)}`;
    const git = { store: "git", "ledger-git": url };
    const out = await exported({ "ledger-dir": ledger });
    expect(out).toMatchObject({ code: 0, reason: "ok" });
    expect(out.stdout).toMatch(/## Exported \d entries and 1 value of `default`/);
    expect(statSync(file()).mode & 0o077).toBe(0);
    const into = await call("ledger-import", { ...git, "ledger-file": "ledger.json" }, token);
    expect(into).toMatchObject({ code: 0, reason: "ok" });
    expect(into.stdout).toMatch(/## Imported \d entries and 1 value of `default`\n\nInto git /);

    const reached = { ...git, "gateway-url": fake.gatewayUrl, "jobmanager-url": fake.jobmanagerUrl };
    const status = await call("status", reached, token);
    expect(status).toMatchObject({ code: 0, reason: "ok" });
    expect(status.stdout).toContain("the ledger and the cluster agree");
    const suspended = await call("suspend", { ...reached, jobs: "*", "savepoint-dir": "file:///savepoints" }, token);
    expect(suspended).toMatchObject({ code: 0, reason: "ok" });
    const remote = join(places.folder, url.split("/").at(-1) ?? "");
    const subjects = places.git(["-C", remote, "log", "--format=%s", "--all"]).trim().split("\n");
    expect(subjects.map((line) => line.replace(/ by .*/, "")).filter((line) => line !== "lock: renewed")).toEqual([
      "lock: released",
      "orders: stopped, and 1 more",
      "orders: stop-intended",
      "lock: taken",
      "lock: released",
      "orders: submit-intended, and 2 more",
      "lock: taken",
    ]);
    expect([out, into, status, suspended].filter(({ everything }) => everything.includes(token))).toEqual([]);
  });

  test("an import completes what is there of the same ledger, and does nothing twice", async () => {
    await exported({ "ledger-dir": ledger });
    const { entries } = JSON.parse(readFileSync(file(), "utf8"));
    const half = await folders.make();
    await openFileStore(half, "default").append(write(entries.slice(0, 2)));
    for (const held of [2, entries.length]) {
      const result = await call("ledger-import", { "ledger-dir": half, "ledger-file": "ledger.json" });
      expect(result).toMatchObject({ code: 0, reason: "ok" });
      expect(result.stdout).toContain(`which held ${held} entries of them`);
    }
    expect(await exported({ "ledger-dir": half, "ledger-file": "again.json" })).toMatchObject({ reason: "ok" });
    expect(readFileSync(join(cwd, "again.json"), "utf8")).toBe(readFileSync(file(), "utf8"));
  });

  test("an import is refused where it would mix or change ledgers, and then writes nothing", async () => {
    await exported({ "ledger-dir": ledger });
    const text = readFileSync(file(), "utf8");
    const other = await folders.make();
    const [first] = JSON.parse(text).entries;
    await writeFiles(cwd, { "altered.json": text.replace('"project": null', '"project": "shop"'), "none.json": "{}" });
    const empty = await folders.make();
    const refused = async (inputs: Readonly<Record<string, string>>, reason: string, said: string) => {
      const result = await call("ledger-import", { "ledger-dir": empty, "ledger-file": "ledger.json", ...inputs });
      expect(result.reason).toBe(reason);
      expect(result.message).toContain(said);
      expect(await openFileStore(empty, "default").entries()).toEqual([]);
    };
    await refused({ "ledger-file": "altered.json" }, "ledger-unreadable", "its id does not match what it says");
    await refused({ "ledger-file": "none.json" }, "ledger-unreadable", "none.json has version none");
    await refused(
      { environment: "production" },
      "inputs-invalid",
      "ledger.json is of environment default, not of production",
    );
    await deployed([job("customers", { executionConfig: { "pipeline.name": "customers", ...checkpointing } })], {
      fake,
      ledger: other,
    });
    expect(first.job).toBe("orders");
    await refused({ "ledger-dir": other }, "inputs-invalid", "holds entry 1, which ledger.json does not");
    await openFileStore(empty, "default").setLock({ ...lock(1, "ana"), renewedAt: new Date().toISOString() });
    await refused({ "lock-timeout": "0" }, "lock-held", "the environment is locked by ana");
  });
});

describe("the command", () => {
  const folders = new Folders();
  afterAll(() => folders[Symbol.asyncDispose]());

  test("writes a ledger to standard output, and nothing else, also as two words", async () => {
    const cwd = await folders.make();
    for (const words of [["ledger-export"], ["ledger", "export"]]) {
      const { code, stdout } = await runCli([...words, "--ledger-file", "-"], { cwd });
      expect({ code, ledger: JSON.parse(stdout) }).toMatchObject({ code: 0, ledger: { version: 1, entries: [] } });
    }
    const { stdout } = await runCli(["ledger", "import", "--help"], { cwd });
    expect(stdout).toContain("Usage: flink-dbt-deploy ledger-import");
    expect(stdout).toContain("  FLINK_DBT_DEPLOY_LEDGER_GIT_TOKEN\n");
  });

  test("takes no token as an argument", async () => {
    const cwd = await folders.make();
    const { code, stderr } = await runCli(["status", "--ledger-git-token", token], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(
      "--ledger-git-token: give it in the environment variable FLINK_DBT_DEPLOY_LEDGER_GIT_TOKEN",
    );
    expect(stderr).not.toContain(token);
  });

  test("finds the repository, and how to reach it, in that of the project", async () => {
    const url = `${server.origin}/${places.bare().split("/").at(-1)}`;
    const cwd = await folders.make({ "project/dbt_project.yml": "" });
    places.git(["init", "--quiet", cwd]);
    const args = ["ledger", "export", "--store", "git", "--ledger-file", "-", "--project-dir", "project"];
    const none = await runCli(args, { cwd });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("the repository there has no remote `origin`");

    // As actions/checkout leaves it: in a file of its own that the repository's config includes.
    const header = `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    places.git(["-C", cwd, "remote", "add", "origin", url]);
    places.git(["config", "--file", join(cwd, "credentials"), `http.${server.origin}/.extraheader`, header]);
    places.git(["-C", cwd, "config", `includeIf.gitdir:${join(cwd, ".git")}.path`, join(cwd, "credentials")]);
    const { code, stdout } = await runCli(args, { cwd });
    expect({ code, ledger: JSON.parse(stdout) }).toMatchObject({ code: 0, ledger: { entries: [] } });
  });
});

test("the action does not write a ledger into its log", async () => {
  await using folders = new Folders();
  const { reason, message } = await run(
    "action",
    "ledger-export",
    { "ledger-file": "-" },
    { cwd: await folders.make() },
  );
  expect(reason).toBe("inputs-invalid");
  expect(message).toContain("name a file");
});
