import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { committedRows, orderNumberOf } from "../../../scripts/demo/sink-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-sink-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("only committed files count: those that Flink is still writing, and marks of its own, do not", async () => {
  writeFileSync(join(folder, "part-1-0-0"), "1,10\n2,20\n");
  writeFileSync(join(folder, "part-1-0-1"), "3,30\n");
  writeFileSync(join(folder, ".part-1-0-2.inprogress.5f"), "4,40\n");
  writeFileSync(join(folder, "_SUCCESS"), "");
  expect(await committedRows(folder)).toEqual([
    ["1", "10"],
    ["2", "20"],
    ["3", "30"],
  ]);
});

test("a sink whose folder is not there yet has no rows", async () => {
  expect(await committedRows(join(folder, "none"))).toEqual([]);
});

test("a folder that cannot be read is no empty sink", async () => {
  mkdirSync(join(folder, "part-0"));
  await expect(committedRows(folder)).rejects.toThrow("EISDIR");
});

test("a row's number is its first column, and a row without one is an error", () => {
  expect(orderNumberOf(["17", "x"])).toBe(17);
  expect(() => orderNumberOf(["x", "17"])).toThrow("the row x,17");
  expect(() => orderNumberOf([])).toThrow("begins with no number");
});
