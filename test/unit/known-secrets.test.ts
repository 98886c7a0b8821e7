import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KnownSecrets } from "../../src/known-secrets.ts";
import { htmlText, plainText } from "../../src/report/markdown-text.ts";

const mask = "******";

function masking(...secrets: readonly string[]): (text: string) => string {
  const known = new KnownSecrets();
  for (const secret of secrets) known.add(secret);
  return (text) => known.replace(text, mask);
}

/** The ways in which a text gets into what others read. */
const writings: readonly (readonly [string, (text: string) => string])[] = [
  ["as it is", (text) => text],
  ["URL-encoded", encodeURIComponent],
  ["as a form sends it", (text) => new URLSearchParams([["", text]]).toString().slice(1)],
  ["URL-encoded with small letters", (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase())],
  [
    "URL-encoded byte by byte",
    (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  ],
  ["in JSON", (text) => JSON.stringify(text)],
  ["in JSON within JSON", (text) => JSON.stringify(JSON.stringify(text))],
  ["in JSON of ASCII alone", (text) => JSON.stringify(text).replace(/[^ -~]|[&<>=']/g, unicodeEscape)],
  ["in a string of SQL", (text) => `'${text.replaceAll("'", "''")}'`],
  ["in Markdown", plainText],
  ["in HTML", htmlText],
];
function unicodeEscape(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const signs = "abcXYZ019 '\"\\&<>%+/=_-.:;@$*[](){}|~`#!?,^\n\täé漢🔑";
const text = fc.array(fc.constantFrom(...signs), { maxLength: 12 }).map((found) => found.join(""));
/** Long enough to be looked for everywhere, with no blank at an end. */
const secret = fc
  .array(fc.constantFrom(...signs), { minLength: 6, maxLength: 40 })
  .map((found) => `q${found.join("")}z`)
  .filter((found) => !/\\n|\\t|&\w+;|%[0-9a-f]{2}/i.test(found));

describe("a known secret", () => {
  test.each(writings)("is found %s, whatever stands around it", (_name, write) => {
    fc.assert(
      fc.property(secret, text, text, (value, before, after) => {
        const masked = masking(value)(`${before}|${write(value)}|${after}`);
        expect(masked).toContain(mask);
        expect(masked).not.toContain(value);
        expect(masked).not.toContain(write(value).replace(/^['"]+|['"]+$/g, ""));
      }),
      { numRuns: 300 },
    );
  });

  test("is found in base64 of both alphabets at every place in what is encoded", () => {
    fc.assert(
      fc.property(
        secret,
        fc.uint8Array({ maxLength: 7 }),
        fc.uint8Array({ maxLength: 7 }),
        fc.boolean(),
        (value, before, after, forUrls) => {
          const bytes = Buffer.concat([before, Buffer.from(value), after]);
          const masked = masking(value)(`x ${bytes.toString(forUrls ? "base64url" : "base64")} y`);
          expect(masked).toContain(mask);
          // What is left on either side holds nothing of it.
          const [left = "", right = ""] = masked.slice(2, -2).split(mask);
          expect(Buffer.from(left, "base64").length).toBeLessThanOrEqual(before.length);
          expect(right.replace(/=+$/, "").length).toBeLessThanOrEqual(Math.ceil((after.length * 8) / 6));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is found in base64 that is URL-encoded, or within JSON", () => {
    const value = "\u00fb\u00ff?>~hunter2??>";
    const encoded = Buffer.from(`user:${value}`).toString("base64");
    expect(encoded).toMatch(/[+/]/);
    for (const written of [encodeURIComponent(encoded), encoded.replaceAll("/", "\\/")]) {
      expect(masking(value)(written)).toContain(mask);
    }
  });

  test("the longest of several goes first, so that no end is left behind", () => {
    expect(masking("hunter22", "hunter22-and-more")("x hunter22-and-more y hunter22 z")).toBe(`x ${mask} y ${mask} z`);
  });

  test("what was masked stays as it is", () => {
    const known = masking("hunter2-hunter2", "******", "geheim");
    const once = known("a hunter2-hunter2 b geheim c");
    expect(known(once)).toBe(once);
  });

  test.each(["", "abc", "  ab ", "true", "NULL", "default", "12345", "1234567", "*****"])(
    "%j is no use to look for everywhere",
    (value) => expect(masking(value)(`x ${value} y`)).toBe(`x ${value} y`),
  );

  test("one of 4 to 7 signs is found where it stands by itself, and not within names", () => {
    const known = masking("flink");
    expect(known("'password'='flink', user:flink@host, x=flink&y, p%3Dflink%26, line\\nflink\\n")).toBe(
      `'password'='${mask}', user:${mask}@host, x=${mask}&y, p%3D${mask}%26, line\\n${mask}\\n`,
    );
    expect(known("flink-dbt-deploy, my_flink, flink2, reflinked")).toBe(
      "flink-dbt-deploy, my_flink, flink2, reflinked",
    );
  });

  test.each([
    ["backslashes", "\\".repeat(300_000)],
    ["quotes", "'".repeat(300_000)],
    ["blanks", " ".repeat(300_000)],
    ["beginnings", "'\\ '\\ '".repeat(40_000)],
    ["entities", "&amp;".repeat(60_000)],
  ])("no text of %s takes long to look through", (_name, long) => {
    const known = masking("'\\ '\\ '\\ 'x", "\\\\\\\\\\\\\\\\x", "''''''''''x", "&amp;&amp;&amp;x", "a        b");
    // It ends within the time of a test, where one that tries every way would not in a year.
    expect(known(long)).toBe(long);
  });
});
