import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { initSqlFindings, readInitSql } from "../../../src/commands/init-sql.ts";

let folder: string;
let repository: string;
const git = (...words: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: repository, encoding: "utf8" });
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "init-sql-")));
  repository = join(folder, "repo");
  await mkdir(join(repository, "sql"), { recursive: true });
  git("init", "-q", "-b", "main");
});
afterEach(() => rm(folder, { recursive: true }));

const written = (sql: string, path = join(repository, "sql/init.sql")) => writeFile(path, sql);
const committed = (): string => {
  git("add", "-A");
  git("commit", "-qm", "a", "--allow-empty");
  return git("rev-parse", "HEAD").trim();
};
const warned = async (base: string, path = "sql/init.sql"): Promise<readonly string[]> => {
  const findings = await initSqlFindings(path, repository, { base, repository });
  expect(findings.every(({ severity }) => severity === "warning")).toBe(true);
  return findings.map(({ message }) => message);
};

test("another init SQL than the base's is a warning, in which form and comments do not count", async () => {
  await written("CREATE CATALOG c WITH ('type' = 'x'); USE CATALOG c;");
  const base = committed();
  expect(await warned(base)).toEqual([]);
  await written("-- ours\nCREATE CATALOG `c` with (\n 'type'='x');\n\nUSE CATALOG c");
  expect(await warned(base)).toEqual([]);
  await written("CREATE CATALOG c WITH ('type' = 'y'); USE CATALOG c;");
  expect(await warned(base)).toEqual([
    "`init-sql` (sql/init.sql) is another one in the base. It is part of no job: running jobs that use what it makes are not upgraded for it.",
  ]);
});

test("one that the base does not have is a warning too; of one elsewhere nothing is known", async () => {
  const base = committed();
  await written("USE CATALOG c;");
  expect(await warned(base)).toEqual([expect.stringContaining("(sql/init.sql) is not in the base.")]);
  await written("USE CATALOG c;", join(folder, "init.sql"));
  expect(await warned(base, "../init.sql")).toEqual([]);
  expect(await initSqlFindings(null, repository, { base, repository })).toEqual([]);
});

test("one that cannot be read is named", async () => {
  await expect(readInitSql("nothing.sql", repository)).rejects.toMatchObject({
    code: "inputs-invalid",
    message: expect.stringContaining("init-sql: nothing.sql cannot be read"),
  });
});
