import { describe, expect, test } from "vitest";
import { isWhollyRunning, JobManager } from "../../../src/flink/jobmanager.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { json, serve } from "./stub-server.ts";

const id = "a".repeat(32);
const triggerId = "b".repeat(32);

test("stop-with-savepoint never drains, since fired windows cannot be taken back", async () => {
  await using flink = await FakeFlink.start();
  const jobmanager = new JobManager({ url: flink.jobmanagerUrl });
  await jobmanager.stopWithSavepoint(id, { targetDirectory: "/savepoints", triggerId });
  expect(flink.requests.map(({ body }) => body)).toEqual([
    { targetDirectory: "/savepoints", triggerId, drain: false, formatType: "CANONICAL" },
  ]);
});

test("a savepoint leaves the job alone", async () => {
  await using flink = await FakeFlink.start();
  const jobmanager = new JobManager({ url: flink.jobmanagerUrl });
  await jobmanager.triggerSavepoint(id, { targetDirectory: "/savepoints", triggerId, formatType: "NATIVE" });
  expect(flink.requests.map(({ body }) => body)).toEqual([
    { "target-directory": "/savepoints", triggerId, "cancel-job": false, formatType: "NATIVE" },
  ]);
});

test("a savepoint that is COMPLETED without a location is a failure", async () => {
  await using odd = await serve(json({ status: { id: "COMPLETED" }, operation: {} }));
  const status = await new JobManager({ url: odd.url }).savepointStatus(id, triggerId);
  expect(status).toEqual({
    kind: "failed",
    cause: "flink reports a savepoint without a location",
    savepoint: null,
  });
});

describe("an outage is never an unknown job", () => {
  test.each([
    ["a leader election", 503, { errors: ["Service temporarily unavailable due to an ongoing leader election."] }],
    ["a path that this service lacks", 404, { errors: ["Unable to load requested file /jobs/x."] }],
    ["an inner error", 500, { errors: ["Internal server error."] }],
    ["another service", 404, { message: "no such route" }],
  ])("%s throws", async (_, status, body) => {
    await using server = await serve(json(body, status));
    const jobmanager = new JobManager({ url: server.url });
    const expected = { code: "jobmanager-unreachable" };
    await expect(jobmanager.job(id)).rejects.toMatchObject(expected);
    await expect(jobmanager.checkpoints(id)).rejects.toMatchObject(expected);
    await expect(jobmanager.exceptions(id)).rejects.toMatchObject(expected);
    await expect(jobmanager.savepointStatus(id, triggerId)).rejects.toMatchObject(expected);
  });
});

test.each(["../config", "", "a".repeat(33), "A/B"])("the id %j never becomes a path", async (wrong) => {
  await using flink = await FakeFlink.start();
  const jobmanager = new JobManager({ url: flink.jobmanagerUrl });
  await expect(jobmanager.job(wrong)).rejects.toMatchObject({ code: "unknown-job" });
  await expect(jobmanager.savepointStatus(id, wrong)).rejects.toMatchObject({ code: "unknown-job" });
  expect(flink.requests).toEqual([]);
});

describe("a job runs wholly", () => {
  const job = (state: string, ...vertices: readonly (readonly [number, Readonly<Record<string, number>>])[]) => ({
    id,
    name: "job",
    state,
    startTime: 1,
    endTime: null,
    timestamps: {},
    vertices: vertices.map(([parallelism, taskCounts]) => ({ name: "v", parallelism, status: "RUNNING", taskCounts })),
  });

  test("when each task of each vertex runs or has ended", () => {
    expect(isWhollyRunning(job("RUNNING", [2, { RUNNING: 2 }], [2, { RUNNING: 1, FINISHED: 1 }]))).toBe(true);
  });

  test.each([
    ["one task waits for a slot", job("RUNNING", [2, { RUNNING: 1, SCHEDULED: 1 }])],
    ["one task still restores", job("RUNNING", [2, { RUNNING: 1, INITIALIZING: 1 }])],
    ["the job restarts", job("RESTARTING", [1, { RUNNING: 1 }])],
    ["its vertices are not known yet", job("RUNNING")],
  ])("but not when %s", (_, found) => {
    expect(isWhollyRunning(found)).toBe(false);
  });
});
