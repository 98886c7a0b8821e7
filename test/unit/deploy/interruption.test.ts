import { afterEach, expect, test } from "vitest";
import type { Cluster } from "../../../src/deploy/cluster.ts";
import { Environment, type World } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const first = job();
const second = job({ where: "n > 1" });

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

async function running(): Promise<string> {
  it = await Environment.start();
  const { jobId } = await it.deployOne(first);
  it.fake.step(5);
  return jobId ?? "";
}

/** Signals of a run that is interrupted, or runs out of time, when `method` is called for the first time. */
function signalsAt(method: "prepare" | "stop" | "stopStatus", what: "interrupted" | "out of time" = "interrupted") {
  const interrupt = new AbortController();
  const deadline = new AbortController();
  const tamper = ({ cluster, store }: World): World => {
    const original = cluster[method] as (...parameters: unknown[]) => Promise<unknown>;
    const wrapped = async (...parameters: unknown[]): Promise<unknown> => {
      interrupt.abort();
      if (what === "out of time") deadline.abort();
      return await original(...parameters);
    };
    return { store, cluster: { ...cluster, [method]: wrapped } as Cluster };
  };
  return { signal: interrupt.signal, deadline: deadline.signal, tamper };
}

function expectExactlyOnce(): void {
  it.fake.step(20);
  const numbers = it.fake.numbers("totals");
  expect(numbers).toEqual(upTo(numbers.length));
}

test("an interruption before a job was touched leaves it as it is", async () => {
  const id = await running();
  const outcome = await it.deployOne(second, signalsAt("prepare"));
  expect(outcome).toMatchObject({ ending: "refused", code: "interrupted" });
  expect(it.fake.living("totals")).toEqual([id]);
  expect(it.fake.cluster.savepoints()).toEqual([]);
});

test("an interruption during the stop lets the new job be submitted and come to run", async () => {
  const id = await running();
  const outcome = await it.deployOne(second, { ...signalsAt("stop"), verify: { checkpoints: 50 } });
  const [living] = it.fake.living("totals");
  expect(living).not.toBe(id);
  expect(it.fake.cluster.jobs.get(living ?? "")?.areTasksRunning).toBe(true);
  expect(outcome).toMatchObject({ code: "interrupted" });
  expect(outcome.message).toContain(living);
  expect(outcome.message).toContain(it.fake.cluster.savepoints()[0]);
  expect(await it.deployOne(second)).toMatchObject({ code: null, jobId: living });
  expectExactlyOnce();
});

test("an interruption puts the old job back where the new one cannot start", async () => {
  await running();
  it.fake.cluster.refuseNext("no such table");
  it.fake.cluster.refuseNext("no such table");
  const outcome = await it.deployOne(second, signalsAt("stop"));
  const [living] = it.fake.living("totals");
  expect(it.fake.cluster.jobs.get(living ?? "")?.areTasksRunning).toBe(true);
  expect(outcome).toMatchObject({ code: "rolled-back", jobId: living });
  expectExactlyOnce();
});

test("a run that is out of time ends as it stands, and tells path and job id at once", async () => {
  const id = await running();
  it.fake.cluster.savepointSteps = 3;
  const outcome = await it.deployOne(second, signalsAt("stopStatus", "out of time"));
  expect(outcome).toMatchObject({ code: "interrupted" });
  expect(outcome.message).toContain(id);
  expect(it.lines.at(-1)).toContain(id);
  expect(await it.deployOne(second)).toMatchObject({ ending: "upgraded" });
  expectExactlyOnce();
});

test("an interruption begins no further wave", async () => {
  it = await Environment.start();
  const { signal, deadline, tamper } = signalsAt("prepare");
  const plain = job({ name: "readers" });
  const reader = { ...plain, program: { ...plain.program, setup: [...plain.program.setup, first.program.sink] } };
  const { jobs } = await it.deploy([first, reader], { signal, deadline, tamper });
  expect(jobs.map(({ ending, code }) => [ending, code])).toEqual([
    ["created", null],
    ["skipped", "interrupted"],
  ]);
  expect(it.fake.living("readers")).toEqual([]);
});
