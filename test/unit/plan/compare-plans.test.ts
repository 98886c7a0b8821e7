import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sealJob } from "../../../src/ledger/stored-job.ts";
import { comparePlans, type ReviewedPlan, reviewDigest, reviewedChanges } from "../../../src/plan/compare-plans.ts";
import { diffJobs, type Jobs } from "../../../src/plan/diff.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { decodePlan, encodePlan } from "../../../src/plan/plan-file.ts";
import type { Job } from "../../../src/project/job.ts";
import { maskSecrets, rememberSecret } from "../../../src/secrets.ts";
import { job, source } from "./jobs.ts";

const version = (name: string, number: number, more: Partial<Job> = {}): Job =>
  job(name, { insert: `INSERT INTO ${name} SELECT id + ${number} FROM orders` }, more);

function plan(base: readonly Job[], head: readonly Job[], more: Partial<Jobs> & { flinkVersion?: string } = {}): Plan {
  const { flinkVersion = "1.20.3", ...jobs } = more;
  return makePlan({
    project: "shop",
    environment: "production",
    base: "deployed",
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion,
    changes: diffJobs({ base, head, renames: {}, ...jobs }),
    unrecorded: [],
    findings: [],
  });
}

const reviewed = (made: Plan): ReviewedPlan => ({
  flinkVersion: made.flinkVersion,
  changes: reviewedChanges(made),
});
const shown = (planned: Plan, seen: Plan, ...others: readonly Plan[]): readonly string[] =>
  comparePlans(planned, reviewed(seen), others.map(reviewed)).map(({ kind, job }) => `${kind} ${job}`);

const names = ["a", "b", "c", "d", "e"];
/** Some of five jobs, each in one of four versions. */
const someJobs = fc
  .record(Object.fromEntries(names.map((name) => [name, fc.option(fc.nat(3))])))
  .map((versions) => names.flatMap((name) => (versions[name] == null ? [] : [version(name, versions[name])])));

describe("whatever the jobs", () => {
  test("a plan is the one that was reviewed, in any order of its jobs, and after a way through a plan file", () => {
    fc.assert(
      fc.property(someJobs, someJobs, (base, head) => {
        const made = plan(base, head);
        expect(shown(plan(base.toReversed(), head.toReversed()), made)).toEqual([]);
        expect(shown(made, decodePlan(encodePlan(made)))).toEqual([]);
      }),
    );
  });

  test("what is deployed already is no difference: whatever part of the reviewed plan was done, the rest may be", () => {
    fc.assert(
      fc.property(someJobs, someJobs, fc.subarray(names), (base, head, done) => {
        const now = names.flatMap((name) => (done.includes(name) ? head : base).filter((one) => one.name === name));
        expect(shown(plan(now, head), plan(base, head))).toEqual([]);
      }),
    );
  });

  test("a reviewed job that would become something else is told, whatever runs now, and no other", () => {
    fc.assert(
      fc.property(someJobs, someJobs, someJobs, fc.constantFrom(...names), (base, now, head, name) => {
        const seen = plan(base, head);
        const isChanged = seen.changes.some((change) => change.job === name && change.kind !== "none");
        const others = head.filter((one) => one.name !== name);
        const told = shown(plan(now, [...others, version(name, 99)]), seen).filter((one) => one.endsWith(` ${name}`));
        expect(told).toEqual([isChanged ? `other-effect ${name}` : `not-in-plan ${name}`]);
        // A job that it does not touch is told where the deployment changes it for another reason only.
        for (const one of shown(plan(now, head), seen)) expect(one).toMatch(/^not-in-plan /);
      }),
    );
  });

  test("a change of another pull request is none of this one's, where that was reviewed too", () => {
    fc.assert(
      fc.property(someJobs, someJobs, someJobs, (deployed, between, head) => {
        // `between` was merged and not deployed; then `head` was merged on it.
        expect(shown(plan(deployed, head), plan(between, head), plan(deployed, between))).toEqual([]);
      }),
    );
  });
});

test("a job that no reviewed plan changes is told", () => {
  expect(shown(plan([], [job("a"), job("b")]), plan([], [job("a")]))).toEqual(["not-in-plan b"]);
  expect(shown(plan([job("a"), job("b")], [job("a")]), plan([], []))).toEqual(["not-in-plan b"]);
  expect(shown(plan([], [job("a"), version("b", 1)]), plan([], [job("a")]), plan([], [version("b", 2)]))).toEqual([
    "not-in-plan b",
  ]);
});

test("a job that was to be removed and is kept, or the other way round, is told", () => {
  const removing = plan([job("a")], []);
  const keeping = plan([job("a")], [], { keepRemoved: true });
  expect(shown(keeping, removing)).toEqual(["other-effect a"]);
  expect(shown(removing, keeping)).toEqual(["other-effect a"]);
  expect(shown(plan([], []), removing)).toEqual([]);
});

test("another upgrade mode, job state or savepoint is another effect", () => {
  const seen = plan([job("a")], [version("a", 1)]);
  for (const more of [
    { upgradeMode: "stateless" },
    { desiredState: "suspended" },
    { startFrom: "s3://bucket/savepoint" },
  ] as const) {
    expect(shown(plan([job("a")], [version("a", 1, more)]), seen)).toEqual(["other-effect a"]);
  }
});

test("state that is lost now, and was not when it was reviewed, is told", () => {
  const stateless = version("a", 2, { upgradeMode: "stateless" });
  expect(shown(plan([version("a", 1)], [stateless]), plan([], [stateless]))).toEqual(["loses-state a"]);
  expect(shown(plan([version("a", 1)], [stateless]), plan([version("a", 0)], [stateless]))).toEqual([]);
});

test("another minor version of Flink plans in another way, another patch release does not", () => {
  const seen = plan([], [job("a")]);
  expect(shown(plan([], [job("a")], { flinkVersion: "1.20.1" }), seen)).toEqual([]);
  expect(shown(plan([], [job("a")], { flinkVersion: "2.0.0" }), seen)).toEqual(["other-flink null"]);
});

test("a job that is down and starts again as it was needs no review", () => {
  const suspendedInBase = new Map([["a", job("a").digest]]);
  const again = plan([job("a")], [job("a")], { suspendedInBase });
  expect(again.changes.map(({ kind }) => kind)).toEqual(["resume"]);
  expect(shown(again, plan([], []))).toEqual([]);
});

describe("a pull request is planned without the secrets that the deployment has", () => {
  const withSecret = (secret: string, limit = 1): Job => {
    const sql = `CREATE TABLE orders (id BIGINT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:db://me:${secret}@db/x', 'password' = '${secret}')`;
    return job("a", {
      setup: [source("orders", sql)],
      insert: `INSERT INTO a SELECT id + ${limit} FROM orders`,
      executionConfig: { "pipeline.name": "a", "s3.secret-key": secret },
    });
  };

  test("so another secret is no other program to a reviewer, and the rest of it is", () => {
    expect(withSecret("hunter2").digest).not.toBe(withSecret("").digest);
    expect(reviewDigest(withSecret("hunter2"))).toBe(reviewDigest(withSecret("")));
    expect(reviewDigest(sealJob(withSecret("hunter2")))).toBe(reviewDigest(withSecret("")));
    expect(reviewDigest(withSecret("", 2))).not.toBe(reviewDigest(withSecret("", 1)));
    const planned = plan([sealJob(withSecret("hunter2", 1))], [sealJob(withSecret("hunter2", 2))]);
    expect(shown(planned, plan([withSecret("", 1)], [withSecret("", 2)]))).toEqual([]);
    expect(shown(planned, plan([withSecret("", 1)], [withSecret("", 3)]))).toEqual(["other-effect a"]);
  });

  test("and a secret that is known by its value, and happens to be a word of the program, changes nothing for it", () => {
    const digest = reviewDigest(withSecret(""));
    rememberSecret("orders");
    expect(maskSecrets("from orders")).toBe("from ******");
    expect(reviewDigest(withSecret("orders"))).toBe(digest);
  });

  test("a secret that was changed upgrades a job, and is in no plan that could be reviewed", () => {
    const rotated = plan([sealJob(withSecret("old"))], [sealJob(withSecret("new"))]);
    expect(rotated.changes.map(({ kind }) => kind)).toEqual(["upgrade"]);
    expect(shown(rotated, plan([], []))).toEqual([]);
  });
});
