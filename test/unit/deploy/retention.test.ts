import { afterEach, describe, expect, test } from "vitest";
import type { Cluster } from "../../../src/deploy/cluster.ts";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import { DeployError } from "../../../src/errors.ts";
import { Environment, type RunOptions, type World } from "./environment.ts";
import { job, upTo } from "./jobs.ts";

const keepTwo = { keep: 2, youngerThanMs: null };
const retention = keepTwo;

let it: Environment;
afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

const version = (number: number) => job({ where: `n > ${number}` });

/** The program of this number replaces the one that runs, which leaves a savepoint. */
async function upgradeTo(number: number, options: RunOptions = { retention }): Promise<JobOutcome> {
  it.fake.step(3);
  return await it.deployOne(version(number), options);
}

/** A job of the fifth program, whose four upgrades left as many savepoints; they are returned, oldest first. */
async function fourUpgrades(): Promise<readonly string[]> {
  it = await Environment.start();
  for (const number of [0, 1, 2, 3, 4]) await upgradeTo(number, {});
  const savepoints = it.fake.cluster.savepoints();
  expect(savepoints).toHaveLength(4);
  return savepoints;
}

/** Every number once, none missing, and more to come. */
function expectExactlyOnce(): void {
  const before = it.fake.numbers("totals").length;
  it.fake.step(20);
  const numbers = it.fake.numbers("totals");
  expect(numbers).toEqual(upTo(numbers.length));
  expect(numbers.length).toBeGreaterThan(before);
}

const disposals = () => it.fake.requests.filter(({ path }) => path === "/savepoint-disposal").length;

/** The cluster, whose disposals go another way. */
const disposing =
  (dispose: (cluster: Cluster, path: string) => ReturnType<Cluster["dispose"]>) =>
  ({ cluster, store }: World): World => ({
    store,
    cluster: { ...cluster, dispose: (path: string) => dispose(cluster, path) },
  });

describe("with `keep-savepoints: 2`, five upgrades", () => {
  test("leave the two newest savepoints, and each is disposed of only when the next two are there", async () => {
    it = await Environment.start();
    const counts: number[] = [];
    for (const number of [0, 1, 2, 3, 4, 5]) {
      expect(await upgradeTo(number)).toMatchObject({ code: null, notes: [] });
      counts.push(it.fake.cluster.savepoints().length);
    }
    expect(counts).toEqual([0, 1, 2, 2, 2, 2]);
    const { settled } = (await it.recorded("totals")) ?? {};
    expect(settled).toMatchObject({ kind: "running", restored: it.fake.cluster.savepoints()[1] });
    expect((await it.factsOf("totals")).filter((kind) => kind === "disposed")).toHaveLength(3);
    expect(it.lines.filter((line) => line.includes("disposed of the old savepoint"))).toHaveLength(3);
    expectExactlyOnce();
  });

  test("through the gateway alone leave all of them, and why is said once", async () => {
    it = await Environment.start("gateway");
    for (const number of [0, 1, 2, 3, 4, 5]) await upgradeTo(number, {});
    const outcome = await it.deployOne(version(5), { retention });
    expect(outcome).toMatchObject({ code: null, notes: [] });
    expect(it.fake.cluster.savepoints()).toHaveLength(5);
    expect(it.lines.filter((line) => line.includes("only `jobmanager-url` can dispose of them"))).toHaveLength(1);
  });
});

describe("nothing is disposed of", () => {
  test("without the input", async () => {
    const all = await fourUpgrades();
    await it.deployOne(version(4));
    expect(it.fake.cluster.savepoints()).toEqual(all);
  });

  test("of a job whose deployment failed", async () => {
    const all = await fourUpgrades();
    it.fake.cluster.refuseNext("no such function");
    it.fake.cluster.refuseNext("no such function");
    expect(await upgradeTo(5)).toMatchObject({ ending: "rolled-back" });
    expect(it.fake.cluster.savepoints()).toHaveLength(all.length + 1);
    expect(disposals()).toBe(0);
  });

  test("of a job that rests, and it resumes", async () => {
    const all = await fourUpgrades();
    const suspended = job({ where: "n > 4", desiredState: "suspended" });
    expect(await it.deployOne(suspended, { retention })).toMatchObject({ ending: "suspended" });
    expect(await it.deployOne(suspended, { retention })).toMatchObject({ ending: "unchanged" });
    expect(it.fake.cluster.savepoints()).toHaveLength(all.length + 1);
    expect(await upgradeTo(4)).toMatchObject({ ending: "resumed", code: null });
    // The one it resumed from, and those that the last two programs were stopped with.
    expect(it.fake.cluster.savepoints()).toEqual([...all.slice(2), expect.stringContaining("savepoint")]);
    expectExactlyOnce();
  });

  test("by an interrupted run", async () => {
    const all = await fourUpgrades();
    const interrupt = new AbortController();
    const tamper = ({ cluster, store }: World): World => ({
      store: {
        ...store,
        append: async (write) => {
          await store.append(write);
          if (write.entries.some(({ fact }) => fact.kind === "running")) interrupt.abort();
        },
      },
      cluster,
    });
    const run = { signal: interrupt.signal, deadline: new AbortController().signal };
    expect(await upgradeTo(5, { retention, tamper, ...run })).toMatchObject({ ending: "upgraded", code: null });
    expect(it.fake.cluster.savepoints()).toHaveLength(all.length + 1);
    expect(await it.deployOne(version(5), { retention })).toMatchObject({ ending: "unchanged" });
    expect(it.fake.cluster.savepoints()).toHaveLength(2);
  });

  test("that is younger than `keep-savepoints-days`", async () => {
    await fourUpgrades();
    const days = (number: number) => ({ keep: 1, youngerThanMs: number * 24 * 3_600_000 });
    const at = "2026-01-11T00:00:00.000Z";
    await it.deployOne(version(4), { retention: days(11), at });
    expect(it.fake.cluster.savepoints()).toHaveLength(4);
    await it.deployOne(version(4), { retention: days(10), at });
    expect(it.fake.cluster.savepoints()).toHaveLength(1);
  });

  test("that a model names", async () => {
    const [first = ""] = await fourUpgrades();
    const naming = job({ where: "n > 4", startFrom: first });
    expect(await it.deployOne(naming, { retention })).toMatchObject({ ending: "unchanged" });
    expect(it.fake.cluster.savepoints()).toContain(first);
    expect(it.fake.cluster.savepoints()).toHaveLength(3);
  });
});

describe("a disposal that fails", () => {
  test("is a note, no error, and is tried again by the next deployment", async () => {
    const [first, second, third, fourth] = await fourUpgrades();
    it.fake.cluster.failNextDisposal("the bucket is read-only");
    const outcome = await it.deployOne(version(4), { retention });
    expect(outcome).toMatchObject({ ending: "unchanged", code: null });
    expect(outcome.notes).toEqual([
      `could not dispose of the old savepoint ${first} (the next deployment tries again): the bucket is read-only`,
    ]);
    expect(it.fake.cluster.savepoints()).toEqual([first, third, fourth]);
    expect(it.lines.join("\n")).toContain(`disposed of the old savepoint ${second}`);
    expect(await it.deployOne(version(4), { retention })).toMatchObject({ notes: [] });
    expect(it.fake.cluster.savepoints()).toEqual([third, fourth]);
  });

  test("since the JobManager is gone is not tried for every savepoint", async () => {
    const all = await fourUpgrades();
    let calls = 0;
    const tamper = disposing(async () => {
      calls += 1;
      throw new DeployError("jobmanager-unreachable", "nobody answers");
    });
    const policy = { retention: { keep: 1, youngerThanMs: null }, tamper };
    expect(await it.deployOne(version(4), policy)).toMatchObject({ code: null });
    // Two at a time; the third of them is not begun.
    expect(calls).toBe(2);
    expect(it.fake.cluster.savepoints()).toEqual(all);
  });

  test("since the lock was lost ends the disposals, and nothing is recorded", async () => {
    await fourUpgrades();
    const tamper = disposing(() => {
      throw new DeployError("lock-held", "the lock of this run was taken over");
    });
    const outcome = await it.deployOne(version(4), { retention, tamper });
    expect(outcome.notes.join()).toContain("taken over");
    expect(await it.factsOf("totals")).not.toContain("disposed");
  });
});

describe("a process that dies between a disposal and its record", () => {
  test("has the next deployment find the savepoint missing, and record it", async () => {
    const [first] = await fourUpgrades();
    const tamper = ({ cluster, store }: World): World => ({
      cluster,
      store: {
        ...store,
        append: async (write) => {
          if (write.entries.some(({ fact }) => fact.kind === "disposed")) throw new Error("the process is dead");
          await store.append(write);
        },
      },
    });
    const died = await it.deployOne(version(4), { retention, tamper });
    expect(died.notes[0]).toContain(`disposed of the old savepoint ${first}, and could not record that`);
    expect(it.fake.cluster.savepoints()).not.toContain(first);
    expect(await it.factsOf("totals")).not.toContain("disposed");

    expect(await it.deployOne(version(4), { retention })).toMatchObject({ code: null, notes: [] });
    expect(it.lines.join("\n")).toContain(`the old savepoint ${first} was not there any more`);
    expect((await it.factsOf("totals")).filter((kind) => kind === "disposed")).toHaveLength(2);
    const before = disposals();
    await it.deployOne(version(4), { retention });
    expect(disposals()).toBe(before);
  });
});

test("the savepoints of a renamed job are disposed of under its new name", async () => {
  await fourUpgrades();
  const renamed = job({ name: "sums", where: "n > 4" });
  const outcome = await it.deployOne(renamed, { renames: { totals: "sums" }, retention });
  expect(outcome).toMatchObject({ ending: "upgraded", code: null });
  expect(it.fake.cluster.savepoints()).toHaveLength(2);
  expect((await it.factsOf("sums")).filter((kind) => kind === "disposed")).toHaveLength(3);
});

test("each job keeps its own, and one that failed does not keep the others from being tidied", async () => {
  it = await Environment.start();
  const both = (number: number) => ["totals", "sums"].map((name) => job({ name, where: `n > ${number}` }));
  for (const number of [0, 1, 2, 3]) {
    await it.deploy(both(number));
    it.fake.step(3);
  }
  it.fake.cluster.failNextSavepoint("disk full");
  const { jobs } = await it.deploy(both(4), { retention: { keep: 1, youngerThanMs: null } });
  const [failed, done] = jobs[0]?.code === null ? [jobs[1], jobs[0]] : [jobs[0], jobs[1]];
  expect(failed).toMatchObject({ code: "savepoint-failed" });
  expect(done).toMatchObject({ code: null });
  const left = (name = "") => it.fake.cluster.savepoints().filter((path) => path.includes(`/test/${name}/`));
  expect(left(failed?.job)).toHaveLength(3);
  expect(left(done?.job)).toHaveLength(1);
});
