import { expect, test } from "vitest";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { differencesFromBase, type Ground } from "../../../src/plan/plan-base.ts";
import type { Job } from "../../../src/project/job.ts";
import { job } from "./jobs.ts";

const other = (name: string, limit = 1) => job(name, { insert: `INSERT INTO ${name} SELECT ${limit}` });

function plan(base: readonly Job[], head: readonly Job[], more: Partial<Plan> = {}): Plan {
  return makePlan({
    project: "shop",
    environment: "production",
    base: "deployed",
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base, head, renames: { old: "new" } }),
    unrecorded: [],
    findings: [],
    ...more,
  });
}

function found(made: Plan, jobs: readonly Job[], more: Partial<Ground> = {}): readonly string[] {
  const ground = { environment: "production", flinkVersion: "1.20.3", jobs, foreign: new Map(), ...more };
  return differencesFromBase(made, ground).map(({ job, planned, found }) => `${job}: ${planned} / ${found}`);
}

const short = ({ digest }: Job): string => `program ${digest.slice(0, 12)}`;

test("a plan fits what it was made on", () => {
  const base = [job("kept"), job("changed"), job("gone"), job("old")];
  expect(found(plan(base, [job("kept"), other("changed"), job("born"), job("new")]), base)).toEqual([]);
});

test("it fits what its own first try has left, at whatever job that ended", () => {
  const base = [job("changed"), job("gone"), job("old")];
  const made = plan(base, [other("changed"), job("born"), job("new")]);
  expect(found(made, [other("changed"), job("gone"), job("old")])).toEqual([]);
  expect(found(made, [job("changed"), job("old")])).toEqual([]);
  expect(found(made, [...base, job("born")])).toEqual([]);
  // Renamed, and not yet upgraded under the new name.
  expect(found(made, [job("changed"), job("gone"), { ...job("old"), name: "new" }])).toEqual([]);
  expect(found(made, [other("changed"), job("born"), job("new")])).toEqual([]);
});

test("another program of a job, whether it changes or stays, is a difference", () => {
  const base = [job("kept"), job("changed"), job("gone")];
  const made = plan(base, [job("kept"), other("changed")]);
  expect(
    found(
      made,
      base.map(({ name }) => other(name, 7)),
    ),
  ).toEqual(base.map((one) => `${one.name}: ${short(one)} / ${short(other(one.name, 7))}`));
});

test("so is a job that is deployed and should not be, or is not and should be", () => {
  const base = [job("changed")];
  expect(found(plan(base, [other("changed")]), [])).toEqual([`changed: ${short(job("changed"))} / not deployed`]);
  expect(found(plan([], [job("born")]), [other("born")])).toEqual([`born: not deployed / ${short(other("born"))}`]);
  expect(found(plan(base, [other("changed")]), [...base, job("stranger")])).toEqual([
    `stranger: not in the plan / ${short(job("stranger"))}`,
  ]);
});

test("of a plan against a ref, the jobs that were not run must be deployed, as whatever", () => {
  const made = plan([job("changed")], [other("changed")], { base: "a".repeat(40), unrecorded: ["quiet"] });
  expect(found(made, [job("changed"), other("quiet", 3)])).toEqual([]);
  expect(found(made, [job("changed")])).toEqual(["quiet: unchanged / not deployed"]);
});

test("so are another environment, another Flink, and a job of another project", () => {
  const made = plan([], [job("born")]);
  const foreign = new Map([["born", "bank"]]);
  expect(found(made, [], { environment: "staging", flinkVersion: "2.0.0", foreign })).toEqual([
    "null: environment production / environment staging",
    "null: Flink 1.20.3 / Flink 2.0.0",
    "born: a job of this project / a job of project bank",
  ]);
});
