import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalSql } from "../../../src/project/canonical-sql.ts";
import { splitStatements } from "../../../src/project/split-statements.ts";
import { statement, written } from "./sql-arbitraries.ts";

const corpus = ["adapter", "definitions", "queries", "settings"].flatMap((name) =>
  splitStatements(readFileSync(new URL(`../../fixtures/sql/${name}.sql`, import.meta.url), "utf8")),
);

/** Quotes every plain name that a statement of the generator may hold, or takes the quotes away. */
function requote(token: string): string {
  if (/^(orders|customer_id|Amount|t1|x\$y|_z|shop)$/.test(token)) return `\`${token}\``;
  return token;
}

describe("canonicalSql", () => {
  test("is the same whatever comments and blanks, quotes around plain names and case of keywords", () => {
    const given = statement.chain((tokens) => {
      const restyled = tokens.map((token) => requote(/^[A-Z]+$/.test(token) ? token.toLowerCase() : token));
      return fc.tuple(written(tokens), written([...restyled, ";"]));
    });
    fc.assert(
      fc.property(given, ([a, b]) => {
        expect(canonicalSql(b)).toBe(canonicalSql(a));
      }),
    );
  });

  test("differs when any token is another one, is missing or stands twice", () => {
    const given = statement.chain((tokens) => fc.tuple(fc.constant(tokens), fc.nat({ max: tokens.length - 1 })));
    fc.assert(
      fc.property(given, fc.constantFrom("other", "'other'", ",", "missing", "twice"), ([tokens, at], change) => {
        const token = tokens[at] ?? "";
        fc.pre(token !== change);
        const replacement = change === "missing" ? [] : change === "twice" ? [token, token] : [change];
        const changed = tokens.toSpliced(at, 1, ...replacement);
        expect(canonicalSql(changed.join(" "))).not.toBe(canonicalSql(tokens.join(" ")));
      }),
    );
  });

  test("is its own canonical form", () => {
    fc.assert(fc.property(statement.chain(written), (sql) => canonicalSql(canonicalSql(sql)) === canonicalSql(sql)));
    for (const sql of corpus) expect(canonicalSql(canonicalSql(sql))).toBe(canonicalSql(sql));
  });

  test("keeps the statements of the corpus apart", () => {
    expect(new Set(corpus.map(canonicalSql)).size).toBe(corpus.length);
  });

  test.each([
    [
      "a comment and an adapter's hint",
      "create /** mode('batch') */ view v as select 1 -- x",
      "CREATE VIEW v AS SELECT 1",
    ],
    ["parentheses around a view's query", "create view v as ( ( select 1 ) );", "CREATE VIEW v AS SELECT 1"],
    ["an empty WITH", "create table t with ( ) as (select 1 as a)", "create table t as select 1 as a"],
    [
      "the order of table options",
      "create table t (a INT) with ('b'='1','a'='2')",
      "create table t (a INT) with ('a'='2','b'='1')",
    ],
    [
      "blanks and comments in an optimizer hint",
      "SELECT /*+OPTIONS('a'='b') /* x */ */ 1",
      "SELECT /*+ OPTIONS ( 'a' = 'b' ) */ 1",
    ],
    ["quotes around a keyword that may be a name", "select `name`, `value` from t", "select name, `value` from t"],
    ["quotes in a compound name", "select `a`.`b` from `c`.d", "select a . b from c.d"],
    ["blanks around a quoted setting", "set  'a'='b' ;", "SET 'a' = 'b'"],
  ])("does not see %s", (_what, a, b) => {
    expect(canonicalSql(a)).toBe(canonicalSql(b));
  });

  test.each([
    ["the case of a name", "select A from t", "select a from t"],
    ["the case of a function that may be the user's column", "select current_date", "select CURRENT_DATE"],
    ["a name in quotes that reads otherwise without", "select `order` from t", "select order from t"],
    ["a quoted name before a bracket, where a keyword begins a syntax", "select `map`[1]", "select map[1]"],
    [
      "parentheses that join only a part",
      "create view v as (select 1) union (select 2)",
      "create view v as select 1 union select 2",
    ],
    ["parentheses inside", "select (a + b) * c", "select a + b * c"],
    ["an optimizer hint", "select /*+ STATE_TTL('t'='1d') */ a from t", "select a from t"],
    ["another case inside an optimizer hint", "select /*+ x(A) */ 1", "select /*+ x(a) */ 1"],
    ["blanks in a string", "select 'a b'", "select 'a  b'"],
    ["what looks like a comment in a string", "select '--x'", "select '--y'"],
    ["strings on one line, which Flink refuses", "select 'a' 'b'", "select 'a'\n'b'"],
    ["a number's form", "select 1.0", "select 1.00"],
    [
      "options of which one stands twice",
      "create table t with ('a'='1','a'='2') as select 1 as x",
      "create table t with ('a'='2','a'='1') as select 1 as x",
    ],
    [
      "an option that stands twice",
      "create table t (a INT) with ('a'='1','a'='2')",
      "create table t (a INT) with ('a'='2')",
    ],
    ["the order of columns", "create view v as select a, b", "create view v as select b, a"],
    ["two operators apart", "select a > = b", "select a >= b"],
    ["a bare setting's blanks", "SET a.b = c", "SET a . b = c"],
    ["a comment that is not closed", "select 1 /* a", "select 1"],
  ])("sees %s", (_what, a, b) => {
    expect(canonicalSql(a)).not.toBe(canonicalSql(b));
  });
});
