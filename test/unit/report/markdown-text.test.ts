import fc from "fast-check";
import { expect, test } from "vitest";
import { code, fenced, htmlText, plainText } from "../../../src/report/markdown-text.ts";

test.each([
  ["a | b", "a \\| b"],
  ["**bold** _it_ `code`", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\`"],
  ["order_view stays readable", "order_view stays readable"],
  ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
  ["[text](https://evil.example)", "\\[text\\](https:\u200b//evil.example)"],
  ["two\nlines", "two lines"],
  ["ask @octocat about #12", "ask @\u200boctocat about #\u200b12"],
  ["costs $1 and $2", "costs \\$1 and \\$2"],
])("%s becomes text that means nothing to Markdown", (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

test("whatever the text, it stays one cell of one row without HTML", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(plainText(text)).not.toMatch(/[\n\r<>]|(?<!\\)\|/);
      expect(htmlText(text)).not.toMatch(/[\n\r<>"|`]/);
    }),
  );
});

test("a name is in code letters unless it could end them", () => {
  expect(code("per_customer")).toBe("`per_customer`");
  expect(code("a`b|c")).toBe("a\\`b\\|c");
});

test("a fence is longer than any run of backticks in what it holds", () => {
  expect(fenced("sql", "SELECT 1")).toBe("```sql\nSELECT 1\n```");
  expect(fenced("diff", "````\n</details>")).toBe("`````diff\n````\n</details>\n`````");
  expect(fenced("sql", "` ".repeat(300_000))).toMatch(/^```sql\n/);
});
