import { execFileSync } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type CompiledSide, maybeChanged } from "../../src/project/changed.ts";
import { jobsOf } from "../../src/project/jobs.ts";
import { type DbtCommand, provideDbt } from "../../src/project/python.ts";
import { compileSide, recordSide } from "../../src/project/record.ts";
import type { Answer } from "../../src/project/recorder.ts";
import type { Recording } from "../../src/project/recording.ts";
import { openSide, type Side } from "../../src/project/side.ts";
import {
  bareProject,
  cacheFolder,
  type Files,
  folderWith,
  profiles,
  requirements,
  seedAndTwoModels,
  shop,
} from "./recording-projects.ts";

let dbt: DbtCommand;
beforeAll(async () => {
  dbt = await provideDbt({ dbtCommand: null, cacheFolder, requirements, environment: process.env, log: console.log });
});

describe("dbt", () => {
  it("is there at a second start without a Python and without a network", async () => {
    const environment = { PATH: "/nowhere" };
    const log = () => expect.unreachable("nothing is installed");
    expect(await provideDbt({ dbtCommand: null, cacheFolder, requirements, environment, log })).toEqual(dbt);
  });

  it("is the user's own where one is named, with the adapter that is installed beside it", async () => {
    const [path = ""] = dbt.command;
    const own = {
      dbtCommand: path,
      cacheFolder: "/nowhere",
      requirements: [],
      environment: process.env,
      log: () => {},
    };
    expect(await provideDbt(own)).toEqual({ ...dbt, description: path });
  });
});

interface Given {
  readonly answer?: Answer;
  readonly vars?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly environmentAllow?: readonly string[];
  readonly projectFolder?: string;
  /** Whether the files are those of a git repository: only within it may a package be a link. */
  readonly isRepository?: boolean;
}

/** Gives the test a side over these files, and takes both away after it. */
async function withSide<T>(
  files: Files,
  use: (side: Side, folder: string) => Promise<T>,
  given: Given = {},
): Promise<T> {
  await using project = await folderWith(files);
  if (given.isRepository === true) execFileSync("git", ["init", "--quiet", project.path]);
  await using work = await folderWith({});
  await using side = await openSide({
    name: "head",
    dbt,
    projectFolder: join(project.path, given.projectFolder ?? ""),
    profilesFolder: null,
    target: null,
    vars: given.vars ?? null,
    workFolder: join(work.path, "side"),
    environment: given.environment ?? process.env,
    environmentAllow: given.environmentAllow ?? [],
    answer: given.answer ?? ((statement) => Promise.reject(new Error(`unexpected: ${statement}`))),
  });
  return await use(side, project.path);
}

const recordAll = (files: Files, given?: Given) => withSide(files, (side) => recordSide(side, null), given);
/** The statements of a node without dbt's comment and with single blanks. */
const sentBy = (recording: Recording, nodeId: string | null) =>
  recording.statements
    .filter((statement) => statement.nodeId === nodeId)
    .map(({ sql }) =>
      sql
        .replace(/^\/\* \{.*\} \*\//, "")
        .replace(/\s+/g, " ")
        .trim(),
    );

const failure = (files: Files, given?: Given) => expect(recordAll(files, given)).rejects;

describe("a seed and two models, with no gateway anywhere", () => {
  it("are recorded with the seed's table and the models' statements", async () => {
    const recording = await recordAll(seedAndTwoModels);
    expect(recording).toMatchObject({
      project: "shop",
      target: "dev",
      dbtVersion: "1.3.8",
      adapterVersion: "dbt-flink-adapter==1.3.11",
      selected: null,
    });
    expect(sentBy(recording, "seed.shop.words")).toEqual([
      "create table if not exists words (id DECIMAL,word STRING) with ( 'connector' = 'filesystem', 'path' = '/tmp/words', 'format' = 'csv' )",
    ]);
    expect(sentBy(recording, "model.shop.first")).toEqual([
      "/** upgrade_mode('stateless') */ /** job_state('running') */ /** drop_statement('drop table if exists `first`') */ create table first /** mode('streaming')*/ with ( 'connector' = 'blackhole' ) as ( select id, word from words );",
    ]);
    expect(sentBy(recording, "model.shop.second").join()).toContain("select id from first where id > 1");
  });
});

describe("a project with sources, views and jobs of every kind", () => {
  let recording: Recording;
  let left: readonly string[];
  let home: readonly string[];
  beforeAll(async () => {
    await using user = await folderWith({});
    const environment = { ...process.env, HOME: user.path };
    [recording, left] = await withSide(
      shop,
      async (side, folder) => {
        const recorded = await recordSide(side, null);
        await side[Symbol.asyncDispose]();
        return [recorded, (await readdir(folder)).sort()] as const;
      },
      { environment },
    );
    home = await readdir(user.path);
  });

  it("has its sources made by create_sources, with metadata and computed columns and the watermark", () => {
    expect(sentBy(recording, null).filter((sql) => sql.includes("CREATE TABLE"))[0]).toBe(
      "/** drop_statement('DROP TABLE IF EXISTS `raw_orders`') */ CREATE TABLE raw_orders /** mode('streaming')*/ ( `id` BIGINT, `price` DECIMAL(10, 2), `order_time` TIMESTAMP(3), `arrived` TIMESTAMP(3) METADATA FROM 'timestamp' , `cents` AS price * 100 , WATERMARK FOR order_time AS order_time - INTERVAL '5' SECOND ) with ( 'connector' = 'kafka', 'topic' = 'orders' );",
    );
  });

  it("has views on views, with macros and vars filled in", () => {
    expect(sentBy(recording, "model.shop.order_view").join()).toContain("from raw_orders where price > 10");
    expect(sentBy(recording, "model.shop.order_view_2").join()).toContain("select * from order_view )");
  });

  it("has a job with its execution config and its hooks around it, in order", () => {
    const statements = recording.statements.filter(({ nodeId }) => nodeId === "model.shop.orders");
    expect(statements.map(({ executionConfig }) => executionConfig)).toEqual([
      {},
      { "parallelism.default": "1", "pipeline.name": "orders" },
      {},
    ]);
    const [before, job, after] = sentBy(recording, "model.shop.orders");
    expect(before).toBe("create table if not exists audit (id bigint) with ('connector' = 'blackhole')");
    expect(job).toMatch(/upgrade_mode\('savepoint'\).* 'topic' = 'orders_out' .*from order_view_2 group by id \);$/);
    expect(after).toBe("insert into audit values (1)");
  });

  it("keeps jobs of similar names apart, and a job that reads a job", () => {
    expect(sentBy(recording, "model.shop.orders_2").join()).toMatch(
      /create table orders_2 .*select id, n from orders \);$/,
    );
  });

  it("has the mode of a batch job", () => {
    const at = recording.statements.findIndex(({ nodeId }) => nodeId === "model.shop.nightly");
    expect(recording.statements[at - 1]?.sql).toBe("SET 'execution.runtime-mode' = 'batch'");
    expect(recording.statements[at]?.executionConfig).toEqual({
      "parallelism.default": "1",
      "pipeline.name": "nightly",
    });
  });

  it("has a suspended job only as dbt wrote it", () => {
    expect(sentBy(recording, "model.shop.paused")).toEqual([]);
    expect(recording.written["model.shop.paused"]).toMatch(
      /job_state\('suspended'\).*pipeline\.name=paused.*create table/s,
    );
  });

  it("has the models and sources of the manifest", () => {
    const named = recording.nodes.map(({ uniqueId, relation, file }) => [uniqueId, relation, file]);
    expect(named).toContainEqual(["source.shop.raw.orders", "raw_orders", "models/sources.yml"]);
    expect(named).toContainEqual(["model.shop.orders", "orders", "models/orders.sql"]);
  });

  it("leaves nothing in the project and nothing in the user's home", () => {
    expect(left).toEqual(["dbt_project.yml", "macros", "models", "profiles.yml"]);
    expect(home).toEqual([]);
  });
});

describe("two sides", () => {
  let base: CompiledSide | null;
  beforeAll(async () => {
    base = await withSide(shop, (side) => compileSide(side));
  });

  it("are compiled, and only what may differ is run, with what it reads", async () => {
    const files = { ...shop, "models/order_view_2.sql": `${shop["models/order_view_2.sql"]} where id > 5` };
    await withSide(files, async (side) => {
      const changed = maybeChanged(base, await compileSide(side));
      expect(changed).toEqual(["model.shop.orders", "model.shop.orders_2"]);
      if (changed === "all") throw new Error("not all");
      const recording = await recordSide(side, [...changed, "model.shop.of_the_other_side"]);
      expect([...(recording.selected ?? [])].sort()).toEqual(["model.shop.orders", "model.shop.orders_2"]);
      expect(sentBy(recording, "model.shop.order_view_2").join()).toContain("where id > 5");
      expect(Object.keys(recording.written)).not.toContain("model.shop.paused");
    });
  });

  it("differ by a variable wherever it is used", async () => {
    const head = await withSide(shop, (side) => compileSide(side), { vars: "{smallest: 20}" });
    expect(maybeChanged(base, head)).toBe("all");
  });

  it("run nothing where nothing is selected, and the seeds that a selected model reads", async () => {
    await withSide(seedAndTwoModels, async (side) => {
      await compileSide(side);
      expect((await recordSide(side, [])).statements).toEqual([]);
      const recording = await recordSide(side, ["model.shop.first"]);
      expect([...(recording.selected ?? [])].sort()).toEqual(["model.shop.first"]);
    });
  });

  it("have the same jobs, also where a model reads another's table on one of them only", async () => {
    const reader = (table: string) => ({
      ...seedAndTwoModels,
      "models/second.sql": `{{ config(materialized='table') }} select id from {{ ref('${table}') }} where id > 1`,
    });
    const recorded = async (side: Side) => jobsOf(await recordSide(side, ["model.shop.second"]));
    const compiledAndRecorded = (files: Files) =>
      withSide(files, async (side) => {
        await compileSide(side);
        return await recorded(side);
      });
    const base = await compiledAndRecorded(reader("first"));
    const head = await compiledAndRecorded(reader("words"));
    expect(base.jobs.map(({ name }) => name)).toEqual(["second"]);
    expect(head.jobs.map(({ name }) => name)).toEqual(["second"]);
    expect(base.jobs[0]?.definitions.map(({ name }) => name)).toEqual(["words", "first"]);
  });
});

describe("macros, packages and settings", () => {
  it("ask the planner what they ask of Flink", async () => {
    const asked: string[] = [];
    const answer: Answer = async (statement, before) => {
      const sql = statement.replace(/^\/\*.*\*\/\s*/, "").trim();
      asked.push(sql);
      expect(before.map((known) => known.sql).join()).toContain("CREATE TABLE raw_orders");
      return { columns: [{ name: "n", type: "STRING" }], rows: sql.startsWith("show") ? [["a"], ["b"]] : [[7]] };
    };
    const files = {
      ...shop,
      "models/asking.sql": `{{ config(materialized='table', execution_config={'pipeline.name': 'asking'}) }}
{%- set tables = run_query('show tables') -%}
{%- set top = run_query('select 7 as n') -%}
select {% if execute %}'{{ tables.columns[0].values() | join('+') }}' as t, {{ top.rows[0][0] }} as n{% else %}1{% endif %}`,
    };
    const recording = await recordAll(files, { answer });
    expect(asked).toEqual(["show tables", "select 7 as n"]);
    expect(sentBy(recording, "model.shop.asking").at(-1)).toContain("select 'a+b' as t, 7 as n");
  });

  it("may ask about what is made only when dbt runs, which compiling does not fail on", async () => {
    const answer: Answer = async (_, before) => {
      if (!before.some(({ sql }) => sql.includes("create view"))) throw new Error("Object 'order_view' not found");
      return { columns: [{ name: "name", type: "STRING" }], rows: [["id"]] };
    };
    const asking = (text: string) => ({ ...shop, "models/asking.sql": `{{ config(materialized='table') }} ${text}` });
    const query = "{% set columns = run_query('describe ' ~ ref('order_view')) %}";
    await withSide(
      asking(`${query} select {% if execute %}{{ columns.rows | length }}{% endif %} as n`),
      async (side) => {
        const compiled = await compileSide(side);
        const changed = maybeChanged(compiled, compiled);
        expect(changed).toEqual(["model.shop.asking"]);
        const recording = await recordSide(side, changed === "all" ? null : changed);
        expect(sentBy(recording, "model.shop.asking").at(-1)).toContain("select 1 as n");
      },
      { answer },
    );
    const needy = asking(`${query} select {% if execute %}'{{ columns.rows[0][0] }}'{% endif %} as n`);
    expect(await withSide(needy, (side) => compileSide(side), { answer })).toBeNull();
  });

  it("install a local package for the time of the run, and find its models' files", async () => {
    const files = {
      "profiles.yml": profiles,
      "shop/profiles.yml": profiles,
      "shop/dbt_project.yml": bareProject,
      "shop/packages.yml": "packages: [{ local: ../common }]\n",
      "shop/models/mine.sql":
        "{{ config(materialized='table') }} select {{ common.one() }} as x from {{ ref('theirs') }}",
      "common/dbt_project.yml": bareProject.replaceAll("shop", "common"),
      "common/macros/one.sql": "{% macro one() %}1{% endmacro %}",
      "common/models/theirs.sql": "select 1 as y",
    };
    await withSide(
      files,
      async (side, folder) => {
        const recording = await recordSide(side, null);
        expect(sentBy(recording, "model.shop.mine").join()).toContain("select 1 as x from theirs");
        expect(sentBy(recording, "model.common.theirs")).toHaveLength(1);
        expect(recording.nodes.find((node) => node.name === "theirs")?.file).toBe(
          "dbt_packages/common/models/theirs.sql",
        );
        await side[Symbol.asyncDispose]();
        expect((await readdir(join(folder, "shop"))).sort()).toEqual([
          "dbt_project.yml",
          "models",
          "packages.yml",
          "profiles.yml",
        ]);
      },
      { projectFolder: "shop", isRepository: true },
    );
  });

  it.each([
    ["none", "query-comment: null"],
    ["the user's own", "query-comment: { comment: of team b, append: true }"],
  ])("attribute statements with a query comment that is %s", async (_, setting) => {
    const files = { ...seedAndTwoModels, "dbt_project.yml": `${seedAndTwoModels["dbt_project.yml"]}${setting}\n` };
    const recording = await recordAll(files);
    expect(recording.statements.filter(({ nodeId }) => nodeId === "model.shop.first")).toHaveLength(1);
  });

  it("see the variables that are named, and no token", async () => {
    const files = {
      ...seedAndTwoModels,
      "models/second.sql": "select '{{ env_var('REGION') }}' as r, '{{ env_var('GITHUB_TOKEN', 'none') }}' as t",
    };
    const environment = { ...process.env, REGION: "eu", GITHUB_TOKEN: "secret" };
    const recording = await recordAll(files, { environment, environmentAllow: ["REGION", "G*"] });
    expect(sentBy(recording, "model.shop.second").join()).toContain("select 'eu' as r, 'none' as t");
    await failure(files, { environment }).toMatchObject({
      code: "dbt-failed",
      message: expect.stringMatching(/Env var required but not provided: 'REGION'\n\(name REGION in `dbt-env`/),
    });
  });
});

describe("what fails", () => {
  const withModel = (text: string) => ({ ...seedAndTwoModels, "models/second.sql": text });

  it("in dbt's compilation is shown in dbt's words, with the file", async () => {
    await failure(withModel("select * from {{ ref('nowhere') }}")).toMatchObject({
      code: "dbt-failed",
      message:
        "dbt build of head failed: Compilation Error in model second (models/second.sql)\n  Model 'model.shop.second' (models/second.sql) depends on a node named 'nowhere' which was not found",
    });
  });

  it("in a macro that runs is shown with its model", async () => {
    await failure(withModel("{{ exceptions.raise_compiler_error('not like this') }}")).toMatchObject({
      code: "dbt-failed",
      message: expect.stringMatching(
        /^dbt build of head failed: Compilation Error in model second.*\n {2}not like this/,
      ),
    });
  });

  it("in a query of a macro is shown with the planner's words, not Python's", async () => {
    await failure(withModel("{% do run_query('select * from nothing') %} select 1"), {
      answer: () => Promise.reject(new Error("Object 'nothing' not found")),
    }).toMatchObject({
      code: "dbt-failed",
      message:
        "dbt build of head failed: Runtime Error in model second (models/second.sql)\n  SQL gateway error: Object 'nothing' not found",
    });
  });

  it("for want of a profile names the profile or the folders", async () => {
    const { "profiles.yml": _, ...files } = seedAndTwoModels;
    await failure(files, { environment: { ...process.env, HOME: "/nowhere" } }).toMatchObject({
      code: "dbt-failed",
      message: expect.stringContaining("/nowhere/.dbt"),
    });
    await failure({ ...files, "profiles.yml": profiles.replace("shop:", "other:") }).toMatchObject({
      code: "dbt-failed",
      message: "dbt build of head failed: Runtime Error\n  Could not find profile named 'shop'",
    });
  });

  it("for want of a project says so", async () => {
    await failure({ "README.md": "" }).toMatchObject({ code: "manifest-unreadable" });
  });

  it("over a manifest that cannot be read names it", async () => {
    await withSide(seedAndTwoModels, async (side) => {
      await mkdir(side.run.targetFolder, { recursive: true });
      await writeFile(join(side.run.targetFolder, "manifest.json"), "{");
      await expect(recordSide(side, ["model.shop.first"])).rejects.toMatchObject({
        code: "manifest-unreadable",
        message: expect.stringContaining("manifest.json"),
      });
    });
  });

  it("because of a hint value that the adapter cannot read names the model", async () => {
    const config = "{{ config(execution_config={'pipeline.name': 'second', 'env.java.opts': 'a=b;c'}) }} select 1";
    await failure(withModel(config)).toMatchObject({
      code: "hint-unsafe",
      message: expect.stringContaining("models/second.sql: execution_config `env.java.opts` = `a=b;c` holds `=`"),
    });
  });

  it("because of a secret that the adapter cannot read does not show it", async () => {
    const config = "{{ config(execution_config={'s3.secret-key': 'TOPSECRETabc=;'}) }} select 1";
    await failure(withModel(config)).toMatchObject({
      code: "hint-unsafe",
      message: expect.not.stringContaining("TOPSECRET"),
    });
  });
});
