import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, type Result, run, runAction } from "./harness.ts";

const running = (name: string, more: Readonly<Record<string, string>> = {}) =>
  job(name, { executionConfig: { "pipeline.name": name, ...checkpointing, ...more } });
const changed = { "parallelism.default": "2" };

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
  });
  afterEach(async () => {
    await fake[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });
  const history = (inputs: Readonly<Record<string, string>> = {}): Promise<Result> =>
    run(door, "history", { "ledger-dir": ledger, ...inputs }, { cwd });
  const rollback = (inputs: Readonly<Record<string, string>> = {}): Promise<Result> =>
    run(
      door,
      "rollback",
      {
        "gateway-url": fake.gatewayUrl,
        "jobmanager-url": fake.jobmanagerUrl,
        "ledger-dir": ledger,
        "savepoint-dir": "file:///savepoints",
        ...inputs,
      },
      { cwd },
    );
  /** Commit `a` with deployment `b…`, and then commit `c` with deployment `d…`. */
  const upgraded = async (): Promise<void> => {
    await deployed([running("orders"), running("customers")], { fake, ledger, commit: "a" });
    fake.step(5);
    await deployed([running("orders", changed), running("customers")], { fake, ledger, commit: "c" });
    fake.step(5);
  };

  test("history tells where a rollback goes, rollback goes there, and history tells that it did", async () => {
    await upgraded();
    const before = await history();
    expect(before).toMatchObject({ code: 0, reason: "ok" });
    expect(before.stdout).toContain("## History of default: 2 deployments that changed jobs");
    expect(before.stdout).toMatch(
      /\| `d{12}` \| `c{10}` \| 2026-01-01 00:00:00 UTC \| deploy \| orders upgraded \| nothing: the jobs are as they were \|\n\| `b{12}` \| `a{10}` \| 2026-01-01 00:00:00 UTC \| deploy \| orders created<br>customers created \| \*\*orders\*\* from `file:.*savepoint-/,
    );
    const [customers] = fake.living("customers");

    const back = await rollback();
    expect(back).toMatchObject({ code: 0, reason: "ok" });
    expect(back.stdout).toContain("Back to bbbbbbbbbbbb of commit aaaaaaaaaa, of 2026-01-01 00:00:00 UTC.");
    expect(back.stdout).toMatch(/\| \*\*orders\*\* \| 🟢 upgraded \| `[0-9a-f]{32}` \| from `file:.*savepoint-/);
    expect(back.stdout).toContain("records since 2026-01-01 00:00:00 UTC are processed again by the old program");
    expect(fake.living("customers")).toEqual([customers]);

    const after = await history({ jobs: "orders" });
    expect(after.stdout).toMatch(
      /\| `[0-9a-f]{12}` \| `a{10}` \| 20.* UTC \| rollback \| orders upgraded \| nothing: the jobs are as they were \|/,
    );
    expect(after.stdout).not.toContain("customers");
    const again = await rollback();
    expect(again).toMatchObject({ code: 0, reason: "ok" });
    expect(again.stdout).toContain("nothing to do");
    const forward = await rollback({ to: "c".repeat(7) });
    expect(forward.stdout).toContain("Back to dddddddddddd of commit cccccccccc");
  });

  test("with `keep-progress` every record comes once", async () => {
    await upgraded();
    expect(await rollback({ "keep-progress": "true", jobs: "orders" })).toMatchObject({ code: 0, reason: "ok" });
    fake.step(10);
    const numbers = fake.numbers("orders");
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
  });

  test("nowhere to go, and what is not named well, is told before the cluster is touched", async () => {
    await deployed([running("orders")], { fake, ledger });
    const first = await rollback();
    expect(first.reason).toBe("unknown-deployment");
    expect(first.message).toContain("there is no earlier deployment to go back to");
    const unknown = await rollback({ to: "0123456" });
    expect(unknown.reason).toBe("unknown-deployment");
    const short = await rollback({ to: "ccc" });
    expect(short.reason).toBe("inputs-invalid");
    expect(short.message).toContain('to: "ccc" must be at least 6 signs');
    const job = await rollback({ jobs: "order" });
    expect(job.reason).toBe("unknown-job");
    expect(fake.living("orders")).toHaveLength(1);
  });

  test("a job that cannot go back is `needs-operator`, and none is touched", async () => {
    const stateless = { upgradeMode: "stateless" } as const;
    const before = job("orders", { executionConfig: { "pipeline.name": "orders", ...checkpointing } });
    await deployed([before], { fake, ledger, commit: "a" });
    await deployed([{ ...running("orders", changed), ...stateless }], { fake, ledger, commit: "c" });
    const [living] = fake.living("orders");
    const { stdout } = await history();
    expect(stdout).toContain("⚠️ **orders**: not (no savepoint of it is known)");
    const { reason, message } = await rollback();
    expect(reason).toBe("needs-operator");
    expect(message).toContain("`keep-progress`");
    expect(fake.living("orders")).toEqual([living]);
    expect(await rollback({ "allow-fresh-start": "orders" })).toMatchObject({ code: 0, reason: "ok" });
  });

  test("the history of an empty ledger has no row", async () => {
    const { code, stdout } = await history();
    expect(code).toBe(0);
    expect(stdout).toContain("## History of default: 0 deployments that changed jobs");
  });
});

test("the `jobs` output lists the deployments, newest first", async () => {
  await using folders = new Folders();
  await using fake = await FakeFlink.start();
  const [cwd, ledger] = [await folders.make(), await folders.make()];
  await deployed([running("orders")], { fake, ledger, commit: "a" });
  await deployed([running("orders", changed)], { fake, ledger, commit: "c" });
  const { outputs } = await runAction({ command: "history", "ledger-dir": ledger }, { cwd });
  expect(JSON.parse(outputs.jobs ?? "")).toEqual([
    {
      deployment: "d".repeat(32),
      commit: "c".repeat(40),
      at: "2026-01-01T00:00:00.000Z",
      kind: "deploy",
      changes: [{ job: "orders", what: "upgraded" }],
      rollback: [],
    },
    {
      deployment: "b".repeat(32),
      commit: "a".repeat(40),
      at: "2026-01-01T00:00:00.000Z",
      kind: "deploy",
      changes: [{ job: "orders", what: "created" }],
      rollback: [{ job: "orders", how: "restore", savepoint: expect.stringContaining("savepoint-"), why: null }],
    },
  ]);
});
