import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import { DeployError } from "../../../src/errors.ts";
import { Calls } from "./calls.ts";
import { Environment, type RunOptions } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

/**
 * Random sequences of what people and machines do, against the simulated cluster: whatever came before, nothing is lost,
 * nothing comes twice, at most one job runs, and one more deployment brings everything to rest.
 */
const runs = Number(process.env.MODEL_RUNS ?? 25);

interface Model {
  /** Which program the project holds. */
  version: number;
  /** The `suspend` command was the last of the two. */
  isHeld: boolean;
}

interface Real {
  readonly it: Environment;
}

const programs = ["n > 0", "n > -1", "n > -2"];
const jobOf = ({ version }: Model) => job({ where: programs[version] ?? "n > 0" });

type Step = (it: Environment, model: Model, options: RunOptions) => Promise<unknown>;
type SingleStep = (it: Environment, model: Model, options: RunOptions) => Promise<JobOutcome>;
const deploy: SingleStep = (it, model, options) =>
  it.deployOne(jobOf(model), { ...options, commit: `c${model.version}` });
const suspend: SingleStep = (it, _model, options) => it.suspend("totals", options);
const resume: SingleStep = (it, _model, options) => it.resume("totals", options);
/** With its progress, so that no number comes twice. Where there is nothing to go back to, it says so. */
const rollback: Step = async (it, _model, options) => {
  await it.rollBack({ ...options, keepsProgress: true }).catch((error: unknown) => {
    if (!(error instanceof DeployError)) throw error;
  });
};

class Command implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #run: (model: Model, it: Environment) => Promise<unknown>;
  readonly #isPossible: (model: Model) => boolean;

  constructor(
    name: string,
    run: (model: Model, it: Environment) => Promise<unknown>,
    isPossible: (model: Model) => boolean = () => true,
  ) {
    this.#name = name;
    this.#run = run;
    this.#isPossible = isPossible;
  }

  check(model: Model): boolean {
    return this.#isPossible(model);
  }

  async run(model: Model, { it }: Real): Promise<void> {
    await this.#run(model, it);
    expectOnce(it, this.#name);
  }

  toString(): string {
    return this.#name;
  }
}

/** However often a number was sent, it was committed once; and nothing before the last is missing. */
function expectOnce(it: Environment, after: string): void {
  const numbers = it.fake.numbers("totals").toSorted((a, b) => a - b);
  expect(numbers, `after ${after}`).toEqual(upTo(numbers.length));
  expect(it.fake.living("totals").length, `after ${after}: ${it.fake.living("totals")}`).toBeLessThanOrEqual(1);
}

/** The process dies at its `at`-th call to the cluster or the store, or in between. */
async function dying(at: number, step: Step, it: Environment, model: Model): Promise<void> {
  const process = new AbortController();
  const calls = new Calls((count) => {
    if (count < at) return;
    process.abort();
    throw new Error("the process is dead");
  });
  await step(it, model, { tamper: calls.tamper, signal: process.signal, patienceMs: 0 }).catch(() => undefined);
}

const at = fc.integer({ min: 1, max: 40 });
const command = (name: string, run: (model: Model, it: Environment) => Promise<unknown>) =>
  fc.constant(new Command(name, run));
const known = async (it: Environment): Promise<boolean> =>
  ((await it.recorded("totals"))?.settled?.reference ?? null) !== null;

const commands = [
  fc.nat({ max: programs.length - 1 }).map(
    (version) =>
      new Command(`edit to ${version}`, async (model) => {
        model.version = version;
      }),
  ),
  command("deploy", (model, it) => deploy(it, model, {})),
  command("suspend", async (model, it) => {
    if (await known(it)) await suspend(it, model, {});
  }),
  command("resume", async (model, it) => {
    if (await known(it)) await resume(it, model, {});
  }),
  at.map((call) => new Command(`deploy and die at call ${call}`, (model, it) => dying(call, deploy, it, model))),
  at.map(
    (call) =>
      new Command(`suspend and die at call ${call}`, async (model, it) => {
        if (await known(it)) await dying(call, suspend, it, model);
      }),
  ),
  at.map(
    (call) =>
      new Command(`resume and die at call ${call}`, async (model, it) => {
        if (await known(it)) await dying(call, resume, it, model);
      }),
  ),
  command("roll back", (model, it) => rollback(it, model, {})),
  at.map((call) => new Command(`roll back and die at call ${call}`, (model, it) => dying(call, rollback, it, model))),
  command("lose the cluster's jobs", async (_model, it) => it.fake.cluster.loseJobs()),
  command("let the next job fail", async (_model, it) =>
    it.fake.cluster.behaveNext({ kind: "restart-loop", message: "the state does not fit" }),
  ),
  command("fail the next stop after its savepoint", async (_model, it) =>
    it.fake.cluster.failNextStop("the sink is gone"),
  ),
  command("refuse the next savepoint", async (_model, it) => it.fake.cluster.failNextSavepoint("the disk is full")),
  fc
    .integer({ min: 1, max: 8 })
    .map((steps) => new Command(`wait ${steps}`, async (_model, it) => it.fake.step(steps))),
];

test(`${runs} sequences of edits, deployments, crashes, operations and losses come to rest with every number once`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 14 }), async (sequence) => {
      await using it = await Environment.start();
      it.isStorageListed = true;
      it.fake.cluster.checkpointFolder = "file:///checkpoints";
      it.fake.jobmanager.refreshIntervalMs = 300;
      const model: Model = { version: 0, isHeld: false };
      await fc.asyncModelRun(() => ({ model, real: { it } }), sequence);
      await comesToRest(it, model);
    }),
    { numRuns: runs, endOnFailure: process.env.MODEL_SHRINK === undefined },
  );
}, 3_600_000);

async function succeeds(it: Environment, model: Model, step: SingleStep): Promise<void> {
  let outcome = await step(it, model, {});
  for (let tries = 0; tries < 8 && outcome.code !== null; tries += 1) {
    it.fake.step(5);
    outcome = await step(it, model, {});
  }
  expect(outcome.code, outcome.message ?? "").toBeNull();
}

/** With nothing more going wrong: what was left to fail may fail once more, and is put back or tried again. */
async function comesToRest(it: Environment, model: Model): Promise<void> {
  await succeeds(it, model, deploy);
  const recorded = await it.recorded("totals");
  expect(recorded?.attempt).toBeNull();
  if (recorded?.settled?.kind === "suspended") await succeeds(it, model, resume);
  const before = it.fake.numbers("totals").length;
  it.fake.step(20);
  expectOnce(it, "coming to rest");
  expect(it.fake.numbers("totals").length).toBeGreaterThan(before);
  const settled = (await it.recorded("totals"))?.settled;
  expect(settled).toMatchObject({ kind: "running", jobId: it.fake.living("totals")[0] });
}
