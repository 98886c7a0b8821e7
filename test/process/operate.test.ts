import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, type Result, run, startCli } from "./harness.ts";

const config = (name: string) => ({ "pipeline.name": name, ...checkpointing });
const running = (name: string) => job(name, { executionConfig: config(name) });

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
  const call = (command: string, inputs: Readonly<Record<string, string>> = {}): Promise<Result> =>
    run(
      door,
      command,
      {
        "gateway-url": fake.gatewayUrl,
        "jobmanager-url": fake.jobmanagerUrl,
        "ledger-dir": ledger,
        ...(command === "status" ? {} : { "savepoint-dir": "file:///savepoints" }),
        ...inputs,
      },
      { cwd },
    );

  test("status, suspend by glob, status, resume: each job goes on where it was, and every record came once", async () => {
    await deployed([running("orders"), running("orders_daily"), running("customers")], { fake, ledger });
    const first = await call("status");
    expect(first).toMatchObject({ code: 0, reason: "ok" });
    expect(first.stdout).toContain("## Status of default: the ledger and the cluster agree");
    expect(first.stdout).toMatch(
      /\| \*\*customers\*\* \| running \| RUNNING \| `[0-9a-f]{32}` \| \d+ s \| \d s ago \| \d+\.\d KB \| `cccccccccc` \|/,
    );

    const suspended = await call("suspend", { jobs: "orders*" });
    expect(suspended).toMatchObject({ code: 0, reason: "ok" });
    expect(suspended.stdout).toContain("## default: 2 of 2 jobs changed");
    expect(suspended.stdout).toMatch(/\| \*\*orders\*\* \| ⏸️ suspended \| — \| kept in `file:.*savepoint/);
    expect([fake.living("orders"), fake.living("orders_daily")]).toEqual([[], []]);
    expect(fake.living("customers")).toHaveLength(1);

    const again = await call("suspend", { jobs: "orders" });
    expect(again).toMatchObject({ code: 0, reason: "ok" });
    expect(again.stdout).toContain("nothing to do");
    const status = await call("status", { jobs: "orders" });
    expect(status).toMatchObject({ code: 0, reason: "ok" });
    expect(status.stdout).toMatch(/\| \*\*orders\*\* \| suspended \| — \| — \|/);
    expect(status.stdout).toMatch(/^- \*\*orders\*\*: savepoint `file:.*savepoint/m);
    expect(status.stdout).not.toContain("customers");

    const resumed = await call("resume", { jobs: "orders, orders_daily" });
    expect(resumed).toMatchObject({ code: 0, reason: "ok" });
    expect(resumed.stdout).toMatch(/\| \*\*orders\*\* \| 🟢 resumed \| `[0-9a-f]{32}` \| from `file:.*savepoint/);
    const numbers = fake.numbers("orders");
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
  });

  test("through the gateway alone a job is suspended and resumed too, and what could not be seen is said", async () => {
    await deployed([running("orders")], { fake, ledger });
    const alone = { "jobmanager-url": "", jobs: "orders" };
    expect(await call("suspend", alone)).toMatchObject({ code: 0, reason: "ok" });
    const resumed = await call("resume", { ...alone, "steady-time": "1" });
    expect(resumed).toMatchObject({ code: 0, reason: "ok" });
    expect(resumed.stdout).toMatch(/seen RUNNING; without .*jobmanager-url.* its checkpoints and its restore path/);
    const numbers = fake.numbers("orders");
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
  });

  test("a name that matches nothing is `unknown-job`, and no other job is touched", async () => {
    await deployed([running("orders")], { fake, ledger });
    for (const command of ["status", "suspend", "resume"]) {
      const { reason, message } = await call(command, { jobs: "orders, order" });
      expect({ command, reason }).toEqual({ command, reason: "unknown-job" });
      expect(message).toContain("no job matches order; there are orders");
    }
    expect(fake.living("orders")).toHaveLength(1);
  });

  test("an empty ledger and an empty cluster have no job to show, and none to suspend", async () => {
    expect(await call("status")).toMatchObject({ code: 0, reason: "ok" });
    const { reason, message } = await call("suspend", { jobs: "*" });
    expect(reason).toBe("unknown-job");
    expect(message).toContain("no job matches *; there is none");
  });

  test("a job that should run and does not is `job-down`", async () => {
    await deployed([running("orders")], { fake, ledger });
    fake.cluster.loseJobs();
    const { reason, stdout, message } = await call("status");
    expect(reason).toBe("job-down");
    expect(stdout).toContain("1 of 1 jobs need a look");
    expect(message).toMatch(/orders: job [0-9a-f]{32} is not known to the cluster any more/);
  });

  test("a job that should run and FAILED is `job-down`, and one that is FINISHED needs a look", async () => {
    await deployed([running("orders")], { fake, ledger });
    const [id = ""] = fake.living("orders");
    fake.cluster.requestSavepoint({ jobId: id, triggerId: "a".repeat(32), folder: "file:///mine", stopsJob: true });
    fake.step(2);
    const finished = await call("status");
    expect(finished.reason).toBe("needs-operator");
    expect(finished.message).toMatch(/orders: job [0-9a-f]{32} is FINISHED; run `deploy`/);
    fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
    await deployed([running("customers")], { fake, ledger });
    fake.step(10);
    const failed = await call("status", { jobs: "customers" });
    expect(failed.reason).toBe("job-down");
    expect(failed.message).toMatch(/customers: job [0-9a-f]{32} is FAILED/);
  });

  test("a job that a failed deployment left down is `job-down`, and says from where `deploy` starts it", async () => {
    await deployed([running("orders")], { fake, ledger });
    const broken = { kind: "restart-loop", message: "the disk is full" } as const;
    fake.cluster.behaveNext(broken, broken);
    const changed = job("orders", {
      executionConfig: config("orders"),
      insert: "INSERT INTO orders SELECT 2 FROM orders",
    });
    await expect(deployed([changed], { fake, ledger })).rejects.toThrow("the disk is full");
    fake.cluster.refuseNext("no such function");
    fake.cluster.refuseNext("no such function");
    await expect(deployed([running("customers")], { fake, ledger })).rejects.toThrow("no such function");
    const { reason, message, stdout } = await call("status");
    expect(reason).toBe("job-down");
    expect(stdout).toContain("2 of 2 jobs need a look");
    const [customers, orders] = message.split("\n");
    expect(customers).toBe(
      "customers: is down, and nothing of its state is kept; mend the cause and run `deploy`, which starts it empty",
    );
    expect(orders).toMatch(
      /^orders: is down; mend the cause and run `deploy`, which starts it from file:\S+savepoint\S+$/,
    );
  });

  test("a savepoint that fails leaves the job running, and the failure is told in Flink's words", async () => {
    await deployed([running("orders")], { fake, ledger });
    fake.cluster.failNextSavepoint("disk is full");
    const { reason, message } = await call("suspend", { jobs: "orders" });
    expect(reason).toBe("savepoint-failed");
    expect(message).toContain("disk is full");
    expect(message).not.toMatch(/^\s+at /m);
    expect(fake.living("orders")).toHaveLength(1);
    expect(await call("suspend", { jobs: "orders" })).toMatchObject({ code: 0, reason: "ok" });
  });

  test("savepoint: a savepoint of each running job, which runs on; status would start a lost one from it", async () => {
    await deployed([running("orders"), running("customers"), running("suspended")], { fake, ledger });
    await call("suspend", { jobs: "suspended" });
    const [id = ""] = fake.living("orders");
    const before = fake.cluster.savepoints().length;
    const saved = await call("savepoint", { jobs: "*" });
    expect(saved).toMatchObject({ code: 0, reason: "ok" });
    expect(saved.stdout).toContain("## default: savepoints taken of 2 of 3 jobs, which run on");
    const path =
      /\| \*\*orders\*\* \| 💾 savepoint taken \| `[0-9a-f]{32}` \| kept in `([^`]+)`/.exec(saved.stdout)?.[1] ?? "";
    expect(fake.cluster.savepoints().slice(before)).toContain(path);
    expect(saved.stdout).toContain("**suspended**: it does not run (suspended)");
    expect(fake.living("orders")).toEqual([id]);
    expect(fake.cluster.savepoints()).toHaveLength(before + 2);

    const again = await call("savepoint", { jobs: "orders" });
    expect(again).toMatchObject({ code: 0, reason: "ok" });
    expect(fake.cluster.savepoints()).toHaveLength(before + 3);
    fake.cluster.loseJobs();
    const { stdout } = await call("status", { jobs: "orders" });
    const last = fake.cluster.savepoints().at(-1);
    expect(stdout).toContain(`- **orders**: savepoint \`${last}\``);

    const older = { jobs: "orders", "from-savepoint": path };
    expect((await call("resume", older)).message).toContain(`has its newest known state in ${last}`);
    const resumed = await call("resume", { ...older, "allow-replay": "orders" });
    expect(resumed).toMatchObject({ code: 0, reason: "ok" });
    expect(resumed.stdout).toMatch(
      /\| \*\*orders\*\* \| 🟢 (resumed|created|upgraded) \| `[0-9a-f]{32}` \| from `file:.*savepoint/,
    );
    expect(resumed.stdout).toContain(`from \`${path}\``);
  });

  test("savepoint: one that fails leaves the job running, and the next try takes one", async () => {
    await deployed([running("orders")], { fake, ledger });
    fake.cluster.failNextSavepoint("disk is full");
    const { reason, message } = await call("savepoint", { jobs: "orders" });
    expect(reason).toBe("savepoint-failed");
    expect(message).toContain("disk is full");
    expect(fake.living("orders")).toHaveLength(1);
    expect(await call("savepoint", { jobs: "orders" })).toMatchObject({ code: 0, reason: "ok" });
  });

  test("savepoint: through the gateway alone it is refused, since that would stop the job", async () => {
    await deployed([running("orders")], { fake, ledger });
    const { reason, message } = await call("savepoint", { jobs: "orders", "jobmanager-url": "" });
    expect(reason).toBe("inputs-invalid");
    expect(message).toContain("jobmanager-url: is required for `savepoint`");
    expect(fake.living("orders")).toHaveLength(1);
  });

  test("resume from a given path: only a suspended job, only with consent, and the path is where it starts", async () => {
    await deployed([running("orders")], { fake, ledger });
    await call("savepoint", { jobs: "orders" });
    const path = fake.cluster.savepoints().at(-1) ?? "";
    fake.step(5);
    const inputs = { jobs: "orders", "from-savepoint": path };
    const early = await call("resume", inputs);
    expect(early.reason).toBe("needs-operator");
    expect(early.message).toContain("suspend it first");
    expect(await call("suspend", { jobs: "orders" })).toMatchObject({ code: 0 });
    const untold = await call("resume", inputs);
    expect(untold.reason).toBe("needs-operator");
    expect(untold.message).toContain("Set `allow-replay: orders` if that is meant");
    expect(fake.living("orders")).toEqual([]);
    const resumed = await call("resume", { ...inputs, "allow-replay": "orders" });
    expect(resumed).toMatchObject({ code: 0, reason: "ok" });
    expect(resumed.stdout).toContain(`from \`${path}\``);
    const several = await call("resume", { ...inputs, jobs: "orders*" });
    expect(several.reason).toBe("inputs-invalid");
  });

  test("without savepoint-dir nothing is stopped", async () => {
    await deployed([running("orders")], { fake, ledger });
    const { reason, message } = await call("suspend", { jobs: "orders", "savepoint-dir": "" });
    expect(reason).toBe("savepoint-dir-missing");
    expect(message).toContain("orders must be stopped with a savepoint, and `savepoint-dir` is not set");
    expect(fake.living("orders")).toHaveLength(1);
  });

  test.each([
    ["not JSON", () => "{", "is not JSON"],
    ["of a later version", (text: string) => text.replace('"version":1', '"version":2'), "its version is 2"],
    ["changed by hand", (text: string) => text.replace('"default"', '"production"'), "does not match what it says"],
  ])("a ledger entry that is %s ends everything before the cluster is touched", async (_name, change, said) => {
    await deployed([running("orders")], { fake, ledger });
    const entries = join(ledger, "default", "entries");
    const file = join(entries, readdirSync(entries)[0] ?? "");
    writeFileSync(file, change(readFileSync(file, "utf8")));
    for (const command of ["status", "suspend", "resume"]) {
      const { reason, message } = await call(command, { jobs: "orders" });
      expect({ command, reason }).toEqual({ command, reason: "ledger-unreadable" });
      expect(message).toContain(file);
      expect(message).toContain(said);
    }
    expect(fake.living("orders")).toHaveLength(1);
  });
});

test("savepoint: the same command finishes what a killed one had begun, and takes no second one", async () => {
  await using folders = new Folders();
  await using fake = await FakeFlink.start();
  const [cwd, ledger] = [await folders.make(), await folders.make()];
  await deployed([running("orders")], { fake, ledger });
  const before = fake.cluster.savepoints().length;
  fake.cluster.savepointSteps = 40;
  const inputs = {
    jobs: "orders",
    "gateway-url": fake.gatewayUrl,
    "jobmanager-url": fake.jobmanagerUrl,
    "ledger-dir": ledger,
    "savepoint-dir": "file:///savepoints",
  };
  const flags = Object.entries(inputs).map(([name, value]) => `--${name}=${value}`);
  const killed = await startCli(["savepoint", ...flags], { cwd });
  await killed.said("waiting for the savepoint");
  killed.process.kill("SIGKILL");
  await killed.ended;
  const finished = await run("command", "savepoint", { ...inputs, "lock-lease": "1" }, { cwd });
  expect(finished).toMatchObject({ code: 0, reason: "ok" });
  expect(finished.stdout).toContain(`kept in \`${fake.cluster.savepoints().at(-1)}\``);
  expect(fake.cluster.savepoints()).toHaveLength(before + 1);
  expect(fake.living("orders")).toHaveLength(1);
});
