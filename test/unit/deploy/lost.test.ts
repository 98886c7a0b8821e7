import { afterEach, describe, expect, test } from "vitest";
import { Environment } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const first = job();
const second = job({ where: "n > 1" });
const retained = { "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION" };

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

async function running(one = first, isListed = true): Promise<string> {
  it = await Environment.start();
  it.isStorageListed = isListed;
  it.fake.cluster.checkpointFolder = "file:///checkpoints";
  const { jobId } = await it.deployOne(one);
  it.fake.step(7);
  return jobId ?? "";
}

/** Every number once, none missing, and more to come. */
function expectExactlyOnce(): void {
  const before = it.fake.numbers("totals").length;
  it.fake.step(20);
  const numbers = it.fake.numbers("totals");
  expect(numbers).toEqual(upTo(numbers.length));
  expect(numbers.length).toBeGreaterThan(before);
}

describe("a cluster that came back empty", () => {
  test("gets each recorded job again, from its newest checkpoint", async () => {
    const id = await running();
    it.fake.cluster.loseJobs();
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect(outcome.restored).toContain(`/checkpoints/${id}/chk-`);
    expect(outcome.notes.join()).toContain("newest checkpoint");
    expectExactlyOnce();
  });

  test("gets a changed job from that checkpoint too", async () => {
    await running();
    it.fake.cluster.loseJobs();
    expect(await it.deployOne(second)).toMatchObject({ ending: "upgraded", code: null });
    expectExactlyOnce();
  });

  test("gets the old job where the changed one does not hold", async () => {
    await running();
    it.fake.cluster.loseJobs();
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
    expect(await it.deployOne(second)).toMatchObject({ ending: "rolled-back", code: "rolled-back" });
    expectExactlyOnce();
  });

  test("keeps the checkpoint of a job that is to be suspended, and resumes from it", async () => {
    const id = await running();
    it.fake.cluster.loseJobs();
    const outcome = await it.suspend("totals");
    expect(outcome).toMatchObject({ ending: "suspended", savepoint: expect.stringContaining(`${id}/chk-`) });
    expect(await it.resume("totals")).toMatchObject({ ending: "resumed" });
    expectExactlyOnce();
  });

  test("keeps the checkpoint of a job that is removed", async () => {
    const id = await running();
    it.fake.cluster.loseJobs();
    const { jobs } = await it.deploy([]);
    expect(jobs).toMatchObject([{ ending: "removed", savepoint: expect.stringContaining(`${id}/chk-`) }]);
    await it.deployOne(first);
    expectExactlyOnce();
  });

  test("once more, gets it from a checkpoint of the job that was restored", async () => {
    await running();
    it.fake.cluster.loseJobs();
    const { jobId } = await it.deployOne(first);
    it.fake.step(5);
    it.fake.cluster.loseJobs();
    const outcome = await it.deployOne(first);
    expect(outcome.restored).toContain(`/${jobId}/chk-`);
    expectExactlyOnce();
  });
});

describe("where its checkpoints cannot be listed", () => {
  test("nothing is restored by itself; the facts and both ways are named", async () => {
    await running(first, false);
    it.fake.cluster.loseJobs();
    const outcome = await it.deployOne(first);
    expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
    expect(outcome.message).toMatch(/list-command.*execution\.savepoint\.path.*allow-replay.*chk-/s);
    expect(it.fake.living("totals")).toEqual([]);
  });

  test("a person may agree to a replay from the checkpoint that was noted", async () => {
    const id = await running(first, false);
    const noted = (await it.recorded("totals"))?.checkpoint;
    it.fake.cluster.step(1);
    it.fake.cluster.loseJobs();
    const consent = { toReplay: true };
    const outcome = await it.deployOne(first, { consent });
    expect(outcome.notes.join()).toContain("processed again");
    expect(noted).toMatchObject({ jobId: id });
    expect(outcome.notes.join()).toContain(noted?.path);
  });

  test("or, where Flink deleted that one, from the savepoint that the job was started from", async () => {
    await running(first, false);
    await it.deployOne(second);
    it.fake.step(9);
    const [savepoint] = it.fake.cluster.savepoints();
    it.fake.cluster.loseJobs();
    const outcome = await it.deployOne(second, { consent: { toReplay: true } });
    expect(outcome).toMatchObject({ code: null, restored: savepoint });
  });

  test("or to a start without any state", async () => {
    await running(first, false);
    it.fake.cluster.loseJobs();
    const outcome = await it.deployOne(first, { consent: { toStartEmpty: true } });
    expect(outcome).toMatchObject({ code: null, restored: null });
  });
});

test("a job that someone stopped by hand and the cluster forgot is not started from an older state", async () => {
  const id = await running();
  it.fake.cluster.requestSavepoint({ jobId: id, triggerId: "f".repeat(32), folder: "file:///mine", stopsJob: true });
  it.fake.step(3);
  it.fake.cluster.jobs.delete(id);
  const outcome = await it.deployOne(first);
  expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
  expect(outcome.message).toContain("someone stopped or cancelled it");
});

describe("under `last_state`", () => {
  const one = job({ upgradeMode: "last_state", config: retained });
  const two = job({ upgradeMode: "last_state", config: retained, where: "n > 1" });

  test("a job is cancelled and goes on from its newest checkpoint", async () => {
    const id = await running(one);
    const outcome = await it.deployOne(two);
    expect(outcome).toMatchObject({ ending: "upgraded", restored: expect.stringContaining(`${id}/chk-`) });
    expect(it.fake.cluster.savepoints().filter((path) => path.includes("savepoint-"))).toEqual([]);
    expectExactlyOnce();
  });

  test("a job in a restart loop is upgraded all the same", async () => {
    await running(one);
    it.fake.cluster.jobs.forEach((each) => {
      each.restartFromNowOn("the disk is full");
    });
    it.fake.step(3);
    expect(await it.deployOne(two)).toMatchObject({ ending: "upgraded", code: null });
    expectExactlyOnce();
  });

  test("a job that failed for good goes on from its newest checkpoint", async () => {
    const id = await running(one);
    it.fake.cluster.jobs.get(id)?.fail([["java.lang.Exception", "the disk is full"]]);
    const outcome = await it.deployOne(one);
    expect(outcome).toMatchObject({ code: null, restored: expect.stringContaining(`${id}/chk-`) });
    expectExactlyOnce();
  });

  test("a job whose checkpoints do not outlive it is stopped with a savepoint, and that is said", async () => {
    await running(job({ upgradeMode: "last_state" }));
    const outcome = await it.deployOne(job({ upgradeMode: "last_state", where: "n > 1" }));
    expect(outcome).toMatchObject({ ending: "upgraded", restored: expect.stringContaining("savepoint-") });
    expect(outcome.notes.join()).toContain("RETAIN_ON_CANCELLATION");
    expectExactlyOnce();
  });

  test("what does not hold is put back from the same checkpoint", async () => {
    await running(one);
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
    expect(await it.deployOne(two)).toMatchObject({ ending: "rolled-back" });
    expectExactlyOnce();
  });
});

test("under `savepoint`, a job that failed is left, and the checkpoint that it left is named", async () => {
  const id = await running(job({ config: retained }));
  it.fake.cluster.jobs.get(id)?.fail([["java.lang.Exception", "the disk is full"]]);
  const outcome = await it.deployOne(job({ config: retained }));
  expect(outcome).toMatchObject({ ending: "refused", code: "needs-operator" });
  expect(outcome.message).toContain(`${id}/chk-`);
});

test("a job that fails while it is stopped goes on from the savepoint that its answer names", async () => {
  await running();
  it.fake.cluster.failNextStop("the sink is gone");
  it.fake.cluster.forgetSavepointsOfFailedStops = true;
  const outcome = await it.deployOne(second);
  expect(outcome).toMatchObject({ ending: "upgraded", restored: expect.stringContaining("savepoint-") });
  expectExactlyOnce();
});
