import { describe, expect, test } from "vitest";
import { programDigest } from "../../../src/project/digest.ts";
import type { Program, ProgramStatement } from "../../../src/project/job.ts";

const origin = { nodeId: null, file: null };
const table = (name: string, sql: string): ProgramStatement => ({ kind: "table", name, sql, origin });
const orders = table("orders", "create table orders (a INT) with ('connector' = 'kafka', 'password' = 'one')");
const customers = table("customers", "create table customers (a INT) with ('connector' = 'kafka')");
const view: ProgramStatement = { kind: "view", name: "v", sql: "create view v as (select a from orders)", origin };
const setting: ProgramStatement = { kind: "statement", name: null, sql: "SET 'a' = 'b'", origin };

const program: Program = {
  setup: [setting, orders, customers, view],
  sink: table("t", "create table t (a INT) with ('connector' = 'print')"),
  insert: "insert into t select a from v",
  runtimeMode: "streaming",
  executionConfig: { "pipeline.name": "t", "parallelism.default": "2", "s3.secret-key": "two" },
  preHooks: ["SET 'x' = 'y'"],
  postHooks: [],
};
const digest = (changed: Partial<Program>) => programDigest({ ...program, ...changed });

describe("programDigest", () => {
  test("is a sha-256 in hex that stays what it is", () => {
    expect(programDigest(program)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest({})).toBe(programDigest(program));
  });

  test.each<[string, Partial<Program>]>([
    ["formatting and comments", { insert: "INSERT INTO `t` /* why */\n SELECT a FROM v;" }],
    ["the order of objects that dbt made", { setup: [setting, customers, view, orders] }],
    ["the order of options", { sink: table("t", "create table t (a INT) with ('connector'='print')") }],
    [
      "the order of the execution config",
      { executionConfig: { "s3.secret-key": "two", "parallelism.default": "2", "pipeline.name": "t" } },
    ],
    [
      "where an object comes from",
      { setup: [setting, { ...orders, origin: { nodeId: "x", file: "y" } }, customers, view] },
    ],
  ])("does not count %s", (_what, changed) => {
    expect(digest(changed)).toBe(programDigest(program));
  });

  test.each<[string, Partial<Program>]>([
    ["the query", { insert: "insert into t select a + 1 from v" }],
    ["an object", { setup: [setting, { ...orders, sql: orders.sql.replace("INT", "BIGINT") }, customers, view] }],
    ["an object that is gone", { setup: [setting, orders, view] }],
    ["a secret option", { setup: [setting, { ...orders, sql: orders.sql.replace("one", "two") }, customers, view] }],
    ["a secret config", { executionConfig: { ...program.executionConfig, "s3.secret-key": "three" } }],
    ["a config", { executionConfig: { ...program.executionConfig, "parallelism.default": "1" } }],
    ["the name", { executionConfig: { ...program.executionConfig, "pipeline.name": "u" } }],
    ["where a setting stands", { setup: [orders, setting, customers, view] }],
    ["the sink", { sink: table("t", "create table t (a INT) with ('connector' = 'blackhole')") }],
    ["the runtime mode", { runtimeMode: "batch" }],
    ["a hook", { preHooks: [] }],
    ["on which side a hook runs", { preHooks: [], postHooks: program.preHooks }],
  ])("counts %s", (_what, changed) => {
    expect(digest(changed)).not.toBe(programDigest(program));
  });
});
