import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reviewDigest } from "../../../src/plan/compare-plans.ts";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import type { Job } from "../../../src/project/job.ts";
import { decodeTrailer, encodeTrailer, type Trailer, trailerOf } from "../../../src/report/comment-trailer.ts";
import { job } from "../plan/jobs.ts";

function planOf(base: readonly Job[], head: readonly Job[], project = "shop") {
  return makePlan({
    project,
    environment: "production",
    base: "a".repeat(40),
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "dbt-flink-adapter==1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base, head, renames: {} }),
    unrecorded: [],
    findings: [],
  });
}

const upgraded = planOf([job("m")], [job("m", { insert: "INSERT INTO m SELECT 2" })]);
const encodedAs = (text: string): string => `<!-- flink-dbt-deploy-plan:${deflateRawSync(text).toString("base64")} -->`;
const documentOf = (changes: object): string =>
  JSON.stringify({ ...trailerOf(upgraded), jobs: [], before: "", after: "", ...changes });

test("a comment ends with what its plan would do", () => {
  const body = `text\n\n${encodeTrailer(trailerOf(upgraded))}\n`;
  const [change] = upgraded.changes;
  expect(decodeTrailer(body)).toEqual({
    version: 1,
    project: "shop",
    environment: "production",
    base: "a".repeat(40),
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "dbt-flink-adapter==1.3.11",
    flinkVersion: "1.20.3",
    digest: upgraded.digest,
    jobs: [
      {
        job: "m",
        kind: "upgrade",
        renamedFrom: null,
        state: "flink-decides",
        before: change?.before?.digest.slice(0, 12),
        after: change?.after == null ? null : reviewDigest(change.after),
        upgradeMode: "savepoint",
        desiredState: "running",
        startFrom: null,
      },
    ],
  });
});

test("jobs that stay as they are do not stand in it, a suspended one with a new program does", () => {
  const suspended = (insert: string) => job("resting", { insert }, { desiredState: "suspended" });
  const base = [job("same"), suspended("INSERT INTO resting SELECT 1")];
  const plan = planOf(base, [job("same"), suspended("INSERT INTO resting SELECT 2")]);
  expect(trailerOf(plan).jobs.map(({ job, kind }) => [job, kind])).toEqual([["resting", "none"]]);
});

test("whatever the names, it is one hidden line that reads back as it was", () => {
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.constant("--><b>@x</b>\n"));
  const digest = (length: number) =>
    fc.option(fc.string().map((seed) => createHash("sha256").update(seed).digest("hex").slice(0, length)));
  const trailer: fc.Arbitrary<Trailer> = fc.record({
    version: fc.constant(1 as const),
    project: text,
    environment: text,
    base: text,
    head: text,
    dbtVersion: text,
    adapterVersion: text,
    flinkVersion: text,
    digest: digest(64).map((some) => some ?? "0".repeat(64)),
    jobs: fc.option(
      fc.array(
        fc.record({
          job: text,
          kind: fc.constantFrom("create", "upgrade", "suspend", "resume", "remove", "none"),
          renamedFrom: fc.option(text),
          state: fc.constantFrom("none", "kept", "dropped", "flink-decides", "unknown"),
          before: digest(12),
          after: digest(40),
          upgradeMode: fc.option(fc.constantFrom("stateless", "savepoint", "last_state")),
          desiredState: fc.option(fc.constantFrom("running", "suspended")),
          startFrom: fc.option(text),
        }),
      ),
    ),
  });
  fc.assert(
    fc.property(trailer, text, (written, before) => {
      const line = encodeTrailer(written);
      expect(line).toMatch(/^<!-- [^\n<>-]+(?:-[^\n<>-]+)* -->$/);
      expect(decodeTrailer(`${before}\n${line}\n`)).toEqual(written);
    }),
  );
});

test("no name of ours makes a comment without one look as if it had one", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodeTrailer(`${encodeTrailer(trailerOf(upgraded))}\n\n${text}.`)).toBeNull();
    }),
  );
  expect(decodeTrailer("")).toBeNull();
});

test("a secret in a path to start from does not stand in it", () => {
  const plan = planOf([], [job("m", {}, { startFrom: "s3://key:hunter2@bucket/savepoint" })]);
  expect(trailerOf(plan).jobs[0]?.startFrom).toBe("s3://******@bucket/savepoint");
});

test("what only looks like one is an error that says where", () => {
  const whole = encodeTrailer(trailerOf(upgraded));
  const refused = (body: string) => expect(() => decodeTrailer(body));
  refused(whole.slice(0, -10)).toThrow("the plan in the comment cannot be read: the last line is");
  refused(whole.replace(/.{20} -->$/, " -->")).toThrow("the plan in the comment cannot be read");
  refused("<!-- flink-dbt-deploy-plan:!! -->").toThrow("not a whole trailer");
  refused(encodedAs("{")).toThrow("the plan in the comment cannot be read");
  refused(encodedAs("[]")).toThrow("the answer is [], not an object");
  refused(encodedAs(documentOf({ version: 2 }))).toThrow("version is 2, not one of 1");
  refused(encodedAs(documentOf({ digest: "ABC" }))).toThrow('digest is "ABC", not 64 digits in hex');
  refused(encodedAs(documentOf({ jobs: [["m"]] }))).toThrow('jobs[0] is ["m"], not a list of 7');
  refused(encodedAs(documentOf({ after: "ab" }))).toThrow('after is "ab", not 0 digests');
  const row = ["m", "destroy", "kept", null, null, null, null];
  refused(encodedAs(documentOf({ jobs: [row], before: "", after: "" }))).toThrow('jobs[0][1] is "destroy"');
  expect(() => decodeTrailer(whole.slice(0, -10))).toThrow(expect.objectContaining({ code: "plan-changed" }));
});

test("one that would unpack to more than a comment can mean is refused", () => {
  const bomb = encodedAs(documentOf({ project: "x".repeat(5_000_000) }));
  expect(bomb.length).toBeLessThan(60_000);
  expect(() => decodeTrailer(bomb)).toThrow("the plan in the comment cannot be read");
});

test("500 jobs that change take less than 25 kB", () => {
  const name = (index: number) => `${["orders", "customers", "refunds"][index % 3]}_per_${index}_hour`;
  const jobs = (limit: number) =>
    Array.from({ length: 500 }, (_, index) =>
      job(name(index), { insert: `INSERT INTO ${name(index)} SELECT ${limit + index}` }),
    );
  expect(encodeTrailer(trailerOf(planOf(jobs(1), jobs(2)))).length).toBeLessThan(25_000);
});
