import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { type EmbeddedGateway, startGateway } from "../../src/flink/embedded.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { openAnswers } from "../../src/planner/answers.ts";

const log = (): void => undefined;

describe.each(["1.20.3", "2.3.0"])("what a macro asks, answered by the planner of Flink %s", (version) => {
  let folder: string;
  let embedded: EmbeddedGateway;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-answers-"));
    const cacheFolder = defaultCacheFolder(process.env);
    const distribution = await provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, log });
    embedded = await startGateway({ distribution, folder, log });
  });
  afterAll(async () => {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const files = {
    sql: `/* {"app": "dbt"} */ CREATE TABLE files (line STRING) WITH ('connector' = 'filesystem', 'path' = 'file:///etc/hostname', 'format' = 'raw')`,
  };
  const copy = {
    sql: "create table copy /** mode('streaming')*/ with ('connector' = 'blackhole') as (select line from files)",
  };

  test("is computed, shown and described", async () => {
    await using answers = openAnswers({
      gateway: new Gateway({ url: embedded.url }),
      initSql: [],
      signal: AbortSignal.timeout(60_000),
    });
    expect((await answers.answer("select upper('a') as b, 1 + 1 as c", [])).rows).toEqual([["A", 2]]);
    expect((await answers.answer("select max(x) from (values 1, 3, 2) as t(x) where x < 3", [])).rows).toEqual([[2]]);
    expect((await answers.answer("SHOW TABLES", [files, copy])).rows.flat().sort()).toEqual(["copy", "files"]);
    expect((await answers.answer("DESCRIBE copy", [files, copy])).rows[0]?.slice(0, 2)).toEqual(["line", "STRING"]);
  });

  test.each([
    "select * from files",
    "select count(*) from copy",
    "with a as (select line from files) select * from (values 1) as t(x), a",
    "select x from (values 1) as t(x) where exists (select 1 from files)",
  ])("is never read from a table, which may be a file of this machine: %s", async (sql) => {
    await using answers = openAnswers({
      gateway: new Gateway({ url: embedded.url }),
      initSql: [],
      signal: AbortSignal.timeout(60_000),
    });
    await expect(answers.answer(sql, [files, copy])).rejects.toMatchObject({
      code: "statement-failed",
      message: expect.stringContaining("a macro queries a table"),
    });
  });

  test("leaves a catalog of init SQL as it is", async () => {
    await using answers = openAnswers({
      gateway: new Gateway({ url: embedded.url }),
      initSql: [
        "CREATE CATALOG lake WITH ('type' = 'generic_in_memory')",
        "USE CATALOG lake",
        "CREATE TABLE stock (id BIGINT) WITH ('connector' = 'datagen')",
      ],
      signal: AbortSignal.timeout(60_000),
    });
    const recorded = [
      "drop table if exists stock",
      "CREATE DATABASE shop",
      "CREATE TABLE lines (line STRING) WITH ('connector' = 'datagen')",
      "CREATE TABLE own (n BIGINT)",
    ].map((sql) => ({ sql }));
    expect((await answers.answer("SHOW TABLES", recorded)).rows.flat().sort()).toEqual(["lines", "own", "stock"]);
    expect((await answers.answer("DESCRIBE own", recorded)).rows[0]?.slice(0, 2)).toEqual(["n", "BIGINT"]);
    expect((await answers.answer("SHOW DATABASES", recorded)).rows).toEqual([["default"]]);
  });

  test("knows of a second recording only what that one made", async () => {
    await using answers = openAnswers({
      gateway: new Gateway({ url: embedded.url }),
      initSql: [],
      signal: AbortSignal.timeout(60_000),
    });
    const asked = { sql: "SHOW TABLES" };
    expect((await answers.answer("SHOW TABLES", [asked, files])).rows).toEqual([["files"]]);
    expect((await answers.answer("SHOW TABLES", [files, copy])).rows.flat().sort()).toEqual(["copy", "files"]);
    expect((await answers.answer("SHOW TABLES", [copy])).rows).toEqual([]);
  });

  test("loads no jar of the project", async () => {
    await using answers = openAnswers({
      gateway: new Gateway({ url: embedded.url }),
      initSql: [],
      signal: AbortSignal.timeout(60_000),
    });
    const jar = { sql: "ADD JAR 'file:///nowhere/hostile.jar'" };
    const udf = { sql: "CREATE TEMPORARY FUNCTION f AS 'hostile.Function' USING JAR 'file:///nowhere/hostile.jar'" };
    expect((await answers.answer("SHOW JARS", [jar, udf])).rows).toEqual([]);
  });
});
