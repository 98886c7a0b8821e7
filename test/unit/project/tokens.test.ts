import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meaningful, tokenize } from "../../../src/project/tokens.ts";
import { statement, written } from "./sql-arbitraries.ts";

const texts = (sql: string) => tokenize(sql).map((token) => token.text);
const kinds = (sql: string) => tokenize(sql).map((token) => `${token.kind} ${token.text}`);

describe("tokenize", () => {
  test("loses no character: what is between tokens is blank", () => {
    const unit = fc.oneof(
      fc.constantFrom(
        "'",
        "`",
        "--",
        "//",
        "/*",
        "*/",
        "/**",
        "/*+",
        "\n",
        "\r",
        "\f",
        "\t",
        " ",
        ";",
        "''",
        "``",
        "E'",
      ),
      fc.string({ unit: "binary", minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const sql = parts.join("");
        const tokens = tokenize(sql);
        const gaps = tokens.map((token, at) => sql.slice(tokens[at - 1]?.end ?? 0, token.start));
        const rest = sql.slice(tokens.at(-1)?.end ?? 0);
        expect(tokens.map((token, at) => `${gaps[at]}${token.text}`).join("") + rest).toBe(sql);
        expect([...gaps, rest].join("")).toMatch(/^[ \t\n\r\f]*$/);
        expect(tokens.every((token) => token.end > token.start)).toBe(true);
      }),
    );
  });

  test("finds the tokens of a statement, whatever comments and blanks stand between them", () => {
    const given = statement.chain((tokens) => fc.tuple(fc.constant(tokens), written(tokens)));
    fc.assert(
      fc.property(given, ([tokens, sql]) => {
        expect(meaningful(tokenize(sql)).map((token) => token.text)).toEqual(tokens);
      }),
    );
  });

  // The expectations below are what the lexers of Flink 1.17.2, 1.20.3 and 2.3.0 answered, token by token.
  test.each([
    ["comments do not nest", "/* a /* b */ c", ["/* a /* b */", "c"]],
    ["/**/ is a whole comment", "/**/ x", ["/**/", "x"]],
    ["/***/ is not closed yet", "/***/ x /* y */ z", ["/***/ x /* y */", "z"]],
    ["/****/ is closed", "/****/ x", ["/****/", "x"]],
    ["/*/ is not closed yet", "/*/ x */ y", ["/*/ x */", "y"]],
    ["two slashes begin a comment as two dashes do", "a // b ' \n c--d\re", ["a", "// b ' ", "c", "--d", "e"]],
    ["a star before a comment takes its slash", "a*/*c*/b", ["a", "*/", "*", "c", "*/", "b"]],
    ["doubled quotes stay inside", "'it''s' `a``b` ''", ["'it''s'", "`a``b`", "''"]],
    ["a backslash escapes nothing", "'a\\' b", ["'a\\'", "b"]],
    ["but in a C-style string", "E'a\\'b' c", ["E'a\\'b'", "c"]],
    [
      "prefixes belong to their string",
      "U&'\\0041' _utf-8'x' N'y' x'CAFE' _foo 'z'",
      [...["U&'\\0041'", "_utf-8'x'", "N'y'", "x'CAFE'", "_foo", "'z'"]],
    ],
    ["numbers", "1.5 .5 5. 1e5 1.5E-3 1a 1..2", ["1.5", ".5", "5.", "1e5", "1.5E-3", "1", "a", "1.", ".2"]],
    [
      "operators",
      "a||b=>c!=d<>e<=f>=g->h",
      [...["a", "||", "b", "=>", "c", "!=", "d", "<>", "e", "<=", "f", ">=", "g", "-", ">", "h"]],
    ],
    ["names in any script", "é 中文 $x a_1 x$y", ["é", "中文", "$x", "a_1", "x$y"]],
  ])("%s", (_rule, sql, expected) => {
    expect(texts(sql)).toEqual(expected);
  });

  test("an optimizer hint is one token and no comment", () => {
    expect(kinds("SELECT /*+ OPTIONS('a'='*/') -- c\n */ x")).toEqual([
      "word SELECT",
      "hint /*+ OPTIONS('a'='*/') -- c\n */",
      "word x",
    ]);
  });

  test.each(["'a", "`a", "`a\nb`", "/* a", "/*+ a", "/*+ 'a */", "U&'x", "``"])("%j is not closed", (sql) => {
    expect(kinds(sql)).toEqual([`unterminated ${sql}`]);
  });

  test("what Flink's lexer refuses is kept as unknown", () => {
    expect(kinds("a\u00a0b @😀!")).toEqual([
      "word a",
      "unknown \u00a0",
      "word b",
      "unknown @",
      "unknown 😀",
      "unknown !",
    ]);
  });
});
