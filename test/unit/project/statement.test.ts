import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { shapeOf, splitStatements } from "../../../src/project/statement.ts";

const sent = splitStatements(readFileSync(new URL("../../fixtures/sql/adapter.sql", import.meta.url), "utf8"));

describe("shapeOf", () => {
  test("splits the adapter's CREATE TABLE AS into relation, clauses and query", () => {
    expect(shapeOf(sent[0] ?? "")).toEqual({
      kind: "create-table-as",
      name: ["per_customer"],
      temporary: false,
      ifNotExists: false,
      parts: {
        relation: "per_customer",
        clauses: "WITH (\n  'connector' = 'upsert-kafka',\n  'key.format' = 'json',\n  'topic' = 'per_customer'\n)",
        query: `-- every customer once; 'quoted' and (unclosed
select o.customer_id, c.name, count(*) as orders, sum(o.amount) as spent
from order_view o join customers c on o.customer_id = c.customer_id /* as of now; */
group by o.customer_id, c.name`,
      },
    });
  });

  test("a WITH without options is no clause", () => {
    const shape = shapeOf(sent[3] ?? "");
    expect(shape).toMatchObject({ parts: { relation: "no_sink", clauses: "", query: "select 1 as single" } });
  });

  test("keeps what stands between the relation and AS", () => {
    const sql =
      "create temporary table if not exists `a`.b comment 'x' partitioned by (d) with ('z'='1', 'c'='2') as select 1 as d";
    expect(shapeOf(sql)).toEqual({
      kind: "create-table-as",
      name: ["a", "b"],
      temporary: true,
      ifNotExists: true,
      parts: {
        relation: "`a`.b",
        clauses: "comment 'x' partitioned by (d) WITH (\n  'c' = '2',\n  'z' = '1'\n)",
        query: "select 1 as d",
      },
    });
  });

  test.each([
    ["(select 1 as a) union all (select 2 as a)", "(select 1 as a) union all (select 2 as a)"],
    ["((select 1 as a))", "select 1 as a"],
    ["(with x as (select 1 as a) select * from x)", "with x as (select 1 as a) select * from x"],
    ["(select 1 as a -- the one\n)", "select 1 as a"],
    ["(select 1 as a); -- end", "select 1 as a"],
  ])("the query of CREATE TABLE t AS %s is %s", (body, query) => {
    expect(shapeOf(`create table t as ${body}`)).toMatchObject({ parts: { relation: "t", clauses: "", query } });
  });

  test.each([
    ["CREATE TABLE `orders` (a INT, b AS a + 1) WITH ('x' = 'y')", { kind: "create-table", name: ["orders"] }],
    ["create temporary view v (a) comment 'c' as (select 1)", { kind: "create-view", name: ["v"], temporary: true }],
    ["create table c like b", { kind: "create-table", name: ["c"] }],
    ["CREATE TABLE IF NOT EXISTS a.b.c (x INT)", { kind: "create-table", name: ["a", "b", "c"], ifNotExists: true }],
    ["DROP TABLE IF EXISTS `a``b`.`c`", { kind: "drop", object: "table", name: ["a`b", "c"] }],
    ["drop temporary system function f", { kind: "drop", object: "function", name: ["f"] }],
    ["insert overwrite `t` select 1", { kind: "insert", target: ["t"] }],
    ["SET 'a.b' = 'it''s'", { kind: "set", key: "a.b", value: "it's" }],
    ["-- why\nset a.b-c = d;", { kind: "set", key: "a.b-c", value: "d" }],
    ["SET", { kind: "show" }],
    ["SHOW JOBS", { kind: "show" }],
    ["desc t", { kind: "describe" }],
    ["with x as (select 1) select * from x", { kind: "select" }],
    ["(select 1)", { kind: "select" }],
    ["EXPLAIN select 1", { kind: "explain" }],
    ["USE CATALOG c", { kind: "use" }],
    ["create temporary system function f as 'x'", { kind: "create-function" }],
    ["create catalog c with ('type' = 'x')", { kind: "create-catalog" }],
    ["create database d", { kind: "create-database" }],
    ["STOP JOB 'x' WITH SAVEPOINT", { kind: "other", verb: "STOP" }],
    ["create table", { kind: "other", verb: "CREATE" }],
    ["/* nothing */", { kind: "other", verb: "" }],
  ])("%s", (sql, expected) => {
    expect(shapeOf(sql)).toMatchObject(expected);
  });
});
