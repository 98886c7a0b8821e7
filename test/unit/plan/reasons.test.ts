import { expect, test } from "vitest";
import { programReasons } from "../../../src/plan/reasons.ts";
import type { Program } from "../../../src/project/job.ts";
import { job, orders, setting, source, view } from "./jobs.ts";

const reasons = (before: Partial<Program>, after: Partial<Program>): readonly string[] =>
  programReasons(job("m", before), job("m", after)).map(({ text }) => text);
const table = (columns: string, options = "'connector' = 'kafka', 'topic' = 'a'") => ({
  setup: [source("orders", `CREATE TABLE orders (${columns}) WITH (${options})`)],
});
const sink = (sql: string) => ({ sink: { ...job("m").program.sink, sql } });

test("programs that mean the same have no reasons, however they are written", () => {
  const spaced =
    "create table orders (\n id BIGINT, -- key\n amount INT) with ('topic' = 'a',\n 'connector' = 'kafka')";
  expect(reasons(table("id BIGINT, amount INT"), { setup: [source("orders", spaced)] })).toEqual([]);
});

test.each<[string, Partial<Program>, Partial<Program>]>([
  ["view v changed", { setup: [view("v", "SELECT 1")] }, { setup: [view("v", "SELECT 2")] }],
  ["view v is read now", { setup: [] }, { setup: [view("v", "SELECT 1")] }],
  ["source raw.orders is no longer read", { setup: [orders] }, { setup: [] }],
  ["source raw.orders: column x added", table("id BIGINT"), table("id BIGINT, x DECIMAL(10, 2)")],
  ["source raw.orders: column x removed", table("id BIGINT, x ROW<a INT, b INT>"), table("id BIGINT")],
  ["source raw.orders: column id BIGINT → INT NOT NULL", table("id BIGINT"), table("id INT NOT NULL")],
  ["source raw.orders: column t AS a + 1 → AS a + 2", table("t AS a + 1"), table("t AS a + 2")],
  ["source raw.orders: columns in another order", table("a INT, b INT"), table("b INT, a INT")],
  ["source raw.orders: watermark added", table("ts TIMESTAMP(3)"), table("ts TIMESTAMP(3), WATERMARK FOR ts AS ts")],
  [
    "source raw.orders: watermark changed",
    table("ts TIMESTAMP(3), WATERMARK FOR ts AS ts"),
    table("ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND"),
  ],
  ["source raw.orders: key changed", table("a INT"), table("a INT, PRIMARY KEY (a) NOT ENFORCED")],
  [
    "source raw.orders: option 'topic' 'a' → 'b'",
    table("a INT"),
    table("a INT", "'connector' = 'kafka', 'topic' = 'b'"),
  ],
  ["source raw.orders: option 'x' added: '1'", table("a INT", "'c' = 'k'"), table("a INT", "'c' = 'k', 'x' = '1'")],
  [
    "source raw.orders: option 'x' removed (was '1')",
    table("a INT", "'x' = '1', 'c' = 'k'"),
    table("a INT", "'c' = 'k'"),
  ],
  [
    "source raw.orders: option 'password' changed",
    table("a INT", "'password' = 'one'"),
    table("a INT", "'password' = 'two'"),
  ],
  ["model m: SELECT changed", { insert: "INSERT INTO m SELECT 1" }, { insert: "INSERT INTO m SELECT 2" }],
  [
    "model m: PARTITIONED BY(a) added",
    sink("CREATE TABLE m (a INT) WITH ('c' = 'k')"),
    sink("CREATE TABLE m (a INT) PARTITIONED BY (a) WITH ('c' = 'k')"),
  ],
  [
    "parallelism.default 1 → 2",
    { executionConfig: { "parallelism.default": "1" } },
    { executionConfig: { "parallelism.default": "2" } },
  ],
  ["k added: v", { executionConfig: {} }, { executionConfig: { k: "v" } }],
  ["k removed (was v)", { executionConfig: { k: "v" } }, { executionConfig: {} }],
  ["my.token changed", { executionConfig: { "my.token": "one" } }, { executionConfig: { "my.token": "two" } }],
  ["runtime mode streaming → batch", { runtimeMode: "streaming" }, { runtimeMode: "batch" }],
  ["pre-hook added", { preHooks: [] }, { preHooks: ["SELECT 1"] }],
  ["post-hook changed", { postHooks: ["SELECT 1"] }, { postHooks: ["SELECT 2"] }],
  ["setup statement added: SET 'a' = 'b'", { setup: [] }, { setup: [setting("SET 'a' = 'b'")] }],
  [
    "setup statements run in another order",
    { setup: [setting("USE a"), setting("USE b")] },
    { setup: [setting("USE b"), setting("USE a")] },
  ],
])("%s", (text, before, after) => {
  expect(reasons(before, after)).toEqual([text]);
});

test("no secret comes into a reason", () => {
  const before = { ...table("a INT", "'password' = 'one'"), executionConfig: {} };
  const after = {
    setup: [
      source("orders", "CREATE TABLE orders (a INT) WITH ('password' = 'two', 'url' = 'jdbc://me:three@db')"),
      setting("SET 'api.key' = 'four'"),
    ],
    executionConfig: { "s3.secret-key": "five" },
  };
  expect(reasons(before, after).join("\n")).not.toMatch(/one|two|three|four|five/);
});
