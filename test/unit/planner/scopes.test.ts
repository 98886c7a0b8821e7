import { expect, test } from "vitest";
import { scopesOf, split } from "../../../src/planner/scopes.ts";
import type { Definition } from "../../../src/project/job.ts";
import { jobDefinition, ordersSource, statement, view } from "./definitions.ts";

const a = view("a", "SELECT * FROM orders");
const b = view("b", "SELECT * FROM a");
const setUtc = statement("SET 'table.local-time-zone' = 'UTC'");
const use = statement("USE reporting");

const shown = (definitions: readonly Definition[]): readonly string[] =>
  definitions.map(({ name, sql }) => name ?? sql);
const scopes = (...jobs: (readonly Definition[])[]) =>
  scopesOf(jobs.map((definitions, index) => jobDefinition(`job${index}`, "SELECT 1", definitions))).map((scope) => ({
    made: shown(scope.definitions),
    jobs: scope.jobs.map(({ name }) => name),
  }));

test("jobs that read the same objects share a session, where each object is made once, after what it reads", () => {
  expect(scopes([ordersSource, a], [ordersSource, a, b], [ordersSource])).toEqual([
    { made: ["orders", "a", "b"], jobs: ["job0", "job1", "job2"] },
  ]);
});

test("another object of the same name needs another session", () => {
  const other = view("a", "SELECT id FROM orders");
  expect(scopes([ordersSource, a], [ordersSource, other]).map(({ jobs }) => jobs)).toEqual([["job0"], ["job1"]]);
});

test("other setup statements, or the same in another order, need another session", () => {
  expect(scopes([setUtc, use, a], [use, setUtc, a], [a]).map(({ jobs }) => jobs)).toEqual([
    ["job0"],
    ["job1"],
    ["job2"],
  ]);
});

test("each object is made between the same statements as in its job's own order", () => {
  expect(scopes([ordersSource, use, a], [use, b])).toEqual([
    { made: ["orders", "USE reporting", "a", "b"], jobs: ["job0", "job1"] },
  ]);
});

test("an object made before a statement here and after it there is not one object", () => {
  expect(scopes([a, use], [use, a])).toHaveLength(2);
});

test("a scope is cut into parts that each have all that their jobs read", () => {
  const jobs = [[ordersSource, a], [ordersSource, a, b], [ordersSource]].map((definitions, index) =>
    jobDefinition(`job${index}`, "SELECT 1", definitions),
  );
  const parts = scopesOf(jobs).flatMap((scope) => split(scope, 2));
  expect(parts.map((part) => [part.jobs.map(({ name }) => name), shown(part.definitions)])).toEqual([
    [
      ["job0", "job1"],
      ["orders", "a", "b"],
    ],
    [["job2"], ["orders"]],
  ]);
});

test("a view takes its runtime mode over from the session, so each mode has its own", () => {
  const jobs = (["streaming", "batch"] as const).map((runtimeMode) =>
    jobDefinition(runtimeMode, "SELECT 1", [ordersSource, a], { runtimeMode }),
  );
  expect(scopesOf(jobs).map(({ runtimeMode }) => runtimeMode)).toEqual(["streaming", "batch"]);
});

test("other pre-hooks that prepare the session need another session; those that do something make no difference", () => {
  const helper = "CREATE TEMPORARY VIEW helper AS SELECT 1 AS x";
  const reading = (name: string, preHooks: readonly string[]) =>
    jobDefinition(name, "SELECT 1", [ordersSource], { preHooks });
  const jobs = [reading("a", [helper]), reading("b", []), reading("c", ["INSERT INTO t SELECT 1", helper])];
  expect(scopesOf(jobs).map((scope) => [scope.hooks, scope.jobs.map(({ name }) => name)])).toEqual([
    [[helper], ["a", "c"]],
    [[], ["b"]],
  ]);
});
