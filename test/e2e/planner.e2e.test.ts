import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { type EmbeddedGateway, startGateway } from "../../src/flink/embedded.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import type { Explanation } from "../../src/planner/explanation.ts";
import { openPlanner, type Planner, type PlannerOptions } from "../../src/planner/planner.ts";
import type { Finding, Job, JobDefinition } from "../../src/project/job.ts";
import { sqlDiff } from "../../src/report/sql-diff.ts";
import { textDiff } from "../../src/report/text-diff.ts";
import { bigOrdersView, jobDefinition, ordersSource, statement, tableAs, view } from "../unit/planner/definitions.ts";

const perCustomer = "SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM big_orders GROUP BY customer";
const aggregate = jobDefinition("per_customer", perCustomer, [ordersSource, bigOrdersView]);

describe.each(["1.20.3", "2.3.0", "1.17.2"])("the planner of Flink %s", (version) => {
  let folder: string;
  let embedded: EmbeddedGateway;
  let gateway: Gateway;
  let planner: Planner;

  const plannerWith = (more: Partial<PlannerOptions> = {}): Promise<Planner> =>
    openPlanner({
      gateway,
      flinkVersion: version,
      scratchFolder: join(folder, "plans"),
      initSql: [],
      sessions: 2,
      log: () => undefined,
      ...more,
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-planner-"));
    const log = () => undefined;
    const cacheFolder = defaultCacheFolder(process.env);
    const distribution = await provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, log });
    embedded = await startGateway({ distribution, folder: join(folder, "gateway"), log });
    gateway = new Gateway({ url: embedded.url });
    planner = await plannerWith();
  });
  afterAll(async () => {
    await planner?.[Symbol.asyncDispose]();
    await embedded?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function jobOf(definition: JobDefinition): Promise<Job> {
    const { jobs, findings } = await planner.complete([definition]);
    expect(findings).toEqual([]);
    const [job] = jobs;
    if (job === undefined) throw new Error("no job");
    return job;
  }
  async function explained(job: Job): Promise<Explanation> {
    const answer = await planner.explain(job);
    if ("severity" in answer) throw new Error(answer.message);
    return answer;
  }

  test("a model becomes CREATE TABLE with Flink's columns and INSERT", async () => {
    const { program } = await jobOf(aggregate);
    expect(program.setup.map(({ name }) => name)).toEqual(["orders", "big_orders"]);
    expect(program.sink.sql).toBe(
      "CREATE TABLE per_customer (\n  `customer` STRING,\n  `n` BIGINT NOT NULL,\n  `total` DECIMAL(38, 2)\n) WITH ('connector' = 'print')",
    );
    expect(program.insert).toBe(`INSERT INTO per_customer ${perCustomer}`);
  });

  test("the columns are those of a real CREATE TABLE ... AS, whatever their types", async () => {
    const wide: JobDefinition["definitions"][number] = {
      kind: "table",
      name: "wide",
      sql: `CREATE TABLE wide (id BIGINT NOT NULL, name STRING, code CHAR(3) NOT NULL, ts TIMESTAMP(3), tz TIMESTAMP_LTZ(3),
        proc AS PROCTIME(), r ROW<a INT, b STRING>, arr ARRAY<STRING NOT NULL>, m MAP<STRING, INT>, bin BYTES, \`we ird\`\`x\` INT,
        WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen')`,
      origin: { nodeId: null, file: null },
    };
    const query =
      "SELECT *, 'x' AS lit, id * 2.5, CAST(NULL AS STRING) AS nothing, DATE '2020-01-01' AS d, TIME '10:00:00' AS t, CURRENT_TIMESTAMP AS now_, COUNT(*) OVER (ORDER BY proc) AS so_far FROM wide";
    const job = await jobOf(jobDefinition("copy", query, [wide]));

    await using session = await gateway.openSession();
    await session.execute(wide.sql);
    // Flink makes the table before it finds that there is nothing to run the job on.
    const ctas = session.execute(`CREATE TABLE copy WITH ('connector' = 'print') AS ${query}`, {
      executionConfig: { "execution.target": "nowhere" },
    });
    await expect(ctas).rejects.toMatchObject({ code: "statement-failed" });
    const copyAsMade = async (): Promise<unknown> => (await session.execute("SHOW CREATE TABLE copy")).rows;
    const made = await copyAsMade();
    await session.execute("DROP TABLE copy");
    await session.execute(job.program.sink.sql);
    expect(await copyAsMade()).toEqual(made);
  });

  test("a job that reads another table model gets that one's columns", async () => {
    const copy = tableAs("copy", "SELECT id, ts FROM orders", "WITH ('connector' = 'datagen')");
    const job = await jobOf(jobDefinition("top", "SELECT * FROM copy WHERE id > 3", [ordersSource, copy]));
    expect(job.program.setup.map(({ sql }) => sql).at(-1)).toBe(
      "CREATE TABLE copy (\n  `id` BIGINT NOT NULL,\n  `ts` TIMESTAMP(3)\n) WITH ('connector' = 'datagen')",
    );
    expect((await explained(job)).plan).toContain("copy");
  });

  test("Flink's planner is asked how the job would run; the same job twice gives the same answer", async () => {
    const job = await jobOf(aggregate);
    const first = await explained(job);
    expect(first.plan).toMatch(/^Sink\(.*per_customer.*\)\n\+- GroupAggregate\(groupBy=\[customer\]/);
    expect(first.advice).toContain("local-global two-phase");
    expect(first.graph.map(({ label }) => label)).toEqual([
      "Source: orders",
      "WatermarkAssigner",
      "Calc",
      "GroupAggregate",
      "ConstraintEnforcer",
      "Sink: per_customer",
    ]);
    expect(first.graph.map(({ inputs }) => inputs)).toEqual([[], [1], [2], [3], [4], [5]]);
    expect(await explained(job)).toEqual(first);
    // Nothing is left in the folder that the gateway wrote to.
    expect(readdirSync(join(folder, "plans"))).toEqual([]);
  });

  test("plans with shared parts, joins and correlation compare equal too", async () => {
    const queries = [
      "SELECT a.id, b.customer FROM big_orders a JOIN big_orders b ON a.id = b.id",
      "SELECT id, customer FROM orders WHERE id IN (SELECT MAX(id) FROM orders)",
      "SELECT id, letter FROM orders CROSS JOIN UNNEST(ARRAY[customer, 'x']) AS u (letter)",
      "SELECT customer, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY ts DESC) AS r FROM orders) WHERE r <= 3",
      "SELECT window_start, SUM(amount) AS s FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
    ];
    for (const query of queries) {
      const job = await jobOf(jobDefinition("j", query, [ordersSource, bigOrdersView]));
      expect(await explained(job)).toEqual(await explained(job));
    }
  });

  test("Flink itself reads the canonical compiled plan", async () => {
    const job = await jobOf(
      jobDefinition(
        "j",
        "SELECT a.id, b.customer FROM orders a JOIN orders b ON a.id = b.id WHERE a.id < 9223372036854775806",
        [ordersSource],
      ),
    );
    const { compiledPlan } = await explained(job);
    expect(compiledPlan).toContain("9223372036854775806");
    const path = join(folder, "canonical.json");
    writeFileSync(path, compiledPlan ?? "");
    await using session = await gateway.openSession();
    // It comes as far as looking for a place to run, so the plan was read and translated.
    await expect(
      session.execute(`EXECUTE PLAN '${path}'`, { executionConfig: { "execution.target": "nowhere" } }),
    ).rejects.toMatchObject({ message: expect.stringContaining("No ExecutorFactory found") as string });
  });

  test("a change reads well: only what changed, in SQL and in the plan", async () => {
    const before = await jobOf(aggregate);
    const after = await jobOf(
      jobDefinition("per_customer", perCustomer, [
        ordersSource,
        view("big_orders", "SELECT * FROM orders WHERE amount > 25"),
      ]),
    );
    expect(sqlDiff(before, after, 3)).toBe(
      `@@ view big_orders (models/big_orders.sql) @@
-CREATE VIEW big_orders AS SELECT * FROM orders WHERE amount > 10
+CREATE VIEW big_orders AS SELECT * FROM orders WHERE amount > 25`,
    );
    const [old, now] = [await explained(before), await explained(after)];
    expect(textDiff([{ title: "plan", before: old.plan, after: now.plan }], 0)).toBe(
      `@@ plan @@
-      +- Calc(select=[customer, amount], where=[(amount > 10)])
+      +- Calc(select=[customer, amount], where=[(amount > 25)])`,
    );
  });

  test("runtime mode and execution config hold for the job", async () => {
    const parallel = await jobOf({ ...aggregate, executionConfig: { "parallelism.default": "3" } });
    expect((await explained(parallel)).graph.map(({ parallelism }) => parallelism)).toEqual([3, 3, 3, 3, 3, 3]);

    const batch = await explained(await jobOf({ ...aggregate, runtimeMode: "batch" }));
    expect(batch.plan).toContain("LocalHashAggregate");
    expect(batch).toMatchObject({ advice: null, compiledPlan: null });
    expect(batch.graph.map(({ label }) => label)).toContain("Sink: per_customer");
  });

  test("what Flink refuses is a finding of that job, and the others are completed", async () => {
    const model = "{{ config(type='streaming') }}\nSELECT\n  id,\n  custmer\nFROM {{ source('raw', 'orders') }}\n";
    const broken = jobDefinition("broken", "SELECT\n  id,\n  custmer\nFROM orders", [ordersSource]);
    const badView = view("bad_view", "SELECT id\nFORM orders o x");
    const onBadView = ["first", "second"].map((name) =>
      jobDefinition(name, "SELECT * FROM bad_view", [ordersSource, badView]),
    );
    const { jobs, findings } = await planner.complete([broken, aggregate, ...onBadView], {
      textOf: ({ file }) => (file === "models/broken.sql" ? model : null),
    });
    expect(jobs.map(({ name }) => name)).toEqual(["per_customer"]);
    expect(findings).toMatchObject([
      {
        job: "broken",
        code: "model-invalid",
        severity: "error",
        message: "Column 'custmer' not found in any table (line 3 of the compiled SQL: custmer)",
        file: "models/broken.sql",
        line: 4,
      },
      { job: "first", file: "models/bad_view.sql" },
      { job: "second", file: "models/bad_view.sql" },
    ] satisfies Partial<Finding>[]);
    expect(findings[1]?.message).toContain("(line 2 of the compiled SQL: FORM orders o x)");
  });

  test("a model whose name is a reserved word is told that it is one", async () => {
    const clauses = "WITH ('connector' = 'blackhole')";
    const sink = { relation: "old", clauses, query: "SELECT id FROM orders" };
    const named = await jobOf(jobDefinition("old", sink.query, [ordersSource], { sink }));
    expect(await planner.explain(named)).toMatchObject({
      code: "model-invalid",
      message: expect.stringContaining("`old` is a reserved word of Flink's SQL, which dbt-flink-adapter") as string,
    });
  });

  test("what Flink finds only when it plans is a finding too, in its own last cause", async () => {
    const unsorted = await jobOf(jobDefinition("sorted", "SELECT id FROM orders ORDER BY id", [ordersSource]));
    expect(await planner.explain(unsorted)).toMatchObject({
      code: "model-invalid",
      job: "sorted",
      file: "models/sorted.sql",
      message: "Sort on a non-time-attribute field is not supported.",
    });
    const sink = { relation: "nowhere", clauses: "WITH ('connector' = 'kafak')", query: "SELECT id FROM orders" };
    const misspelt = await jobOf(jobDefinition("nowhere", sink.query, [ordersSource], { sink }));
    expect(await planner.explain(misspelt)).toMatchObject({
      code: "model-invalid",
      message: expect.stringContaining("kafak") as string,
    });
  });

  test("nothing of the project can start a job, and nothing waits for a cluster", async () => {
    const sink = tableAs("sink", "SELECT id FROM orders");
    const insert = statement("INSERT INTO sink SELECT id FROM orders");
    const { findings } = await planner.complete([
      jobDefinition("j", "SELECT id FROM orders", [ordersSource, sink, insert], {
        executionConfig: { "execution.target": "remote" },
      }),
    ]);
    expect(findings).toMatchObject([
      { job: "j", message: expect.stringContaining("No ExecutorFactory found") as string },
    ]);
  });

  test("setup statements hold for what follows them, and jobs with others do not see them", async () => {
    const database = [statement("CREATE DATABASE IF NOT EXISTS other"), statement("USE other")];
    const { jobs, findings } = await planner.complete([
      jobDefinition("elsewhere", "SELECT id FROM `default_database`.orders", [ordersSource, ...database]),
      aggregate,
    ]);
    expect(findings).toEqual([]);
    const plans = await Promise.all(jobs.map(async (job) => (await explained(job)).plan.split("\n")[0]));
    expect(plans).toEqual([
      expect.stringContaining("default_catalog.other.elsewhere"),
      expect.stringContaining("default_catalog.default_database.per_customer"),
    ]);
  });

  test("what init SQL changes of a job shows in its compiled plan, which is otherwise the same each time", async () => {
    const compiled = async (initSql: readonly string[]): Promise<string | null> => {
      await using prepared = await plannerWith({ initSql });
      const { jobs } = await prepared.complete([aggregate]);
      const explanation = jobs[0] === undefined ? null : await prepared.explain(jobs[0]);
      return explanation !== null && "compiledPlan" in explanation ? explanation.compiledPlan : null;
    };
    const [first, again] = [await compiled([]), await compiled([])];
    expect(first).not.toBeNull();
    expect(again).toBe(first);
    const miniBatch = { enabled: "true", "allow-latency": "5 s", size: "100" };
    const settings = Object.entries(miniBatch).map(([key, value]) => `SET 'table.exec.mini-batch.${key}' = '${value}'`);
    expect(await compiled(settings)).not.toBe(first);
  });

  test("init SQL runs in every session first; where it is refused, that is said", async () => {
    await using prepared = await plannerWith({ initSql: ["CREATE DATABASE lake", "USE lake"] });
    const { jobs } = await prepared.complete([aggregate]);
    const explanation = jobs[0] === undefined ? null : await prepared.explain(jobs[0]);
    expect(explanation).toMatchObject({ plan: expect.stringContaining("default_catalog.lake.per_customer") as string });

    await using broken = await plannerWith({ initSql: ["USE CATALOG nowhere"] });
    await expect(broken.complete([aggregate])).rejects.toMatchObject({
      code: "flink-start-failed",
      message: expect.stringContaining("init-sql: USE CATALOG was refused") as string,
    });
  });

  test("a model may read what its pre-hooks make, in its own session only", async () => {
    const helper = "CREATE TEMPORARY VIEW helper AS SELECT id FROM orders WHERE id > 3";
    const hooked = jobDefinition("hooked", "SELECT id FROM helper", [ordersSource], {
      preHooks: ["INSERT INTO nowhere SELECT 1", "DROP TEMPORARY VIEW IF EXISTS helper", helper],
    });
    const other = jobDefinition("other", "SELECT id FROM helper", [ordersSource]);
    const { jobs, findings } = await planner.complete([hooked, other]);
    expect(findings).toMatchObject([{ job: "other", message: expect.stringContaining("helper") as string }]);
    expect(jobs.map(({ name }) => name)).toEqual(["hooked"]);
    for (const job of jobs) expect((await explained(job)).plan).toContain("(id > 3)");

    const wrong = { ...hooked, preHooks: ["CREATE TEMPORARY VIEW helper AS SELECT nothing FROM orders"] };
    expect((await planner.complete([wrong])).findings).toMatchObject([
      { job: "hooked", severity: "error", message: expect.stringContaining("nothing") as string },
    ]);
  });

  test("nothing of a catalog that outlives the session is made, changed or dropped", async () => {
    const initSql = [
      "CREATE CATALOG lake WITH ('type' = 'generic_in_memory')",
      "USE CATALOG lake",
      "CREATE TABLE stock (id BIGINT) WITH ('connector' = 'datagen')",
      "CREATE TABLE made (id BIGINT) WITH ('connector' = 'blackhole')",
    ];
    await using prepared = await plannerWith({ initSql });
    const definitions = [
      statement("ALTER TABLE stock RENAME TO gone"),
      statement("CREATE DATABASE IF NOT EXISTS shop"),
      ordersSource,
    ];
    // `made` needs its catalog, which has it; `fresh` has yet to be made by it.
    const sink = (relation: string, query: string) => ({ sink: { relation, clauses: "", query } });
    const { jobs, findings } = await prepared.complete([
      jobDefinition("made", "", definitions, sink("made", "SELECT id FROM stock")),
      jobDefinition("fresh", "", definitions, sink("fresh", "SELECT id FROM orders")),
      jobDefinition("away", "SELECT 1 AS x", [...definitions, statement("USE shop")]),
    ]);
    expect(findings).toMatchObject([
      { job: "made", severity: "warning", message: expect.stringContaining("ALTER TABLE stock") as string },
      { job: "fresh", severity: "warning" },
      { job: "away", severity: "error", message: expect.stringContaining("CREATE DATABASE") as string },
    ]);
    const [made, fresh] = await Promise.all(jobs.map((job) => prepared.explain(job)));
    expect(made).toMatchObject({ plan: expect.stringContaining("lake.default.made") as string });
    expect(fresh).toMatchObject({
      severity: "warning",
      message: expect.stringContaining("CREATE TABLE fresh") as string,
    });
  });

  test("with an interruption in hand nothing is asked any more", async () => {
    const interruption = new AbortController();
    const interrupted = await plannerWith({ signal: interruption.signal });
    interruption.abort();
    await expect(interrupted.complete([aggregate])).rejects.toThrow();
  });
});
