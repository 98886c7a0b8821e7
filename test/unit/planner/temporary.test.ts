import { expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { rehearse } from "../../../src/planner/rehearsal.ts";
import { forPlanning } from "../../../src/planner/temporary.ts";

const inLake = (sql: string) => {
  const planned = forPlanning(sql, "lake");
  return planned.kind === "left-out" ? null : planned.sql;
};

test.each([
  ["create view v as select 1", "create TEMPORARY view v as select 1"],
  ["/* a */ CREATE VIEW v AS SELECT 1", "/* a */ CREATE TEMPORARY VIEW v AS SELECT 1"],
  ["CREATE TABLE t (a INT) WITH ('connector' = 'x')", "CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'x')"],
  ["CREATE TABLE t LIKE u", "CREATE TEMPORARY TABLE t LIKE u"],
  ["CREATE FUNCTION f AS 'org.F'", "CREATE TEMPORARY FUNCTION f AS 'org.F'"],
  ["DROP TABLE IF EXISTS t", "DROP TEMPORARY TABLE IF EXISTS t"],
  ["DROP VIEW v", "DROP TEMPORARY VIEW v"],
  ["drop function f", "drop TEMPORARY function f"],
])("in a catalog that may outlive the session %s is run as %s", (sql, expected) => {
  expect(inLake(sql)).toBe(expected);
});

test.each([
  "DROP TEMPORARY VIEW IF EXISTS v",
  "CREATE TEMPORARY SYSTEM FUNCTION f AS 'org.F'",
  "CREATE CATALOG other WITH ('type' = 'generic_in_memory')",
  "SET 'create view' = 'x'",
  "USE db",
  "CREATE DATABASE default_catalog.mine",
  "ALTER TABLE default_catalog.db.t ADD a INT",
])("what leaves no trace there is run as it is: %s", (sql) => {
  expect(inLake(sql)).toBe(sql);
});

test.each([
  "CREATE DATABASE IF NOT EXISTS d",
  "DROP DATABASE d CASCADE",
  "ALTER DATABASE d SET ('a' = 'b')",
  "ALTER TABLE t RENAME TO u",
  "ALTER VIEW v RENAME TO w",
  "DROP CATALOG lake",
])("what would change it is not run: %s", (sql) => {
  expect(inLake(sql)).toBeNull();
});

test.each([
  [
    "CREATE TABLE t (a INT) PARTITIONED BY (a)",
    "CREATE TEMPORARY TABLE t (a INT) PARTITIONED BY (a) WITH ('connector' = 'blackhole')",
  ],
  [
    "CREATE TABLE t (a INT) WITH ('bucket' = '1');",
    "CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'blackhole', 'bucket' = '1')",
  ],
  ["CREATE TABLE t (a INT) WITH ()", "CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'blackhole')"],
])("a table that only the catalog can make has a stand-in of the same columns: %s", (sql, expected) => {
  expect(forPlanning(sql, "lake")).toEqual({ kind: "stand-in", sql: expected });
});

test("in the session's own catalog tables are made, so that compiled plans hold them; another can be named", () => {
  const table = "CREATE TABLE t (a INT) WITH ('connector' = 'x')";
  expect(forPlanning(table, "default_catalog")).toEqual({ kind: "run", sql: table });
  expect(forPlanning("DROP TABLE lake.db.t", "default_catalog")).toEqual({
    kind: "run",
    sql: "DROP TEMPORARY TABLE lake.db.t",
  });
  expect(forPlanning("CREATE DATABASE lake.db", "default_catalog")).toEqual({ kind: "left-out" });
});

test("a rehearsal follows the session into a catalog, and says what it left out", async () => {
  const sent: string[] = [];
  let catalog = "default_catalog";
  const session = {
    execute: async (sql: string) => {
      sent.push(sql);
      if (sql === "USE CATALOG lake") catalog = "lake";
      return { rows: [[catalog]] };
    },
  };
  const rehearsal = rehearse(session, { mayOutlive: true, standIns: false });
  const table = "CREATE TABLE t (a INT)";
  for (const sql of ["DROP TABLE t", "USE CATALOG lake", "DROP TABLE t", "ADD JAR 'x.jar'", table])
    await rehearsal.run(sql);
  expect(sent.filter((sql) => sql !== "SHOW CURRENT CATALOG")).toEqual([
    "DROP TABLE t",
    "USE CATALOG lake",
    "DROP TEMPORARY TABLE t",
  ]);
  expect(rehearsal.leftOut).toEqual([table]);
});

test("a DROP that finds nothing here is no refusal, and any other statement's refusal is one", async () => {
  const session = {
    execute: async (): Promise<never> => {
      throw new DeployError("statement-failed", "no such table");
    },
  };
  const rehearsal = rehearse(session, { mayOutlive: false, standIns: true });
  await rehearsal.run("DROP TABLE t");
  await expect(rehearsal.run("CREATE TABLE t (a INT)")).rejects.toMatchObject({ code: "statement-failed" });
});
