import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploy, type Outcome } from "../../src/deploy/deployment.ts";
import { disposeOld } from "../../src/deploy/dispose.ts";
import { gatewayCluster } from "../../src/deploy/gateway-cluster.ts";
import { jobmanagerCluster } from "../../src/deploy/jobmanager-cluster.ts";
import { rollBack } from "../../src/deploy/rollback.ts";
import { listedStorage } from "../../src/deploy/state-storage.ts";
import type { JobOutcome, RunContext } from "../../src/deploy/task.ts";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { openLedger, readEntries } from "../../src/ledger/ledger.ts";
import { secretsOf } from "../../src/ledger/stored-job.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { programDigest } from "../../src/project/digest.ts";
import type { Config, Job, Program } from "../../src/project/job.ts";

const log = (line: string): void => console.log(line);

/** A cluster of real processes, with Flink's own cache of 3 s in front of what it tells of a job, and a ledger. */
class Environment implements AsyncDisposable {
  readonly #cluster: EmbeddedCluster;
  readonly #folder: string;
  #commits = 0;

  private constructor(cluster: EmbeddedCluster, folder: string) {
    this.#cluster = cluster;
    this.#folder = folder;
  }

  static async start(version: string): Promise<Environment> {
    const cacheFolder = defaultCacheFolder(process.env);
    const distribution = await provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, log });
    const folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-"));
    const cluster = await startCluster({ distribution, folder: join(folder, "flink"), log, slots: 4 });
    return new Environment(cluster, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A job of that name which writes the numbers 1, 2, 3 and so on, each with the value of an expression. */
  job(name: string, expression: string, options: JobOptions = {}): Job {
    const program: Program = {
      setup: ["numbers", "others"].map((table) => ({
        kind: "table",
        name: table,
        sql: `CREATE TABLE ${table} (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000')`,
        origin,
      })),
      sink: {
        kind: "table",
        name,
        sql: `CREATE TABLE ${name} (n BIGINT, v STRING) WITH ('connector' = 'filesystem', 'format' = 'csv',
          'path' = '${pathToFileURL(join(this.#folder, "sinks", name)).href}')`,
        origin,
      },
      insert: `INSERT INTO ${name} ${options.query ?? `SELECT n, ${expression} FROM numbers`}`,
      runtimeMode: "streaming",
      executionConfig: { "pipeline.name": name, "execution.checkpointing.interval": "300ms", ...options.config },
      preHooks: [],
      postHooks: [],
    };
    const desiredState = options.desiredState ?? "running";
    const digest = programDigest(program);
    return { name, origin, upgradeMode: "savepoint", desiredState, startFrom: null, program, digest };
  }

  /** Of each job `keep` savepoints stay; all unless it is given. */
  async deploy(
    job: Job,
    through: "jobmanager" | "gateway" = "jobmanager",
    keep: number | null = null,
  ): Promise<JobOutcome> {
    const { environment, savepointDirectory, verify } = this.#settings;
    const request = {
      jobs: [job],
      compiledPlans: new Map(),
      flinkVersion: "",
      removedJobs: "keep",
      renames: {},
      parallelJobs: 1,
      consentOf: () => ({ toReplay: false, toStartEmpty: false }),
      secrets: secretsOf([job.program]),
    } as const;
    this.#commits += 1;
    const deployment = `deployment ${this.#commits}`;
    const settings = { environment, deployment, savepointDirectory, verify };
    return await this.#run(job.name, through, async (context) => {
      const ended = await deploy({ ...request, settings }, context);
      if (keep === null) return ended;
      const policy = { keep, youngerThanMs: null };
      return await disposeOld(ended, { policy, jobs: [job], parallelJobs: 2, now: Date.now() }, context);
    });
  }

  /** Of that job alone, to the deployment before the newest that changed it. */
  async rollBack(name: string, keepsProgress: boolean): Promise<JobOutcome> {
    const request = {
      to: null,
      jobs: [name],
      keepsProgress,
      parallelJobs: 1,
      settings: this.#settings,
      consentOf: () => ({ toReplay: false, toStartEmpty: false }),
      secrets: async () => new Map(),
    };
    return await this.#run(name, "jobmanager", (context) => rollBack(request, context));
  }

  get #settings() {
    return {
      environment: "e2e",
      savepointDirectory: pathToFileURL(join(this.#folder, "savepoints")).href,
      verify: { timeoutMs: 60_000, batchTimeoutMs: 60_000, checkpoints: 1, steadyMs: 2_000 },
    };
  }

  async #run(
    name: string,
    through: "jobmanager" | "gateway",
    work: (context: RunContext) => Promise<Outcome>,
  ): Promise<JobOutcome> {
    const { signal } = new AbortController();
    const to = { gateway: new Gateway({ url: this.#cluster.gatewayUrl }), initSql: [], signal };
    await using cluster =
      through === "gateway"
        ? gatewayCluster(to)
        : jobmanagerCluster(new JobManager({ url: this.#cluster.jobmanagerUrl }), to);
    const writer = { environment: "e2e", project: null, commit: null, now: () => new Date().toISOString() };
    const { jobs } = await work({
      cluster,
      ledger: await openLedger(openFileStore(join(this.#folder, "ledger"), "e2e"), writer),
      log: (job, line) => log(`${job}: ${line}`),
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
    });
    const outcome = jobs.find((one) => one.job === name);
    if (outcome === undefined) throw new Error(`no outcome for ${name}`);
    log(
      `${outcome.ending} ${outcome.code} ${outcome.durationMs.toFixed(0)} ms, ${outcome.interruptionMs?.toFixed(0)} ms`,
    );
    return outcome;
  }

  /** The savepoints of a job that are on disk, each with its metadata, oldest first. */
  savepoints(name: string): readonly string[] {
    const root = join(this.#folder, "savepoints", "e2e", name);
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => /_metadata$/.test(file));
    const folders = files.map((file) => dirname(join(root, file)));
    return folders.toSorted((a, b) => statSync(a).ctimeMs - statSync(b).ctimeMs);
  }

  /** What is left on disk of all that is below the folder of a job's savepoints, empty folders aside. */
  savepointFiles(name: string): readonly string[] {
    const root = join(this.#folder, "savepoints", "e2e", name);
    const found = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return found.map((entry) => entry.parentPath);
  }

  async disposedOf(name: string): Promise<number> {
    const entries = await readEntries(openFileStore(join(this.#folder, "ledger"), "e2e"));
    return entries.filter(({ job, fact }) => job === name && fact.kind === "disposed").length;
  }

  /** Every line of the sink's committed files; Flink hides the others behind a dot. */
  lines(name: string): readonly string[] {
    const folder = join(this.#folder, "sinks", name);
    const files = readdirSync(folder).filter((file) => !file.startsWith("."));
    return files.flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"));
  }

  /** The numbers that came with that value, in their order. */
  numbers(name: string, value: string): readonly number[] {
    const rows = this.lines(name).map((line) => line.split(","));
    const own = rows.filter(([, v]) => v === value);
    return own.map(([n]) => Number(n)).sort((x, y) => x - y);
  }

  /** The values in the order of their numbers, which must be 1, 2, 3 and so on: none missing, none twice. */
  values(name: string): readonly string[] {
    const rows = this.lines(name).map((line) => line.split(","));
    const sorted = rows.map(([n, v]) => [Number(n), v ?? ""] as const).sort(([a], [b]) => a - b);
    expect(sorted.map(([n]) => n)).toEqual(Array.from({ length: sorted.length }, (_, index) => index + 1));
    return [...new Set(sorted.map(([, v]) => v))];
  }
}

interface JobOptions {
  readonly config?: Config;
  readonly desiredState?: Job["desiredState"];
  readonly query?: string;
}

const origin = { nodeId: null, file: null };
/** Another source beside the first: its savepoint has a state that this topology has no place for. */
const incompatible = "SELECT n, 'x' FROM numbers UNION ALL SELECT n, 'y' FROM others";

describe.each(["1.20.3", "2.3.0"])("on Flink %s", (version) => {
  let it: Environment;
  beforeAll(async () => {
    it = await Environment.start(version);
  });
  afterAll(async () => {
    await it?.[Symbol.asyncDispose]();
  });

  test("a job is created, upgraded, put back, suspended and resumed, and every number comes once", async () => {
    const created = await it.deploy(it.job("totals", "'a'"));
    expect(created).toMatchObject({ ending: "created", code: null });
    expect(await it.deploy(it.job("totals", "'a'"))).toMatchObject({ ending: "unchanged", jobId: created.jobId });

    const upgraded = await it.deploy(it.job("totals", "'b'"));
    expect(upgraded).toMatchObject({ ending: "upgraded", code: null });
    expect(upgraded.restored).toMatch(/\/savepoints\/e2e\/totals\/[0-9a-f]{16}\/savepoint-/);

    const refused = await it.deploy(it.job("totals", "'b'", { query: incompatible }));
    expect(refused).toMatchObject({ ending: "rolled-back", code: "rolled-back" });
    expect(refused.message).toMatch(/Cannot map|no operator|does not exist in the new/i);
    expect(refused.restored).not.toBe(upgraded.restored);

    if (version === "1.20.3") {
      const configured = await it.deploy(it.job("totals", "'b'", { config: { "pipeline.object-reuse": "true" } }));
      expect(configured).toMatchObject({ ending: "upgraded", code: null });
    }
    const suspended = await it.deploy(it.job("totals", "'c'", { desiredState: "suspended" }));
    expect(suspended).toMatchObject({ ending: "suspended", jobId: null });
    const before = it.lines("totals").length;
    const resumed = await it.deploy(it.job("totals", "'c'"));
    expect(resumed).toMatchObject({ ending: "resumed", restored: suspended.savepoint });

    await it.deploy(it.job("totals", "'c'", { desiredState: "suspended" }));
    expect(it.lines("totals").length).toBeGreaterThan(before);
    expect(it.values("totals")).toEqual(["a", "b", "c"]);
  });

  test("savepoints that nothing needs go from the disk, and those that are needed stay on it", async () => {
    for (const value of ["a", "b", "c"]) await it.deploy(it.job("sums", `'${value}'`), "jobmanager", 2);
    const [first, second] = it.savepoints("sums");
    expect(await it.deploy(it.job("sums", "'d'"), "jobmanager", 2)).toMatchObject({ ending: "upgraded", notes: [] });
    const [, third] = it.savepoints("sums");
    expect(it.savepoints("sums")).toEqual([second, third]);
    expect(new Set(it.savepointFiles("sums"))).toEqual(new Set([second, third]));
    expect(await it.disposedOf("sums")).toBe(1);
    expect(existsSync(first ?? "")).toBe(false);

    // As a disposal leaves it that failed half-way: Flink deletes the metadata first.
    rmSync(join(second ?? "", "_metadata"));
    expect(await it.deploy(it.job("sums", "'d'"), "jobmanager", 1)).toMatchObject({ ending: "unchanged", notes: [] });
    expect(it.savepoints("sums")).toEqual([third]);
    expect(await it.disposedOf("sums")).toBe(2);

    await it.deploy(it.job("sums", "'d'", { desiredState: "suspended" }), "jobmanager", 1);
    expect(it.savepoints("sums")).toHaveLength(2);
    expect(await it.deploy(it.job("sums", "'d'"), "jobmanager", 1)).toMatchObject({ ending: "resumed", notes: [] });
    expect(it.savepoints("sums")).toHaveLength(2);
    await it.deploy(it.job("sums", "'e'"), "jobmanager", 1);
    expect(it.savepoints("sums")).toHaveLength(1);
    await it.deploy(it.job("sums", "'e'", { desiredState: "suspended" }), "jobmanager", 1);
    expect(it.values("sums")).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("a rollback starts the old program from its own savepoint, or keeps the progress: then every number comes once", async () => {
    await it.deploy(it.job("back", "'a'"));
    const { restored } = await it.deploy(it.job("back", "'b'"));
    const back = await it.rollBack("back", false);
    expect(back).toMatchObject({ ending: "upgraded", code: null, restored });
    expect(await it.rollBack("back", false)).toMatchObject({ ending: "unchanged", jobId: back.jobId });
    await it.deploy(it.job("back", "'a'", { desiredState: "suspended" }));
    const [old, others] = [it.numbers("back", "a"), it.numbers("back", "b")];
    expect(old).toEqual(old.map((_, index) => index + 1));
    const begin = others[0] ?? 0;
    expect(others).toEqual(others.map((_, index) => begin + index));
    expect(begin).toBeGreaterThan(1);
    expect(old).toContain(begin);

    await it.deploy(it.job("kept", "'a'"));
    await it.deploy(it.job("kept", "'b'"));
    expect(await it.rollBack("kept", true)).toMatchObject({ ending: "upgraded", code: null });
    await it.deploy(it.job("kept", "'a'", { desiredState: "suspended" }));
    expect(it.values("kept")).toEqual(["a", "b"]);
    expect(it.numbers("kept", "a").at(-1)).toBeGreaterThan(it.numbers("kept", "b").at(-1) ?? 0);
  });
});

describe("on Flink 1.20.3, through the gateway alone", () => {
  let it: Environment;
  beforeAll(async () => {
    it = await Environment.start("1.20.3");
  });
  afterAll(async () => {
    await it?.[Symbol.asyncDispose]();
  });

  test("a job is created, upgraded, put back, suspended and resumed, and every number comes once", async () => {
    expect(await it.deploy(it.job("sums", "'a'"), "gateway")).toMatchObject({ ending: "created", code: null });
    expect(await it.deploy(it.job("sums", "'b'"), "gateway")).toMatchObject({ ending: "upgraded", code: null });
    const refused = await it.deploy(it.job("sums", "'b'", { query: incompatible }), "gateway");
    expect(refused).toMatchObject({ ending: "rolled-back", code: "rolled-back" });
    const suspended = await it.deploy(it.job("sums", "'c'", { desiredState: "suspended" }), "gateway");
    expect(suspended).toMatchObject({ ending: "suspended" });
    expect(await it.deploy(it.job("sums", "'c'"), "gateway")).toMatchObject({ restored: suspended.savepoint });
    await it.deploy(it.job("sums", "'c'", { desiredState: "suspended" }), "gateway");
    expect(it.values("sums")).toEqual(["a", "b", "c"]);
  });
});
