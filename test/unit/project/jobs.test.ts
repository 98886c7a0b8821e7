import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { jobsOf } from "../../../src/project/jobs.ts";
import type { ManifestNode, RecordedStatement, Recording } from "../../../src/project/recording.ts";

/** dbt-core 1.3.8 with dbt-flink-adapter 1.3.11 sent this for a project with sources, a seed, views and six tables. */
const shop: Recording = JSON.parse(
  readFileSync(new URL("../../fixtures/recordings/shop.json", import.meta.url), "utf8"),
);

const jobOf = (recording: Recording, name: string) => {
  const job = jobsOf(recording).jobs.find((candidate) => candidate.name === name);
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
};

describe("jobsOf a real recording", () => {
  const { jobs, findings } = jobsOf(shop);

  test("makes a job of every table model and of nothing else", () => {
    expect(
      jobs.map((job) => `${job.name}: ${job.upgradeMode}, ${job.desiredState}, ${job.runtimeMode}`).sort(),
    ).toEqual([
      "nightly: stateless, running, batch",
      "no_sink: stateless, running, streaming",
      "paused job: savepoint, suspended, streaming",
      "per_customer: savepoint, running, streaming",
      "per_customer_daily: savepoint, running, streaming",
      "top_customers: stateless, running, streaming",
    ]);
  });

  test("a job has what its query reads, directly or not, once and in order, behind what the hooks prepare", () => {
    expect(jobOf(shop, "top_customers").definitions.map(({ kind, name, origin }) => [kind, name, origin.file])).toEqual(
      [
        ["statement", null, null],
        ["statement", null, null],
        ["statement", null, null],
        ["table", "orders", "models/sources.yml"],
        ["table", "customers", "models/sources.yml"],
        ["view", "order_view", "models/order_view.sql"],
        ["table-as", "per_customer", "models/per_customer.sql"],
      ],
    );
    expect(jobOf(shop, "nightly").definitions.map(({ name }) => name)).toEqual([null, null, null, "regions"]);
    expect(
      jobOf(shop, "per_customer")
        .definitions.slice(0, 3)
        .map(({ sql }) => sql),
    ).toEqual([
      "CREATE TEMPORARY FUNCTION IF NOT EXISTS parse_region AS 'com.example.ParseRegion'",
      "SET 'table.exec.source.idle-timeout' = '10 s'",
      "create temporary view if not exists exchange_rates as select * from (values ('EUR', 1.0), ('USD', 0.9)) as t(currency, rate)",
    ]);
  });

  test("a suspended job is completed from what dbt wrote", () => {
    const paused = jobOf(shop, "paused job");
    expect(paused.executionConfig).toEqual({
      "parallelism.default": "2",
      "execution.checkpointing.interval": "3 s",
      "state.savepoints.dir": "file:///savepoints",
      "pipeline.name": "paused job",
    });
    expect(paused.sink).toEqual({
      relation: "paused",
      clauses: "WITH (\n  'connector' = 'print'\n)",
      query: "select region, max(amount) as largest from order_view group by region",
    });
    expect(paused.definitions.map(({ name }) => name)).toEqual([null, null, null, "orders", "order_view"]);
  });

  test("a savepoint path in the model's config is a start, not a config", () => {
    const daily = jobOf(shop, "per_customer_daily");
    expect(daily.startFrom).toBe("file:///savepoints/first");
    expect(Object.keys(daily.executionConfig)).not.toContain("execution.savepoint.path");
    expect(daily.executionConfig["state.savepoints.dir"]).toBe("file:///savepoints");
    expect(jobOf(shop, "per_customer").startFrom).toBeNull();
  });

  test("a model's own statements are its hooks", () => {
    const { preHooks, postHooks } = jobOf(shop, "per_customer");
    expect(preHooks).toEqual(["SET 'table.exec.state.ttl' = '1 d'"]);
    expect(postHooks).toEqual(["SET 'table.exec.state.ttl' = '0'"]);
    expect(jobOf(shop, "top_customers").definitions.map(({ sql }) => sql)).not.toContain(preHooks[0]);
  });

  test("says what is left to dbt", () => {
    expect(findings.map(({ severity, code, message }) => [severity, code, message])).toEqual([
      ["note", "left-alone", "regions: the rows of seeds are left to `dbt seed`; only the table is created here."],
    ]);
  });
});

const node = (given: Partial<ManifestNode> & { readonly name: string }): ManifestNode => ({
  uniqueId: `model.shop.${given.name}`,
  resourceType: "model",
  materialized: "table",
  relation: given.name,
  file: `models/${given.name}.sql`,
  dependsOn: [],
  config: {},
  ...given,
});
const sent = (sql: string, nodeId: string | null = null, executionConfig = {}): RecordedStatement => ({
  sql,
  executionConfig,
  nodeId,
});
const table = (name: string, hints = "", query = "select 1 as a", executionConfig = {}): RecordedStatement =>
  sent(`${hints} create table ${name} as (${query})`, `model.shop.${name}`, executionConfig);
const recording = (given: Partial<Recording>): Recording => ({
  ...{ project: "shop", target: "dev", dbtVersion: "1.3.8", adapterVersion: "1.3.11" },
  ...{ statements: [], nodes: [], written: {}, selected: null },
  ...given,
});
const findingsOf = (given: Partial<Recording>) =>
  jobsOf(recording(given)).findings.map(({ severity, code, message, file }) => ({ severity, code, message, file }));

describe("jobsOf", () => {
  test("takes the last definition before the job, as the session would have it", () => {
    const source = node({ name: "s", uniqueId: "source.shop.raw.s", resourceType: "source", materialized: null });
    const t = node({ name: "t", dependsOn: [source.uniqueId] });
    const definitions = (...creates: readonly string[]) =>
      jobOf(
        recording({ nodes: [source, t], statements: [...creates.map((sql) => sent(sql)), table("t")] }),
        "t",
      ).definitions.map(({ sql }) => sql);
    const [first, second] = ["create table s (a INT)", "create table if not exists s (b INT)"];
    expect(definitions(first, "drop table s", second)).toEqual([second]);
    expect(definitions(first, second)).toEqual([first]);
    expect(definitions(second, "drop table if exists `s`", first)).toEqual([first]);
  });

  test("takes the last of two tables that a hook makes of one name, and of a view that its model's hooks make", () => {
    const [v, t] = [node({ name: "v", materialized: "view" }), node({ name: "t", dependsOn: ["model.shop.v"] })];
    const hooks = ["create table h (a INT)", "drop table if exists h", "create table h (b INT)"];
    const given = recording({
      nodes: [v, t],
      statements: [
        ...hooks.map((sql) => sent(sql, "operation.shop.shop-on-run-start-0")),
        ...["create view w as select 1", "drop view w", "create view w as select 2"].map((sql) =>
          sent(sql, v.uniqueId),
        ),
        sent("create view v as select * from w", v.uniqueId),
        table("t"),
      ],
    });
    expect(jobOf(given, "t").definitions.map(({ sql }) => sql)).toEqual([
      "create table h (b INT)",
      "create view w as select 2",
      "create view v as select * from w",
    ]);
  });

  test("knows models by their relation where dbt's query comment is switched off", () => {
    const view = node({ name: "v", materialized: "view" });
    const statements = [sent("create view v as (select 1 as a)"), sent("create table `t` as (select a from v)")];
    const { jobs } = jobsOf(recording({ nodes: [view, node({ name: "t", dependsOn: [view.uniqueId] })], statements }));
    expect(jobs.map(({ name, definitions }) => [name, definitions.map((of) => of.name)])).toEqual([["t", ["v"]]]);
  });

  test("reads through ephemeral models, which dbt inlines", () => {
    const view = node({ name: "v", materialized: "view" });
    const ephemeral = node({ name: "e", materialized: "ephemeral", dependsOn: [view.uniqueId] });
    const given = recording({
      nodes: [view, ephemeral, node({ name: "t", dependsOn: [ephemeral.uniqueId] })],
      statements: [sent("create view v as (select 1 as a)", view.uniqueId), table("t")],
    });
    expect(jobOf(given, "t").definitions.map(({ name }) => name)).toEqual(["v"]);
    expect(jobsOf(given).findings).toEqual([]);
  });

  test("what the adapter sends by itself is nobody's: it only shows where the models begin and end", () => {
    const own = ["SHOW JOBS", " STOP JOB '1' WITH SAVEPOINT", "SET 'execution.runtime-mode' = 'batch'"];
    const given = recording({
      nodes: [node({ name: "u" })],
      statements: [
        sent("create function f as 'F'"),
        ...[...own, "drop table if exists `u`", "create function g as 'G'"].map((sql) => sent(sql)),
      ],
      written: { "model.shop.u": "/** job_state('suspended') */ create table u as (select 1 as a)" },
    });
    expect(jobOf(given, "u").definitions.map(({ sql }) => sql)).toEqual(["create function f as 'F'"]);
    expect(jobsOf(given).findings.map(({ message }) => message)).toEqual([
      "on-run-end is left to dbt: create function g as 'G'",
    ]);
  });

  test("a job that reads a suspended one has its table from what dbt wrote", () => {
    const written = "/** job_state('suspended') */ create table u as (select 1 as a)";
    const given = recording({
      nodes: [node({ name: "u" }), node({ name: "t", dependsOn: ["model.shop.u"] })],
      statements: [sent("drop table if exists `u`"), table("t", "", "select a from u")],
      written: { "model.shop.u": written },
    });
    expect(jobOf(given, "t").definitions).toMatchObject([{ kind: "table-as", name: "u", select: { relation: "u" } }]);
    expect(jobOf(given, "u").desiredState).toBe("suspended");
  });

  test("what a view's hooks prepare goes to the jobs that read it, an upstream job's settings do not", () => {
    const view = node({ name: "v", materialized: "view" });
    const upstream = node({ name: "u", dependsOn: [view.uniqueId] });
    const given = recording({
      nodes: [view, upstream, node({ name: "t", dependsOn: [upstream.uniqueId] })],
      statements: [
        sent("create function f as 'F'", view.uniqueId),
        sent("create view v as (select f(1) as a)", view.uniqueId),
        sent("SET 'x' = 'y'", upstream.uniqueId),
        sent("create function g as 'G'", upstream.uniqueId),
        table("u", "", "select g(a) as a from v"),
        sent("insert into audit select 1", upstream.uniqueId),
        table("t", "", "select a from u"),
      ],
    });
    expect(jobOf(given, "t").definitions.map(({ sql }) => sql.slice(0, 20))).toEqual([
      "create function f as",
      "create view v as sel",
      "create function g as",
      "create table u as se",
    ]);
    expect(jobOf(given, "u")).toMatchObject({
      preHooks: ["SET 'x' = 'y'", "create function g as 'G'"],
      postHooks: ["insert into audit select 1"],
    });
  });

  test("last_state comes from meta, for the adapter refuses it as a hint", () => {
    const config = { meta: { flink_dbt_deploy: { upgrade_mode: "last_state" } } };
    const given = {
      nodes: [node({ name: "t", config })],
      statements: [table("t", "/** upgrade_mode('savepoint') */")],
    };
    expect(jobOf(recording(given), "t").upgradeMode).toBe("last_state");
  });

  test("names that only begin alike are two names; one name for two jobs is an error that names both files", () => {
    const of = (...names: readonly string[]) => ({
      nodes: [node({ name: "a" }), node({ name: "b" })],
      statements: names.map((name, at) => table(at === 0 ? "a" : "b", "", "select 1 as x", { "pipeline.name": name })),
    });
    expect(findingsOf(of("orders", "orders_daily"))).toEqual([]);
    expect(findingsOf(of("orders", "orders"))).toEqual([
      {
        severity: "error",
        code: "duplicate-job-name",
        message:
          "The job name orders is used by models/a.sql and models/b.sql; set a pipeline.name of its own for each.",
        file: "models/a.sql",
      },
    ]);
  });

  test("a savepoint path with a password in it is an error that does not repeat it", () => {
    const path = (value: string) => ({
      nodes: [node({ name: "a" })],
      statements: [table("a", "", "select 1 as x", { "execution.savepoint.path": value })],
    });
    expect(findingsOf(path("abfs://container@account/s"))).toEqual([]);
    const [finding] = findingsOf(path("s3://key:geheim@bucket/s"));
    expect(finding).toMatchObject({ severity: "error", code: "model-invalid", file: "models/a.sql" });
    expect(JSON.stringify(finding)).not.toContain("geheim");
  });

  test("names key and value of what the adapter cannot read, and masks a secret", () => {
    const config = { execution_config: { "a.b": "x;y=z", "s3.secret-key": "p)q" } };
    const nodes = [node({ name: "t", config })];
    expect(findingsOf({ nodes, statements: [table("t")] })).toMatchObject([
      { code: "hint-unsafe", message: "t: execution_config `a.b` = `x;y=z` holds `;`, which the adapter cannot read." },
      { message: "t: execution_config `s3.secret-key` = `******` holds `)`, which the adapter cannot read." },
    ]);
  });

  test("finds an unsafe hint in the statement where the config does not show it", () => {
    const statements = [table("t", "/** execution_config('a=f(x)') */")];
    expect(findingsOf({ nodes: [node({ name: "t" })], statements })).toMatchObject([
      { severity: "error", code: "hint-unsafe", message: expect.stringContaining("is read by the adapter as `a=f(x`") },
    ]);
  });

  test("a mode that is none is an error; until it is corrected the state is kept", () => {
    const written = {
      "model.shop.t": "/** upgrade_mode('sometimes') */ /** job_state('suspended') */ create table t as select 1 as a",
    };
    const given = recording({ nodes: [node({ name: "t" })], written });
    expect(jobOf(given, "t").upgradeMode).toBe("savepoint");
    expect(jobsOf(given).findings).toMatchObject([
      { code: "model-invalid", message: "t: upgrade_mode is `sometimes`; it can be stateless or savepoint." },
    ]);
  });

  test("a table model without a statement, a source without a definition, two statements at once", () => {
    const source = node({ name: "s", uniqueId: "source.shop.raw.s", resourceType: "source", materialized: null });
    expect(findingsOf({ nodes: [node({ name: "t" })] })).toMatchObject([{ severity: "error", file: "models/t.sql" }]);
    const reads = node({ name: "t", dependsOn: [source.uniqueId] });
    expect(findingsOf({ nodes: [source, reads], statements: [table("t")] })).toMatchObject([
      { severity: "warning", message: "source s is read by a job, but dbt sent nothing that creates s." },
    ]);
    const both = sent("set 'a' = 'b'; create table t as select 1 as a", "model.shop.t");
    expect(findingsOf({ nodes: [node({ name: "t" })], statements: [both] })[0]).toMatchObject({
      code: "model-invalid",
      message: expect.stringContaining("t sends 2 statements at once"),
    });
  });

  test("only models that were run become jobs", () => {
    const nodes = [node({ name: "t" }), node({ name: "u" })];
    const { jobs, findings } = jobsOf(recording({ nodes, statements: [table("t")], selected: ["model.shop.t"] }));
    expect([jobs.map(({ name }) => name), findings]).toEqual([["t"], []]);
  });

  test("other materializations, snapshots, and hooks that do more than prepare are left to dbt", () => {
    const nodes = [
      node({ name: "i", materialized: "incremental" }),
      node({ name: "s", resourceType: "snapshot", materialized: "snapshot" }),
      node({ name: "t" }),
    ];
    const statements = [sent("insert into x\nselect 1"), table("t"), sent("create view late as select 1")];
    expect(findingsOf({ nodes, statements }).map(({ message }) => message)).toEqual([
      "i: materialized incremental is left to dbt; only table models become jobs.",
      "s: snapshots are left to dbt.",
      "on-run-start is left to dbt: insert into x ...",
      "on-run-end is left to dbt: create view late as select 1",
    ]);
  });
});
