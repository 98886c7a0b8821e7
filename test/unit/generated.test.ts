import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { actionYml, readme, recoveryPage } from "../../scripts/generated.ts";
import { version } from "../../src/version.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

describe("what is generated is as `npm run generate` makes it", () => {
  test("action.yml", () => expect(read("action.yml")).toBe(actionYml()));
  test("the README's tables", () => expect(readme(read("README.md"))).toBe(read("README.md")));
  test("docs/recovery.md", () => expect(read("docs/recovery.md")).toBe(recoveryPage()));
  test("the version is the one in package.json", () => {
    expect((JSON.parse(read("package.json")) as { version: string }).version).toBe(version);
  });
});
