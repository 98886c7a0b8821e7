import { expect, test } from "vitest";
import { diffJobs, type Jobs } from "../../../src/plan/diff.ts";
import type { Change } from "../../../src/plan/plan.ts";
import type { Job } from "../../../src/project/job.ts";
import { job, view } from "./jobs.ts";

const diff = (jobs: Partial<Jobs>): readonly Change[] => diffJobs({ base: [], head: [], renames: {}, ...jobs });
const shown = (jobs: Partial<Jobs>): readonly string[] =>
  diff(jobs).map(({ kind, job: name, state, reasons }) =>
    [`${name}: ${kind}, state ${state.kind}`, ...reasons.map(({ text }) => text)].join("; "),
  );
const changed = { insert: "INSERT INTO a SELECT id + 1 FROM orders" };

test("a new job is created, a missing one removed, an equal one left alone", () => {
  expect(shown({ base: [job("old"), job("same")], head: [job("same"), job("new", changed)] })).toEqual([
    "same: none, state kept",
    "new: create, state none; new in the project",
    "old: remove, state kept; removed from the project",
  ]);
});

test("one changed view moves every job that reads it, and no other", () => {
  const reading = (limit: number) => ({ setup: [view("order_view", `SELECT * FROM orders WHERE id > ${limit}`)] });
  const base = [job("a", reading(1)), job("b", reading(1)), job("c")];
  const head = [job("a", reading(2)), job("b", reading(2)), job("c")];
  expect(shown({ base, head })).toEqual([
    "a: upgrade, state flink-decides; view order_view changed",
    "b: upgrade, state flink-decides; view order_view changed",
    "c: none, state kept",
  ]);
});

test("under stateless an upgrade drops the state; a mode that changes alone touches nothing", () => {
  const stateless = { upgradeMode: "stateless" } as const;
  expect(shown({ base: [job("a")], head: [job("a", changed, stateless)] })).toEqual([
    "a: upgrade, state dropped; model a: SELECT changed; upgrade_mode savepoint → stateless",
  ]);
  expect(shown({ base: [job("a")], head: [job("a", {}, stateless)] })).toEqual([
    "a: none, state kept; upgrade_mode savepoint → stateless",
  ]);
});

test("job_state suspends and resumes, and says what else changed", () => {
  const suspended = { desiredState: "suspended" } as const;
  expect(shown({ base: [job("a")], head: [job("a", {}, suspended)] })).toEqual([
    "a: suspend, state kept; job_state running → suspended",
  ]);
  expect(shown({ base: [job("a", {}, suspended)], head: [job("a")] })).toEqual([
    "a: resume, state kept; job_state suspended → running",
  ]);
  expect(shown({ base: [job("a", {}, suspended)], head: [job("a", changed)] })).toEqual([
    "a: resume, state flink-decides; job_state suspended → running; model a: SELECT changed",
  ]);
});

test("a suspended job that changes is left as it is until it resumes", () => {
  const suspended = { desiredState: "suspended" } as const;
  expect(shown({ base: [job("a", {}, suspended)], head: [job("a", changed, suspended)] })).toEqual([
    "a: none, state kept; model a: SELECT changed",
  ]);
});

test("a job that a person suspended stays so, whatever its model says", () => {
  const held = new Set(["a"]);
  const suspendedInBase = new Map([["a", job("a").digest]]);
  expect(shown({ base: [job("a")], head: [job("a", changed)], suspendedInBase, held })).toEqual([
    "a: none, state kept; suspended by hand, and stays so until it is resumed; model a: SELECT changed",
  ]);
});

test("what becomes of a suspended job's state hangs on the program that took its savepoint", () => {
  const stateless = { upgradeMode: "stateless" } as const;
  const [before, after] = [job("a", {}, stateless), job("a", changed, stateless)];
  const rests = (of: string | null, base = before, head = after, held: readonly string[] = []) =>
    diff({ base: [base], head: [head], suspendedInBase: new Map([["a", of]]), held: new Set(held) })[0]?.state;
  expect(rests(before.digest)?.kind).toBe("dropped");
  expect(rests(before.digest, after, after)?.kind).toBe("dropped");
  expect(rests(before.digest, after, before)?.kind).toBe("kept");
  expect(rests(null)?.kind).toBe("flink-decides");
  expect(rests(before.digest, before, after, ["a"])?.text).toContain("starts empty then");
  expect(rests(before.digest, after, before, ["a"])?.text).not.toContain("starts empty");
  const suspending = { ...after, desiredState: "suspended" } as const;
  expect(diff({ base: [before], head: [suspending] })[0]?.state.text).toContain("starts empty then");
});

test("a path that the model names for the first time is where a stateless job starts", () => {
  const stateless = { upgradeMode: "stateless" } as const;
  const named = { ...job("a", changed, stateless), startFrom: "file:/p" };
  expect(diff({ base: [job("a", {}, stateless)], head: [named] })[0]?.state.text).toContain(
    "starts from the savepoint",
  );
  const before = { ...job("a", {}, stateless), startFrom: "file:/p" };
  expect(diff({ base: [before], head: [named] })[0]?.state.text).toContain("starts empty");
  const suspended = { ...job("a"), desiredState: "suspended" } as const;
  expect(diff({ base: [suspended], head: [{ ...job("a"), startFrom: "file:/p" }] })[0]?.state.kind).toBe(
    "flink-decides",
  );
});

test("a new name alone is a removal and a creation, and both say how to keep the state", () => {
  const renamed = job("a", { executionConfig: { "pipeline.name": "b" } }, { name: "b" });
  expect(shown({ base: [job("a")], head: [renamed] })).toEqual([
    "b: create, state none; new in the project; looks like a renamed (the same program): set `renames: a=b` to keep its state",
    "a: remove, state kept; removed from the project; looks like it is b now (the same program): set `renames: a=b` to keep its state",
  ]);
});

const hints = (jobs: Partial<Jobs>) => shown(jobs).flatMap((line) => /looks like .*/.exec(line)?.[0] ?? []);

test("a renamed model is told by its query, whatever its table and its hooks are called", () => {
  const sql = "CREATE TABLE b (`id` BIGINT) WITH ('connector' = 'print', 'topic' = 'b')";
  const b = job("b", { sink: { ...job("b").program.sink, sql }, postHooks: ["CALL compact('b')"] });
  expect(hints({ base: [job("a")], head: [b] })).toEqual([
    "looks like a renamed (the same query): set `renames: a=b` to keep its state",
    "looks like it is b now (the same query): set `renames: a=b` to keep its state",
  ]);
  expect(hints({ base: [job("a")], head: [job("b", { setup: [view("orders", "SELECT 1 AS id")] })] })).toEqual([]);
});

test("a renamed model that changed too is told by git, which knows its file", () => {
  const renamedFiles = new Map([["models/a.sql", "models/b.sql"]]);
  expect(hints({ base: [job("a")], head: [job("b", changed)], renamedFiles })).toEqual([
    "looks like a renamed (models/a.sql was renamed to models/b.sql): set `renames: a=b` to keep its state",
    "looks like it is b now (models/a.sql was renamed to models/b.sql): set `renames: a=b` to keep its state",
  ]);
  expect(hints({ base: [job("a")], head: [job("a"), job("b", changed)], renamedFiles })).toEqual([]);
});

test("where it is not clear which job became which, nothing is guessed; git can make it clear", () => {
  const jobs = { base: [job("a"), job("x")], head: [job("b"), job("y")] };
  expect(hints(jobs)).toEqual([]);
  expect(hints({ ...jobs, renamedFiles: new Map([["models/a.sql", "models/y.sql"]]) }).slice(0, 2)).toEqual([
    "looks like x renamed (the same query): set `renames: x=b` to keep its state",
    "looks like a renamed (models/a.sql was renamed to models/y.sql): set `renames: a=y` to keep its state",
  ]);
});

test("a batch job has no state that a rename could keep", () => {
  const batch = { runtimeMode: "batch" } as const;
  expect(hints({ base: [job("a", batch)], head: [job("b", batch)] })).toEqual([]);
});

test("with renames it is one job that keeps its state", () => {
  const renamed = job("a", { executionConfig: { "pipeline.name": "b" } }, { name: "b" });
  const [change, ...others] = diff({ base: [job("a")], head: [renamed], renames: { a: "b" } });
  expect(others).toEqual([]);
  expect(change).toMatchObject({ kind: "upgrade", job: "b", renamedFrom: "a", state: { kind: "flink-decides" } });
  expect(change?.reasons.map(({ text }) => text)).toEqual(["renamed from a (state kept)", "pipeline.name a → b"]);
});

test("a rename that was done, or that names no job, means nothing", () => {
  const jobs = [job("b")];
  expect(shown({ base: jobs, head: jobs, renames: { a: "b", x: "y" } })).toEqual(["b: none, state kept"]);
  expect(shown({ base: [job("a")], head: [job("a"), job("b", changed)], renames: { a: "b" } })).toEqual([
    "a: none, state kept",
    "b: create, state none; new in the project",
  ]);
  expect(shown({ base: [job("a"), job("b")], head: [job("b")], renames: { a: "b" } })).toEqual([
    "b: none, state kept",
    "a: remove, state kept; removed from the project",
  ]);
});

test("a job whose model does not compile is not removed", () => {
  const invalid = { base: new Set<string>(), head: new Set(["a"]) };
  expect(shown({ base: [job("a")], head: [], invalid })).toEqual([]);
  expect(shown({ base: [job("old")], head: [], invalid, renames: { old: "a" } })).toEqual([]);
});

test("a job that came back and whose removal left no savepoint is refused, unless it may start empty or names a path", () => {
  const lost = new Map([["a", job("a")]]);
  const back = (after: Job) => diff({ head: [after], lost })[0];
  expect(back(job("a"))).toMatchObject({ kind: "create", state: { kind: "unknown" } });
  expect(shown({ head: [job("a")], lost })).toEqual([
    "a: create, state unknown; back in the project, and its removal left no savepoint: the deployment refuses it until its state is chosen",
  ]);
  expect(back(job("a", {}, { upgradeMode: "stateless" }))?.state).toMatchObject({ kind: "none" });
  expect(back(job("a", {}, { startFrom: "s3://b/savepoint-1" }))?.state.kind).toBe("flink-decides");
  expect(back(job("a", {}, { desiredState: "suspended" }))?.reasons[0]?.text).toContain("new, and suspended");
  const known = new Map([["a", job("a", {}, { startFrom: "s3://b/savepoint-1" })]]);
  expect(diff({ head: [job("a", {}, { startFrom: "s3://b/savepoint-1" })], lost: known })[0]?.state.kind).toBe(
    "unknown",
  );
});

test("a batch job has no state", () => {
  const batch = { runtimeMode: "batch" } as const;
  expect(shown({ base: [job("a", batch)], head: [job("a", { ...batch, ...changed })] })).toEqual([
    "a: upgrade, state none; model a: SELECT changed",
  ]);
});

test("a starting savepoint is said, and that Flink decides whether it fits", () => {
  expect(diff({ head: [job("a", {}, { startFrom: "s3://b/savepoint-1" })] })[0]?.state.kind).toBe("flink-decides");
});
