import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { job, source } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, filesWith, outputsIn, run, runCli, workflowCommandsIn } from "./harness.ts";

const hostile = "no\n::add-path::/tmp/x\n \u0085::set-env name=PATH::/tmp\nthen ##[add-mask]all \r::stop-commands::x";

let folders: Folders;
let cwd: string;
let ledger: string;
let fake: FakeFlink;
beforeEach(async () => {
  folders = new Folders();
  cwd = await folders.make();
  ledger = await folders.make();
  fake = await FakeFlink.start();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});
const reach = () => ({
  "gateway-url": fake.gatewayUrl,
  "jobmanager-url": fake.jobmanagerUrl,
  "ledger-dir": ledger,
});
const stop = () => ({ ...reach(), "savepoint-dir": "file:///savepoints", jobs: "*" });
const named = (name: string, table = "orders") =>
  job(table, { executionConfig: { "pipeline.name": name, ...checkpointing } }, { name });

describe("what Flink, a model or a job's name says gives the runner no command", () => {
  test("through the action: its own error is the only command, and holds the whole text", async () => {
    await deployed([named("orders")], { fake, ledger });
    fake.cluster.failNextSavepoint(hostile);
    const { stdout, message, reason } = await run("action", "suspend", stop(), { cwd });
    expect(reason).toBe("savepoint-failed");
    expect(workflowCommandsIn(stdout).map(({ name }) => name)).toEqual(["error"]);
    expect(message).toContain("orders: ");
  });

  test("a job's name does neither", async () => {
    await deployed([named("::error::x"), named("##[error]y", "second")], { fake, ledger });
    const { stdout, code } = await run("action", "status", reach(), { cwd });
    expect(code).toBe(0);
    expect(workflowCommandsIn(stdout)).toEqual([]);
    expect(await run("action", "suspend", stop(), { cwd })).toMatchObject({ code: 0 });
  });

  test("through the command in a workflow's run step, on both streams", async () => {
    await deployed([named("orders")], { fake, ledger });
    fake.cluster.failNextSavepoint(hostile);
    const args = ["suspend", ...Object.entries(stop()).map(([name, value]) => `--${name}=${value}`)];
    const { stdout, stderr } = await runCli(args, { cwd, environment: { GITHUB_ACTIONS: "true" } });
    expect(workflowCommandsIn(`${stdout}\n${stderr}`)).toEqual([]);
    expect(stderr).toContain("savepoint-failed");
  });
});

test("an output of many lines is one output, whatever is in it", async () => {
  await deployed([named("a\nreason=ok\n::set-output name=reason::ok"), named("b", "second")], { fake, ledger });
  const { stdout, everything } = await run("action", "status", reach(), { cwd });
  expect(workflowCommandsIn(stdout)).toEqual([]);
  expect(everything).not.toMatch(/^reason=ok/m);
});

test("the harness reads outputs as the runner does", () => {
  const text = "a<<D1\none\ntwo\nD1\nb<<D2\n\nD2\n";
  expect(outputsIn(text)).toEqual({ a: "one\ntwo", b: "" });
});

test("a ledger that the next run may not find is warned of, by its name; a plan needs none", async () => {
  const { stdout } = await run("action", "status", { ...reach(), "ledger-dir": "" }, { cwd });
  expect(workflowCommandsIn(stdout)).toMatchObject([
    { name: "warning", message: expect.stringContaining("ledger-dir .flink-dbt-deploy/ledger lies in the workspace") },
  ]);
  const planned = await run("action", "plan", { "project-dir": "none" }, { cwd });
  expect(workflowCommandsIn(planned.stdout).map(({ name }) => name)).toEqual(["error"]);
});

describe.each(["command", "action"] as const)("secrets of a program, through the %s", (door: Door) => {
  test("are in no output, and not in the ledger, whatever fails", async () => {
    const secret = "hunter2";
    const users = source(
      "users",
      `CREATE TABLE users (id BIGINT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:db://me:${secret}@db/x', 'password' = '${secret}')`,
    );
    const program = { setup: [users], insert: "INSERT INTO users_copy SELECT id FROM users" };
    const executionConfig = { "pipeline.name": "users_copy", ...checkpointing };
    await deployed([job("users_copy", { ...program, executionConfig })], { fake, ledger });
    const said: string[] = [];
    for (const command of ["status", "suspend", "status"]) {
      fake.cluster.failNextSavepoint(`cannot reach 'password' = '${secret}'`);
      const inputs = command === "status" ? reach() : stop();
      said.push((await run(door, command, inputs, { cwd })).everything);
    }
    expect(said.join("\n")).toContain("users_copy");
    expect(said.join("\n")).toContain("cannot reach");
    expect(said.join("\n")).not.toContain(secret);
    expect([cwd, ledger].flatMap((folder) => filesWith(secret, folder))).toEqual([]);
  });
});
