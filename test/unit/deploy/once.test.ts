import { afterEach, describe, expect, test } from "vitest";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import type { Write } from "../../../src/ledger/store.ts";
import { Environment, type Through, type World } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const first = job();
const second = job({ where: "n > 1" });

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** The job runs for a while, deployed as it is. */
async function running(through: Through = "jobmanager", one = first): Promise<string> {
  it = await Environment.start(through);
  const { jobId } = await it.deployOne(one);
  it.fake.step(5);
  return jobId ?? "";
}

/** No number twice, and none missing, whatever happens from now on. */
function expectNoDoubles(sink = "totals"): void {
  it.fake.step(20);
  const numbers = it.fake.numbers(sink);
  expect(numbers).toEqual(upTo(numbers.length));
}

const insertsOf = (sink = "totals") => it.fake.statements.filter(({ sql }) => sql.startsWith(`INSERT INTO ${sink} `));
const restoresOf = (sink?: string) =>
  insertsOf(sink).map(({ executionConfig }) => executionConfig["execution.savepoint.path"] ?? null);

const says = ({ entries }: Write, kind: string): boolean => entries.some(({ fact }) => fact.kind === kind);

/** The new job completes checkpoints and fails, so that records after the savepoint S1 are out. */
async function stuckAfterACheckpoint(): Promise<{ readonly outcome: JobOutcome; readonly s1: string }> {
  await running();
  it.fake.cluster.checkpointSteps = 1;
  it.fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
  const outcome = await it.deployOne(second, { verify: { checkpoints: 50 } });
  expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
  return { outcome, s1: it.fake.cluster.savepoints()[0] ?? "" };
}

describe("a job that let records out and does not hold", () => {
  const gone = "file:///checkpoints/gone/chk-7";
  const answered = job({ where: "n > 1", startFrom: gone });

  test("is told that its checkpoints go with it", async () => {
    const { outcome } = await stuckAfterACheckpoint();
    expect(outcome.message).toContain("externalized-checkpoint-retention");
  });

  test("is not replaced from the older savepoint where Flink refuses the state that a person names", async () => {
    const { s1 } = await stuckAfterACheckpoint();
    const outcome = await it.deployOne(answered);
    expect(outcome).toMatchObject({ ending: "failed", code: "job-down", savepoint: gone });
    expect(outcome.message).toContain("not put back");
    expect(restoresOf()).toEqual([null, s1, gone]);
    expect(it.fake.living("totals")).toEqual([]);
    expectNoDoubles();
  });

  test("goes on from the state that was named, tried again, and from no other", async () => {
    const { s1 } = await stuckAfterACheckpoint();
    it.fake.cluster.refuseNext("no such file");
    it.fake.cluster.refuseNext("no such file");
    await it.deployOne(answered);
    await it.deployOne(answered);
    await it.deployOne(first);
    expect(restoresOf().filter((path) => path === s1)).toHaveLength(1);
    expect(restoresOf().at(-1)).toBe(gone);
    expectNoDoubles();
  });

  test("rests with the state that was named", async () => {
    await stuckAfterACheckpoint();
    await it.deployOne(answered, {
      tamper: ({ cluster, store }: World): World => ({
        cluster,
        store: {
          ...store,
          append: (write) =>
            says(write, "down") ? Promise.reject(new Error("the process is dead")) : store.append(write),
        },
      }),
    });
    expect(await it.suspend("totals")).toMatchObject({ ending: "suspended", savepoint: gone });
    await it.resume("totals");
    expectNoDoubles();
  });

  test("is removed without the older savepoint, which would send them again", async () => {
    const { s1 } = await stuckAfterACheckpoint();
    const { jobs } = await it.deploy([]);
    expect(jobs).toMatchObject([{ ending: "removed", code: null, savepoint: null }]);
    expect(jobs[0]?.notes.join()).toContain(s1);
    const back = await it.deployOne(second);
    expect(back).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(back.message).toContain("would read everything again");
    expectNoDoubles();
  });

  test("and is lost before its old job is put back is a person's to decide", async () => {
    await running();
    it.fake.cluster.behaveNext({ kind: "never-running" });
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }: World): World => ({
        cluster,
        store: {
          ...store,
          append: async (write) => {
            await store.append(write);
            if (says(write, "submit-failed")) it.fake.cluster.loseJobs();
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain("does not know it any more");
    expect(insertsOf()).toHaveLength(2);
  });
});

describe("through the gateway alone", () => {
  test("a submission that was refused and then taken is not thought to have sent nothing", async () => {
    await running("gateway");
    it.fake.cluster.checkpointSteps = 1;
    it.fake.cluster.refuseNext("the leader is being elected");
    it.fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
    const outcome = await it.deployOne(second, { verify: { steadyMs: 100_000, timeoutMs: 100_000 } });
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expectNoDoubles();
  });

  test("a job that Flink could not start has sent nothing: the old one is put back", async () => {
    await running("gateway");
    const outcome = await it.deployOne(second, {
      tamper: ({ cluster, store }: World): World => ({
        store,
        cluster: {
          ...cluster,
          prepare: async (program) => {
            const prepared = await cluster.prepare(program);
            const isNew = program.insert === second.program.insert;
            return isNew
              ? { ...prepared, submit: (request) => prepared.submit({ ...request, restore: "file:///nowhere" }) }
              : prepared;
          },
        },
      }),
    });
    expect(outcome).toMatchObject({ ending: "rolled-back", message: expect.stringContaining("FAILED") });
    expectNoDoubles();
  });

  test("a job that someone stopped by hand did not finish", async () => {
    const id = await running("gateway");
    it.fake.cluster.requestSavepoint({ jobId: id, triggerId: "f".repeat(32), folder: "file:///mine", stopsJob: true });
    it.fake.step(3);
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toContain("jobmanager-url");
    const [startFrom = ""] = it.fake.cluster.savepoints();
    expect(await it.deployOne(job({ startFrom }))).toMatchObject({ code: null, restored: startFrom });
    expectNoDoubles();
  });
});

describe("under `stateless`", () => {
  const stateless = (where?: string, startFrom?: string) =>
    job({
      upgradeMode: "stateless",
      ...(where === undefined ? {} : { where }),
      ...(startFrom === undefined ? {} : { startFrom }),
    });

  test("a running job that changes starts from the savepoint that its config names", async () => {
    const id = await running("jobmanager", stateless());
    it.fake.cluster.requestSavepoint({ jobId: id, triggerId: "e".repeat(32), folder: "file:///mine", stopsJob: false });
    it.fake.step(2);
    const [path = ""] = it.fake.cluster.savepoints();
    const outcome = await it.deployOne(stateless("n > 1", path));
    expect(outcome).toMatchObject({ ending: "upgraded", restored: path });
    expect(outcome.notes).toEqual([expect.stringContaining(`starts from ${path}`)]);
  });

  test("a suspended job whose change is taken back goes on from its savepoint", async () => {
    await running("jobmanager", stateless());
    const { savepoint } = await it.suspend("totals");
    await it.deployOne(stateless("n > 1"));
    await it.deployOne(stateless());
    expect(await it.resume("totals")).toMatchObject({ ending: "resumed", restored: savepoint });
    expectNoDoubles();
  });

  test("a suspended job that changed starts empty, however often its change was deployed", async () => {
    await running("jobmanager", stateless());
    await it.suspend("totals");
    await it.deployOne(stateless("n > 1"));
    await it.deployOne(stateless("n > 1"));
    expect(await it.resume("totals")).toMatchObject({ ending: "resumed", restored: null });
  });

  test("a suspended job that changed, was removed and came back so starts empty", async () => {
    await running("jobmanager", stateless());
    await it.suspend("totals");
    await it.deployOne(stateless("n > 1"));
    await it.deploy([]);
    expect(await it.deployOne(stateless("n > 1"))).toMatchObject({ ending: "created", restored: null });
  });

  test("a resumption that does not hold leaves the savepoint with the program that took it", async () => {
    await running("jobmanager", stateless());
    const { savepoint } = await it.suspend("totals");
    await it.deployOne(stateless("n > 1"));
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "no such topic" });
    expect(await it.resume("totals")).toMatchObject({ ending: "failed", savepoint });
    await it.deployOne(stateless());
    expect(await it.resume("totals")).toMatchObject({ restored: savepoint });
  });
});

/** A run that dies just before its INSERT is sent; what it would have sent may be sent later. */
async function diesBeforeItsInsert(): Promise<() => Promise<unknown>> {
  await running();
  let send: () => Promise<unknown> = () => Promise.reject(new Error("nothing is under way"));
  await it.deployOne(second, {
    tamper: ({ cluster, store }: World): World => ({
      store,
      cluster: {
        ...cluster,
        prepare: async (program) => {
          const prepared = await cluster.prepare(program);
          return {
            ...prepared,
            [Symbol.asyncDispose]: async () => {},
            submit: (request) => {
              send = () => prepared.submit(request);
              return Promise.reject(new Error("the process is dead"));
            },
          };
        },
      },
    }),
  });
  return send;
}

describe("an INSERT of a run that was thought dead, when another change comes,", () => {
  const third = job({ where: "n > 2" });
  const around = (fence: (jobId: string, original: (jobId: string) => Promise<void>) => Promise<void>) => ({
    tamper: ({ cluster, store }: World): World => ({
      store,
      cluster: { ...cluster, fence: (jobId) => fence(jobId, (id) => cluster.fence(id)) },
    }),
  });

  test("is refused by Flink once its id is used up", async () => {
    const send = await diesBeforeItsInsert();
    let refusal: unknown = null;
    const outcome = await it.deployOne(
      third,
      around(async (jobId, original) => {
        await original(jobId);
        refusal = await send().catch((error: unknown) => error);
      }),
    );
    expect(refusal).toMatchObject({ code: "statement-failed" });
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expectNoDoubles();
  });

  test("is seen and cancelled where it comes just before that", async () => {
    const send = await diesBeforeItsInsert();
    const outcome = await it.deployOne(
      third,
      around(async (jobId, original) => {
        await send();
        await original(jobId);
      }),
    );
    expect(outcome.code).toBeNull();
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
    expectNoDoubles();
  });
});

test("a job that someone else stops while it is to be stopped did not finish", async () => {
  const id = await running();
  const outcome = await it.deployOne(second, {
    tamper: ({ cluster, store }: World): World => ({
      store,
      cluster: {
        ...cluster,
        stop: async () => {
          const triggerId = "a".repeat(32);
          it.fake.cluster.requestSavepoint({ jobId: id, triggerId, folder: "file:///theirs", stopsJob: true });
          it.fake.step(2);
        },
      },
    }),
  });
  const [path = ""] = it.fake.cluster.savepoints();
  expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
  expect(outcome.message).toContain(path);
  const startFrom = path;
  expect(await it.deployOne(job({ where: "n > 1", startFrom }))).toMatchObject({ code: null, restored: path });
  expectNoDoubles();
});

test("a program whose secrets are not at hand cannot be put back: that is said before the stop", async () => {
  await running("jobmanager", job({ config: { "table.catalog.password": "old-secret" } }));
  const outcome = await it.deployOne(job({ config: { "table.catalog.password": "new-secret" } }));
  expect(outcome).toMatchObject({ ending: "upgraded" });
  expect(outcome.notes.join()).toContain("cannot be put back");
});

test("a restore path that a hook sets reaches no submission", async () => {
  it = await Environment.start();
  const other = await it.deployOne(job({ name: "others" }));
  it.fake.step(5);
  const triggerId = "c".repeat(32);
  it.fake.cluster.requestSavepoint({ jobId: other.jobId ?? "", triggerId, folder: "file:///mine", stopsJob: false });
  it.fake.step(2);
  const [path = ""] = it.fake.cluster.savepoints();
  const keys = ["execution.savepoint.path", "execution.state-recovery.path"];
  const program = { ...first.program, preHooks: keys.map((key) => `SET '${key}' = '${path}'`) };
  const outcome = await it.deployOne({ ...first, program }, { removedJobs: "keep" });
  expect(outcome).toMatchObject({ ending: "created", restored: null });
  expectNoDoubles();
});
