import { describe, expect, test, vi } from "vitest";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import type { Job } from "../../../src/project/job.ts";
import { Calls } from "./calls.ts";
import { Environment, type RunOptions, type Through } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

interface Scenario {
  readonly name: string;
  readonly before: (environment: Environment) => Promise<unknown>;
  readonly command: (environment: Environment, options: RunOptions) => Promise<JobOutcome>;
  readonly endings: readonly JobOutcome["ending"][];
  readonly runs: boolean;
  /** Run again once it is done, it does not look whether that is still so. */
  readonly leavesWhatIsDone?: true;
  /** Every number once, unless something else fits it. */
  readonly expectNumbers?: (environment: Environment, at: string) => Promise<void>;
}

const first = job();
const second = job({ where: "n > 1" });

const expectOnce = async (environment: Environment, at: string): Promise<void> => {
  const numbers = environment.fake.numbers("totals");
  expect(numbers, at).toEqual(upTo(numbers.length));
};

/**
 * What the second program sent is sent again by the first, which goes on from its own savepoint. So each of the two
 * programs goes on as if there had been no other in between: without a gap, and nothing twice.
 */
const expectRewound = async (environment: Environment, at: string): Promise<void> => {
  const entries = await environment.store.entries();
  const jobsOf = ({ digest }: Job): readonly string[] =>
    entries.flatMap(({ fact }) =>
      fact.kind === "submit-intended" && fact.reference.digest === digest ? [fact.jobId] : [],
    );
  const numbersOf = (one: Job): readonly number[] =>
    (environment.fake.cluster.sinks.get("totals") ?? [])
      .filter(({ jobId }) => jobsOf(one).includes(jobId))
      .map(({ number }) => number);
  const [old, others] = [numbersOf(first), numbersOf(second)];
  expect(old, at).toEqual(upTo(old.length));
  const begin = others[0] ?? 0;
  expect(others, at).toEqual(others.map((_, index) => begin + index));
  expect(begin, at).toBeLessThanOrEqual(old.length + 1);
};

const upgraded = async (it: Environment): Promise<void> => {
  await it.deployOne(first, { commit: "a" });
  it.fake.step(5);
  await it.deployOne(second, { commit: "b" });
};

const scenarios: readonly Scenario[] = [
  {
    name: "a first deployment",
    before: async () => undefined,
    command: (it, options) => it.deployOne(first, { ...options, commit: "a" }),
    endings: ["created", "unchanged"],
    runs: true,
  },
  {
    name: "an upgrade",
    before: (it) => it.deployOne(first, { commit: "a" }),
    command: (it, options) => it.deployOne(second, { ...options, commit: "b" }),
    endings: ["upgraded", "unchanged"],
    runs: true,
  },
  {
    name: "an upgrade that does not hold",
    before: async (it) => {
      await it.deployOne(first, { commit: "a" });
      if (it.through === "jobmanager") {
        it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
      } else {
        // A job that began to run is not put back through the gateway alone.
        it.fake.cluster.refuseNext("the state does not fit");
        it.fake.cluster.refuseNext("the state does not fit");
      }
    },
    command: (it, options) => it.deployOne(second, { ...options, commit: "b", verify: { timeoutMs: 2_000 } }),
    // Once it is put back, the same command tries again; by then this cluster lets the new job run.
    endings: ["rolled-back", "upgraded"],
    runs: true,
  },
  {
    name: "a suspension",
    before: (it) => it.deployOne(first, { commit: "a" }),
    command: (it, options) => it.suspend("totals", { ...options, commit: "suspend" }),
    endings: ["suspended", "unchanged"],
    runs: false,
  },
  {
    name: "a resumption",
    before: async (it) => {
      await it.deployOne(first, { commit: "a" });
      await it.suspend("totals", { commit: "suspend" });
    },
    command: (it, options) => it.resume("totals", { ...options, commit: "resume" }),
    endings: ["resumed", "unchanged"],
    runs: true,
  },
  {
    name: "a rollback that keeps the progress",
    before: upgraded,
    command: (it, options) => it.rollBackOne("totals", { ...options, keepsProgress: true }),
    endings: ["upgraded", "unchanged"],
    runs: true,
    leavesWhatIsDone: true,
  },
  {
    name: "a rollback",
    before: upgraded,
    command: (it, options) => it.rollBackOne("totals", options),
    endings: ["upgraded", "unchanged"],
    runs: true,
    leavesWhatIsDone: true,
    expectNumbers: expectRewound,
  },
  {
    name: "a rollback that does not hold",
    before: async (it) => {
      await upgraded(it);
      if (it.through === "jobmanager") {
        it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" });
      } else {
        it.fake.cluster.refuseNext("the state does not fit");
        it.fake.cluster.refuseNext("the state does not fit");
      }
    },
    command: (it, options) => it.rollBackOne("totals", { ...options, verify: { timeoutMs: 2_000 } }),
    endings: ["rolled-back", "upgraded"],
    runs: true,
    leavesWhatIsDone: true,
    expectNumbers: expectRewound,
  },
];

// Each of them runs a deployment some dozens of times.
vi.setConfig({ testTimeout: 120_000 });

async function crashAt(at: number, through: Through, scenario: Scenario): Promise<{ readonly died: boolean }> {
  await using environment = await Environment.start(through);
  environment.fake.jobmanager.refreshIntervalMs = 300;
  await scenario.before(environment);
  environment.fake.step(5);
  const process = new AbortController();
  const calls = new Calls((count) => {
    if (count < at) return;
    process.abort();
    throw new Error("the process is dead");
  });
  const died = () => process.signal.aborted;
  await scenario
    .command(environment, { tamper: calls.tamper, signal: process.signal, patienceMs: 0 })
    .catch(() => undefined);
  // Time passes before someone runs it again.
  environment.fake.step(3);
  let outcome = await scenario.command(environment, {});
  if (through === "gateway" && outcome.code === "needs-operator") {
    // Without the JobManager nobody can tell the savepoint of a stop that was cut off; the person looks into the folder.
    const path = environment.fake.cluster.savepoints().at(-1) ?? "";
    expect(outcome.message, `crash after call ${at}`).toContain("execution.savepoint.path");
    if (!scenario.runs) return { died: died() };
    outcome = await environment.deployOne(job({ where: "n > 1", startFrom: path }), { commit: "answer" });
  }
  if (through === "gateway" && scenario.leavesWhatIsDone && outcome.code === "job-down") {
    // Nor can anybody put back a job whose savepoint nobody can tell: it rests where it goes back to.
    outcome = await scenario.command(environment, {});
  }
  expect(outcome.code === null || outcome.ending === "rolled-back", `crash after call ${at}: ${outcome.message}`).toBe(
    true,
  );
  expect(scenario.endings, `crash after call ${at}: ${outcome.message}`).toContain(outcome.ending);

  environment.fake.step(20);
  await (scenario.expectNumbers ?? expectOnce)(environment, `crash after call ${at}`);
  expect(environment.fake.numbers("totals").length).toBeGreaterThan(0);
  const living = environment.fake.living("totals");
  const recorded = await environment.recorded("totals");
  expect(recorded?.attempt, `crash after call ${at}`).toBeNull();
  if (scenario.runs) {
    expect(living, `crash after call ${at}`).toEqual([outcome.jobId]);
    expect(recorded?.settled, `crash after call ${at}`).toMatchObject({ kind: "running", jobId: living[0] });
  } else {
    expect(living, `crash after call ${at}`).toEqual([]);
    const savepoint = recorded?.settled?.kind === "suspended" ? recorded.settled.savepoint : null;
    expect(environment.fake.cluster.hasSavepoint(savepoint ?? "")).toBe(true);
  }
  return { died: died() };
}

/**
 * What comes before a call and after the one before it is the same moment, so these are all moments that can be told
 * apart.
 */
describe.each(["jobmanager", "gateway"] as const)("through the %s, a process that dies at any moment of", (through) => {
  test.each(scenarios)(
    "$name: loses nothing, doubles nothing, and is finished by the same command",
    async (scenario) => {
      for (let at = 1; ; at += 1) {
        const { died } = await crashAt(at, through, scenario);
        if (!died) break;
      }
    },
  );
});

/** One job was changed, one created and one removed: a rollback has to do with each of them, and with no earlier deployment. */
test.each([true, false])(
  "a process that dies at any moment of a rollback of three jobs, progress kept: %s",
  async (keepsProgress) => {
    const [old, created] = [job({ name: "old" }), job({ name: "created" })];
    for (let at = 1; ; at += 1) {
      await using environment = await Environment.start();
      environment.fake.jobmanager.refreshIntervalMs = 300;
      await environment.deploy([job({ where: "n > 7" })], { commit: "zero" });
      await environment.deploy([first, old], { commit: "a" });
      environment.fake.step(5);
      await environment.deploy([second, created], { commit: "b" });
      environment.fake.step(5);
      const process = new AbortController();
      const calls = new Calls((count) => {
        if (count < at) return;
        process.abort();
        throw new Error("the process is dead");
      });
      const run = { tamper: calls.tamper, signal: process.signal, patienceMs: 0 };
      await environment.rollBack({ ...run, keepsProgress }).catch(() => undefined);
      environment.fake.step(3);
      const { jobs } = await environment.rollBack({ keepsProgress });
      const when = `crash after call ${at}`;
      expect(
        jobs.map(({ code }) => code),
        when,
      ).toEqual([null, null, null]);

      environment.fake.step(20);
      const settled = await Promise.all(
        ["totals", "old", "created"].map(async (name) => (await environment.recorded(name))?.settled),
      );
      expect(settled, when).toMatchObject([
        { kind: "running", reference: { digest: first.digest } },
        { kind: "running", reference: { digest: old.digest } },
        { kind: "removed", savepoint: expect.any(String) },
      ]);
      const living = ["totals", "old", "created"].map((name) => environment.fake.living(name));
      expect(living, when).toEqual(settled.map((one) => (one?.kind === "running" ? [one.jobId] : [])));
      for (const sink of ["old", "created", ...(keepsProgress ? ["totals"] : [])]) {
        const numbers = environment.fake.numbers(sink);
        expect(numbers, `${when}: ${sink}`).toEqual(upTo(numbers.length));
      }
      if (!process.signal.aborted) break;
    }
  },
);

/** Without high availability, the JobManager forgets everything; what runs then was started after it came back. */
describe.each([true, false])("with checkpoints that can be listed: %s,", (isStorageListed) => {
  test.each(scenarios)(
    "a JobManager that comes back empty at any moment of $name: doubles nothing",
    async (scenario) => {
      for (let at = 1; ; at += 1) {
        await using environment = await Environment.start();
        environment.isStorageListed = isStorageListed;
        environment.fake.cluster.checkpointFolder = "file:///checkpoints";
        environment.fake.jobmanager.refreshIntervalMs = 300;
        await scenario.before(environment);
        environment.fake.step(5);
        let hasHappened = false;
        const calls = new Calls((count) => {
          if (count !== at) return;
          environment.fake.cluster.loseJobs();
          hasHappened = true;
        });
        const outcome = await scenario.command(environment, { tamper: calls.tamper });
        const isLost = outcome.code === null && !environment.fake.cluster.jobs.has(outcome.jobId ?? "");
        await scenario.command(environment, {});
        if (isLost && scenario.leavesWhatIsDone) await environment.deployOne(first, { commit: "a" });
        environment.fake.step(20);
        const numbers = environment.fake.numbers("totals");
        await (scenario.expectNumbers ?? expectOnce)(environment, `lost after call ${at}: ${outcome.message}`);
        const living = environment.fake.living("totals");
        if (isStorageListed && hasHappened) {
          const recorded = await environment.recorded("totals");
          expect(recorded?.attempt, `lost after call ${at}: ${outcome.message}`).toBeNull();
          expect(living, `lost after call ${at}: ${outcome.message}`).toHaveLength(scenario.runs ? 1 : 0);
          expect(numbers.length).toBeGreaterThan(0);
        } else expect(living.length).toBeLessThanOrEqual(1);
        if (!hasHappened) break;
      }
    },
  );
});
