import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adapterWouldBreakOn, describeProblem, unsafeConfig } from "../../../src/project/hint-problems.ts";
import { parseHints } from "../../../src/project/hints.ts";

describe("parseHints", () => {
  test("reads what the adapter writes", () => {
    const sql = `/** upgrade_mode('savepoint') */ /** job_state('running') */
      /** execution_config('parallelism.default=2;execution.checkpointing.interval=3 s') */
      /** drop_statement('drop table if exists \`t\`') */ create table t /** mode('streaming')*/ as (select 1 as a)`;
    expect(parseHints(sql)).toEqual({
      mode: "streaming",
      upgradeMode: "savepoint",
      jobState: "running",
      executionConfig: { "parallelism.default": "2", "execution.checkpointing.interval": "3 s" },
      dropStatement: "drop table if exists `t`",
      fetchMax: null,
      fetchTimeoutMs: null,
      testQuery: null,
    });
  });

  test("reads a value to its end, whatever it holds", () => {
    const item = fc.string({ unit: fc.constantFrom("a", ")", "(", "'", " ", "=", "é", '"', "*", "\n"), minLength: 1 });
    fc.assert(
      fc.property(item, (value) => {
        fc.pre(!/\*$|'\s*\)\s*$/.test(value));
        const sql = `/** execution_config('k=${value}') */ select 1`;
        expect(parseHints(sql).executionConfig).toEqual({ k: value });
      }),
    );
  });

  test("several hints in one comment, unquoted or in double quotes; the last of a name counts", () => {
    const hints = parseHints(
      `select /** fetch_max(10) fetch_timeout_ms("5") test_query('true') */ 1 /** fetch_max(20) */`,
    );
    expect(hints).toMatchObject({ fetchMax: "20", fetchTimeoutMs: "5", testQuery: "true" });
  });

  test("reads nothing in strings and in comments of people", () => {
    const sql = `select '/** mode("streaming") */' /** see mode('streaming') for why */ /* mode('streaming') */`;
    expect(parseHints(sql).mode).toBeNull();
  });
});

describe("adapterWouldBreakOn", () => {
  test("finds nothing in hints without special signs", () => {
    expect(adapterWouldBreakOn("/** execution_config('a=b;c=d') */ select 1 /** mode('batch')*/")).toEqual([]);
  });

  test.each([
    ["a parenthesis cuts the value", "a=f(x)y;c=d", ["is read by the adapter as `a=f(x`"]],
    ["a semicolon leaves an item without a sign", "a=b;c", ["has no `=`; a value before it holds `;`"]],
    ["two signs in one item", "a=b=c", ["holds more than one `=`"]],
    ["a line break hides the hint", "a=b\n;c=d", ["is not seen by the adapter"]],
  ])("%s", (_why, value, reasons) => {
    const problems = adapterWouldBreakOn(`/** execution_config('${value}') */ select 1`);
    expect(problems.map((problem) => problem.reason)).toEqual(reasons);
  });

  test("a hint in a string or a sentence is one to the adapter", () => {
    const reason = "is read by the adapter from a text that is no hint";
    expect(adapterWouldBreakOn("select '/** mode(batch) */'")).toMatchObject([
      { hint: "mode", value: "batch", reason },
    ]);
    expect(adapterWouldBreakOn("select 1 /** runs in mode(batch) */")).toMatchObject([{ reason }]);
    expect(adapterWouldBreakOn("select 1 /** see f(x) */")).toEqual([]);
  });
});

describe("unsafeConfig", () => {
  test("names key and value of what no hint can hold", () => {
    expect(unsafeConfig({ safe: "3 s (about)".replace(")", ""), a: "x;y=z", b: "f(x)" })).toEqual([
      { hint: "execution_config", key: "a", value: "x;y=z", reason: "holds `;`, which the adapter cannot read" },
      { hint: "execution_config", key: "b", value: "f(x)", reason: "holds `)`, which the adapter cannot read" },
    ]);
  });
});

describe("a problem in words", () => {
  test.each([
    ["cut by the adapter at a parenthesis", "/** execution_config('a=b;s3.secret-key=TOP)SECRET') */ select 1"],
    ["with a semicolon in it", "/** execution_config('s3.secret-key=TOP;SECRET') */ select 1"],
    ["with a second sign in it", "/** execution_config('s3.secret-key=TOP=SECRET') */ select 1"],
  ])("shows no part of a secret %s", (_name, sql) => {
    const words = adapterWouldBreakOn(sql).map(describeProblem).join("\n");
    expect(words).toContain("******");
    expect(words).not.toMatch(/TOP|SECRET/);
  });
});
