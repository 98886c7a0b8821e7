import { expect, test } from "vitest";
import { programSql, sqlDiff } from "../../../src/report/sql-diff.ts";
import { job, setting, source, view } from "../plan/jobs.ts";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `  c${from + index},`).join("\n");
const query = (first: string, last: string) => `SELECT\n${first}\n${lines(0, 20)}\n${last}\nFROM orders`;

test("only what differs is shown, under the name of its object and its file", () => {
  const before = job("m", { setup: [view("v", "SELECT *\nFROM orders\nWHERE id > 1")] });
  const after = job("m", { setup: [view("v", "SELECT *\nFROM orders\nWHERE id > 2")] });
  expect(sqlDiff(before, after, 3)).toBe(
    `@@ view v (models/v.sql) @@
 CREATE VIEW v AS SELECT *
 FROM orders
-WHERE id > 1
+WHERE id > 2`,
  );
});

test("changes far apart are separate, with as many unchanged lines as asked for", () => {
  const before = job("m", { insert: query("  a,", "  z") });
  const after = job("m", { insert: query("  b,", "  y") });
  expect(sqlDiff(before, after, 0)).toBe("@@ query of model m (models/m.sql) @@\n-  a,\n+  b,\n@@ … @@\n-  z\n+  y");
});

test("config, runtime mode, hooks and setup statements are compared too", () => {
  const before = job("m", { executionConfig: { "parallelism.default": "1" }, setup: [setting("SET 'a' = 'b'")] });
  const after = job("m", {
    runtimeMode: "batch",
    executionConfig: { "parallelism.default": "2" },
    postHooks: ["SELECT 1"],
    setup: [],
  });
  expect(sqlDiff(before, after, 3)).toBe(
    `@@ execution config @@
-execution.runtime-mode = streaming
-parallelism.default = 1
+execution.runtime-mode = batch
+parallelism.default = 2
@@ post-hook @@
+SELECT 1
@@ setup statement @@
-SET 'a' = 'b'`,
  );
});

test("secrets are masked on both sides", () => {
  const secret = (value: string) =>
    job("m", {
      setup: [
        source("orders", `CREATE TABLE orders (a INT) WITH ('password' = '${value}', 'topic' = '${value.length}')`),
      ],
      executionConfig: { "s3.secret-key": value },
    });
  expect(sqlDiff(secret("hunter2"), secret("correct horse"), 9)).not.toMatch(/hunter2|correct horse/);
  expect(programSql(secret("hunter2"))).not.toContain("hunter2");
});

test("programs that are the same have no diff", () => {
  expect(sqlDiff(job("m"), job("m"), 3)).toBe("");
});
