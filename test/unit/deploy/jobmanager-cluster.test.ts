import { describe, expect, test } from "vitest";
import { jobmanagerCluster } from "../../../src/deploy/jobmanager-cluster.ts";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { json, type StubServer, serve } from "../flink/stub-server.ts";

const path = "file:/savepoints/savepoint-1";
const triggerId = "a".repeat(32);

function clusterAt(url: string) {
  const gateway = new Gateway({ url });
  const { signal } = new AbortController();
  const jobmanager = new JobManager({ url, sleep: async () => {} });
  return jobmanagerCluster(jobmanager, { gateway, initSql: [], signal, sleep: async () => {} });
}

/** A JobManager that takes a disposal on, and then says each of these of it, the last for ever. */
async function disposing(...statuses: readonly unknown[]): Promise<StubServer> {
  const left = [...statuses];
  return await serve((request, response) => {
    if (request.method === "POST") return json({ "request-id": triggerId }, 202)(request, response);
    json(left.length > 1 ? left.shift() : left[0])(request, response);
  });
}

const inProgress = { status: { id: "IN_PROGRESS" } };
const failing = (trace: string) => ({
  status: { id: "COMPLETED" },
  operation: { "failure-cause": { class: "java.io.IOException", "stack-trace": trace } },
});

describe("a disposal", () => {
  test("is done once the JobManager says so", async () => {
    await using server = await disposing(inProgress, inProgress, { status: { id: "COMPLETED" }, operation: {} });
    expect(await clusterAt(server.url).dispose(path)).toBe("disposed");
    expect(server.requests).toEqual([
      "POST /savepoint-disposal",
      ...Array.from({ length: 3 }, () => `GET /savepoint-disposal/${triggerId}`),
    ]);
  });

  test.each([
    ["java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 'x' on file system 'file'."],
    ["java.io.FileNotFoundException: Cannot find meta data file '_metadata' in directory 'x'."],
  ])("of what is not there any more says so: %s", async (trace) => {
    await using server = await disposing(failing(trace));
    expect(await clusterAt(server.url).dispose(path)).toBe("missing");
  });

  test("that fails tells Flink's cause", async () => {
    await using server = await disposing(inProgress, failing("java.io.IOException: the bucket is read-only"));
    expect(await clusterAt(server.url).dispose(path)).toEqual({ failed: "the bucket is read-only" });
  });

  test("that Flink refuses is a failure too", async () => {
    await using server = await serve(json({ errors: ["java.lang.IllegalArgumentException: no such path"] }, 400));
    expect(await clusterAt(server.url).dispose(path)).toEqual({ failed: expect.stringContaining("no such path") });
  });

  test("that a JobManager does not know any more is a failure", async () => {
    await using server = await serve((request, response) => {
      if (request.method === "POST") return json({ "request-id": triggerId }, 202)(request, response);
      json({ errors: [`Operation not found under key: ${triggerId}`] }, 404)(request, response);
    });
    expect(await clusterAt(server.url).dispose(path)).toEqual({ failed: "the JobManager was restarted meanwhile" });
  });

  test("is not waited for without an end", async () => {
    await using server = await disposing(inProgress);
    expect(await clusterAt(server.url).dispose(path)).toEqual({ failed: "it takes longer than 5 min" });
  });

  test("throws where no JobManager answers", async () => {
    await using flink = await FakeFlink.start();
    flink.setDown("jobmanager", true);
    await expect(clusterAt(flink.jobmanagerUrl).dispose(path)).rejects.toMatchObject({
      code: "jobmanager-unreachable",
    });
  });
});

describe("a job's health", () => {
  const id = "b".repeat(32);
  const config = (more: Readonly<Record<string, string>> = {}) => ({
    "$internal.pipeline.job-id": id,
    "pipeline.name": "totals",
    "execution.checkpointing.interval": "10 s",
    "state.checkpoints.dir": "file:///checkpoints",
    ...more,
  });

  test("is its start, its newest checkpoint with path, time and size, and the failures since", async () => {
    await using flink = await FakeFlink.start();
    flink.isSteppingByItself = false;
    const startedAt = flink.cluster.now;
    flink.cluster.submit({ sink: "totals", config: config() });
    flink.step(10);
    const job = flink.cluster.jobs.get(id);
    const newest = job?.completed.at(-1);
    expect(await clusterAt(flink.jobmanagerUrl).health(id)).toEqual({
      startedAt,
      newestCheckpoint: { path: newest?.path, at: newest?.triggerTime, stateSize: 1024 * (newest?.position ?? 0) },
      checkpointIntervalMs: 10_000,
      failuresSince: 0,
      lastFailure: null,
    });
    job?.restartFromNowOn("the disk is full");
    flink.step(12);
    const health = await clusterAt(flink.jobmanagerUrl).health(id);
    expect(health).toMatchObject({ newestCheckpoint: { at: newest?.triggerTime } });
    expect(health?.lastFailure).toContain("the disk is full");
    expect(health?.failuresSince).toBeGreaterThan(1);
  });

  test("has no checkpoint and no interval where it takes none", async () => {
    await using flink = await FakeFlink.start();
    flink.cluster.submit({ sink: "totals", config: config({ "execution.runtime-mode": "batch" }) });
    expect(await clusterAt(flink.jobmanagerUrl).health(id)).toMatchObject({
      newestCheckpoint: null,
      checkpointIntervalMs: null,
    });
  });

  test("is none of a job that the JobManager does not know", async () => {
    await using flink = await FakeFlink.start();
    expect(await clusterAt(flink.jobmanagerUrl).health(id)).toBeNull();
  });
});
