import { describe, expect, test } from "vitest";
import type { ClusterJob, Progress } from "../../../src/deploy/cluster.ts";
import { type Seen, verify } from "../../../src/deploy/verify.ts";
import type { RuntimeMode } from "../../../src/project/job.ts";

const limits = { timeoutMs: 60_000, batchTimeoutMs: 600_000, checkpoints: 2, steadyMs: 10_000 };
const good: Progress = {
  restoredFrom: "file:/s",
  restores: 1,
  newestCheckpoint: null,
  completedCheckpoints: 2,
  checkpointIntervalMs: 1_000,
  failures: 0,
  lastFailure: null,
  freeSlots: 3,
};

interface Row {
  readonly given: string;
  readonly state?: ClusterJob["state"];
  readonly allTasksRunning?: boolean | null;
  readonly restore?: string | null;
  readonly mode?: RuntimeMode;
  readonly progress?: Partial<Progress> | null;
  readonly seen?: Partial<Seen>;
  readonly expected: Readonly<Record<string, unknown>>;
}

const holds = (note: unknown = null) => ({ kind: "holds", note });
const waits = (reason: string) => ({ kind: "wait", for: reason });
const fails = (text: string) => ({ kind: "fails", cause: expect.stringContaining(text) });

function table(rows: readonly Row[]): void {
  test.each(rows)("$given", ({ state = "RUNNING", allTasksRunning = true, restore = "file:/s", ...row }) => {
    const job = { id: "j", name: "totals", state, allTasksRunning };
    const progress = row.progress === null ? null : { ...good, ...row.progress };
    const seen = {
      seesProgress: true,
      progress,
      waitedMs: 1_000,
      steadyMs: 500,
      lagMs: 3_000,
      checkpointsAsked: 0,
      ...row.seen,
    };
    expect(verify(job, restore, row.mode ?? "streaming", seen, limits)).toEqual(row.expected);
  });
}

describe("a streaming job holds", () => {
  table([
    { given: "with its tasks running, its state restored and its checkpoints completed", expected: holds() },
    { given: "whichever way Flink writes its path", restore: "file:///s/", expected: holds() },
    {
      given: "when it started from nothing",
      restore: null,
      progress: { restoredFrom: "", restores: 0 },
      expected: holds(),
    },
    {
      given: "when it restarted once, whose path is that of its own checkpoint",
      progress: { restores: 2, restoredFrom: "file:/checkpoints/chk-7", failures: 1 },
      expected: holds(),
    },
    {
      given: "without checkpoints, when it runs steadily, which is said",
      progress: { checkpointIntervalMs: null, completedCheckpoints: 0 },
      seen: { steadyMs: 10_000 },
      expected: holds(expect.stringContaining("execution.checkpointing.interval")),
    },
    {
      given: "through the gateway alone, when it runs steadily, which is said",
      allTasksRunning: null,
      progress: null,
      seen: { seesProgress: false, steadyMs: 10_000 },
      expected: holds(expect.stringContaining("jobmanager-url")),
    },
    {
      given: "with checkpoints too seldom to wait for, when they cannot be asked for, which is said",
      progress: { checkpointIntervalMs: 600_000, completedCheckpoints: 0 },
      seen: { checkpointsAsked: "refused", steadyMs: 10_000 },
      expected: holds(expect.stringContaining("600 s")),
    },
    { given: "however long that took", seen: { waitedMs: 1e9 }, expected: holds() },
  ]);
});

describe("a streaming job is waited for", () => {
  table([
    { given: "while it is not RUNNING", state: "CREATED", expected: waits("state RUNNING") },
    { given: "while it restarts", state: "RESTARTING", expected: waits("state RUNNING") },
    { given: "while a task is not running", allTasksRunning: false, expected: waits("RUNNING of every task") },
    { given: "while nothing is told of it", progress: null, expected: waits("its first statistics") },
    {
      given: "while an old answer may hide where it was restored from",
      progress: { restoredFrom: "", restores: 0, completedCheckpoints: 0 },
      seen: { steadyMs: 2_999 },
      expected: waits("its restore path"),
    },
    {
      given: "until its checkpoints complete",
      progress: { completedCheckpoints: 1 },
      expected: waits("2 completed checkpoints"),
    },
    {
      given: "until a checkpoint that was asked for completes",
      progress: { checkpointIntervalMs: 600_000, completedCheckpoints: 0 },
      seen: { checkpointsAsked: 1 },
      expected: waits("2 completed checkpoints"),
    },
    {
      given: "until it has run steadily, where nothing else tells",
      allTasksRunning: null,
      progress: null,
      seen: { seesProgress: false, steadyMs: 9_999 },
      expected: waits("a steady RUNNING"),
    },
    {
      given: "after a failure or two",
      state: "RESTARTING",
      progress: { failures: 2, completedCheckpoints: 0 },
      expected: waits("state RUNNING"),
    },
  ]);
});

describe("a checkpoint is asked for", () => {
  table([
    {
      given: "where the next would come too late",
      progress: { checkpointIntervalMs: 600_000, completedCheckpoints: 0 },
      expected: { kind: "checkpoint" },
    },
    {
      given: "where the one after the first would",
      progress: { checkpointIntervalMs: 600_000, completedCheckpoints: 1 },
      seen: { checkpointsAsked: 1 },
      expected: { kind: "checkpoint" },
    },
  ]);
});

describe("a streaming job fails", () => {
  table([
    {
      given: "when it has",
      state: "FAILED",
      progress: { lastFailure: "no such state" },
      expected: fails("it is FAILED: no such state"),
    },
    { given: "when someone cancelled it", state: "CANCELED", expected: fails("it is CANCELED") },
    {
      given: "when it restarts again and again",
      state: "RESTARTING",
      progress: { failures: 3, completedCheckpoints: 0, lastFailure: "no such state" },
      expected: fails("it restarts again and again: no such state"),
    },
    {
      given: "when it started from nothing in spite of its savepoint",
      progress: { restoredFrom: "", restores: 0 },
      seen: { steadyMs: 3_000 },
      expected: fails("from nothing instead of file:///s"),
    },
    {
      given: "when it started from another savepoint, though it has completed checkpoints since",
      progress: { restoredFrom: "file:/other" },
      seen: { steadyMs: 3_000 },
      expected: fails("from file:///other instead of file:///s"),
    },
    {
      given: "when it was restored and should not have been",
      restore: null,
      progress: { completedCheckpoints: 0 },
      seen: { steadyMs: 3_000 },
      expected: fails("from file:///s instead of nothing"),
    },
    {
      given: "when it does not run in time",
      state: "CREATED",
      seen: { waitedMs: 60_000 },
      expected: fails("state RUNNING was not seen within 60 s"),
    },
    {
      given: "when there are no slots for it",
      allTasksRunning: false,
      progress: { freeSlots: 0 },
      seen: { waitedMs: 60_000 },
      expected: fails("the cluster has no free task slot"),
    },
    {
      given: "when its checkpoints do not complete in time",
      progress: { completedCheckpoints: 1, lastFailure: "checkpoint expired" },
      seen: { waitedMs: 60_000 },
      expected: fails("2 completed checkpoints was not seen within 60 s: checkpoint expired"),
    },
  ]);
});

describe("a batch job", () => {
  table([
    { given: "has finished", mode: "batch", state: "FINISHED", expected: { kind: "finished" } },
    {
      given: "is waited for longer",
      mode: "batch",
      seen: { waitedMs: 599_999 },
      expected: waits("the batch job to finish"),
    },
    {
      given: "is not waited for for ever",
      mode: "batch",
      seen: { waitedMs: 600_000 },
      expected: fails("it did not finish within 600 s"),
    },
    { given: "fails", mode: "batch", state: "FAILED", expected: fails("it is FAILED") },
  ]);
});

test("a streaming job whose sources have an end may finish at once", () => {
  const job = { id: "j", name: "totals", state: "FINISHED", allTasksRunning: true } as const;
  const seen = { seesProgress: true, progress: null, waitedMs: 0, steadyMs: 0, lagMs: 0, checkpointsAsked: 0 };
  expect(verify(job, "file:/s", "streaming", seen, limits)).toEqual({ kind: "finished" });
});
