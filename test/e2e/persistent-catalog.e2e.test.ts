import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploy } from "../../src/deploy/deployment.ts";
import { jobmanagerCluster } from "../../src/deploy/jobmanager-cluster.ts";
import { listedStorage } from "../../src/deploy/state-storage.ts";
import type { JobOutcome } from "../../src/deploy/task.ts";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { openPlanner } from "../../src/planner/planner.ts";
import { programDigest } from "../../src/project/digest.ts";
import type { Finding, Job, Program } from "../../src/project/job.ts";

/** Catalogs that keep their tables in a folder, and the Hadoop classes that both ask for. */
const connectors = [
  "org.apache.paimon:paimon-flink-1.20:1.0.1",
  "org.apache.iceberg:iceberg-flink-runtime-1.20:1.8.1",
  "org.apache.flink:flink-shaded-hadoop-2-uber:2.8.3-10.0",
];
const origin = { nodeId: null, file: "models/totals.sql" };
const { signal } = new AbortController();
const log = (line: string): void => console.log(line);

let folder: string;
let cluster: EmbeddedCluster;
beforeAll(async () => {
  const cacheFolder = defaultCacheFolder(process.env);
  const distribution = await provideDistribution({ version: "1.20.3", flinkHome: null, connectors, cacheFolder, log });
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-"));
  cluster = await startCluster({ distribution, folder: join(folder, "flink"), log, slots: 2 });
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const uri = (name: string): string => pathToFileURL(join(folder, name)).href;
const catalogs = {
  paimon: () => `CREATE CATALOG lake WITH ('type' = 'paimon', 'warehouse' = '${uri("paimon")}')`,
  iceberg: () =>
    `CREATE CATALOG lake WITH ('type' = 'iceberg', 'catalog-type' = 'hadoop', 'warehouse' = '${uri("iceberg")}')`,
};
const initSql = (kind: keyof typeof catalogs): readonly string[] => [
  catalogs[kind](),
  "CREATE DATABASE IF NOT EXISTS lake.shop",
  "USE CATALOG lake",
  "USE shop",
];

/** Writes numbers into a table of the catalog's own. */
function totals(columns: string, query: string, options = "'write-buffer-size' = '8 mb'"): Job {
  const numbers = `CREATE TEMPORARY TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10',
    'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000')`;
  const program: Program = {
    setup: [{ kind: "table", name: "numbers", sql: numbers, origin }],
    sink: { kind: "table", name: "totals", sql: `CREATE TABLE totals (${columns}) WITH (${options})`, origin },
    insert: `INSERT INTO totals ${query}`,
    runtimeMode: "streaming",
    executionConfig: { "pipeline.name": "totals", "execution.checkpointing.interval": "500ms" },
    preHooks: [],
    postHooks: [],
  };
  const modes = { upgradeMode: "savepoint", desiredState: "running", startFrom: null } as const;
  return { name: "totals", origin, ...modes, program, digest: programDigest(program) };
}

const first = (): Job =>
  totals("n BIGINT, t TIMESTAMP(3)", "SELECT n, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)) FROM numbers");
const withLabel = (label: string): Job =>
  totals(
    `n BIGINT, t TIMESTAMP(3), label ${label}`,
    `SELECT n, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), CAST('a' AS ${label}) FROM numbers`,
  );

describe("a deployment into a Paimon catalog", () => {
  const deployed = async (job: Job, commit: string): Promise<JobOutcome | undefined> => {
    const gateway = new Gateway({ url: cluster.gatewayUrl });
    const jobmanager = new JobManager({ url: cluster.jobmanagerUrl });
    await using through = jobmanagerCluster(jobmanager, { gateway, initSql: initSql("paimon"), signal });
    const writer = {
      environment: "lake",
      project: null,
      commit,
      now: () => "2026-01-01T00:00:00Z",
    };
    const { jobs } = await deploy(
      {
        jobs: [job],
        compiledPlans: new Map(),
        flinkVersion: "1.20.3",
        removedJobs: "keep",
        renames: {},
        parallelJobs: 1,
        settings: {
          environment: "lake",
          deployment: commit,
          savepointDirectory: uri("savepoints"),
          verify: { timeoutMs: 60_000, batchTimeoutMs: 60_000, checkpoints: 1, steadyMs: 0 },
        },
        consentOf: () => ({ toReplay: false, toStartEmpty: false }),
        secrets: new Map(),
      },
      {
        cluster: through,
        ledger: await openLedger(openFileStore(join(folder, "ledger"), "lake"), writer),
        log: (name, line) => log(`${name}: ${line}`),
        clock: () => performance.now(),
        storage: listedStorage({
          listCommand: null,
          cwd: process.cwd(),
          environment: process.env,
          signal,
          log: () => undefined,
        }),
        signal,
        deadline: signal,
      },
    );
    return jobs[0];
  };
  const living = async () =>
    (await new JobManager({ url: cluster.jobmanagerUrl }).jobs())
      .filter(({ endTime }) => endTime === null)
      .map(({ id }) => id);

  test("takes its table again in a later session, and is refused with another one before the job is stopped", async () => {
    const created = await deployed(first(), "one");
    expect(created).toMatchObject({ ending: "created", code: null, notes: [] });
    const refused = await deployed(withLabel("STRING"), "two");
    expect(refused).toMatchObject({
      ending: "refused",
      code: "table-differs",
      jobId: created?.jobId,
      message:
        "The table totals is there already, and not as declared: column label is missing there and VARCHAR(2147483647) in the project.",
    });
    expect(await living()).toEqual([created?.jobId]);
    const option = await deployed(
      totals("n BIGINT, t TIMESTAMP(3)", first().program.insert.slice(19), "'write-buffer-size' = '9 mb'"),
      "three",
    );
    expect(option?.message).toContain("option 'write-buffer-size' is '8 mb' there and '9 mb' in the project");

    await using session = await new Gateway({ url: cluster.gatewayUrl }).openSession();
    for (const sql of [...initSql("paimon"), "ALTER TABLE totals ADD label STRING"]) await session.execute(sql);
    const upgraded = await deployed(withLabel("STRING"), "four");
    expect(upgraded).toMatchObject({ ending: "upgraded", code: null, notes: [] });
    expect(await living()).toEqual([upgraded?.jobId]);
  });
});

describe.each(["paimon", "iceberg"] as const)("a plan that sees a catalog of %s", (kind) => {
  const planned = async (job: Job): Promise<readonly Finding[]> => {
    const gateway = new Gateway({ url: cluster.gatewayUrl });
    const statements = [...initSql(kind), "USE CATALOG lake", "CREATE DATABASE IF NOT EXISTS planned", "USE planned"];
    const scratchFolder = join(folder, "compiled");
    await using planner = await openPlanner({
      gateway,
      flinkVersion: "1.20.3",
      scratchFolder,
      initSql: statements,
      sessions: 1,
      log,
    });
    return await planner.tables(job);
  };
  const made = async (sql: string): Promise<void> => {
    await using session = await new Gateway({ url: cluster.gatewayUrl }).openSession();
    const statements = [...initSql(kind), "CREATE DATABASE IF NOT EXISTS planned", "USE planned", sql];
    for (const statement of statements) await session.execute(statement);
  };

  test("has a finding for a table that is not as declared, and changes nothing there", async () => {
    const { program } = first();
    expect(await planned(first())).toEqual([]);
    await made(program.sink.sql);
    const same = await planned(first());
    // What the catalog itself makes of a statement is no error.
    expect(same.filter(({ severity }) => severity === "error")).toEqual([]);
    if (kind === "iceberg")
      expect(same.map(({ message }) => message).join()).toContain("TIMESTAMP(6) there and TIMESTAMP(3)");
    for (const _again of [1, 2]) {
      expect(await planned(withLabel("INT"))).toMatchObject([
        {
          severity: "error",
          code: "table-differs",
          job: "totals",
          file: "models/totals.sql",
          message:
            "The table totals is there already, and not as declared: column label is missing there and INT in the project.",
        },
      ]);
    }
  });
});
