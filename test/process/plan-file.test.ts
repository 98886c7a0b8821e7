import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { diffJobs } from "../../src/plan/diff.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { encodePlan } from "../../src/plan/plan-file.ts";
import type { Job } from "../../src/project/job.ts";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { job, source } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { type Door, Folders, type Result, run, writeFiles } from "./harness.ts";

const running = (name: string, more: Readonly<Record<string, string>> = {}): Job =>
  job(name, { executionConfig: { "pipeline.name": name, ...checkpointing, ...more } });
const changed = (name: string): Job => running(name, { "parallelism.default": "2" });
const secretive = (name: string): Job =>
  job(name, {
    setup: [source("orders", "CREATE TABLE orders (id BIGINT) WITH ('connector' = 'kafka', 'password' = 'hunter2')")],
    executionConfig: { "pipeline.name": name, ...checkpointing },
  });

function plan(base: readonly Job[], head: readonly Job[], more: Partial<Plan> = {}): Plan {
  return makePlan({
    project: "shop",
    environment: "default",
    base: "deployed",
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base, head, renames: {} }),
    unrecorded: [],
    findings: [],
    ...more,
  });
}

describe.each(["command", "action"] as const)("deploy of a plan file, through the %s", (door: Door) => {
  let folders: Folders;
  let cwd: string;
  let ledger: string;
  let fake: FakeFlink;
  beforeEach(async () => {
    folders = new Folders();
    // No project, no repository, no dbt: the plan file is all there is.
    cwd = await folders.make();
    ledger = await folders.make();
    fake = await FakeFlink.start();
  });
  afterEach(async () => {
    await fake[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });
  const call = async (text: string, inputs: Readonly<Record<string, string>> = {}): Promise<Result> => {
    await writeFiles(cwd, { "plan.json": text });
    return await run(
      door,
      "deploy",
      {
        "plan-file": "plan.json",
        "gateway-url": fake.gatewayUrl,
        "jobmanager-url": fake.jobmanagerUrl,
        "ledger-dir": ledger,
        "savepoint-dir": "file:///savepoints",
        ...inputs,
      },
      { cwd },
    );
  };
  const living = (name: string): readonly string[] => fake.living(name);

  test("carries it out as it is, and the same again finds nothing to do", async () => {
    const base = [running("kept"), running("changed"), running("gone")];
    await deployed(base, { fake, ledger });
    const [kept, gone] = [living("kept"), living("gone")];
    fake.step(5);
    const made = encodePlan(plan(base, [running("kept"), changed("changed"), running("born")]));
    const first = await call(made);
    expect(first).toMatchObject({ code: 0, reason: "ok" });
    expect(first.stdout).toContain("## default: 3 of 4 jobs changed, all of them hold");
    expect(first.stdout).toContain("commit `bbbbbbbbbb`");
    expect(living("kept")).toEqual(kept);
    expect([living("born").length, living("gone").length]).toEqual([1, 0]);
    expect(gone).toHaveLength(1);
    const numbers = fake.numbers("changed");
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));

    const again = await call(made);
    expect(again).toMatchObject({ code: 0, reason: "ok" });
    expect(again.stdout).toContain("nothing to do");
  });

  test("leaves a job that stays as it is alone where its program has a secret, and takes up none with the mask", async () => {
    await deployed([secretive("kept"), running("changed")], { fake, ledger });
    const kept = living("kept");
    const base = [secretive("kept"), running("changed")];
    const made = await call(encodePlan(plan(base, [secretive("kept"), changed("changed")])));
    expect(made).toMatchObject({ code: 0, reason: "ok" });
    expect(made.stdout).toContain("left as it is: its program holds secrets");
    expect(living("kept")).toEqual(kept);

    const masked = await call(encodePlan(plan([], [secretive("born"), ...base].slice(0, 1))), { environment: "other" });
    expect(masked.reason).toBe("plan-changed");
    const born = encodePlan(
      plan([secretive("kept"), changed("changed")], [...[secretive("kept"), changed("changed")], secretive("born")]),
    );
    const refused = await call(born);
    expect(refused.reason).toBe("inputs-invalid");
    expect(refused.message).toContain("plan-file: the programs of born hold secrets, which a plan file does not");
    expect(refused.everything).not.toContain("hunter2");
    expect(living("born")).toEqual([]);
  });

  test("of a plan against a ref, what was not run stays as it is deployed", async () => {
    await deployed([running("quiet"), running("changed")], { fake, ledger });
    const quiet = living("quiet");
    const made = plan([running("changed")], [changed("changed")], { base: "a".repeat(40), unrecorded: ["quiet"] });
    expect(await call(encodePlan(made))).toMatchObject({ code: 0, reason: "ok" });
    expect(living("quiet")).toEqual(quiet);
  });

  test("is refused before any effect where something else is deployed now, job by job", async () => {
    await deployed([changed("orders"), running("stranger")], { fake, ledger });
    const before = [living("orders"), living("stranger")];
    const made = plan([running("orders")], [running("orders", { "parallelism.default": "3" })]);
    const { reason, message } = await call(encodePlan(made));
    expect(reason).toBe("plan-changed");
    const [was, is] = [running("orders"), changed("orders")].map(({ digest }) => digest.slice(0, 12));
    expect(message).toContain(`orders: planned on program ${was}, but it is program ${is}`);
    expect(message).toContain("stranger: planned on not in the plan");
    expect([living("orders"), living("stranger")]).toEqual(before);
  });

  test("is refused where it is of another environment or Flink, or of no commit", async () => {
    const other = await call(encodePlan(plan([], [running("a")], { environment: "staging", flinkVersion: "2.0.0" })));
    expect(other.reason).toBe("plan-changed");
    expect(other.message).toContain("environment staging");
    expect(other.message).toContain("Flink 2.0.0");
    const dirty = await call(
      encodePlan(plan([], [running("a")], { head: `${"b".repeat(40)} with changes not committed` })),
    );
    expect(dirty.reason).toBe("worktree-dirty");
    const findings = [
      { severity: "error", code: "model-invalid", message: "no such column", job: "x", file: "x.sql", line: 3 },
    ] as const;
    const blocked = await call(encodePlan(plan([], [running("a")], { findings })));
    expect(blocked).toMatchObject({
      reason: "model-invalid",
      message: expect.stringContaining("x.sql:3: no such column"),
    });
    expect(living("a")).toEqual([]);
  });

  test("is refused where it was altered, in what it says or in the programs beside it", async () => {
    const made = encodePlan(plan([], [running("a")]));
    const [effect, program] = [
      made.replace('"kind": "create"', '"kind": "upgrade"'),
      made.replaceAll("SELECT id FROM", "SELECT id + 1 FROM"),
    ];
    expect(await call(effect)).toMatchObject({ reason: "inputs-invalid", message: expect.stringContaining("digest") });
    const { reason, message } = await call(program);
    expect(reason).toBe("inputs-invalid");
    expect(message).toContain("the plan file's program of a is not the one that its digest is of");
    expect(living("a")).toEqual([]);
  });

  test("is refused where it is no plan, or larger than any plan", async () => {
    for (const text of ["", "[]", "{", "[".repeat(200_000), JSON.stringify({ version: 9 })]) {
      expect(await call(text)).toMatchObject({ reason: "inputs-invalid" });
    }
    await writeFiles(cwd, { bomb: "" });
    await truncate(join(cwd, "bomb"), 5 * 1024 ** 3);
    const bomb = await call("", { "plan-file": "bomb" });
    expect(bomb).toMatchObject({ reason: "inputs-invalid", message: expect.stringContaining("5368709120 bytes") });
    const endless = await call("", { "plan-file": "/dev/zero" });
    expect(endless).toMatchObject({ reason: "inputs-invalid", message: expect.stringContaining("more than 67108864") });
    const missing = await call("", { "plan-file": "none.json" });
    expect(missing.message).toContain("plan-file: none.json cannot be read");
  });
});
