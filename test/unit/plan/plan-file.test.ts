import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { diffJobs } from "../../../src/plan/diff.ts";
import { isBlocked, makePlan, withExplanations } from "../../../src/plan/make-plan.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { decodePlan, encodePlan } from "../../../src/plan/plan-file.ts";
import { job, source } from "./jobs.ts";

const schema: object = JSON.parse(readFileSync(new URL("../../../schemas/plan.schema.json", import.meta.url), "utf8"));
const validate = new Ajv.Ajv2020({ allErrors: true }).compile(schema);

const explanation = {
  plan: "Sink(t)",
  advice: null,
  graph: [{ id: 1, label: "Sink: t", description: "Sink(t)", inputs: [], parallelism: null }],
  compiledPlan: '{"nodes":[{"options":{"connector":"kafka","properties.sasl.password":"hunter2"}}]}',
};
const changes = diffJobs({
  base: [job("a"), job("gone")],
  head: [
    job("a", {
      setup: [source("orders", "CREATE TABLE orders (id BIGINT) WITH ('connector' = 'kafka', 'password' = 'hunter2')")],
      executionConfig: { "pipeline.name": "a", "s3.secret-key": "hunter2" },
    }),
    job("new"),
  ],
  renames: {},
});

function plan(more: Partial<Plan> = {}): Plan {
  return makePlan({
    project: "shop",
    environment: "production",
    base: "deployed",
    head: "0123456789abcdef0123456789abcdef01234567",
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: changes.map((change) => withExplanations(change, null, change.after === null ? null : explanation)),
    unrecorded: ["quiet"],
    findings: [
      { severity: "error", code: "model-invalid", message: "no", job: "x", file: "models/x.sql", line: 3 },
      { severity: "note", code: "left-alone", message: "a seed", job: null, file: null, line: null },
    ],
    ...more,
  });
}

test("a plan file is what the published schema says", () => {
  validate(JSON.parse(encodePlan(plan())));
  expect(validate.errors).toBeNull();
});

test("the schema refuses what is not in it", () => {
  expect(validate({ ...JSON.parse(encodePlan(plan())), extra: 1 })).toBe(false);
  expect(validate({ ...JSON.parse(encodePlan(plan())), version: 2 })).toBe(false);
});

test("no secret is in it, in SQL, config or compiled plan", () => {
  expect(JSON.stringify(plan())).toContain("hunter2");
  expect(encodePlan(plan())).not.toContain("hunter2");
});

test("what is read back is what was written, but for the secrets", () => {
  expect(encodePlan(decodePlan(encodePlan(plan())))).toBe(encodePlan(plan()));
});

test.each([
  ["not JSON", "nonsense", "the plan file cannot be read"],
  ["another version", JSON.stringify({ version: 2 }), "the plan file has version 2"],
  [
    "a missing field",
    encodePlan(plan()).replace('"kind": "upgrade"', '"kind": "explode"'),
    'changes[0].kind is "explode"',
  ],
  ["altered content", encodePlan(plan()).replace('"environment": "production"', '"environment": "test"'), "digest"],
])("%s is refused", (_what, text, message) => {
  expect(() => decodePlan(text)).toThrow(
    expect.objectContaining({ code: "inputs-invalid", message: expect.stringContaining(message) as string }),
  );
});

test("the digest is of what a deployment does, not of how the plan looks or what stays", () => {
  const { digest } = plan();
  const same = diffJobs({ base: [job("z")], head: [job("z")], renames: {} });
  expect(plan({ changes: [...plan().changes.toReversed(), ...same], head: "other", findings: [] }).digest).toBe(digest);
  expect(plan({ changes: plan().changes.slice(1) }).digest).not.toBe(digest);
  expect(plan({ environment: "test" }).digest).not.toBe(digest);
  expect(plan({ changes: plan().changes.map((change) => ({ ...change, kind: "suspend" as const })) }).digest).not.toBe(
    digest,
  );
});

test("an error blocks a deployment, a note does not", () => {
  expect(isBlocked(plan())).toBe(true);
  expect(isBlocked(plan({ findings: plan().findings.slice(1) }))).toBe(false);
});
