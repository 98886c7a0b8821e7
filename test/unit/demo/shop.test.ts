import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { badEdit, commitEdit, createShop, goodEdit } from "../../../scripts/demo/shop.ts";

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-shop-"));
  await createShop(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8" });

test("the demo's edits fit the example: each is a commit, and nothing is left uncommitted", async () => {
  await commitEdit(folder, goodEdit);
  await commitEdit(folder, badEdit);
  expect(git("log", "--format=%s").trim().split("\n")).toEqual([badEdit.message, goodEdit.message, "A shop"]);
  expect(git("status", "--porcelain")).toBe("");
  expect(readFileSync(join(folder, "models/order_log.sql"), "utf8")).toContain("vat_percent = 20");
});

test("an edit that the example no longer fits is an error, not a change that is not there", async () => {
  await commitEdit(folder, goodEdit);
  await expect(commitEdit(folder, goodEdit)).rejects.toThrow(
    "models/order_log.sql does not hold `vat_percent = 19` once",
  );
});
