import { describe, expect, test } from "vitest";
import { configurationFile, mergedConfig } from "../../../src/flink/configuration.ts";

describe("Flink's configuration file", () => {
  test.each([
    ["1.17.2", "flink-conf.yaml", "a.b: c: d\n"],
    ["1.20.3", "flink-conf.yaml", "a.b: c: d\n"],
    ["2.0.0", "config.yaml", 'a.b: "c: d"\n'],
    ["2.3.0", "config.yaml", 'a.b: "c: d"\n'],
    ["10.0.0", "config.yaml", 'a.b: "c: d"\n'],
  ])("of %s is %s", (version, name, text) => {
    expect(configurationFile(version, { "a.b": "c: d" })).toEqual({ name, text });
  });

  test("of Flink 2 keeps what YAML would read otherwise", () => {
    const { text } = configurationFile("2.3.0", { "a.b": 'x # "y"\n*', c: "true" });
    expect(text).toBe('a.b: "x # \\"y\\"\\n*"\nc: "true"\n');
  });

  test.each(["x # y", "x\ny", " x", ""])("of Flink 1 refuses the value %j, which it would read otherwise", (value) => {
    expect(() => configurationFile("1.20.3", { "a.b": value })).toThrow("the value of a.b");
  });
});

test("the user's config goes before our defaults, and what holds the processes together before both", () => {
  const config = mergedConfig(
    { a: "default", b: "default", c: "default" },
    { b: "user", c: "user" },
    { c: "required" },
  );
  expect(config).toEqual({ a: "default", b: "user", c: "required" });
});
