import { expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { refusal } from "../../../src/planner/finding.ts";

const origin = { nodeId: "model.shop.m", file: "models/m.sql" };
const sql = "SELECT\n  id,\n  custmer\nFROM orders";
const refused = (message: string) => new DeployError("statement-failed", message);
const finding = (message: string, text: string | null = null) =>
  refusal(refused(message), "m", { sql, origin }, () => text);

const notFound = "From line 3, column 3 to line 3, column 9: Column 'custmer' not found in any table";

test("a refusal names job, file and the line of the compiled SQL", () => {
  expect(finding(notFound)).toEqual({
    severity: "error",
    code: "model-invalid",
    message: "Column 'custmer' not found in any table (line 3 of the compiled SQL: custmer)",
    job: "m",
    file: "models/m.sql",
    line: null,
  });
});

test("the model's own line is given where exactly one line of the file is the offending one", () => {
  const model = "{{ config(materialized='table') }}\n\nSELECT\n  id,\n  custmer\nFROM {{ ref('orders') }}\n";
  expect(finding(notFound, model).line).toBe(5);
  expect(finding(notFound, `${model}-- and again\n  custmer\n`).line).toBeNull();
});

test("the parser's way of naming the place is understood too", () => {
  expect(finding('SQL parse failed. Encountered "orders" at line 4, column 6.').message).toBe(
    'Encountered "orders" (line 4 of the compiled SQL: FROM orders)',
  );
});

test("a reserved word where the parser wants a name is called one", () => {
  const named = (nodeId: string, word: string) =>
    refusal(
      refused(`SQL parse failed. Encountered "${word}" at line 1, column 14.`),
      "m",
      { sql: `CREATE TABLE ${word} (id INT)`, origin: { nodeId, file: null } },
      () => null,
    ).message;
  expect(named("model.shop.old", "old")).toBe(
    'Encountered "old" (line 1 of the compiled SQL: CREATE TABLE old (id INT)). `old` is a reserved word of Flink\'s SQL, which dbt-flink-adapter does not quote: give the model another name, or an alias.',
  );
  expect(named("source.shop.raw.order", "ORDER")).toContain("give the source another name, or an identifier.");
  expect(named("model.shop.other", "value")).toContain(
    "`value` is a reserved word of Flink's SQL: where it is meant as a name, it must stand in backquotes.",
  );
  expect(named("model.shop.orders", "orders")).not.toContain("reserved");
});

test("a line that the statement does not have is not pretended to be found", () => {
  expect(finding("At line 99, column 1: nonsense")).toMatchObject({
    message: "At line 99, column 1: nonsense",
    line: null,
  });
});

test("secrets in Flink's message are masked", () => {
  expect(finding("Unsupported options: 'password' = 'hunter2'").message).not.toContain("hunter2");
});

test("what is no refusal is thrown on", () => {
  const gone = new DeployError("gateway-unreachable", "connection refused");
  expect(() => refusal(gone, "m", { sql, origin }, () => null)).toThrow(gone);
});
