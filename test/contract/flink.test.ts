import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fence } from "../../src/deploy/fence.ts";
import { Gateway, type GatewaySession, isDuplicateSubmission } from "../../src/flink/gateway.ts";
import { isWhollyRunning, JobManager, type SavepointStatus } from "../../src/flink/jobmanager.ts";
import { normalisePath } from "../../src/flink/paths.ts";
import { type Subject, slots, subjects } from "./flink-subjects.ts";

const ddl = [
  `CREATE TABLE numbers (n BIGINT NOT NULL, label STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '50',
   'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000')`,
  "CREATE TABLE bounded (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10')",
  "CREATE TABLE sink (n BIGINT) WITH ('connector' = 'blackhole')",
];
const insert = "INSERT INTO sink SELECT n FROM numbers";
const unknownId = "0".repeat(32);

describe.each(subjects)("$name", ({ start }) => {
  let flink: Subject;
  let session: GatewaySession;
  let gateway: Gateway;
  let jobmanager: JobManager;
  let serial = 0;
  const newId = (): string => {
    serial += 1;
    return `abcdef${serial.toString(16).padStart(26, "0")}`;
  };

  beforeAll(async () => {
    flink = await start();
    gateway = new Gateway({ url: flink.gatewayUrl });
    jobmanager = new JobManager({ url: flink.jobmanagerUrl });
  });
  afterAll(async () => {
    await flink?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    session = await gateway.openSession({ name: "contract" });
    for (const sql of ddl) await session.execute(sql);
  });
  afterEach(async () => {
    for (const job of await jobmanager.jobs()) if (job.endTime === null) await jobmanager.cancel(job.id);
    await session.close();
  });

  /** Looks until it is so; the runner's own time limit ends a wait in vain. */
  async function until<T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
    for (;;) {
      const found = await look();
      if (isSo(found)) return found;
      await flink.pause();
    }
  }

  async function submit(config: Readonly<Record<string, string>> = {}, sql = insert): Promise<string> {
    const id = newId();
    const executionConfig = {
      "pipeline.name": `job ${id}`,
      "execution.checkpointing.interval": "200ms",
      "$internal.pipeline.job-id": id,
      ...config,
    };
    const { jobId } = await session.execute(sql, { executionConfig });
    return jobId ?? "";
  }

  async function running(config: Readonly<Record<string, string>> = {}): Promise<string> {
    const id = await submit(config);
    await until(
      () => jobmanager.job(id),
      (job) => job !== null && isWhollyRunning(job),
    );
    return id;
  }

  const outcome = (id: string, triggerId: string): Promise<SavepointStatus> =>
    until(
      () => jobmanager.savepointStatus(id, triggerId),
      ({ kind }) => kind !== "in-progress",
    );

  async function stopped(id: string): Promise<string> {
    const triggerId = await jobmanager.stopWithSavepoint(id, { targetDirectory: `${flink.folder}/savepoints` });
    const status = await outcome(id, triggerId);
    if (status.kind !== "completed") throw new Error(`the savepoint is ${JSON.stringify(status)}`);
    return status.path;
  }

  const restoring = (path: string) => ({ "execution.savepoint.path": path, "execution.state-recovery.path": path });
  const stateOf = async (id: string) => (await jobmanager.jobs()).find((job) => job.id === id)?.state;

  describe("the gateway", () => {
    test("tells its product and version", async () => {
      expect(await gateway.info()).toEqual({ productName: "Apache Flink", version: flink.version });
    });

    test("keeps tables in the session that made them", async () => {
      await using other = await gateway.openSession();
      expect((await session.execute("SHOW TABLES")).rows).toEqual([["bounded"], ["numbers"], ["sink"]]);
      expect((await other.execute("SHOW TABLES")).rows).toEqual([]);
    });

    test("opens a session with properties", async () => {
      await using other = await gateway.openSession({ properties: { "pipeline.name": "given" } });
      expect((await other.execute("SET")).rows).toContainEqual(["pipeline.name", "given"]);
    });

    test("takes a statement with and without a semicolon", async () => {
      expect((await session.execute("SHOW VIEWS")).rows).toEqual([]);
      expect((await session.execute("SHOW VIEWS ;\n")).rows).toEqual([]);
    });

    test("describes a table's columns", async () => {
      const { columns, rows, jobId } = await session.execute("DESCRIBE numbers");
      expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
        "name STRING",
        "type STRING",
        "null BOOLEAN",
        "key STRING",
        "extras STRING",
        "watermark STRING",
      ]);
      expect(rows.map((row) => row.slice(0, 3))).toEqual([
        ["n", "BIGINT", false],
        ["label", "STRING", true],
      ]);
      expect(jobId).toBeNull();
    });

    test("shows a table as a statement, and refuses one that is not there", async () => {
      expect((await session.execute("SHOW CURRENT CATALOG")).rows).toEqual([["default_catalog"]]);
      await session.execute("CREATE TEMPORARY TABLE passing (n BIGINT) WITH ('connector' = 'blackhole')");
      const shown = async (name: string) => String((await session.execute(`SHOW CREATE TABLE ${name}`)).rows[0]?.[0]);
      expect((await shown("numbers")).replace(/\s+/g, " ")).toMatch(
        /^CREATE TABLE `default_catalog`\.`default_database`\.`numbers` \( `n` BIGINT NOT NULL, `label` VARCHAR\(2147483647\) \) WITH \( ?'/,
      );
      expect(await shown("passing")).toMatch(/^CREATE TEMPORARY TABLE /);
      await expect(shown("nothing")).rejects.toMatchObject({
        code: "statement-failed",
        message: expect.stringContaining("`nothing` does not exist") as string,
      });
      await session.execute("DROP TEMPORARY TABLE passing");
    });

    test("answers DDL with OK", async () => {
      const { rows } = await session.execute(
        "CREATE TEMPORARY VIEW evens AS SELECT n FROM numbers WHERE MOD(n, 2) = 0",
      );
      expect(rows).toEqual([["OK"]]);
    });

    test.each([
      ["SELECT * FROM nothere", "From line 1, column 15 to line 1, column 21: Object 'nothere' not found"],
      ["SELEC 1", "Non-query expression encountered in illegal context"],
      [
        "CREATE TABLE sink (a INT) WITH ('connector' = 'blackhole')",
        "Table (or view) default_database.sink already exists in Catalog default_catalog.",
      ],
      ["DROP TABLE nothere", "Table with identifier 'default_catalog.default_database.nothere' does not exist."],
      [
        "DESCRIBE nothere",
        "Tables or views with the identifier 'default_catalog.default_database.nothere' doesn't exist.",
      ],
      [
        "INSERT INTO nothere SELECT n FROM numbers",
        "Cannot find table '`default_catalog`.`default_database`.`nothere`' in any of the catalogs [default_catalog], nor as a temporary table.",
      ],
    ])("refuses %s in its own words alone", async (sql, message) => {
      await expect(session.execute(sql)).rejects.toMatchObject({
        code: "statement-failed",
        message: expect.stringContaining(message),
        cause: { stack: expect.stringContaining("\tat org.apache.flink.") },
      });
      await expect(session.execute(sql)).rejects.not.toMatchObject({
        message: expect.stringMatching(/Exception|\tat /),
      });
    });

    test("goes on with a session in which a statement failed", async () => {
      await expect(session.execute("SELEC 1")).rejects.toThrow();
      expect((await session.execute("SHOW TABLES")).rows).toHaveLength(3);
    });

    test("knows no session that was closed", async () => {
      const other = await gateway.openSession();
      await other.close();
      await other.close();
      await expect(other.execute("SHOW TABLES")).rejects.toMatchObject({ code: "session-expired" });
    });
  });

  describe("the wrong port", () => {
    test("is not a gateway when the jobmanager answers", async () => {
      const wrong = new Gateway({ url: flink.jobmanagerUrl });
      await expect(wrong.info()).rejects.toMatchObject({ code: "not-a-gateway" });
      await expect(wrong.openSession()).rejects.toMatchObject({ code: "not-a-gateway" });
    });

    test("is no jobmanager when the gateway answers, and never an unknown job", async () => {
      const wrong = new JobManager({ url: flink.gatewayUrl });
      await expect(wrong.config()).rejects.toMatchObject({ code: "jobmanager-unreachable" });
      await expect(wrong.job(unknownId)).rejects.toMatchObject({ code: "jobmanager-unreachable" });
    });
  });

  describe("a job", () => {
    test("the list of jobs tells how many tasks run", async () => {
      const id = await running();
      const tasks = (await jobmanager.jobs()).find((job) => job.id === id)?.tasks;
      expect(tasks?.total).toBeGreaterThan(0);
      expect(tasks?.running).toBe(tasks?.total);
    });

    test("a checkpoint can be asked for, however seldom they come by themselves", async () => {
      const id = await running({ "execution.checkpointing.interval": "1 h" });
      const completed = async () => (await jobmanager.checkpoints(id))?.counts.completed ?? 0;
      const before = await completed();
      expect(await jobmanager.triggerCheckpoint(id, newId())).toBe(true);
      await until(completed, (count) => count > before);
    });

    test("runs under the id and name it was given, and completes checkpoints", async () => {
      const id = await running({ "pipeline.name": "counting" });
      expect(id).toBe(`abcdef${serial.toString(16).padStart(26, "0")}`);
      expect(await jobmanager.jobs()).toContainEqual(
        expect.objectContaining({ id, name: "counting", state: "RUNNING", endTime: null }),
      );
      const checkpoints = await until(
        () => jobmanager.checkpoints(id),
        (found) => found !== null && found.counts.completed >= 2,
      );
      expect(checkpoints).toMatchObject({ restored: null, latestSavepoint: null });
      expect(checkpoints?.latestCompleted).toMatchObject({ isSavepoint: false, stateSize: expect.any(Number) });
      expect(await jobmanager.checkpointConfig(id)).toEqual({
        intervalMs: 200,
        survivesFailure: false,
        survivesCancel: false,
      });
      expect(await jobmanager.plan(id)).toMatchObject({ jid: id });
      expect((await session.execute("SHOW JOBS")).rows.map((row) => row.slice(0, 3))).toContainEqual([
        id,
        "counting",
        "RUNNING",
      ]);
    });

    test("is refused when its id is in use, also after that job's end", async () => {
      const id = await running();
      const again = { executionConfig: { "$internal.pipeline.job-id": id } };
      await expect(session.execute(insert, again)).rejects.toSatisfy(isDuplicateSubmission);
      await jobmanager.cancel(id);
      await until(
        () => stateOf(id),
        (state) => state === "CANCELED",
      );
      await expect(session.execute(insert, again)).rejects.toSatisfy(isDuplicateSubmission);
    });

    test("is refused when its id was used up by a job that does nothing, which may be asked for twice", async () => {
      const id = newId();
      const options = { gateway, signal: new AbortController().signal };
      await fence(id, options);
      await fence(id, options);
      const late = { executionConfig: { "$internal.pipeline.job-id": id } };
      await expect(session.execute(insert, late)).rejects.toSatisfy(isDuplicateSubmission);
      await until(
        () => stateOf(id),
        (state) => state === "FINISHED",
      );
    });

    test("ends CANCELED when it is cancelled, and a second time changes nothing", async () => {
      const id = await running();
      await jobmanager.cancel(id);
      await until(
        () => stateOf(id),
        (state) => state === "CANCELED",
      );
      await jobmanager.cancel(id);
      const job = await until(
        () => jobmanager.job(id),
        (found) => found?.state === "CANCELED",
      );
      expect(job?.endTime).toBeGreaterThan(0);
    });

    test("tells whether its checkpoints outlive it", async () => {
      const key = "execution.checkpointing.externalized-checkpoint-retention";
      const kept = await running({ [key]: "RETAIN_ON_CANCELLATION" });
      const brief = await running({ [key]: "DELETE_ON_CANCELLATION" });
      expect(await jobmanager.checkpointConfig(kept)).toMatchObject({ survivesFailure: true, survivesCancel: true });
      expect(await jobmanager.checkpointConfig(brief)).toMatchObject({ survivesFailure: true, survivesCancel: false });
    });

    test("leaves its newest checkpoint where it is told to, also when it is cancelled", async () => {
      const folder = `file://${flink.folder}/checkpoints`;
      const id = await running({
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "state.checkpoints.dir": folder,
        "execution.checkpointing.dir": folder,
      });
      await until(
        () => jobmanager.checkpoints(id),
        (found) => found !== null && found.counts.completed >= 1,
      );
      await jobmanager.cancel(id);
      await until(
        () => stateOf(id),
        (state) => state === "CANCELED",
      );
      const path = (await jobmanager.checkpoints(id))?.latestCompleted?.path ?? "";
      expect(path).toContain(`/${id}/chk-`);
      const next = await running({ "execution.savepoint.path": path });
      const { restored } = await until(
        async () => ({ restored: (await jobmanager.checkpoints(next))?.restored ?? null }),
        (found) => found.restored !== null,
      );
      expect(normalisePath(restored?.path ?? "")).toBe(normalisePath(path));
    });

    test("ends FINISHED in batch mode", async () => {
      const id = await submit({ "execution.runtime-mode": "batch" }, "INSERT INTO sink SELECT n FROM bounded");
      expect(await jobmanager.checkpoints(id)).toBeNull();
      expect(await jobmanager.checkpointConfig(id)).toBeNull();
      await until(
        () => stateOf(id),
        (state) => state === "FINISHED",
      );
    });

    test("leaves its exception when it fails", async () => {
      flink.expectDivisionByZero("dividing");
      const config = { "pipeline.name": "dividing", "restart-strategy.type": "none", "restart-strategy": "none" };
      const id = await submit(config, "INSERT INTO sink SELECT 10 / (n - 5) FROM numbers");
      await until(
        () => stateOf(id),
        (state) => state === "FAILED",
      );
      const [newest] = await until(
        () => jobmanager.exceptions(id),
        (found) => found.length > 0,
      );
      expect(newest?.text).toContain("/ by zero");
      expect(newest?.trace).toContain("\tat ");
      expect(newest?.timestamp).toBeGreaterThan(1_600_000_000_000);
    });

    test("is RUNNING without slots for all its tasks, but not wholly, and takes no savepoint", async () => {
      const id = await submit({ "parallelism.default": String(slots + 1) });
      const isPartlyRunning = (counts: Readonly<Record<string, number>>): boolean => counts.RUNNING === slots;
      const job = await until(
        () => jobmanager.job(id),
        (found) => found?.vertices.every(({ taskCounts }) => isPartlyRunning(taskCounts)) ?? false,
      );
      expect(job).toMatchObject({ state: "RUNNING", vertices: [{ status: "RUNNING" }, { status: "RUNNING" }] });
      expect(job === null || isWhollyRunning(job)).toBe(false);
      const triggerId = await jobmanager.stopWithSavepoint(id, { targetDirectory: flink.folder });
      expect(await outcome(id, triggerId)).toEqual({
        kind: "failed",
        cause: expect.stringContaining("Not all required tasks are currently running."),
        savepoint: null,
      });
      expect(await stateOf(id)).toBe("RUNNING");
    });

    test("that nobody knows is null, not an error", async () => {
      expect(await jobmanager.job(unknownId)).toBeNull();
      expect(await jobmanager.checkpoints(unknownId)).toBeNull();
      expect(await jobmanager.exceptions(unknownId)).toEqual([]);
      expect(await jobmanager.disposalStatus(unknownId)).toEqual({ kind: "unknown" });
      expect(await jobmanager.savepointStatus(unknownId, unknownId)).toEqual({ kind: "unknown" });
      await expect(jobmanager.cancel(unknownId)).rejects.toMatchObject({ code: "unknown-job" });
    });
  });

  describe("a savepoint", () => {
    test("is taken while the job runs on", async () => {
      const id = await running();
      const triggerId = newId();
      const options = { targetDirectory: `${flink.folder}/savepoints`, triggerId };
      expect(await jobmanager.triggerSavepoint(id, options)).toBe(triggerId);
      const status = await outcome(id, triggerId);
      expect(status).toEqual({ kind: "completed", path: expect.stringContaining(`file:${flink.folder}/savepoints/`) });
      const path = status.kind === "completed" ? status.path : "";
      const seen = await until(
        () => jobmanager.checkpoints(id),
        (found) => found?.latestSavepoint !== null,
      );
      expect(seen?.latestSavepoint).toMatchObject({ path, isSavepoint: true });
      expect(await stateOf(id)).toBe("RUNNING");
    });

    test("asked for three times with one trigger id while the job runs on, is one savepoint", async () => {
      const id = await running();
      const options = { targetDirectory: `${flink.folder}/savepoints`, triggerId: newId() };
      await jobmanager.triggerSavepoint(id, options);
      await jobmanager.triggerSavepoint(id, options);
      const first = await outcome(id, options.triggerId);
      expect(first.kind).toBe("completed");
      expect(await jobmanager.triggerSavepoint(id, options)).toBe(options.triggerId);
      expect(await outcome(id, options.triggerId)).toEqual(first);
      const next = { ...options, triggerId: newId() };
      await jobmanager.triggerSavepoint(id, next);
      const second = await outcome(id, next.triggerId);
      expect(second.kind).toBe("completed");
      expect(second).not.toEqual(first);
      expect(await stateOf(id)).toBe("RUNNING");
    });

    test("and stop, asked for three times with one trigger id, is one savepoint", async () => {
      const id = await running();
      const options = { targetDirectory: `${flink.folder}/savepoints`, triggerId: newId() };
      await jobmanager.stopWithSavepoint(id, options);
      await jobmanager.stopWithSavepoint(id, options);
      const first = await outcome(id, options.triggerId);
      await jobmanager.stopWithSavepoint(id, options);
      expect(first.kind).toBe("completed");
      expect(await outcome(id, options.triggerId)).toEqual(first);
      await until(
        () => stateOf(id),
        (state) => state === "FINISHED",
      );
      const seen = await until(
        () => jobmanager.checkpoints(id),
        (found) => found?.latestSavepoint !== null,
      );
      expect(first).toEqual({ kind: "completed", path: seen?.latestSavepoint?.path });
    });

    test("of an ended job fails, under COMPLETED, with Flink's cause", async () => {
      const id = await running();
      await stopped(id);
      const triggerId = await jobmanager.stopWithSavepoint(id, { targetDirectory: flink.folder, triggerId: newId() });
      const cause = `Could not find Flink job (${id})`;
      expect(await outcome(id, triggerId)).toEqual({ kind: "failed", cause, savepoint: null });
    });

    test("in a folder that cannot be written fails, and the job runs on", async () => {
      const id = await running();
      const triggerId = await jobmanager.stopWithSavepoint(id, { targetDirectory: "/proc/nowhere" });
      const cause = "Failed to create savepoint directory at /proc/nowhere";
      expect(await outcome(id, triggerId)).toEqual({ kind: "failed", cause, savepoint: null });
      expect(await stateOf(id)).toBe("RUNNING");
    });

    test("without any folder is refused", async () => {
      const id = await running();
      const options = { targetDirectory: null };
      await expect(jobmanager.stopWithSavepoint(id, options)).rejects.toMatchObject({ code: "savepoint-dir-missing" });
      await expect(jobmanager.triggerSavepoint(id, options)).rejects.toMatchObject({ code: "savepoint-dir-missing" });
    });

    test("is what its successor says it was restored from", async () => {
      const path = await stopped(await running());
      const id = await running(restoring(path));
      const seen = await until(
        () => jobmanager.checkpoints(id),
        (found) => found?.restored !== null,
      );
      expect(seen?.restored).toMatchObject({ isSavepoint: true });
      expect(normalisePath(seen?.restored?.path ?? "")).toBe(normalisePath(path));
      expect(seen?.counts.restored).toBe(1);
    });

    test("that is not there starts no job, and the id stays used", async () => {
      const config = { ...restoring(`${flink.folder}/nowhere`), "$internal.pipeline.job-id": newId() };
      await expect(submit(config)).rejects.toMatchObject({
        code: "statement-failed",
        message: expect.stringContaining(
          `Cannot find checkpoint or savepoint file/directory '${flink.folder}/nowhere'`,
        ),
      });
      const id = config["$internal.pipeline.job-id"];
      await until(
        () => stateOf(id),
        (state) => state === "FAILED",
      );
      const again = session.execute(insert, { executionConfig: { "$internal.pipeline.job-id": id } });
      await expect(again).rejects.toSatisfy(isDuplicateSubmission);
    });

    test("is gone after its disposal", async () => {
      const path = await stopped(await running());
      const dispose = async () => {
        const triggerId = await jobmanager.disposeSavepoint(path);
        return await until(
          () => jobmanager.disposalStatus(triggerId),
          ({ kind }) => kind !== "in-progress",
        );
      };
      const gone = "Cannot find checkpoint or savepoint file/directory";
      expect(await dispose()).toEqual({ kind: "completed" });
      expect(await dispose()).toMatchObject({ kind: "failed", cause: expect.stringContaining(gone) });
      await expect(submit(restoring(path))).rejects.toMatchObject({ code: "statement-failed" });
    });
  });

  describe("STOP JOB WITH SAVEPOINT, through the gateway alone", () => {
    const stop = (id: string, keys: readonly string[]) =>
      session.execute(`STOP JOB '${id}' WITH SAVEPOINT`, {
        executionConfig: Object.fromEntries(keys.map((key) => [key, `file://${flink.folder}/stopped`])),
      });

    test.each(["state.savepoints.dir", "execution.checkpointing.savepoint-dir"])(
      "puts it where %s says",
      async (key) => {
        const id = await running();
        const { columns, rows } = await stop(id, [key]);
        expect(columns.map(({ name }) => name)).toEqual(["savepoint path"]);
        expect(rows).toEqual([[expect.stringContaining(`file:${flink.folder}/stopped/savepoint-`)]]);
        await until(
          () => stateOf(id),
          (state) => state === "FINISHED",
        );
      },
    );

    test("is refused without a folder, and the job runs on", async () => {
      const id = await running();
      await expect(stop(id, [])).rejects.toMatchObject({
        code: "statement-failed",
        message: expect.stringContaining("[execution.checkpointing.savepoint-dir] is not set"),
      });
      expect(await stateOf(id)).toBe("RUNNING");
    });

    test("is refused for a job that nobody knows", async () => {
      await expect(stop(unknownId, ["state.savepoints.dir"])).rejects.toMatchObject({
        code: "statement-failed",
        message: `Could not find Flink job (${unknownId})`,
      });
    });
  });
});
