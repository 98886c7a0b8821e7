import { afterEach, describe, expect, test } from "vitest";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import { secretsOf } from "../../../src/ledger/stored-job.ts";
import type { Job } from "../../../src/project/job.ts";
import { Environment, type Through, type World } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const first = job();
const second = job({ where: "n > 1" });
const third = job({ where: "n > 2" });

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** The first program runs for a while, then the second; tells how far each came. */
async function upgraded(through: Through = "jobmanager", before: Job = first, after: Job = second) {
  it = await Environment.start(through);
  const { jobId: firstId } = await it.deployOne(before, { commit: "a" });
  it.fake.step(5);
  const { jobId: secondId, restored } = await it.deployOne(after, { commit: "b" });
  const firstEnd = it.fake.cluster.sinks.get("totals")?.filter((line) => line.jobId === firstId).length ?? 0;
  it.fake.step(5);
  return { firstId: firstId ?? "", secondId: secondId ?? "", savepoint: restored ?? "", firstEnd };
}

const numbersOf = (id: string | null, sink = "totals"): readonly number[] =>
  (it.fake.cluster.sinks.get(sink) ?? []).filter(({ jobId }) => jobId === id).map(({ number }) => number);
const from = (start: number, numbers: readonly number[]): readonly number[] => numbers.map((_, index) => start + index);

/** Every number once, none missing, and more still coming. */
function expectExactlyOnce(sink = "totals"): void {
  const before = it.fake.numbers(sink).length;
  it.fake.step(10);
  const numbers = it.fake.numbers(sink);
  expect(numbers).toEqual(upTo(numbers.length));
  expect(numbers.length).toBeGreaterThan(before);
}

const outcomeOf = (jobs: readonly JobOutcome[], name: string) => jobs.find(({ job: one }) => one === name);
const dies = ({ cluster, store }: World, method: "stop" | "progress" | "prepare"): World => ({
  store,
  cluster: { ...cluster, [method]: () => Promise.reject(new Error("the process is dead")) },
});

describe.each(["jobmanager", "gateway"] as const)("through the %s", (through) => {
  test("the old program goes on from its own savepoint, and the new one's is kept for the way forward", async () => {
    const { savepoint, firstEnd, secondId } = await upgraded(through);
    const back = await it.rollBackOne("totals");
    expect(back).toMatchObject({ ending: "upgraded", code: null, restored: savepoint });
    expect(back.notes).toEqual(
      expect.arrayContaining([
        `records since 2026-01-01 00:00:00 UTC are processed again by the old program, which starts from ${savepoint}`,
      ]),
    );
    const secondEnd = firstEnd + numbersOf(secondId).length;
    expect(it.fake.living("totals")).toEqual([back.jobId]);
    it.fake.step(10);
    // What the second program sent is sent again, by the first, and nothing is left out.
    expect(it.fake.numbers("totals").slice(0, secondEnd)).toEqual(upTo(secondEnd));
    const again = numbersOf(back.jobId);
    expect(again.length).toBeGreaterThan(0);
    expect(again).toEqual(from(firstEnd + 1, again));

    const forward = await it.rollBackOne("totals", { to: "deployment b" });
    expect(forward).toMatchObject({ ending: "upgraded", code: null });
    it.fake.step(10);
    const after = numbersOf(forward.jobId);
    expect(after).toEqual(from(secondEnd + 1, after));
    expect(after.length).toBeGreaterThan(0);
  });

  test("with `keep-progress` it goes on from where the new one was: every record once", async () => {
    const { savepoint } = await upgraded(through);
    const outcome = await it.rollBackOne("totals", { keepsProgress: true });
    expect(outcome).toMatchObject({ ending: "upgraded", code: null });
    expect(outcome.restored).not.toBe(savepoint);
    expect(outcome.notes.join()).toContain("Flink decides at the restore");
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest } });
    expectExactlyOnce();
  });

  test("the same command again finds nothing to do, and goes no further back", async () => {
    it = await Environment.start(through);
    for (const [index, one] of [first, second, third].entries()) await it.deployOne(one, { commit: `c${index}` });
    const back = await it.rollBackOne("totals");
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: second.digest } });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "unchanged", jobId: back.jobId });
    const further = await it.rollBackOne("totals", { to: "deployment c0" });
    expect(further).toMatchObject({ ending: "upgraded", code: null });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "unchanged", jobId: further.jobId });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest } });
  });
});

describe("where it goes", () => {
  test("twice back and twice forward, always from where the program was left last", async () => {
    await upgraded();
    const ways: JobOutcome[] = [];
    for (const to of ["deployment a", "deployment b", "deployment a", "deployment b"]) {
      ways.push(await it.rollBackOne("totals", { to }));
      it.fake.step(5);
    }
    const settled = (await it.recorded("totals"))?.settled;
    expect(settled).toMatchObject({ kind: "running", reference: { digest: second.digest } });
    // The first and the third way back start the same program, but `deployment a` left one savepoint only.
    expect(ways[2]?.restored).toBe(ways[0]?.restored);
    expect(ways[3]?.restored).toBe(ways[1]?.restored);
    expect(new Set(ways.map(({ jobId }) => jobId)).size).toBe(4);
  });

  test("back to a rollback: from what its program was left with then", async () => {
    await upgraded();
    await it.rollBack();
    const id = (await it.store.entries()).at(-1)?.deployment ?? "";
    it.fake.step(5);
    await it.deployOne(third, { commit: "c" });
    const left = (await it.recorded("totals"))?.settled;
    expect(await it.rollBackOne("totals", { to: id.slice(0, 8) })).toMatchObject({
      restored: left?.kind === "running" ? left.restored : "",
    });
  });

  test("a commit names a deployment too, and a rollback is of the commit that it goes back to", async () => {
    await upgraded();
    await it.deployOne(third, { commit: "cafe01" });
    await it.rollBackOne("totals", { to: "b" });
    expect((await it.recorded("totals"))?.commit).toBe("b");
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: second.digest } });
  });

  test("a deployment whose jobs were suspended, resumed or put back in between is the same one", async () => {
    await upgraded();
    await it.suspend("totals");
    await it.resume("totals");
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
    expect(await it.deployOne(third, { commit: "c" })).toMatchObject({ ending: "rolled-back" });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "upgraded", code: null });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest } });
    // Since then its program was suspended, resumed and put back: the newest state of it counts.
    const left = it.fake.cluster.savepoints().at(-1);
    const forward = await it.rollBackOne("totals", { to: "deployment b" });
    expect(forward.restored).toBe(left);
  });

  test.each([
    [
      "nothing was deployed",
      async () => {
        it = await Environment.start();
      },
      undefined,
      "the ledger has none",
    ],
    [
      "there is one deployment only",
      async () => {
        it = await Environment.start();
        await it.deployOne(first, { commit: "a" });
      },
      undefined,
      "deployment a of commit a is the first one",
    ],
    ["no deployment is named so", upgraded, "deployment x", "no deployment that changed a job has an id or a commit"],
    ["several are", upgraded, "deployment", "may be any of deployment a, deployment b"],
  ] as const)("nowhere where %s", async (_, before, to, why) => {
    await before();
    const count = (await it.store.entries()).length;
    const refused = it.rollBack({ jobs: ["totals"], ...(to === undefined ? {} : { to }) });
    await expect(refused).rejects.toMatchObject({ code: "unknown-deployment", message: expect.stringContaining(why) });
    expect(await it.store.entries()).toHaveLength(count);
  });
});

describe("of several jobs", () => {
  const old = job({ name: "old" });
  const created = job({ name: "created" });
  const same = job({ name: "same" });

  /** `totals` was changed, `created` was created and `old` was removed; `same` stayed. */
  async function changed() {
    it = await Environment.start();
    await it.deploy([first, old, same], { commit: "a" });
    it.fake.step(5);
    const { jobs } = await it.deploy([second, created, same], { commit: "b" });
    it.fake.step(5);
    return jobs;
  }

  test("each is brought to what it was: changed back, removed with a savepoint, started again", async () => {
    const before = await changed();
    const [living] = it.fake.living("same");
    const { jobs } = await it.rollBack();
    expect(jobs.every(({ code }) => code === null)).toBe(true);
    expect(outcomeOf(jobs, "totals")).toMatchObject({
      ending: "upgraded",
      restored: outcomeOf(before, "totals")?.restored,
    });
    const removed = outcomeOf(jobs, "created");
    expect(removed).toMatchObject({ ending: "removed", jobId: null });
    expect(it.fake.cluster.hasSavepoint(removed?.savepoint ?? "")).toBe(true);
    expect(outcomeOf(jobs, "old")).toMatchObject({ restored: outcomeOf(before, "old")?.savepoint });
    expect(outcomeOf(jobs, "same")).toMatchObject({ ending: "unchanged", jobId: living });
    expect(it.fake.living("same")).toEqual([living]);
    expect(it.fake.living("created")).toEqual([]);
    expectExactlyOnce("old");
    expectExactlyOnce("same");
  });

  test("and forward again: the one that was removed goes on from the savepoint of its removal", async () => {
    await changed();
    await it.rollBack();
    const { jobs } = await it.rollBack({ to: "deployment b" });
    expect(jobs.map(({ job: name, ending }) => [name, ending])).toEqual(
      expect.arrayContaining([
        ["totals", "upgraded"],
        ["created", "upgraded"],
        ["old", "removed"],
        ["same", "unchanged"],
      ]),
    );
    expectExactlyOnce("created");
  });

  test("only those that are named, and then the others", async () => {
    await changed();
    const { jobs } = await it.rollBack({ jobs: ["totals"] });
    expect(jobs).toMatchObject([{ job: "totals", ending: "upgraded" }]);
    expect(it.fake.living("created")).toHaveLength(1);
    const [totals] = it.fake.living("totals");
    const all = await it.rollBack();
    expect(outcomeOf(all.jobs, "created")).toMatchObject({ ending: "removed" });
    expect(outcomeOf(all.jobs, "totals")).toMatchObject({ ending: "unchanged", jobId: totals });
  });

  test("where one does not hold it is put back, and the next ones are not begun; again finishes the work", async () => {
    it = await Environment.start();
    const reads = (where: string): Job => {
      const reader = job({ name: "readers", where });
      const setup = [
        { kind: "table", name: "totals", sql: "CREATE TABLE totals (n BIGINT)", origin: first.origin } as const,
      ];
      return { ...reader, program: { ...reader.program, setup: [...reader.program.setup, ...setup] } };
    };
    await it.deploy([first, reads("n > 0")], { commit: "a" });
    await it.deploy([second, reads("n > 1")], { commit: "b" });
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
    const { jobs } = await it.rollBack();
    expect(outcomeOf(jobs, "totals")).toMatchObject({ ending: "rolled-back", code: "rolled-back" });
    expect(outcomeOf(jobs, "totals")?.notes.join()).not.toContain("processed again");
    expect(outcomeOf(jobs, "readers")).toMatchObject({ ending: "skipped" });
    const again = await it.rollBack();
    expect(again.jobs.map(({ ending }) => ending)).toEqual(["upgraded", "upgraded"]);
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest } });
  });

  test("a run that a crash divided is one deployment", async () => {
    it = await Environment.start();
    await it.deploy([first, job({ name: "b" })], { commit: "a" });
    it.fake.gateway.failNext(/^EXPLAIN INSERT INTO b/, "no such column");
    const half = { commit: "second", parallelJobs: 1 };
    await it.deploy([second, job({ name: "b", where: "n > 1" })], half);
    // Less is left to do, so the plan is another, and so is the deployment's id.
    const rest = await it.deploy([second, job({ name: "b", where: "n > 1" })], { ...half, id: "the rest" });
    expect(rest.jobs.map(({ ending }) => ending)).toEqual(["unchanged", "upgraded"]);
    const { jobs } = await it.rollBack();
    expect(jobs.map(({ ending }) => ending)).toEqual(["upgraded", "upgraded"]);
  });
});

describe("a suspended job", () => {
  test("stays suspended, with the old program and the savepoint that this one took", async () => {
    const { savepoint } = await upgraded();
    const suspended = await it.suspend("totals");
    const outcome = await it.rollBackOne("totals");
    expect(outcome).toMatchObject({ code: null, jobId: null, savepoint });
    expect(outcome.notes.join()).toContain("once it is resumed, records since");
    expect((await it.recorded("totals"))?.settled).toEqual({
      kind: "suspended",
      by: "command",
      reference: expect.objectContaining({ digest: first.digest }),
      savepoint,
    });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "unchanged", savepoint });
    const forward = await it.rollBackOne("totals", { to: "deployment b" });
    expect(forward).toMatchObject({ code: null, savepoint: suspended.savepoint });
    expect(await it.resume("totals")).toMatchObject({ ending: "resumed", restored: suspended.savepoint });
    expectExactlyOnce();
  });

  test("with `keep-progress` keeps its savepoint, and it is known who took it", async () => {
    await upgraded();
    const { savepoint } = await it.suspend("totals");
    expect(await it.rollBackOne("totals", { keepsProgress: true })).toMatchObject({ code: null, savepoint });
    expect((await it.recorded("totals"))?.settled).toMatchObject({
      reference: { digest: first.digest },
      of: { digest: second.digest },
    });
    expect(await it.resume("totals")).toMatchObject({ restored: savepoint });
    expectExactlyOnce();
  });

  test("whose change never ran goes back to its program, and its savepoint is the same one", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    const { savepoint } = await it.suspend("totals");
    await it.deployOne(second, { commit: "b" });
    expect(await it.rollBackOne("totals")).toMatchObject({ code: null, savepoint });
    const settled = (await it.recorded("totals"))?.settled;
    expect(settled).toMatchObject({ kind: "suspended", reference: { digest: first.digest }, savepoint });
    expect(settled).not.toHaveProperty("of");
    expect(await it.resume("totals")).toMatchObject({ restored: savepoint });
    expectExactlyOnce();
  });

  test("that a model suspends and that was removed since is suspended again", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    const { savepoint } = await it.deployOne(job({ desiredState: "suspended" }), { commit: "b" });
    await it.deploy([], { commit: "c" });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "suspended", savepoint });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ kind: "suspended", by: "model" });
    expect(it.fake.living("totals")).toEqual([]);
  });
});

describe("a job without a savepoint of its own", () => {
  const stateless = job({ where: "n > 1", upgradeMode: "stateless" });

  test("cannot go back, and no job is touched", async () => {
    const { secondId } = await upgraded("jobmanager", first, stateless);
    const count = (await it.store.entries()).length;
    const refused = it.rollBack();
    await expect(refused).rejects.toMatchObject({
      code: "needs-operator",
      message: expect.stringMatching(/totals cannot start.*no savepoint.*`keep-progress`.*`allow-fresh-start`/s),
    });
    expect(it.fake.living("totals")).toEqual([secondId]);
    expect(await it.store.entries()).toHaveLength(count);
  });

  test("goes on from what it has now with `keep-progress`, or from nothing where a person agreed", async () => {
    await upgraded("jobmanager", first, stateless);
    const outcome = await it.rollBackOne("totals", { keepsProgress: true });
    expect(outcome).toMatchObject({ code: null, restored: it.fake.cluster.savepoints().at(-1) });
    await it.deployOne(stateless, { commit: "c" });
    const empty = await it.rollBackOne("totals", { consent: { toStartEmpty: true } });
    expect(empty).toMatchObject({ code: null, restored: null });
    expect(empty.notes.join()).toContain("starts without state: as was agreed");
  });

  test("starts empty where its upgrade mode says so, and the state of the new one is kept all the same", async () => {
    const old = job({ upgradeMode: "stateless" });
    await upgraded("jobmanager", old, stateless);
    await it.deployOne(third, { commit: "c" });
    it.fake.step(5);
    const back = await it.rollBackOne("totals", { to: "deployment a" });
    expect(back).toMatchObject({ code: null, restored: null });
    expect(back.notes.join()).toContain("starts without state: upgrade_mode is stateless");
    const left = it.fake.cluster.savepoints().at(-1);
    expect(await it.rollBackOne("totals", { to: "deployment c" })).toMatchObject({ restored: left });
  });

  test("cannot go back to before it was taken over: nobody knows its program of then", async () => {
    it = await Environment.start();
    await it.deployOne(job({ name: "other" }), { commit: "a" });
    const config = { "pipeline.name": "totals", "execution.checkpointing.interval": "1s" };
    it.fake.cluster.submit({ sink: "totals", config });
    it.fake.step(8);
    await it.deploy([first], { commit: "b", removedJobs: "keep" });
    await expect(it.rollBack()).rejects.toMatchObject({
      code: "needs-operator",
      message: expect.stringContaining("totals was taken over by a later deployment"),
    });
  });

  test("a batch job is run again", async () => {
    it = await Environment.start();
    await it.deployOne(job({ runtimeMode: "batch" }), { commit: "a" });
    await it.deployOne(job({ runtimeMode: "batch", where: "n > 1" }), { commit: "b" });
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "finished", code: null });
    expect(it.fake.statements.filter(({ sql }) => sql.startsWith("INSERT"))).toHaveLength(3);
  });
});

describe("what does not hold", () => {
  test("is put back from the savepoint that it was stopped with: every record once", async () => {
    await upgraded();
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
    const outcome = await it.rollBackOne("totals");
    expect(outcome).toMatchObject({ ending: "rolled-back", code: "rolled-back", notes: [expect.any(String)] });
    expect(outcome.restored).toBe(it.fake.cluster.savepoints().at(-1));
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: second.digest } });
    expectExactlyOnce();
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "upgraded", code: null });
  });

  test("and cannot be put back either, rests with its own program and savepoint", async () => {
    await upgraded();
    const loop = { kind: "restart-loop", message: "the state does not fit" } as const;
    it.fake.cluster.behaveNext(loop, loop);
    const outcome = await it.rollBackOne("totals");
    const savepoint = it.fake.cluster.savepoints().at(-1);
    expect(outcome).toMatchObject({ ending: "failed", code: "job-down", savepoint });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: second.digest }, savepoint });
    expect(await it.deployOne(second, { commit: "c" })).toMatchObject({ code: null, restored: savepoint });
    expectExactlyOnce();
  });

  test("of a job that is started again after its removal rests where it goes back to", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    const [removed] = (await it.deploy([], { commit: "b" })).jobs;
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "no such topic" });
    expect(await it.rollBackOne("totals")).toMatchObject({ code: "job-down", savepoint: removed?.savepoint });
    expect(await it.rollBackOne("totals")).toMatchObject({ code: null, restored: removed?.savepoint });
    expectExactlyOnce();
  });
});

describe("a job that does not run as it should", () => {
  test("and was lost with its cluster goes back all the same; the way forward is from its newest checkpoint", async () => {
    it = await Environment.start();
    it.isStorageListed = true;
    it.fake.cluster.checkpointFolder = "file:///checkpoints";
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    const { restored, jobId } = await it.deployOne(second, { commit: "b" });
    it.fake.step(5);
    it.fake.cluster.loseJobs();
    expect(await it.rollBackOne("totals")).toMatchObject({ ending: "upgraded", code: null, restored });
    const forward = await it.rollBackOne("totals", { to: "deployment b" });
    expect(forward.restored).toContain(`/checkpoints/${jobId}/chk-`);
  });

  test("and of which nothing tells the state goes back; there is no way forward to that", async () => {
    const { savepoint } = await upgraded();
    it.fake.cluster.loseJobs();
    const outcome = await it.rollBackOne("totals");
    expect(outcome).toMatchObject({ code: null, restored: savepoint });
    expect(outcome.notes.join()).toContain("nothing tells its state");
    await expect(it.rollBack({ to: "deployment b" })).rejects.toMatchObject({ code: "needs-operator" });
  });

  test("and failed goes back, and where the old one does not hold it rests there", async () => {
    const { savepoint, secondId } = await upgraded();
    it.fake.cluster.jobs.get(secondId)?.fail([["java.lang.Exception", "the disk is full"]]);
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "no such topic" });
    expect(await it.rollBackOne("totals")).toMatchObject({ code: "job-down", savepoint });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: first.digest }, savepoint });
    expect(await it.rollBackOne("totals")).toMatchObject({ code: null, restored: savepoint });
  });

  test("and restarts for ever cannot be stopped with a savepoint: it is cancelled only where a person agreed", async () => {
    const { savepoint, secondId } = await upgraded();
    it.fake.cluster.jobs.get(secondId)?.restartFromNowOn("the disk is full");
    const refused = await it.rollBackOne("totals");
    expect(refused).toMatchObject({ ending: "failed", code: "savepoint-failed" });
    expect(refused.message).toContain("`allow-replay`");
    expect(it.fake.living("totals")).toEqual([secondId]);
    const agreed = await it.rollBackOne("totals", { consent: { toReplay: true } });
    expect(agreed).toMatchObject({ ending: "upgraded", code: null, restored: savepoint });
    expect(agreed.notes.join()).toContain("as was agreed");
  });

  test("a deployment that finds such a rollback broken off begins nothing from nothing", async () => {
    const { secondId } = await upgraded();
    it.fake.cluster.jobs.get(secondId)?.restartFromNowOn("the disk is full");
    const tamper = ({ cluster, store }: World): World => ({
      store,
      cluster: {
        ...cluster,
        cancel: async (id) => {
          await cluster.cancel(id);
          throw new Error("the process is dead");
        },
      },
    });
    await it.rollBackOne("totals", { consent: { toReplay: true }, tamper });
    expect(await it.deployOne(second, { commit: "b" })).toMatchObject({ code: "needs-operator" });
    expect(it.fake.living("totals")).toEqual([]);
    expect(await it.rollBackOne("totals")).toMatchObject({ code: null });
  });
});

describe("a deployment that broke off", () => {
  test("is what is gone back from, not the one before it", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    await it.deployOne(second, { commit: "b" });
    it.fake.step(5);
    await it.deployOne(third, { commit: "c", tamper: (world) => dies(world, "stop") });
    const outcome = await it.rollBackOne("totals");
    expect(outcome).toMatchObject({ code: null });
    expect((await it.recorded("totals"))?.settled).toMatchObject({ reference: { digest: second.digest } });
    // That program was not left yet: it goes on from the savepoint that its stop took.
    expect(outcome.restored).toBe(it.fake.cluster.savepoints().at(-1));
    expectExactlyOnce();
  });

  test("after the submission: the new job is cancelled, the old one starts where it was left", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    await it.deployOne(second, { commit: "b", tamper: (world) => dies(world, "progress") });
    const [savepoint] = it.fake.cluster.savepoints();
    const outcome = await it.rollBackOne("totals");
    expect(outcome).toMatchObject({ code: null, restored: savepoint });
    expect(it.fake.living("totals")).toEqual([outcome.jobId]);
  });

  test("with a job that let records out before it failed: going back is the choice that it waits for", async () => {
    it = await Environment.start();
    await it.deployOne(first, { commit: "a" });
    it.fake.step(5);
    it.fake.cluster.behaveNext({ kind: "fails", message: "the disk is full", afterSteps: 3 });
    it.fake.cluster.checkpointSteps = 1;
    expect(await it.deployOne(second, { commit: "b", verify: { checkpoints: 50 } })).toMatchObject({
      code: "needs-operator",
    });
    const [savepoint] = it.fake.cluster.savepoints();
    expect(await it.rollBackOne("totals")).toMatchObject({ code: null, restored: savepoint });
  });

  test("is a rollback's own: a deployment goes on from what the stop took, not from what was gone back to", async () => {
    await upgraded();
    const tamper = ({ cluster, store }: World): World => ({
      store,
      cluster: {
        ...cluster,
        prepare: async (program) => {
          const prepared = await cluster.prepare(program);
          return { ...prepared, submit: () => Promise.reject(new Error("the process is dead")) };
        },
      },
    });
    await it.rollBackOne("totals", { tamper });
    expect((await it.recorded("totals"))?.attempt?.submissions).toMatchObject([{ rewinds: true }]);
    const outcome = await it.deployOne(second, { commit: "b" });
    expect(outcome).toMatchObject({ code: null, restored: it.fake.cluster.savepoints().at(-1) });
    expectExactlyOnce();
  });
});

test("a job that was renamed since goes back under its new name", async () => {
  it = await Environment.start();
  await it.deployOne(first, { commit: "a" });
  it.fake.step(5);
  const sums = job({ name: "sums" });
  const renamed = await it.deployOne(sums, { commit: "b", renames: { totals: "sums" } });
  const outcome = await it.rollBackOne("sums");
  expect(outcome).toMatchObject({ code: null, restored: renamed.restored });
  expect(it.fake.living("sums")).toEqual([outcome.jobId]);
  expect(it.fake.living("totals")).toEqual([]);
});

describe("secrets", () => {
  const old = job({ config: { "table.catalog.password": "old-secret" } });

  test("are asked for where the old program has some, and only then", async () => {
    let asked = 0;
    const secrets = async () => {
      asked += 1;
      return secretsOf([old.program]);
    };
    await upgraded("jobmanager", old, second);
    expect(await it.rollBackOne("totals", { secrets })).toMatchObject({ ending: "upgraded", code: null });
    expect(asked).toBe(1);
    expect(await it.rollBackOne("totals", { to: "deployment b", secrets })).toMatchObject({ code: null });
    expect(asked).toBe(1);
  });

  test("that the project does not send any more keep the job from being stopped", async () => {
    const { secondId } = await upgraded("jobmanager", old, second);
    await expect(it.rollBack()).rejects.toMatchObject({
      code: "needs-operator",
      message: expect.stringContaining("totals had a program with a secret"),
    });
    expect(it.fake.living("totals")).toEqual([secondId]);
  });
});

test("what is about to be done is written for all jobs at once, before anything is", async () => {
  it = await Environment.start();
  await it.deploy([first, job({ name: "sums" })], { commit: "a" });
  await it.deploy([second, job({ name: "sums", where: "n > 1" })], { commit: "b" });
  const writes: (readonly string[])[] = [];
  const tamper = ({ cluster, store }: World): World => ({
    cluster,
    store: {
      ...store,
      append: async (write) => {
        writes.push(write.entries.map(({ fact }) => fact.kind));
        await store.append(write);
      },
    },
  });
  await it.rollBack({ tamper });
  expect(writes[0]).toEqual(["rollback-begun", "rollback-begun"]);
});
