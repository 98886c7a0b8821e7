import fc from "fast-check";
import { expect, test } from "vitest";
import { code, fenced, htmlText, plainText, sentence } from "../../../src/report/markdown-text.ts";

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

test.each([
  ["# one", "\\# one"],
  ["- two", "\\- two"],
  ["3. three", "3\\. three"],
  ["---", "\\---"],
  ["1.20.3 and -1 stay", "1.20.3 and -1 stay"],
])("%s begins no block of its own", (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

test.each([
  [
    "www.example.com GH-12 :tada: me@example.com",
    "www\u200b.example.com GH\u200b-12 :\u200btada: me@\u200bexample.com",
  ],
  ["a\u202eb\u200bc\u00add", "a⟨U+202E⟩b⟨U+200B⟩c⟨U+00AD⟩d"],
])("%s makes no link, picture or trick", (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

test.each([
  ["set `renames: a=b` to keep *it*", "set `renames: a=b` to keep \\*it\\*"],
  ["from s3://bucket/sp-1, or (file:///x).", "from `s3://bucket/sp-1`, or (`file:///x`)."],
  ["see https://evil.example/?q=<b>", "see https:\u200b//evil.example/?q=&lt;b&gt;"],
  ["a ` b", "a \\` b"],
  ["`a|b` it is", "\\`a\\|b\\` it is"],
])("%s keeps its code as code", (text, expected) => {
  expect(sentence(text)).toBe(expected);
});

test("whatever the text, it stays one cell of one row without HTML", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(plainText(text)).not.toMatch(/[\n\r<>]|(?<!\\)\|/);
      expect(sentence(text)).not.toMatch(/[\n\r<>]|(?<!\\)\|/);
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
