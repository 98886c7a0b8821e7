import { describe, expect, test } from "vitest";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";

type Start = (config?: Readonly<Record<string, string>>) => Promise<string>;

const checkpointing = { "execution.checkpointing.interval": "1s" };

/** A fake that moves only when told, with a session in which `INSERT INTO sink` starts a job. */
async function prepared(): Promise<{ flink: FakeFlink; jobmanager: JobManager; start: Start }> {
  const flink = await FakeFlink.start();
  flink.isSteppingByItself = false;
  flink.cluster.savepointSteps = 0;
  const session = await new Gateway({ url: flink.gatewayUrl }).openSession();
  for (const table of ["source", "sink"])
    await session.execute(`CREATE TABLE ${table} (n BIGINT) WITH ('connector' = 'x')`);
  const start = async (config: Readonly<Record<string, string>> = {}): Promise<string> => {
    const executionConfig = { ...checkpointing, ...config };
    return (await session.execute("INSERT INTO sink SELECT n FROM source", { executionConfig })).jobId ?? "";
  };
  return { flink, jobmanager: new JobManager({ url: flink.jobmanagerUrl }), start };
}

async function stopped(jobmanager: JobManager, id: string): Promise<string> {
  const triggerId = await jobmanager.stopWithSavepoint(id, { targetDirectory: "/savepoints" });
  const status = await jobmanager.savepointStatus(id, triggerId);
  return status.kind === "completed" ? status.path : "";
}

/** 1 to n, without a gap and without a double. */
const countedTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index + 1);

describe("the sink of the fake tells", () => {
  test("exactly-once, when the successor starts from the savepoint", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const first = await start();
    flink.step(6);
    const path = await stopped(jobmanager, first);
    await start({ "execution.savepoint.path": path });
    flink.step(9);
    const numbers = flink.numbers("sink");
    expect(numbers).toEqual(countedTo(numbers.length));
    expect(new Set(flink.cluster.sinks.get("sink")?.map(({ jobId }) => jobId)).size).toBe(2);
  });

  test("doubles, when the successor starts from nothing", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const first = await start();
    flink.step(6);
    await stopped(jobmanager, first);
    await start();
    flink.step(6);
    expect(flink.numbers("sink").filter((number) => number === 1)).toHaveLength(2);
  });

  test("doubles, when the job ran on after the savepoint", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const first = await start();
    flink.step(5);
    const triggerId = await jobmanager.triggerSavepoint(first, { targetDirectory: "/savepoints" });
    const status = await jobmanager.savepointStatus(first, triggerId);
    flink.step(4);
    await jobmanager.cancel(first);
    await start({ "execution.savepoint.path": status.kind === "completed" ? status.path : "" });
    flink.step(6);
    const numbers = flink.numbers("sink");
    expect(new Set(numbers).size).toBeLessThan(numbers.length);
  });

  test("what a cancel lost, and what a restart after it did not", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const id = await start();
    flink.step(5);
    const committed = flink.numbers("sink");
    await jobmanager.cancel(id);
    expect(flink.numbers("sink")).toEqual(committed);
    expect(committed).toEqual(countedTo(committed.length));
  });

  test("exactly-once through failures and restarts", async () => {
    const { flink, start } = await prepared();
    await using _ = flink;
    flink.cluster.behaveNext({ kind: "restart-loop", message: "again", afterSteps: 5 });
    const id = await start();
    flink.step(40);
    const numbers = flink.numbers("sink");
    expect(numbers).toEqual(countedTo(numbers.length));
    expect(flink.cluster.jobs.get(id)?.exceptions.length).toBeGreaterThan(2);
  });
});

describe("the fake", () => {
  test("does nothing between steps", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const id = await start();
    for (let look = 0; look < 5; look += 1) expect((await jobmanager.job(id))?.state).toBe("CREATED");
    flink.step();
    expect((await jobmanager.job(id))?.state).toBe("RUNNING");
  });

  test("restores a suspended job's retained checkpoint", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    flink.cluster.checkpointFolder = "/checkpoints";
    const id = await start({ "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION" });
    flink.step(6);
    const path = (await jobmanager.checkpoints(id))?.latestCompleted?.path ?? "";
    await jobmanager.cancel(id);
    await start({ "execution.savepoint.path": path });
    flink.step(6);
    const numbers = flink.numbers("sink");
    expect(numbers).toEqual(countedTo(numbers.length));
  });

  test("loses its jobs and keeps their savepoints", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const first = await start();
    flink.step(6);
    const path = await stopped(jobmanager, first);
    flink.cluster.loseJobs();
    expect(await jobmanager.jobs()).toEqual([]);
    await start({ "execution.savepoint.path": path });
    flink.step(6);
    const numbers = flink.numbers("sink");
    expect(numbers).toEqual(countedTo(numbers.length));
  });

  test("has the savepoint of a job that failed while it stopped, and says so as Flink does", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    flink.cluster.failNextStop("commit refused");
    const id = await start();
    flink.step(6);
    expect(await stopped(jobmanager, id)).toBe("");
    const [newest] = await jobmanager.exceptions(id);
    const path = /A savepoint has been created at: (\S+), but/.exec(newest?.trace ?? "")?.[1] ?? "";
    await start({ "execution.savepoint.path": path });
    flink.step(6);
    const numbers = flink.numbers("sink");
    expect(numbers).toEqual(countedTo(numbers.length));
  });

  test("cuts the connection after the effect of the request that was named", async () => {
    const { flink, jobmanager, start } = await prepared();
    await using _ = flink;
    const id = await start();
    flink.step(4);
    flink.cut("jobmanager", { when: "after", matches: ({ path }) => path.endsWith("/stop") });
    const options = { targetDirectory: "/savepoints", triggerId: "c".repeat(32) };
    await expect(jobmanager.stopWithSavepoint(id, options)).rejects.toMatchObject({ code: "jobmanager-unreachable" });
    expect(await jobmanager.savepointStatus(id, options.triggerId)).toMatchObject({ kind: "completed" });
  });
});
