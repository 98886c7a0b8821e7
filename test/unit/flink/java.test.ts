import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findJava, parseJavaVersion } from "../../../src/flink/java.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-java-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A Java home whose `java -version` says so. */
function home(version: string): string {
  const bin = join(folder, version, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "java"), `#!/bin/sh\necho 'openjdk version "${version}" 2025-04-15' >&2\n`);
  chmodSync(join(bin, "java"), 0o755);
  return join(folder, version);
}

const javaOf = (javaHome: string) => join(javaHome, "bin", "java");

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "11.0.22" 2024-01-16', 11],
  ['java version "1.8.0_402"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ['openjdk version "24-ea" 2025-03-18', 24],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.1"', 17],
  ["command not found", null],
])("%j is Java %s", (output, version) => {
  expect(parseJavaVersion(output)).toBe(version);
});

describe("the Java that Flink is started with", () => {
  test("is JAVA_HOME's before PATH's", async () => {
    const environment = { JAVA_HOME: home("17.0.1"), PATH: join(home("11.0.2"), "bin") };
    expect(await findJava("1.20.3", environment)).toBe(javaOf(environment.JAVA_HOME));
  });

  test("is PATH's where JAVA_HOME does not serve", async () => {
    const environment = { JAVA_HOME: home("1.8.0_402"), PATH: join(home("11.0.2"), "bin") };
    expect(await findJava("1.20.3", environment)).toBe(join(environment.PATH, "java"));
  });

  test("is another one that the runner has installed, where neither serves", async () => {
    const environment = { JAVA_HOME: home("25.0.1"), PATH: "", JAVA_HOME_17_X64: home("17.0.1") };
    expect(await findJava("2.3.0", environment)).toBe(javaOf(environment.JAVA_HOME_17_X64));
  });

  test.each([
    ["1.17.2", "17.0.1", true],
    ["1.17.2", "21.0.1", false],
    ["1.20.3", "21.0.1", true],
    ["2.3.0", "21.0.1", true],
    ["2.3.0", "25.0.1", false],
    ["2.3.0", "11.0.2", true],
    ["2.3.0", "1.8.0_402", false],
  ])("for Flink %s may be Java %s: %s", async (flink, java, serves) => {
    const found = findJava(flink, { JAVA_HOME: home(java), PATH: "" });
    if (serves) expect(await found).toBe(javaOf(home(java)));
    else await expect(found).rejects.toMatchObject({ code: "java-missing" });
  });

  test("is `java-missing` with what was found instead", async () => {
    const old = home("1.8.0_402");
    await expect(findJava("1.17.2", { JAVA_HOME: old, PATH: "" })).rejects.toMatchObject({
      code: "java-missing",
      message: `Flink 1.17.2 needs Java 11 or 17, found Java 8 (${javaOf(old)})`,
    });
  });

  test("is `java-missing` where there is none at all", async () => {
    await expect(findJava("1.20.3", { PATH: folder })).rejects.toMatchObject({
      message: "Flink 1.20.3 needs Java 11, 17 or 21, neither JAVA_HOME nor PATH has a java",
    });
  });
});
