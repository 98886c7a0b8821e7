import { describe, expect, test } from "vitest";
import { withoutForeignCode, withoutForeignConfig } from "../../../src/planner/foreign-code.ts";

test("config that goes with a statement names no code to load", () => {
  const config = { "pipeline.classpaths": "file:///x", "pipeline.name": "a", "table.exec.state.ttl": "1 h" };
  expect(withoutForeignConfig(config)).toEqual({ "pipeline.name": "a", "table.exec.state.ttl": "1 h" });
});

describe("a statement of a project, as it is planned", () => {
  test.each([
    ["CREATE FUNCTION f AS 'a.B' USING JAR '/tmp/x.jar'", "CREATE FUNCTION f AS 'a.B'"],
    [
      "create temporary system function if not exists f as 'a.B' language java using jar 'x', jar 'y'",
      "create temporary system function if not exists f as 'a.B' language java",
    ],
    [
      "CREATE /* FUNCTION */ TEMPORARY FUNCTION `USING` AS 'USING JAR' USING\n JAR 'x'",
      "CREATE /* FUNCTION */ TEMPORARY FUNCTION `USING` AS 'USING JAR'",
    ],
    ["CREATE FUNCTION f AS 'a.B' USING ARTIFACT 'x.jar'", "CREATE FUNCTION f AS 'a.B'"],
  ])("loads no jar: %s", (sql, planned) => expect(withoutForeignCode(sql)).toBe(planned));

  test.each([
    ["ADD JAR '/tmp/x.jar'"],
    ["add /* c */ jar '/tmp/x.jar'"],
    ["SET 'pipeline.jars' = 'file:///tmp/x.jar'"],
    ["set 'python.executable' = '/tmp/x'"],
  ])("is left out: %s", (sql) => expect(withoutForeignCode(sql)).toBeNull());

  test.each([
    ["CREATE FUNCTION f AS 'a.B'"],
    ["CREATE VIEW v AS SELECT * FROM a JOIN b USING (jar)"],
    ["CREATE TABLE t (a INT) WITH ('connector' = 'USING JAR')"],
    ["SET 'a' = 'ADD JAR'"],
  ])("is otherwise as it was: %s", (sql) => expect(withoutForeignCode(sql)).toBe(sql));
});
