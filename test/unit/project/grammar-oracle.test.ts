import { FlinkSQL } from "dt-sql-parser/dist/parser/flink/index.js";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { canonicalSql } from "../../../src/project/canonical-sql.ts";
import { readableSql } from "../../../src/project/readable-sql.ts";
import { splitStatements } from "../../../src/project/split-statements.ts";
import { tokenize } from "../../../src/project/tokens.ts";
import { statement, type Tokens, written } from "./sql-arbitraries.ts";

/*
 * Another grammar of Flink SQL, written by others, reads the same texts. It knows less than Flink's own, so what is
 * given to it leaves out: quoted names with anything but letters, names with `$`, a backslash in a string, which it
 * takes for an escape, and characters beyond 16 bits, which shift its offsets. It reads `<>` as two tokens, so
 * operators are not compared. What it cannot judge is in tokens.test.ts, as Flink's own lexer answered.
 */
// Its parser is large and takes seconds to load and warm up.
vi.setConfig({ testTimeout: 60_000 });
const grammar = new FlinkSQL();
const isSimple = (tokens: Tokens) => tokens.every((token) => !/^`(?!\w+`$)/.test(token) && !/^x\$y$|\\|😀/.test(token));
const simple = statement.filter(isSimple);

const isOperand = (text: string) => /^[\w'`]/.test(text);
const boundaries = (sql: string) =>
  grammar
    .getAllTokens(sql)
    .map((token) => token.text ?? "")
    .filter(isOperand);

describe("beside another grammar of Flink SQL", () => {
  test("tokens begin and end at the same places", () => {
    fc.assert(
      fc.property(simple.chain(written), (sql) => {
        const ours = tokenize(sql).map((token) => token.text);
        expect(ours.filter(isOperand)).toEqual(boundaries(sql));
      }),
      { numRuns: 40 },
    );
  });

  test("a script splits into the same statements", () => {
    fc.assert(
      fc.property(fc.array(simple, { minLength: 1, maxLength: 3 }), (statements) => {
        const script = statements.map((tokens) => tokens.join(" ")).join(" ;\n");
        const theirs = grammar.splitSQLByStatement(`${script} ;`)?.map(({ text }) => text.replace(/;$/, "").trim());
        expect(splitStatements(script)).toEqual(theirs);
      }),
      { numRuns: 30 },
    );
  });

  test("canonical and readable forms of what it accepts are accepted too", () => {
    fc.assert(
      fc.property(simple.chain(written), (sql) => {
        fc.pre(grammar.validate(sql).length === 0);
        expect(grammar.validate(canonicalSql(sql))).toEqual([]);
        expect(grammar.validate(readableSql(sql))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
