import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeScratch, type Revision, refuseUncommitted } from "../../../src/commands/checkout.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "scratch-"));
});
afterEach(() => rm(parent, { recursive: true }));

test("a killed process's folder is removed at the next start; a living one's, another host's and others stay", async () => {
  const { pid: dead } = spawnSync("true");
  const name = (pid: number, host: string) => `flink-dbt-deploy-${pid}-${host}-AbCdEf`;
  const stay = [name(process.ppid, hostname()), name(dead, "another-host"), "flink-dbt-deploy-of-mine"];
  for (const folder of [...stay, name(dead, hostname())])
    await mkdir(join(parent, folder, "head-tree"), { recursive: true });
  {
    await using scratch = await makeScratch(parent);
    expect(await readdir(parent)).toHaveLength(4);
    expect(scratch.folder).toContain(`-${process.pid}-`);
  }
  expect((await readdir(parent)).sort()).toEqual(stay.sort());
});

test("a working tree with changes is refused with the files that hold them, the first of many", () => {
  const revision = (count: number): Revision => ({
    projectFolder: "/repo/shop",
    commit: "0",
    uncommitted: Array.from({ length: count }, (_, index) => `shop/models/${index}.sql`),
    [Symbol.asyncDispose]: async () => undefined,
  });
  expect(() => refuseUncommitted(revision(0))).not.toThrow();
  expect(() => refuseUncommitted(revision(1))).toThrow(/in no commit, in shop\/models\/0\.sql: commit them/);
  expect(() => refuseUncommitted(revision(7))).toThrow(/models\/3\.sql, shop\/models\/4\.sql and 2 more: commit/);
});
