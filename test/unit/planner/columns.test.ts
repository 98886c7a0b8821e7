import { expect, test } from "vitest";
import { columnsIn, createTable } from "../../../src/planner/columns.ts";

const describeAnswer = {
  columns: [],
  jobId: null,
  rows: [
    ["id", "BIGINT", false, null, null, null],
    ["EXPR$1", "DECIMAL(38, 2)", true, null, null, null],
    ["ts", "TIMESTAMP(3) *ROWTIME*", true, null, null, null],
    ["proc", "TIMESTAMP_LTZ(3) *PROCTIME*", false, null, null, null],
    ["we ird`x", "ROW<`a` INT>", true, null, null, null],
  ],
};

test("columns keep NOT NULL and lose time attributes, as in CREATE TABLE ... AS", () => {
  expect(columnsIn(describeAnswer).map(({ type }) => type)).toEqual([
    "BIGINT NOT NULL",
    "DECIMAL(38, 2)",
    "TIMESTAMP(3)",
    "TIMESTAMP_LTZ(3) NOT NULL",
    "ROW<`a` INT>",
  ]);
});

test("the table has every name quoted, and the model's clauses after its columns", () => {
  const table = { relation: "`db`.t", clauses: "PARTITIONED BY (id) WITH ('connector' = 'print')", query: "SELECT 1" };
  const columns = columnsIn(describeAnswer).filter((_column, index) => index === 1 || index === 4);
  expect(createTable(table, columns)).toBe(
    "CREATE TABLE `db`.t (\n  `EXPR$1` DECIMAL(38, 2),\n  `we ird``x` ROW<`a` INT>\n) PARTITIONED BY (id) WITH ('connector' = 'print')",
  );
});
