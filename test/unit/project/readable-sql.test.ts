import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalSql } from "../../../src/project/canonical-sql.ts";
import { readableSql } from "../../../src/project/readable-sql.ts";
import { splitStatements } from "../../../src/project/split-statements.ts";
import { statement, written } from "./sql-arbitraries.ts";

const sent = splitStatements(readFileSync(new URL("../../fixtures/sql/adapter.sql", import.meta.url), "utf8"));

describe("readableSql", () => {
  test("keeps what a statement means", () => {
    const hint = "/** mode('streaming')*/";
    const given = statement.chain((tokens) => written(tokens.flatMap((token) => [hint, token])));
    fc.assert(
      fc.property(given, (sql) => {
        const readable = readableSql(sql);
        expect(canonicalSql(readable)).toBe(canonicalSql(sql));
        expect(readable).not.toContain(hint);
      }),
    );
  });

  test("keeps two words apart where only a hint stood between them", () => {
    expect(readableSql("create table t/** mode('batch')*/as select 1 as a")).toBe("create table t as select 1 as a");
  });

  test("takes the adapter's comments away and keeps the author's", () => {
    expect(readableSql(sent[0] ?? "")).toBe(`create table
    per_customer
  WITH (
    'connector' = 'upsert-kafka',
    'key.format' = 'json',
    'topic' = 'per_customer'
  )
  as
-- every customer once; 'quoted' and (unclosed
select o.customer_id, c.name, count(*) as orders, sum(o.amount) as spent
from order_view o join customers c on o.customer_id = c.customer_id /* as of now; */
group by o.customer_id, c.name`);
    expect(readableSql(sent[1] ?? "")).toBe(`create view order_view as
  select * from \`orders\` where region <> 'it''s; odd'`);
  });

  test("takes the parentheses around a CREATE's whole query away, and no other", () => {
    expect(readableSql("create view v as (\n  select 1\n);")).toBe("create view v as\n  select 1");
    const union = "create view v as (select 1) union all (select 2)";
    expect(readableSql(union)).toBe(union);
    expect(readableSql("create view v (a) as ((select (1)))")).toBe("create view v (a) as select (1)");
  });

  test("keeps comments that only look like a hint, and a comment of another tool", () => {
    const sql = '/** Customers by mode(batch). */\n/* {"app": "looker"} */\nselect 1';
    expect(readableSql(sql)).toBe(sql);
  });

  test("takes away common indentation, but not inside a string", () => {
    expect(readableSql("\n\n    select 'a\n    b',\n      c\n    from t\n\n;\n")).toBe(
      "select 'a\n    b',\n  c\nfrom t",
    );
  });

  test("keeps options as written where the author commented on them", () => {
    const sql = "create table t (a INT) with ('b' = '1', -- why\n'a' = '2')";
    expect(readableSql(sql)).toBe(sql);
  });

  test("takes a statement of very many lines, empty ones too", () => {
    const lines = Array.from({ length: 130_000 }, (_, index) => `  c${index},\n`).join("\n");
    expect(readableSql(`SELECT\n${lines}\n  last`)).toMatch(/^SELECT\n\s+c0,\n\n/);
  });
});
