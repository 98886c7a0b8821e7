import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "SECURITY.md"), "utf8");

describe("SECURITY.md", () => {
  const named = [...page.matchAll(/\[([^\]]+)\]\((test\/[^)]+)\)/g)].map(([, name = "", file = ""]) => ({
    name,
    file,
  }));

  test("names tests", () => expect(named.length).toBeGreaterThan(20));

  test.each(named)("$file has the test “$name”", ({ name, file }) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(readFileSync(join(root, file), "utf8")).toContain(name);
  });

  test("says of each row without a test that there is no wall, or what is missing in it", () => {
    const rows = page.split("\n").filter((line) => /^\| .*\|$/.test(line) && line.endsWith("|  |"));
    for (const row of rows) expect(row).toContain("**");
  });
});

test("the list of what the bundles are made of names the dependencies, with their versions", () => {
  const text = execFileSync(process.execPath, [join(root, "scripts", "sbom.ts")], { encoding: "utf8" });
  const list = JSON.parse(text) as { bomFormat: string; components: { name: string; version: string; purl: string }[] };
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
  const names = list.components.map(({ purl }) => decodeURIComponent(purl).replace(/^pkg:npm\/(.*)@[^@]*$/, "$1"));
  expect(list.bomFormat).toBe("CycloneDX");
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  expect(names).not.toContain("vitest");
  expect(list.components.every(({ version }) => /^\d+\./.test(version))).toBe(true);
});
