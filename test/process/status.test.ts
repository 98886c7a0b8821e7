import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fold } from "../../src/ledger/fold.ts";
import { openLedger, readEntries } from "../../src/ledger/ledger.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, type Result, run, runAction } from "./harness.ts";

const running = (name: string) => job(name, { executionConfig: { "pipeline.name": name, ...checkpointing } });

describe.each(["command", "action"] as const)("status, through the %s,", (door: Door) => {
  let folders: Folders;
  let ledger: string;
  let cwd: string;
  let fake: FakeFlink;
  beforeEach(async () => {
    folders = new Folders();
    cwd = await folders.make();
    ledger = await folders.make();
    fake = await FakeFlink.start();
    fake.cluster.checkpointFolder = "file:///checkpoints";
  });
  afterEach(async () => {
    await fake[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });
  const status = (inputs: Readonly<Record<string, string>> = {}): Promise<Result> =>
    run(
      door,
      "status",
      { "gateway-url": fake.gatewayUrl, "jobmanager-url": fake.jobmanagerUrl, "ledger-dir": ledger, ...inputs },
      { cwd },
    );
  const store = () => openFileStore(ledger, "default");
  const kinds = async () => (await readEntries(store())).map(({ fact }) => fact.kind);

  /** Two jobs that ran for a while, and whose cluster stands still from now on. */
  async function twoJobs(): Promise<readonly string[]> {
    await deployed([running("orders"), running("customers")], { fake, ledger });
    fake.step(120);
    fake.isSteppingByItself = false;
    return ["customers", "orders"].map((name) => fake.living(name)[0] ?? "");
  }

  test("shows how the jobs do, and notes where each has its newest checkpoint", async () => {
    const [customers, orders] = await twoJobs();
    const { code, reason, stdout } = await status();
    expect({ code, reason }).toEqual({ code: 0, reason: "ok" });
    const [cells] = [...stdout.matchAll(/^\| \*\*customers\*\* \| (.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));
    expect(cells).toEqual([
      "running",
      "RUNNING",
      `\`${customers}\``,
      expect.stringMatching(/^\d+ min$/),
      expect.stringMatching(/^\d s ago$/),
      expect.stringMatching(/^\d+(\.\d)? KB$/),
      "`cccccccccc`",
    ]);
    for (const [name, id] of [
      ["customers", customers],
      ["orders", orders],
    ]) {
      expect(stdout).toContain(`- **${name}**: checkpoint \`file:/checkpoints/${id}/chk-`);
      const noted = fold(await readEntries(store())).get(name ?? "")?.checkpoint;
      expect(noted?.path).toBe(fake.cluster.jobs.get(id ?? "")?.completed.at(-1)?.path);
    }
    const before = await kinds();
    expect(before.filter((kind) => kind === "checkpointed")).toHaveLength(4);
    expect(await status()).toMatchObject({ code: 0 });
    expect(await kinds()).toEqual(before);
  });

  test("notes nothing where it is not to, and still shows the checkpoint", async () => {
    await twoJobs();
    const before = await kinds();
    const { code, stdout } = await status({ "note-checkpoints": "false" });
    expect(code).toBe(0);
    expect(stdout).toContain("**customers**: checkpoint `file:/checkpoints/");
    expect(await kinds()).toEqual(before);
  });

  test("goes on where somebody else holds the lock, and says that nothing was noted", async () => {
    await twoJobs();
    const holder = { id: "h", name: "deploy by ana", run: null, process: null, workflow: null };
    await store().setLock({ version: 1, holder, leaseMs: 600_000, renewedAt: new Date().toISOString() });
    const before = await kinds();
    const result = await status();
    expect(result).toMatchObject({ code: 0, reason: "ok" });
    expect(result.everything).toContain(
      "no checkpoint was noted in the ledger: the environment is locked by deploy by ana",
    );
    expect(await kinds()).toEqual(before);
  });

  test("of a ledger that nobody deployed to makes none", async () => {
    expect(await status()).toMatchObject({ code: 0, reason: "ok" });
    expect(readdirSync(ledger)).toEqual([]);
  });

  test("says that a job takes no checkpoints any more, which needs a look", async () => {
    await twoJobs();
    fake.cluster.slots = 0;
    fake.step(3600);
    const { code, reason, message } = await status({ jobs: "orders" });
    expect({ code, reason }).toEqual({ code: 1, reason: "needs-operator" });
    expect(message).toMatch(
      /orders: job [0-9a-f]{32} has completed no checkpoint for 1 h, though it is to take one every 1 s/,
    );
  });

  test("says that a job restarts again and again, which needs a look", async () => {
    const [, id = ""] = await twoJobs();
    fake.cluster.jobs.get(id)?.restartFromNowOn("the disk is full");
    while ((fake.cluster.jobs.get(id)?.exceptions.length ?? 0) < 5) fake.step();
    while (fake.cluster.jobs.get(id)?.state !== "RUNNING") fake.step();
    const { reason, message } = await status({ jobs: "orders" });
    expect(reason).toBe("needs-operator");
    expect(message).toMatch(
      /orders: job [0-9a-f]{32} restarts again and again, [45] times since its last checkpoint: .*the disk is full/,
    );
  });

  test("warns of a job that is suspended for long, and ends well all the same", async () => {
    const savepoint = "file:///savepoints/old";
    const rests = { kind: "suspended", by: "command", reference: null, savepoint } as const;
    const at = new Date(Date.now() - 9.5 * 24 * 3_600_000).toISOString();
    const writer = { environment: "default", project: null, commit: null, now: () => at };
    await (await openLedger(store(), writer)).append("orders", rests);
    const { code, stdout } = await status();
    expect(code).toBe(0);
    expect(stdout).toContain("Status of default: the ledger and the cluster agree; 1 warning");
    expect(stdout).toContain("- ⚠️ **orders**: suspended for 9 days");
    expect(stdout).toContain(`- **orders**: savepoint \`${savepoint}\``);
    expect((await status({ "warn-suspended-days": "10" })).stdout).not.toContain("warning");
    expect((await status({ "warn-suspended-days": "0" })).stdout).not.toContain("warning");
  });
});

test("with `drift-issue` the action keeps one issue of what is wrong, and closes it", async () => {
  await using folders = new Folders();
  await using fake = await FakeFlink.start();
  await using github = await FakeGithub.start();
  github.tokens.set("token-of-the-job", { issues: "write" });
  const ledger = await folders.make();
  await deployed([running("orders")], { fake, ledger });
  const inputs = {
    command: "status",
    "gateway-url": fake.gatewayUrl,
    "jobmanager-url": fake.jobmanagerUrl,
    "ledger-dir": ledger,
    "github-token": "token-of-the-job",
    "drift-issue": "true",
  };
  const look = async (more: Readonly<Record<string, string>> = {}) => {
    const cwd = await folders.make();
    return await runAction({ ...inputs, ...more }, { cwd, environment: github.environmentOf(github.startRun()) });
  };
  expect(await look()).toMatchObject({ code: 0 });
  expect(github.issues.all).toEqual([]);
  fake.cluster.loseJobs();
  const lost = await look();
  expect(lost).toMatchObject({ code: 1, outputs: { reason: "job-down" } });
  expect(lost.summary).toMatch(/The issue of `default` was opened: http\S+\/issues\/1/);
  expect(github.issues.all).toMatchObject([{ state: "open", title: "default: 1 job remark of 1 job" }]);
  await look();
  expect(github.issues.all).toHaveLength(1);
  await runAction(
    { ...inputs, command: "resume", jobs: "orders", "allow-fresh-start": "orders" },
    { cwd: await folders.make() },
  );
  // The jobs are well, but that the default branch could not be planned is not all being well.
  expect(await look({ "plan-file": "no-plan.json" })).toMatchObject({ code: 0 });
  expect(github.issues.all).toMatchObject([
    { state: "open", title: "default: the default branch could not be planned" },
  ]);
  expect(await look()).toMatchObject({ code: 0 });
  expect(github.issues.all).toMatchObject([{ state: "closed" }]);
});

test("with `drift-issue` outside of GitHub nothing is looked at", async () => {
  await using folders = new Folders();
  const inputs = { "gateway-url": "http://127.0.0.1:1", "drift-issue": "true" };
  const { reason, message } = await run("command", "status", inputs, { cwd: await folders.make() });
  expect(reason).toBe("inputs-invalid");
  expect(message).toContain("drift-issue: needs a workflow on GitHub");
});
