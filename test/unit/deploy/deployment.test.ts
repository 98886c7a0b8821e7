import { afterEach, describe, expect, test } from "vitest";
import { programDigest } from "../../../src/project/digest.ts";
import { Environment, type Through } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const first = job();
const second = job({ where: "n > 1" });

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

async function start(through: Through = "jobmanager"): Promise<void> {
  it = await Environment.start(through);
}

/** The job runs for a while, deployed as it is. */
async function running(through: Through = "jobmanager", one = first): Promise<string> {
  await start(through);
  const { ending, jobId } = await it.deployOne(one);
  expect(ending).toBe("created");
  it.fake.step(5);
  return jobId ?? "";
}

/** Every number once, none missing, and more still coming. */
function expectExactlyOnce(sink = "totals"): void {
  it.fake.step(10);
  const numbers = it.fake.numbers(sink);
  expect(numbers.length).toBeGreaterThan(0);
  expect(numbers).toEqual(upTo(numbers.length));
}

const writing = () => it.fake.requests.filter(({ method, path }) => method !== "GET" && !path.includes("/sessions"));
const inserts = () => it.fake.statements.filter(({ sql }) => sql.startsWith("INSERT"));

describe.each(["jobmanager", "gateway"] as const)("through the %s", (through) => {
  test("a first deployment starts the job under an id of its own", async () => {
    await start(through);
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({ ending: "created", code: null, restored: null, interruptionMs: null });
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expect((await it.recorded("totals"))?.settled).toMatchObject({ kind: "running", jobId: outcome.jobId });
    expectExactlyOnce();
  });

  test("an unchanged job is left alone and nothing but a look is asked for", async () => {
    const id = await running(through);
    const [requests, statements] = [it.fake.requests.length, it.fake.statements.length];
    expect(await it.deployOne(first)).toMatchObject({ ending: "unchanged", jobId: id, code: null });
    const asked = it.fake.requests.slice(requests).filter(({ method }) => method !== "GET");
    expect(asked.filter(({ service }) => service === "jobmanager")).toEqual([]);
    expect(it.fake.statements.slice(statements).map(({ sql }) => sql)).toEqual(
      through === "gateway" ? ["SHOW JOBS"] : [],
    );
  });

  test("an upgrade goes on from the savepoint that the old job was stopped with", async () => {
    const id = await running(through);
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect(outcome.jobId).not.toBe(id);
    expect(outcome.restored).toMatch(/^file:\/savepoints\/test\/totals\/[0-9a-f]{16}\/savepoint-/);
    expect(outcome.interruptionMs).not.toBeNull();
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expectExactlyOnce();
  });

  test("a stateless upgrade cancels the job and starts from nothing", async () => {
    await running(through);
    const outcome = await it.deployOne(job({ where: "n > 1", upgradeMode: "stateless" }));
    expect(outcome).toMatchObject({ ending: "upgraded", restored: null, savepoint: null });
    expect(it.fake.cluster.savepoints()).toEqual([]);
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
  });

  test("a change of the execution config alone moves the job with its state", async () => {
    await running(through);
    const outcome = await it.deployOne(job({ config: { "parallelism.default": "2" } }));
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect(inserts().at(-1)?.executionConfig).toMatchObject({
      "parallelism.default": "2",
      "execution.savepoint.path": outcome.restored,
      "execution.state-recovery.path": outcome.restored,
    });
    expectExactlyOnce();
  });

  test("a removed model's job is stopped with a savepoint that the ledger keeps", async () => {
    await running(through);
    const { jobs } = await it.deploy([]);
    expect(jobs).toMatchObject([{ job: "totals", ending: "removed", jobId: null, code: null }]);
    expect(it.fake.living("totals")).toEqual([]);
    expect(it.fake.cluster.hasSavepoint(jobs[0]?.savepoint ?? "")).toBe(true);
    expect((await it.recorded("totals"))?.settled).toMatchObject({ kind: "removed", savepoint: jobs[0]?.savepoint });
  });

  test("job_state suspends a job and brings it back with its state", async () => {
    await running(through);
    const suspended = await it.deployOne(job({ desiredState: "suspended" }));
    expect(suspended).toMatchObject({ ending: "suspended", jobId: null });
    expect(it.fake.cluster.hasSavepoint(suspended.savepoint ?? "")).toBe(true);
    expect(it.fake.living("totals")).toEqual([]);
    expect(await it.deployOne(job({ desiredState: "suspended" }))).toMatchObject({ ending: "unchanged" });
    expect(await it.deployOne(first)).toMatchObject({ ending: "resumed", restored: suspended.savepoint });
    expectExactlyOnce();
  });

  test("a job that Flink refuses is not begun: nothing is stopped, nothing recorded", async () => {
    const id = await running(through);
    const before = await it.factsOf("totals");
    it.fake.gateway.failNext(/^EXPLAIN/, "Column 'm' not found in any table");
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "refused", code: "model-invalid", jobId: id });
    expect(outcome.message).toContain("Column 'm' not found");
    expect(await it.factsOf("totals")).toEqual(before);
    expect(it.fake.living("totals")).toEqual([id]);
  });

  test("a batch job runs to its end, is not run again, and starts anew when it changes", async () => {
    await start(through);
    const batch = job({ runtimeMode: "batch" });
    expect(await it.deployOne(batch)).toMatchObject({ ending: "finished", code: null });
    expect(await it.deployOne(batch)).toMatchObject({ ending: "unchanged" });
    expect(inserts()).toHaveLength(1);
    expect(await it.deployOne(job({ runtimeMode: "batch", where: "n > 1" }))).toMatchObject({ ending: "finished" });
    expect(inserts()).toHaveLength(2);
    expect(inserts().map(({ executionConfig }) => executionConfig["execution.runtime-mode"])).toEqual([
      "batch",
      "batch",
    ]);
    expect(it.fake.cluster.savepoints()).toEqual([]);
  });

  test("a savepoint that fails leaves the job as it was, and the next try is a new one", async () => {
    const id = await running(through);
    it.fake.cluster.failNextSavepoint("the disk is full");
    const outcome = await it.deployOne(second, { commit: "b" });
    expect(outcome).toMatchObject({ ending: "failed", code: "savepoint-failed", jobId: id });
    expect(outcome.message).toContain("the disk is full");
    expect(it.fake.living("totals")).toEqual([id]);
    // At once and by the same deployment: Flink would answer the same trigger id as before.
    expect(await it.deployOne(second, { commit: "b" })).toMatchObject({ ending: "upgraded", code: null });
    expectExactlyOnce();
  });

  test("a submission that Flink refuses twice is put back", async () => {
    await running(through);
    it.fake.cluster.refuseNext("no such function");
    it.fake.cluster.refuseNext("no such function");
    expect(await it.deployOne(second)).toMatchObject({
      ending: "rolled-back",
      message: expect.stringContaining("no such function"),
    });
    expectExactlyOnce();
  });

  test("what the cluster runs under our name beside ours is for a person to decide", async () => {
    const id = await running(through);
    it.fake.cluster.submit({ sink: "totals", config: { "pipeline.name": "totals" } });
    const before = writing().length;
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain(`the ledger expects ${id}`);
    expect(outcome.message).toContain("STOP JOB");
    expect(writing()).toHaveLength(before);
  });

  test("a job that vanished is not started again until a person names its state", async () => {
    const id = await running(through);
    it.fake.cluster.requestSavepoint({ jobId: id, triggerId: "f".repeat(32), folder: "file:///mine", stopsJob: false });
    it.fake.step(1);
    const [path] = it.fake.cluster.savepoints();
    it.fake.cluster.cancel(id);
    it.fake.cluster.loseJobs();
    it.fake.cluster.sinks.clear();
    for (const one of [first, second]) {
      const outcome = await it.deployOne(one);
      expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
      expect(outcome.message).toContain("execution.savepoint.path");
    }
    expect(it.fake.living("totals")).toEqual([]);
    const outcome = await it.deployOne(job({ where: "n > 1", ...(path === undefined ? {} : { startFrom: path }) }));
    expect(outcome).toMatchObject({ code: null, restored: path });
  });

  test("a job that runs unknown to the ledger is taken over with its state, and it is said", async () => {
    await start(through);
    const config = { "pipeline.name": "totals", "execution.checkpointing.interval": "1s" };
    it.fake.cluster.submit({ sink: "totals", config });
    it.fake.step(8);
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({
      ending: "created",
      code: null,
      notes: expect.arrayContaining([expect.stringContaining("taken over")]),
    });
    expect(outcome.restored).not.toBeNull();
    expectExactlyOnce();
  });

  test("suspend and resume by command keep the state, and a deployment in between lets the job rest", async () => {
    await running(through);
    const suspended = await it.suspend("totals");
    expect(suspended).toMatchObject({ ending: "suspended", code: null });
    expect(await it.suspend("totals")).toMatchObject({ ending: "unchanged", savepoint: suspended.savepoint });
    expect(await it.deployOne(first)).toMatchObject({ ending: "unchanged", savepoint: suspended.savepoint });
    const changed = await it.deployOne(second);
    expect(changed).toMatchObject({ ending: "unchanged", savepoint: suspended.savepoint });
    expect(changed.notes).toEqual([expect.stringContaining("takes effect when it is resumed")]);
    expect(it.fake.living("totals")).toEqual([]);

    const resumed = await it.resume("totals");
    expect(resumed).toMatchObject({ ending: "resumed", restored: suspended.savepoint });
    expect(inserts().at(-1)?.sql).toBe(second.program.insert);
    expect(await it.resume("totals")).toMatchObject({ ending: "unchanged", jobId: resumed.jobId });
    expectExactlyOnce();
  });

  test("a starting savepoint in the model's config is used once, and never rewinds the job", async () => {
    const id = await running(through, job({ name: "other" }));
    it.fake.cluster.requestSavepoint({ jobId: id, triggerId: "e".repeat(32), folder: "file:///old", stopsJob: false });
    it.fake.step(1);
    const [startFrom = ""] = it.fake.cluster.savepoints();
    const starting = job({ startFrom });
    expect(await it.deployOne(starting, { removedJobs: "keep" })).toMatchObject({
      ending: "created",
      restored: startFrom,
    });
    const changed = await it.deployOne(job({ startFrom, where: "n > 1" }), { removedJobs: "keep" });
    expect(changed.restored).not.toBe(startFrom);
    await it.suspend("totals");
    const stopped = (await it.recorded("totals"))?.settled;
    const resumed = await it.resume("totals");
    expect(resumed.restored).toBe(stopped?.kind === "suspended" ? stopped.savepoint : "");
    // Even where it is lost: that path is of another time.
    it.fake.cluster.loseJobs();
    expect(await it.deployOne(job({ startFrom, where: "n > 2" }), { removedJobs: "keep" })).toMatchObject({
      code: "needs-operator",
    });
  });

  test("a job without checkpoints, or seen through the gateway, is judged by a steady RUNNING", async () => {
    await start(through);
    const { "execution.checkpointing.interval": _, ...config } = first.program.executionConfig;
    const plain = { ...first, program: { ...first.program, executionConfig: config } };
    const outcome = await it.deployOne(plain);
    expect(outcome).toMatchObject({ ending: "created" });
    expect(outcome.notes).toEqual([expect.stringMatching(/takes no checkpoints|without `jobmanager-url`/)]);
  });

  test("without a savepoint folder nothing is stopped", async () => {
    const id = await running(through);
    const outcome = await it.deployOne(second, { savepointDirectory: null });
    expect(outcome).toMatchObject({ ending: "refused", code: "savepoint-dir-missing" });
    expect(it.fake.living("totals")).toEqual([id]);
  });

  test("a post-hook that fails is told, and the job runs", async () => {
    await start(through);
    it.fake.gateway.failNext(/^CALL/, "no such procedure");
    const outcome = await it.deployOne(job({ postHooks: ["CALL sys.compact('totals')"] }));
    expect(outcome).toMatchObject({ ending: "created", code: null });
    expect(outcome.notes.join()).toContain("no such procedure");
  });
});

describe("a table that the catalog holds already", () => {
  const kept =
    "CREATE TABLE `lake`.`db`.`totals` (\n  `n` BIGINT\n) WITH (\n  'connector' = 'kafka',\n  'topic' = 'a'\n)\n";
  const inLake = (columns: string, topic: string, where = "n > 0") => {
    const { program, ...rest } = job({ where });
    const sql = `CREATE TABLE lake.db.totals (${columns}) WITH ('connector' = 'kafka', 'topic' = '${topic}')`;
    const changed = { ...program, sink: { ...program.sink, sql } };
    return { ...rest, program: changed, digest: programDigest(changed) };
  };
  const isThere = () => it.fake.gateway.answer(/^SHOW CREATE TABLE `lake`/, ["result"], [[kept]]);
  const runs = async () => {
    const id = await running("jobmanager", inLake("n BIGINT", "a"));
    isThere();
    return id;
  };

  test("as it is declared is taken", async () => {
    await runs();
    expect(await it.deployOne(inLake("n BIGINT", "a", "n > 1"))).toMatchObject({ ending: "upgraded", notes: [] });
  });

  test.each([
    ["with other columns", inLake("n BIGINT, m INT", "a"), "column m is missing there and INT in the project"],
    ["with another option", inLake("n BIGINT", "b"), "option 'topic' is 'a' there and 'b' in the project"],
  ])("%s is a refusal, and nothing is touched", async (_how, changed, told) => {
    const id = await runs();
    const [entries, requests] = [await it.store.entries(), writing().length];
    const outcome = await it.deployOne(changed);
    expect(outcome).toMatchObject({ ending: "refused", code: "table-differs", jobId: id });
    expect(outcome.message).toBe(`The table lake.db.totals is there already, and not as declared: ${told}.`);
    expect(await it.store.entries()).toEqual(entries);
    expect(writing()).toHaveLength(requests);
    expect(it.fake.living("totals")).toEqual([id]);
    expect(it.fake.statements.filter(({ sql }) => sql.startsWith("DROP")).map(({ sql }) => sql)).toEqual([
      "DROP TEMPORARY TABLE `flink_dbt_deploy_declared`",
    ]);
  });

  test("perhaps otherwise is noted once", async () => {
    await start();
    it.fake.gateway.answer(
      /^SHOW CREATE TABLE `lake`/,
      ["result"],
      [[kept.replace("'topic'", "'extra' = '1',\n  'topic'")]],
    );
    const { ending, notes } = await it.deployOne(inLake("n BIGINT", "a"));
    expect({ ending, notes }).toEqual({
      ending: "created",
      notes: [
        "The table lake.db.totals is there already, perhaps not as declared: option 'extra' is '1' there and missing in the project.",
      ],
    });
  });

  test("is no reason to leave a job down that was stopped before it changed", async () => {
    await runs();
    const broken = { kind: "restart-loop", message: "the state does not fit" } as const;
    it.fake.cluster.behaveNext(broken);
    // The old program's table is another one by now, and its job is put back all the same.
    it.fake.gateway.answer(/^SHOW CREATE TABLE `lake`/, ["result"], [[kept.replace("'a'", "'b'")]]);
    expect(await it.deployOne(inLake("n BIGINT", "b", "n > 1"))).toMatchObject({ ending: "rolled-back" });
    expectExactlyOnce();
  });
});

describe("with the JobManager's REST", () => {
  test.each([
    ["never runs", { kind: "never-running" }],
    ["restarts again and again", { kind: "restart-loop", message: "the state does not fit" }],
    ["fails", { kind: "fails", message: "the state does not fit", afterSteps: 0 }],
  ] as const)("a new job that %s is replaced by the old one, from the very same savepoint", async (_, behaviour) => {
    await running();
    it.fake.cluster.behaveNext(behaviour);
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "rolled-back", code: "rolled-back" });
    const [savepoint, ...others] = it.fake.cluster.savepoints();
    expect(others).toEqual([]);
    expect(outcome.restored).toBe(savepoint);
    expect(inserts().map(({ executionConfig }) => executionConfig["execution.savepoint.path"])).toEqual([
      undefined,
      savepoint,
      savepoint,
    ]);
    expect(inserts().at(-1)?.sql).toBe(first.program.insert);
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest } });
    expectExactlyOnce();
  });

  test("a job that neither holds nor can be put back is down, and the next deployment starts from its savepoint", async () => {
    await running();
    const broken = { kind: "restart-loop", message: "the disk is gone" } as const;
    it.fake.cluster.behaveNext(broken, broken);
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "failed", code: "job-down", jobId: null });
    expect(it.fake.cluster.savepoints()).toEqual([outcome.savepoint]);
    expect(it.fake.living("totals")).toEqual([]);
    const again = await it.deployOne(second);
    expect(again).toMatchObject({ code: null, restored: outcome.savepoint });
    expectExactlyOnce();
  });

  test("a view that changes moves both jobs that read it, with their state", async () => {
    await start();
    const both = (view: string) => [job({ name: "totals", view }), job({ name: "averages", view })];
    await it.deploy(both("SELECT n FROM numbers"));
    it.fake.step(5);
    const { jobs } = await it.deploy(both("SELECT n FROM numbers WHERE n > 0"));
    expect(jobs.map(({ job, ending }) => [job, ending])).toEqual([
      ["totals", "upgraded"],
      ["averages", "upgraded"],
    ]);
    expectExactlyOnce("totals");
    expectExactlyOnce("averages");
  });

  test("a new model is created beside one that is left alone", async () => {
    const id = await running();
    const { jobs } = await it.deploy([first, job({ name: "averages" })]);
    expect(jobs).toMatchObject([
      { job: "totals", ending: "unchanged", jobId: id },
      { job: "averages", ending: "created" },
    ]);
  });

  test("`removed-jobs: keep` leaves a removed model's job running and says so", async () => {
    const id = await running();
    const { jobs } = await it.deploy([], { removedJobs: "keep" });
    expect(jobs).toMatchObject([{ job: "totals", ending: "unchanged", jobId: id, code: null }]);
    expect(jobs[0]?.notes).toEqual([expect.stringContaining("kept")]);
    expect(it.fake.living("totals")).toEqual([id]);
  });

  test("a removed model that comes back goes on from the savepoint it left", async () => {
    await running();
    const { jobs } = await it.deploy([]);
    expect(await it.deployOne(first)).toMatchObject({ ending: "created", restored: jobs[0]?.savepoint });
    expectExactlyOnce();
  });

  test("a rename without `renames` is a removal and a creation", async () => {
    await running();
    const { jobs } = await it.deploy([job({ name: "sums" })]);
    expect(jobs).toMatchObject([
      { job: "totals", ending: "removed" },
      { job: "sums", ending: "created", restored: null },
    ]);
  });

  test("a rename in `renames` is one job that keeps its state", async () => {
    await running();
    const { jobs } = await it.deploy([job({ name: "sums" })], { renames: { totals: "sums" } });
    expect(jobs).toMatchObject([{ job: "sums", ending: "upgraded" }]);
    expect(jobs[0]?.restored).toContain("savepoint-");
    expect(it.fake.living("totals")).toEqual([]);
    it.fake.step(10);
    expect([...it.fake.numbers("totals"), ...it.fake.numbers("sums")]).toEqual(
      upTo(it.fake.numbers("totals").length + it.fake.numbers("sums").length),
    );
    expect(await it.deploy([job({ name: "sums" })], { renames: { totals: "sums" } })).toMatchObject({
      jobs: [{ job: "sums", ending: "unchanged" }],
    });
  });

  test("a rename onto the name of a job that was removed earlier keeps the state of the renamed one", async () => {
    await start();
    await it.deploy([first, job({ name: "sums" })]);
    it.fake.step(5);
    await it.deploy([first]);
    const [id = ""] = it.fake.living("totals");
    const { jobs } = await it.deploy([job({ name: "sums" })], { renames: { totals: "sums" } });
    expect(jobs).toMatchObject([{ job: "sums", ending: "upgraded" }]);
    expect(jobs[0]?.restored).toContain(`savepoint-${id.slice(0, 6)}-`);
  });

  test("another project's jobs in the same environment are left alone", async () => {
    await start();
    await it.deploy([first], { project: "shop" });
    const { jobs } = await it.deploy([job({ name: "sums" })], { project: "fleet" });
    expect(jobs).toMatchObject([{ job: "sums", ending: "created" }]);
    expect(it.fake.living("totals")).toHaveLength(1);
  });

  test("another project's job of the same name is not taken for one's own", async () => {
    await start();
    await it.deploy([first], { project: "shop" });
    const { jobs } = await it.deploy([second], { project: "fleet" });
    expect(jobs).toMatchObject([{ job: "totals", code: "duplicate-job-name" }]);
    expect(it.fake.living("totals")).toHaveLength(1);
  });

  test("a new job that ignores its savepoint is replaced by the old one", async () => {
    await running();
    it.fake.cluster.checkpointSteps = 1_000_000;
    it.fake.cluster.behaveNext({ kind: "ignores-restore" });
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        store,
        cluster: {
          ...cluster,
          cancel: async (id) => {
            it.fake.cluster.checkpointSteps = 2;
            await cluster.cancel(id);
          },
        },
      }),
    });
    expect(outcome).toMatchObject({
      ending: "rolled-back",
      message: expect.stringContaining("from nothing instead of"),
    });
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expectExactlyOnce();
  });

  test("a cluster without slots is named as such, and the old job is put back", async () => {
    await running();
    it.fake.cluster.slots = 2;
    const outcome = await it.deployOne(job({ config: { "parallelism.default": "4" } }));
    expect(outcome).toMatchObject({ ending: "rolled-back", code: "no-slots" });
    expectExactlyOnce();
  });

  test("answers of the JobManager that are old condemn no job and prove none", async () => {
    await running();
    it.fake.jobmanager.cacheSteps = 10;
    expect(await it.deployOne(second, { verify: { timeoutMs: 60_000 } })).toMatchObject({
      ending: "upgraded",
      code: null,
    });
    expectExactlyOnce();
  });

  test("a job that let records out before it failed is not replaced from the older savepoint", async () => {
    await running();
    it.fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
    it.fake.cluster.checkpointSteps = 1;
    const outcome = await it.deployOne(second, { verify: { checkpoints: 50 } });
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain("send them twice");
    expect(it.fake.living("totals")).toEqual([]);
    const numbers = it.fake.numbers("totals");
    expect(numbers).toEqual(upTo(numbers.length));
    // The same command says the same; a path that a person names is taken.
    expect(await it.deployOne(second)).toMatchObject({ code: "needs-operator" });
    const startFrom = it.fake.cluster.savepoints()[0] ?? "";
    const answered = await it.deployOne(job({ where: "n > 1", startFrom }));
    expect(answered).toMatchObject({ ending: "upgraded", code: null, restored: startFrom });
  });

  test("a checkpoint that the JobManager's cache still hides keeps the old job from being put back", async () => {
    await running();
    it.fake.jobmanager.cacheSteps = 15;
    it.fake.cluster.checkpointSteps = 4;
    it.fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
    const outcome = await it.deployOne(second);
    expect(await it.factsOf("totals")).toContain("submit-failed");
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    const numbers = it.fake.numbers("totals");
    expect(numbers).toEqual(upTo(numbers.length));
  });

  test("a job that the cluster lost while it was verified is not sent again from the savepoint", async () => {
    await running();
    it.fake.cluster.behaveNext({ kind: "no-checkpoints", message: "slow" });
    const seen = it.lines.length;
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        store,
        cluster: {
          ...cluster,
          progress: async (id) => {
            it.fake.cluster.loseJobs();
            return await cluster.progress(id);
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain("does not know it any more");
    expect(it.lines.slice(seen).filter((line) => line.includes("submitting"))).toHaveLength(1);
  });

  test("a checkpoint that comes too seldom is asked for", async () => {
    await start();
    it.fake.cluster.checkpointSteps = 1_000_000;
    const seldom = job({ config: { "execution.checkpointing.interval": "10 min" } });
    expect(await it.deployOne(seldom)).toMatchObject({ ending: "created", notes: [] });
    expect(
      it.fake.requests.filter(({ method, path }) => method === "POST" && path.endsWith("/checkpoints")),
    ).toHaveLength(1);
  });

  test("where it cannot be asked for, a steady RUNNING is taken, and it is said", async () => {
    await start();
    it.fake.cluster.checkpointSteps = 1_000_000;
    it.fake.jobmanager.takesCheckpoints = false;
    const seldom = job({ config: { "execution.checkpointing.interval": "10 min" } });
    expect(await it.deployOne(seldom)).toMatchObject({
      ending: "created",
      notes: [expect.stringContaining("too late to wait for")],
    });
  });

  test("a job that fails while it is stopped left a savepoint, and that is used", async () => {
    await running();
    it.fake.cluster.failNextStop("a task did not end");
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "upgraded", restored: it.fake.cluster.savepoints()[0] });
    expectExactlyOnce();
  });

  test("a bounded job that finished is not run again silently", async () => {
    await start();
    it.fake.cluster.behave("totals", { kind: "finishes", afterSteps: 30 });
    await it.deployOne(first);
    it.fake.step(40);
    expect(await it.deployOne(first)).toMatchObject({ ending: "finished", code: null });
    expect(await it.deployOne(first)).toMatchObject({ ending: "unchanged" });
    const changed = await it.deployOne(second);
    expect(changed).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(changed.message).toContain("read its sources to their end");
  });

  test("a job that someone stopped by hand did not finish: its savepoint is named", async () => {
    const id = await running();
    it.fake.cluster.requestSavepoint({
      jobId: id,
      triggerId: "d".repeat(32),
      folder: "file:///by-hand",
      stopsJob: true,
    });
    it.fake.step(2);
    const [path = ""] = it.fake.cluster.savepoints();
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain(path);
    expect(await it.deployOne(job({ startFrom: path }))).toMatchObject({ code: null, restored: path });
    expectExactlyOnce();
  });

  test("a change of the upgrade mode alone is recorded and the job is left alone", async () => {
    const id = await running();
    const outcome = await it.deployOne(job({ upgradeMode: "stateless" }));
    expect(outcome).toMatchObject({ ending: "unchanged", jobId: id, notes: [expect.stringContaining("left alone")] });
  });

  test("an earlier change that broke off is finished before a later one is deployed", async () => {
    await running();
    const third = job({ where: "n > 2" });
    await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        store,
        cluster: { ...cluster, progress: () => Promise.reject(new Error("the process is dead")) },
      }),
    });
    expect((await it.recorded("totals"))?.attempt).not.toBeNull();
    const outcome = await it.deployOne(third);
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: third.digest } });
    expectExactlyOnce();
  });

  test("the first failure stops the waves after it", async () => {
    await start();
    const reader = job({ name: "readers" });
    const setup = [
      { kind: "table", name: "totals", sql: "CREATE TABLE totals (n BIGINT)", origin: first.origin } as const,
    ];
    const downstream = { ...reader, program: { ...reader.program, setup: [...reader.program.setup, ...setup] } };
    it.fake.gateway.failNext(/^EXPLAIN/, "no such column");
    const { jobs } = await it.deploy([first, downstream]);
    expect(jobs).toMatchObject([
      { job: "totals", code: "model-invalid" },
      { job: "readers", ending: "skipped", code: null },
    ]);
    expect(inserts()).toEqual([]);
  });
});

describe("what breaks on the way", () => {
  test("a JobManager that does not answer for a while is asked again", async () => {
    await running();
    const { jobs } = await it.deploy([second], {
      tamper: ({ cluster, store }) => {
        let looks = 0;
        return {
          store,
          cluster: {
            ...cluster,
            jobs: async () => {
              looks += 1;
              it.fake.setDown("jobmanager", looks === 3);
              return await cluster.jobs();
            },
          },
        };
      },
    });
    expect(it.lines.join("\n")).toContain("asking again");
    expect(jobs).toMatchObject([{ ending: "upgraded", code: null }]);
    expectExactlyOnce();
  });

  test("one that stays away during verify is the error, with the savepoint; the same command finishes", async () => {
    await running();
    const outcome = await it.deployOne(second, {
      commit: "b",
      tamper: ({ cluster, store }) => ({
        store,
        cluster: {
          ...cluster,
          progress: async (id) => {
            it.fake.setDown("jobmanager", true);
            return await cluster.progress(id);
          },
        },
      }),
    });
    const [savepoint] = it.fake.cluster.savepoints();
    expect(outcome).toMatchObject({ ending: "refused", code: "jobmanager-unreachable", savepoint });
    expect(outcome.message).toContain(`its savepoint is ${savepoint}: run the same command again`);
    it.fake.setDown("jobmanager", false);
    expect(await it.deployOne(second, { commit: "b" })).toMatchObject({ ending: "upgraded", restored: savepoint });
    expectExactlyOnce();
  });

  test.each(["before", "after"] as const)(
    "an INSERT whose connection breaks %s it arrived is sent again",
    async (when) => {
      await running();
      const isInsert = (body: unknown) => JSON.stringify(body).includes("INSERT INTO");
      it.fake.cut("gateway", {
        when,
        matches: ({ method, path, body }) =>
          method === "POST" &&
          path.endsWith("/statements") &&
          isInsert(body) &&
          !JSON.stringify(body).includes("EXPLAIN"),
      });
      const outcome = await it.deployOne(second);
      expect(outcome).toMatchObject({ ending: "upgraded", code: null });
      expect(it.fake.living("totals")).toEqual([outcome.jobId]);
      expectExactlyOnce();
    },
  );

  test("a stop whose connection breaks after it arrived takes one savepoint", async () => {
    await running();
    it.fake.cut("jobmanager", { when: "after", matches: ({ path }) => path.endsWith("/stop") });
    expect(await it.deployOne(second)).toMatchObject({ ending: "upgraded", code: null });
    expect(it.fake.cluster.savepoints()).toHaveLength(1);
    expectExactlyOnce();
  });

  test("sessions that expire while the savepoint is taken are opened again", async () => {
    await running();
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        store,
        cluster: {
          ...cluster,
          stop: async (request) => {
            it.fake.gateway.expireSessions();
            await cluster.stop(request);
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expectExactlyOnce();
  });

  test("a submission that Flink refuses once is sent once more", async () => {
    await running();
    it.fake.cluster.refuseNext("the leader is being elected");
    expect(await it.deployOne(second)).toMatchObject({ ending: "upgraded", code: null });
    expect(inserts()).toHaveLength(3);
    expectExactlyOnce();
  });

  test("a ledger that cannot be written keeps the job from being stopped", async () => {
    const id = await running();
    const { DeployError } = await import("../../../src/errors.ts");
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        cluster,
        store: {
          ...store,
          append: () => Promise.reject(new DeployError("store-unconfirmed", "read-only file system")),
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "refused", code: "store-unconfirmed", jobId: id });
    expect(it.fake.living("totals")).toEqual([id]);
  });

  test("a ledger that cannot be written for a moment after the stop is written again", async () => {
    await running();
    const { DeployError } = await import("../../../src/errors.ts");
    let failures = 2;
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        cluster,
        store: {
          ...store,
          append: async (write) => {
            const isStop = write.entries.some(({ fact }) => fact.kind === "stopped");
            if (!isStop || failures-- <= 0) return await store.append(write);
            throw new DeployError("store-unconfirmed", "stale file handle");
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expectExactlyOnce();
  });

  test("a value of the ledger that cannot be read is that job's error, and the others go on", async () => {
    await running();
    const { DeployError } = await import("../../../src/errors.ts");
    const { jobs } = await it.deploy([second, job({ name: "averages" })], {
      tamper: ({ cluster, store }) => ({
        cluster,
        store: { ...store, value: (key) => Promise.reject(new DeployError("ledger-unreadable", `no value ${key}`)) },
      }),
    });
    expect(jobs).toMatchObject([
      { job: "totals", code: "ledger-unreadable" },
      { job: "averages", ending: "created" },
    ]);
  });
});

describe("through the gateway alone", () => {
  test("one session looks, and none is left open", async () => {
    await running("gateway");
    await it.deployOne(second);
    expect(it.fake.gateway.openSessions).toBe(0);
    const opened = it.fake.requests.filter(({ method, path }) => method === "POST" && path === "/v1/sessions");
    // Of each deployment: one to look and one to submit; and one to stop.
    expect(opened).toHaveLength(5);
  });

  test("a looking session that expires is opened again", async () => {
    await running("gateway");
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }) => ({
        store,
        cluster: {
          ...cluster,
          prepare: async (program) => {
            it.fake.gateway.expireSessions();
            return await cluster.prepare(program);
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
  });

  test.each([
    { kind: "restart-loop", message: "the state does not fit" },
    { kind: "fails", message: "the disk is full", afterSteps: 4 },
  ] as const)(
    "nobody can tell what a job let out that $kind, so it is not replaced from the savepoint",
    async (behaviour) => {
      await running("gateway");
      it.fake.cluster.behaveNext(behaviour);
      const outcome = await it.deployOne(second);
      expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
      expect(outcome.message).toContain("jobmanager-url");
      expect(inserts()).toHaveLength(2);
      const numbers = it.fake.numbers("totals");
      expect(numbers).toEqual(upTo(numbers.length));
      const [startFrom = ""] = it.fake.cluster.savepoints();
      expect(await it.deployOne(job({ startFrom }))).toMatchObject({ code: null, restored: startFrom });
      expect(it.fake.living("totals")).toHaveLength(1);
    },
  );

  test("a STOP JOB that gives up waiting while the job stops leaves the path to a person", async () => {
    await running("gateway");
    it.fake.gateway.stopPatience = 1;
    it.fake.cluster.savepointSteps = 4;
    const outcome = await it.deployOne(second);
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain("file:///savepoints/test/totals/");
    const [startFrom = ""] = it.fake.cluster.savepoints();
    expect(await it.deployOne(job({ where: "n > 1", startFrom }))).toMatchObject({
      ending: "upgraded",
      restored: startFrom,
    });
    expectExactlyOnce();
  });
});
