import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deepestJson, parseJson } from "../../../src/flink/parse-json.ts";
import { isMissing, readTail, readText } from "../../../src/flink/read-text.ts";
import { parseExactJson, writeExactJson } from "../../../src/planner/exact-json.ts";
import { canonical } from "../../../src/project/manifest.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-text-"));
  writeFileSync(join(folder, "text"), "größer");
  execFileSync("mkfifo", [join(folder, "pipe")]);
  symlinkSync("/dev/zero", join(folder, "endless"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const read = (name: string, maxBytes = 1024): Promise<string> => readText(join(folder, name), maxBytes);

describe("a file", () => {
  test("of just as many bytes as may be read is read", async () => expect(await read("text", 8)).toBe("größer"));

  test("of one more is not", async () => {
    await expect(read("text", 7)).rejects.toThrow(/text is larger than 0 KB/);
  });

  test.each(["pipe", "endless", "."])("that is none is not waited for: %s", async (name) => {
    await expect(read(name)).rejects.toThrow("is no file");
  });

  test("that has no size, as those of /proc, is read up to the limit", async () => {
    expect(await readText("/proc/self/status", 1 << 20)).toContain("Pid:");
    await expect(readText("/proc/self/status", 10)).rejects.toThrow("is larger than");
  });

  test("that is not there is told from one that cannot be read", async () => {
    expect(isMissing(await read("nothing").catch((error: unknown) => error))).toBe(true);
    expect(isMissing(await read("pipe").catch((error: unknown) => error))).toBe(false);
  });

  test("of ours is read from its end", async () => {
    expect(await readTail(join(folder, "text"), 3)).toEqual({
      text: "ßer".slice(1).padStart(3, "\ufffd"),
      isWhole: false,
    });
    expect(await readTail(join(folder, "text"), 8)).toEqual({ text: "größer", isWhole: true });
  });
});

describe("JSON", () => {
  const nested = (depth: number): string => `${'{"a":['.repeat(depth / 2)}1${"]}".repeat(depth / 2)}`;

  test("as deep as may be is read, compared and written", () => {
    const text = nested(deepestJson);
    expect(JSON.stringify(parseJson(text))).toBe(text);
    expect(canonical(parseJson(text))).toBe(text);
    expect(writeExactJson(parseExactJson(text))).toBe(text);
  });

  test("that is deeper is refused, by everything that reads it", () => {
    expect(() => parseJson(nested(deepestJson + 2))).toThrow(`deeper than ${deepestJson}`);
    expect(() => parseExactJson(nested(deepestJson + 2))).toThrow(`deeper than ${deepestJson}`);
  });

  test("brackets in strings are none", () => {
    const text = JSON.stringify({ [`"\\${"[".repeat(5_000)}`]: "{".repeat(5_000) });
    expect(JSON.stringify(parseJson(text))).toBe(text);
  });

  test("that is none is a SyntaxError, as ever", () => {
    for (const text of ["", "<html>", '"', "]]]", '{"a"']) expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
