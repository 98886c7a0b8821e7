import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { countStatements, splitStatements } from "../../../src/project/split-statements.ts";
import { statement, written } from "./sql-arbitraries.ts";

describe("splitStatements", () => {
  test("undoes a join by semicolons", () => {
    const given = fc.array(statement.chain(written), { maxLength: 4 });
    fc.assert(
      fc.property(given, (statements) => {
        const trimmed = statements.map((sql) => sql.trim());
        expect(splitStatements(`${trimmed.join(" \n;\n")}\n;`)).toEqual(trimmed);
      }),
    );
  });

  test("splits a script of settings, jars and statement sets", () => {
    const script = readFileSync(new URL("../../fixtures/sql/settings.sql", import.meta.url), "utf8");
    expect(splitStatements(script).map((sql) => sql.split("\n").at(0))).toEqual([
      "SET 'table.exec.state.ttl' = '1 d; or so'",
      "-- a comment; with a semicolon",
      "SET execution.runtime-mode = streaming",
      "RESET 'a'",
      "ADD JAR '/opt/x.jar'",
      "BEGIN STATEMENT SET;",
      "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END",
      "/* only a comment; */",
    ]);
  });

  test("the END of a CASE does not close a statement set", () => {
    const set = "BEGIN STATEMENT SET; INSERT INTO a SELECT CASE WHEN x THEN 1 END; INSERT INTO b SELECT 1; END";
    expect(splitStatements(`${set}; SELECT 1`)).toEqual([set, "SELECT 1"]);
  });

  test.each(["", " \n", ";;", "-- nothing\n;/* at all */"])("%j holds no statement", (script) => {
    expect(splitStatements(script)).toEqual([]);
  });

  test("says where a text begins that is not closed", () => {
    const split = () => splitStatements("SET 'a' = 'b';\n\nSELECT 'open;\n");
    expect(split).toThrow(DeployError);
    expect(split).toThrow("the SQL text that begins with 'open; in line 3 is not closed");
  });

  test("counts without throwing", () => {
    expect([countStatements("a; b;"), countStatements("a ';"), countStatements("--")]).toEqual([2, 1, 0]);
  });
});
