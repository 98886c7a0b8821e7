import { describe, expect, test } from "vitest";
import type { ClusterJob, Progress } from "../../../src/deploy/cluster.ts";
import { nextStep } from "../../../src/deploy/next-step.ts";
import type { Desired, Observed, Settings, Step } from "../../../src/deploy/step.ts";
import type { Attempt, RecordedJob, Settled, Submission } from "../../../src/ledger/fold.ts";

const oldRef = { digest: "old", value: "old-value" };
const newRef = { digest: "new", value: "new-value" };
const paths = { startFrom: null, answer: null, rewind: null };
type Wanted<Kind extends Desired["kind"]> = Partial<Extract<Desired, { kind: Kind }>>;
const run = (more: Wanted<"running"> = {}): Desired => ({
  kind: "running",
  reference: newRef,
  upgradeMode: "savepoint",
  runtimeMode: "streaming",
  consent: { toReplay: false, toStartEmpty: false },
  ...paths,
  ...more,
});
const rest = (more: Wanted<"suspended"> = {}): Desired => ({
  kind: "suspended",
  by: "model",
  reference: newRef,
  upgradeMode: "savepoint",
  ...paths,
  ...more,
});
const gone: Desired = { kind: "removed" };

const running: Settled = { kind: "running", jobId: "j1", reference: oldRef, restored: null };
const finished: Settled = { kind: "finished", jobId: "j1", reference: oldRef };
const suspended: Settled = { kind: "suspended", by: "model", reference: oldRef, savepoint: "file:/s" };
const removed: Settled = { kind: "removed", reference: oldRef, savepoint: "file:/s" };
const down: Settled = { kind: "down", reference: oldRef, savepoint: "file:/s" };

const listed = (id: string, state: ClusterJob["state"] = "RUNNING", allTasksRunning: boolean | null = true) => ({
  id,
  name: "totals",
  state,
  allTasksRunning,
});
const progress: Progress = {
  restoredFrom: "file:/s",
  restores: 1,
  completedCheckpoints: 1,
  newestCheckpoint: null,
  checkpointIntervalMs: 1_000,
  failures: 0,
  lastFailure: null,
  freeSlots: 1,
};
const started: Progress = { ...progress, completedCheckpoints: 0 };
const seen = (more: Partial<Observed> = {}): Observed => ({
  jobs: [],
  seesProgress: true,
  progress: null,
  isFinal: false,
  waitedMs: 0,
  steadyMs: 0,
  endedMs: 0,
  stop: { kind: "unknown" },
  lastSavepoint: { kind: "unknown" },
  retained: { kind: "unknown" },
  stranded: { kind: "unknown" },
  retention: null,
  wasRefused: false,
  lagMs: 3_000,
  checkpointsAsked: 0,
  ...more,
});
const settings: Settings = {
  environment: "production",
  deployment: "d2",
  savepointDirectory: "file:///savepoints",
  verify: { timeoutMs: 60_000, batchTimeoutMs: 600_000, checkpoints: 1, steadyMs: 10_000 },
  canPutBack: true,
  settledMode: "streaming",
};

const stop: NonNullable<Attempt["stop"]> = {
  kind: "stop-intended",
  purpose: "upgrade",
  jobId: "j1",
  triggerId: "t1",
  withSavepoint: true,
  savepointFolder: "file:///savepoints/f",
};
const stopped: NonNullable<Attempt["stopped"]> = { kind: "stopped", jobId: "j1", savepoint: "file:/s" };
const submission = (more: Partial<Submission> = {}): Submission => ({
  kind: "submit-intended",
  role: "new",
  jobId: "j2",
  reference: newRef,
  restore: "file:/s",
  accepted: true,
  failure: null,
  ...more,
});
/** The id of the submission in hand was used up by a job that does nothing. */
const fenced: Partial<Observed> = { jobs: [{ ...listed("j2", "FINISHED"), name: "flink-dbt-deploy fence j2" }] };
const failedNew = submission({ failure: "it is FAILED" });
const putBack = submission({ role: "put-back", jobId: "j3", reference: oldRef });
const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  deployment: "d1",
  stop,
  stopped: null,
  submissions: [],
  ...more,
});

const job = (settled: Settled | null, inHand: Attempt | null = null): RecordedJob => ({
  name: "totals",
  settled,
  attempt: inHand,
  since: "e1",
  checkpoint: null,
  noted: null,
  taking: null,
  movedTo: null,
  project: null,
  commit: null,
  at: null,
});

interface Row {
  readonly given: string;
  readonly recorded: RecordedJob;
  readonly desired: Desired;
  readonly observed?: Partial<Observed>;
  readonly settings?: Partial<Settings>;
  /** A part of the step. */
  readonly expected: { readonly do: Step["do"] } & Readonly<Record<string, unknown>>;
}

const record = (fact: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
  ({ do: "record", fact: expect.objectContaining(fact), ...more }) as const;
const refusal = (code: string, text: string) =>
  ({ do: "refuse", code, message: expect.stringContaining(text) }) as const;
const hex = expect.stringMatching(/^[0-9a-f]{32}$/);
const note = (text: string) => ({ note: expect.stringContaining(text) });

function table(rows: readonly Row[]): void {
  test.each(rows)("$given", (row) => {
    const all = { ...settings, ...row.settings };
    const step = nextStep("totals", row.desired, row.recorded, seen(row.observed), all);
    expect(step).toMatchObject(row.expected);
    // What is not named is not there: neither an end nor a note comes by surprise.
    if (step.do === "record" && !("ends" in row.expected)) expect(step.ends).toBeUndefined();
    if (step.do === "record" && !("note" in row.expected)) expect(step.note).toBeUndefined();
  });
}

describe("a job that the ledger does not know", () => {
  table([
    {
      given: "is submitted without state",
      recorded: job(null),
      desired: run(),
      expected: record({ kind: "submit-intended", role: "new", jobId: hex, reference: newRef, restore: null }),
    },
    {
      given: "is submitted from the path that its config names",
      recorded: job(null),
      desired: run({ startFrom: "file:/p" }),
      expected: record({ kind: "submit-intended", restore: "file:/p" }),
    },
    {
      given: "is taken over where one runs under its name",
      recorded: job(null),
      desired: run(),
      observed: { jobs: [listed("x"), { ...listed("y"), name: "totals_by_day" }, listed("z", "FINISHED")] },
      expected: record({ kind: "adopted", jobId: "x" }, note("taken over")),
    },
    {
      given: "is nobody's where two run under its name",
      recorded: job(null),
      desired: run(),
      observed: { jobs: [listed("x"), listed("y", "RESTARTING")] },
      expected: refusal("needs-operator", "x (RUNNING), y (RESTARTING)"),
    },
    {
      given: "rests where it is new and suspended",
      recorded: job(null),
      desired: rest({ startFrom: "file:/p" }),
      expected: record({ kind: "suspended", reference: newRef, savepoint: "file:/p" }, { ends: "suspended" }),
    },
    {
      given: "is no removal",
      recorded: job(null),
      desired: gone,
      expected: { do: "end", ending: "unchanged" },
    },
  ]);
});

describe("a job that runs as recorded", () => {
  const observed = { jobs: [listed("j1")] };
  table([
    {
      given: "is left alone where nothing changed",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed,
      expected: { do: "end", ending: "unchanged" },
    },
    {
      given: "is left alone, and recorded anew, where nothing changed that Flink sees",
      recorded: job({ ...running, restored: "file:/s0" }),
      desired: run({ reference: { digest: "old", value: "other" } }),
      observed,
      expected: record(
        { kind: "running", jobId: "j1", reference: { digest: "old", value: "other" }, restored: "file:/s0" },
        { ends: "unchanged", ...note("left alone") },
      ),
    },
    {
      given: "is stopped with a savepoint for an upgrade",
      recorded: job(running),
      desired: run(),
      observed,
      expected: record({
        kind: "stop-intended",
        purpose: "upgrade",
        jobId: "j1",
        triggerId: hex,
        withSavepoint: true,
        savepointFolder: expect.stringMatching(/^file:\/\/\/savepoints\/production\/totals\/[0-9a-f]{16}$/),
      }),
    },
    {
      given: "is cancelled for a stateless upgrade",
      recorded: job(running),
      desired: run({ upgradeMode: "stateless" }),
      observed,
      expected: record({ kind: "stop-intended", withSavepoint: false, savepointFolder: null }),
    },
    {
      given: "is stopped with a savepoint when a stateless one is suspended",
      recorded: job(running),
      desired: rest({ upgradeMode: "stateless" }),
      observed,
      expected: record({ kind: "stop-intended", purpose: "suspend", withSavepoint: true }),
    },
    {
      given: "is stopped with a savepoint when it is removed",
      recorded: job(running),
      desired: gone,
      observed,
      expected: record({ kind: "stop-intended", purpose: "remove", withSavepoint: true }),
    },
    {
      given: "is cancelled where it is a batch job, which has no savepoint",
      recorded: job(running),
      desired: gone,
      observed,
      settings: { settledMode: "batch" },
      expected: record({ kind: "stop-intended", withSavepoint: false }),
    },
    {
      given: "keeps its state although its config names another, and it is said",
      recorded: job(running),
      desired: run({ startFrom: "file:/p" }),
      observed,
      expected: record(
        { kind: "stop-intended", withSavepoint: true },
        note("file:/p in its execution_config is not used"),
      ),
    },
    {
      given: "starts under `stateless` from the path that its config names, and it is said",
      recorded: job(running),
      desired: run({ upgradeMode: "stateless", startFrom: "file:/p" }),
      observed,
      expected: record({ kind: "stop-intended", withSavepoint: false }, note("starts from file:/p")),
    },
    {
      given: "is stopped although it cannot be put back, and it is said",
      recorded: job(running),
      desired: run(),
      observed,
      settings: { canPutBack: false },
      expected: record({ kind: "stop-intended" }, note("cannot be put back")),
    },
    {
      given: "is not stopped where no folder is given for its savepoint",
      recorded: job(running),
      desired: run(),
      observed,
      settings: { savepointDirectory: null },
      expected: refusal("savepoint-dir-missing", "totals"),
    },
    {
      given: "needs no folder for a stateless upgrade",
      recorded: job(running),
      desired: run({ upgradeMode: "stateless" }),
      observed,
      settings: { savepointDirectory: null },
      expected: record({ kind: "stop-intended", withSavepoint: false }),
    },
    {
      given: "is nobody's where another runs beside it",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j1"), listed("x")] },
      expected: refusal("needs-operator", "the ledger expects j1"),
    },
  ]);
});

describe("a job that should run and does not", () => {
  table([
    {
      given: "is a person's to decide where the cluster does not know it",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      expected: refusal("needs-operator", "the cluster does not know it any more"),
    },
    {
      given: "is a person's to decide where it is FAILED, also when it is to be suspended",
      recorded: job(running),
      desired: rest(),
      observed: { jobs: [listed("j1", "FAILED")] },
      expected: refusal("needs-operator", "it is FAILED"),
    },
    {
      given: "starts from the path that a person names",
      recorded: job(running),
      desired: run({ startFrom: "file:/p" }),
      expected: record({ kind: "submit-intended", restore: "file:/p" }),
    },
    {
      given: "rests with the path that a person names",
      recorded: job(running),
      desired: rest({ startFrom: "file:/p" }),
      expected: record({ kind: "suspended", savepoint: "file:/p" }, { ends: "suspended" }),
    },
    {
      given: "starts again without state where its upgrade mode is stateless",
      recorded: job(running),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }, note("without state")),
    },
    {
      given: "is removed where its model is",
      recorded: job(running),
      desired: gone,
      expected: record({ kind: "removed", reference: oldRef, savepoint: null }, { ends: "removed" }),
    },
    {
      given: "is removed with the savepoint that it was stopped with by hand",
      recorded: job(running),
      desired: gone,
      observed: {
        jobs: [listed("j1", "FINISHED")],
        lastSavepoint: { kind: "known", path: "file:/hand", isNewest: true },
      },
      expected: record({ kind: "removed", savepoint: "file:/hand" }, { ends: "removed" }),
    },
    {
      given: "has finished where it read its sources to their end",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j1", "FINISHED")], lastSavepoint: { kind: "none" } },
      expected: record({ kind: "finished", jobId: "j1", reference: oldRef }, { ends: "finished" }),
    },
    {
      given: "has finished before it changed: that is looked at next",
      recorded: job(running),
      desired: run(),
      observed: {
        jobs: [listed("j1", "FINISHED")],
        lastSavepoint: { kind: "known", path: "file:/s", isNewest: false },
      },
      expected: record({ kind: "finished", jobId: "j1", reference: oldRef }, note("has finished")),
    },
    {
      given: "did not finish where someone stopped it with a savepoint",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: {
        jobs: [listed("j1", "FINISHED")],
        lastSavepoint: { kind: "known", path: "file:/hand", isNewest: true },
        endedMs: 3_000,
      },
      expected: refusal("needs-operator", "file:/hand"),
    },
    {
      given: "is looked at again before an old answer is believed",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: {
        jobs: [listed("j1", "FINISHED")],
        lastSavepoint: { kind: "known", path: "file:/hand", isNewest: true },
        endedMs: 2_999,
      },
      expected: { do: "wait" },
    },
    {
      given: "and was taken over with a program that nobody knows is a person's to decide",
      recorded: job({ ...running, reference: null }),
      desired: rest(),
      observed: { jobs: [listed("j1", "FINISHED")], lastSavepoint: { kind: "none" } },
      expected: refusal("needs-operator", "does not know its program"),
    },
    {
      given: "and whose record nobody can read is looked at again",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j1", "FINISHED")], endedMs: 2_999 },
      expected: { do: "wait" },
    },
    {
      given: "and whose record nobody can read may have been stopped: that is a person's to tell",
      recorded: job(running),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j1", "FINISHED")], endedMs: 3_000 },
      expected: refusal("needs-operator", "the JobManager does not tell whether"),
    },
    {
      given: "and whose record nobody can read starts anew under `stateless` where it changed",
      recorded: job(running),
      desired: run({ upgradeMode: "stateless" }),
      observed: { jobs: [listed("j1", "FINISHED")], endedMs: 3_000 },
      expected: record({ kind: "submit-intended", restore: null }, note("without state")),
    },
    {
      given: "has finished where it is a batch job, which nobody stops with a savepoint",
      recorded: job(running),
      desired: run({ reference: oldRef, runtimeMode: "batch" }),
      settings: { settledMode: "batch" },
      observed: { jobs: [listed("j1", "FINISHED")] },
      expected: record({ kind: "finished" }, { ends: "finished" }),
    },
  ]);
});

describe("a job that has finished", () => {
  table([
    {
      given: "is not run again",
      recorded: job(finished),
      desired: run({ reference: oldRef }),
      expected: { do: "end" },
    },
    {
      given: "is not suspended",
      recorded: job(finished),
      desired: rest(),
      expected: { do: "end", ending: "unchanged" },
    },
    {
      given: "is removed with its model",
      recorded: job(finished),
      desired: gone,
      expected: record({ kind: "removed", savepoint: null }, { ends: "removed" }),
    },
    {
      given: "runs anew where it is a batch job that changed",
      recorded: job(finished),
      desired: run({ runtimeMode: "batch" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "would read everything again where it is a streaming job that changed",
      recorded: job(finished),
      desired: run(),
      expected: refusal("needs-operator", "would read everything again"),
    },
    {
      given: "reads everything again where that is meant",
      recorded: job(finished),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
  ]);
});

describe("a job at rest", () => {
  table([
    {
      given: "resumes with its state",
      recorded: job(suspended),
      desired: run({ reference: oldRef }),
      expected: record({ kind: "submit-intended", role: "new", restore: "file:/s" }),
    },
    {
      given: "resumes with its state where it changed meanwhile",
      recorded: job(suspended),
      desired: run(),
      expected: record({ kind: "submit-intended", reference: newRef, restore: "file:/s" }),
    },
    {
      given: "leaves its state where it changed under `stateless`",
      recorded: job(suspended),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "keeps its state under `stateless` where it did not change",
      recorded: job(suspended),
      desired: run({ upgradeMode: "stateless", reference: oldRef }),
      expected: record({ kind: "submit-intended", restore: "file:/s" }),
    },
    {
      given: "starts from the path that a person names",
      recorded: job(down),
      desired: run({ startFrom: "file:/p" }),
      expected: record({ kind: "submit-intended", restore: "file:/p" }),
    },
    {
      given: "starts from its savepoint where it was down",
      recorded: job(down),
      desired: run(),
      expected: record({ kind: "submit-intended", restore: "file:/s" }),
    },
    {
      given: "comes back from where it was removed",
      recorded: job(removed),
      desired: run(),
      expected: record({ kind: "submit-intended", restore: "file:/s" }),
    },
    {
      given: "does not come back by itself where it was removed without a state",
      recorded: job({ ...removed, savepoint: null }),
      desired: run(),
      expected: refusal("needs-operator", "would read everything again"),
    },
    {
      given: "comes back empty where that is meant",
      recorded: job({ ...removed, savepoint: null }),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "comes back from the path that a person names",
      recorded: job({ ...removed, savepoint: null }),
      desired: run({ startFrom: "file:/p" }),
      expected: record({ kind: "submit-intended", restore: "file:/p" }),
    },
    {
      given: "comes back where it was a batch job",
      recorded: job({ ...removed, savepoint: null }),
      desired: run({ runtimeMode: "batch" }),
      settings: { settledMode: "batch" },
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "that never ran is removed as such",
      recorded: job({ ...suspended, savepoint: null }),
      desired: gone,
      expected: record({ kind: "removed", reference: null, savepoint: null }, { ends: "removed" }),
    },
    {
      given: "goes on resting",
      recorded: job(suspended),
      desired: rest({ reference: oldRef }),
      expected: { do: "end", ending: "unchanged" },
    },
    {
      given: "goes on resting by command, where that knows no program",
      recorded: job({ ...suspended, by: "command" }),
      desired: rest({ by: "command", reference: null }),
      expected: { do: "end", ending: "unchanged" },
    },
    {
      given: "takes up a change and keeps its savepoint",
      recorded: job(suspended),
      desired: rest(),
      expected: record(
        { kind: "suspended", reference: newRef, savepoint: "file:/s" },
        { ends: "unchanged", ...note("takes effect when it is resumed") },
      ),
    },
    {
      given: "takes up a change under `stateless` too, and keeps its savepoint with the program that took it",
      recorded: job(suspended),
      desired: rest({ upgradeMode: "stateless" }),
      expected: record(
        { kind: "suspended", reference: newRef, savepoint: "file:/s", of: oldRef },
        { ends: "unchanged", ...note("resumed") },
      ),
    },
    {
      given: "leaves under `stateless` what another program took, though it did not change since",
      recorded: job({ ...suspended, reference: newRef, of: oldRef }),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "goes on under `stateless` from what its own program took, where a change was taken back",
      recorded: job({ ...suspended, reference: newRef, of: oldRef }),
      desired: run({ upgradeMode: "stateless", reference: oldRef }),
      expected: record({ kind: "submit-intended", restore: "file:/s" }),
    },
    {
      given: "starts under `stateless` from what a person named when it was suspended",
      recorded: job({ ...suspended, of: null }),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: "file:/s" }),
    },
    {
      given: "is removed with the program that took its savepoint",
      recorded: job({ ...suspended, reference: newRef, of: oldRef }),
      desired: gone,
      expected: record({ kind: "removed", reference: oldRef, savepoint: "file:/s" }, { ends: "removed" }),
    },
    {
      given: "is suspended where it was down",
      recorded: job(down),
      desired: rest({ reference: oldRef }),
      expected: record({ kind: "suspended", reference: oldRef, savepoint: "file:/s" }, { ends: "suspended" }),
    },
    {
      given: "is removed with its savepoint",
      recorded: job(suspended),
      desired: gone,
      expected: record({ kind: "removed", reference: oldRef, savepoint: "file:/s" }, { ends: "removed" }),
    },
    { given: "stays removed", recorded: job(removed), desired: gone, expected: { do: "end", ending: "unchanged" } },
    {
      given: "is nobody's where one runs under its name",
      recorded: job(suspended),
      desired: run(),
      observed: { jobs: [listed("x")] },
      expected: refusal("needs-operator", "the ledger expects none"),
    },
    {
      given: "is taken over where it was removed and runs again",
      recorded: job(removed),
      desired: run(),
      observed: { jobs: [listed("x")] },
      expected: record({ kind: "adopted", jobId: "x" }, note("taken over")),
    },
  ]);
});

describe("a stop with a savepoint", () => {
  const recorded = job(running, attempt());
  const alive = [listed("j1")];
  const ended = [listed("j1", "FINISHED")];
  table([
    {
      given: "is asked for where nobody knows of it",
      recorded,
      desired: run(),
      observed: { jobs: alive },
      expected: { do: "stop", jobId: "j1" },
    },
    {
      given: "waits until every task runs",
      recorded,
      desired: run(),
      observed: { jobs: [listed("j1", "RUNNING", false)], waitedMs: 29_999 },
      expected: { do: "wait", for: "the tasks of j1 to run" },
    },
    {
      given: "does not wait for ever for tasks: Flink says why",
      recorded,
      desired: run(),
      observed: { jobs: [listed("j1", "RESTARTING", false)], waitedMs: 30_000 },
      expected: { do: "stop" },
    },
    {
      given: "is waited for while it is in progress",
      recorded,
      desired: run(),
      observed: { jobs: alive, stop: { kind: "in-progress" } },
      expected: { do: "wait", for: "the savepoint of j1" },
    },
    {
      given: "is complete when the job has ended too",
      recorded,
      desired: run(),
      observed: { jobs: alive, stop: { kind: "completed", savepoint: "file:/s" } },
      expected: { do: "wait", for: "j1 to end" },
    },
    {
      given: "is recorded with its path",
      recorded,
      desired: run(),
      observed: { jobs: ended, stop: { kind: "completed", savepoint: "file:/s" } },
      expected: record({ kind: "stopped", jobId: "j1", savepoint: "file:/s" }),
    },
    {
      given: "that failed leaves the job as it was",
      recorded,
      desired: run(),
      observed: { jobs: alive, stop: { kind: "failed", cause: "disk full", savepoint: null } },
      expected: record({ kind: "stop-failed", cause: "disk full" }, { ends: "failed", cause: "disk full" }),
    },
    {
      given: "that failed is judged when the job has come to its end",
      recorded,
      desired: run(),
      observed: {
        jobs: [listed("j1", "FAILING", false)],
        stop: { kind: "failed", cause: "disk full", savepoint: null },
      },
      expected: { do: "wait", for: "j1 to end" },
    },
    {
      given: "that failed after its savepoint was made is told by the job's record",
      recorded,
      desired: run(),
      observed: {
        jobs: [listed("j1", "FAILED")],
        stop: { kind: "failed", cause: "a task did not end", savepoint: null },
        lastSavepoint: { kind: "known", path: "file:/savepoints/f/savepoint-1", isNewest: true },
      },
      expected: record({ kind: "stopped", savepoint: "file:/savepoints/f/savepoint-1" }),
    },
    {
      given: "is not taken for a savepoint of another folder",
      recorded,
      desired: run(),
      observed: {
        jobs: ended,
        lastSavepoint: { kind: "known", path: "file:/savepoints/f2/savepoint-1", isNewest: true },
      },
      expected: { do: "wait", for: "the last word on j1" },
    },
    {
      given: "came too late for a job that read its sources to their end",
      recorded,
      desired: run(),
      observed: {
        jobs: ended,
        stop: { kind: "failed", cause: "not running", savepoint: null },
        lastSavepoint: { kind: "none" },
        endedMs: 3_000,
      },
      expected: record({ kind: "finished", jobId: "j1", reference: oldRef }, note("read its sources to their end")),
    },
    {
      given: "came too late for a job that someone else stopped: its savepoint is named",
      recorded,
      desired: run(),
      observed: {
        jobs: ended,
        stop: { kind: "failed", cause: "not running", savepoint: null },
        lastSavepoint: { kind: "known", path: "file:/theirs", isNewest: true },
        endedMs: 3_000,
      },
      expected: refusal("needs-operator", "someone else stopped it, with savepoint file:/theirs"),
    },
    {
      given: "whose path nobody tells is a person's to find",
      recorded,
      desired: run(),
      observed: { jobs: [], stop: { kind: "unknown" }, endedMs: 3_000 },
      expected: refusal("needs-operator", "it lies under file:///savepoints/f"),
    },
    {
      given: "goes on with the path that a person found",
      recorded,
      desired: run({ answer: "file:/p" }),
      observed: { jobs: [], endedMs: 3_000 },
      expected: record({ kind: "stopped", savepoint: "file:/p", named: true }, note("file:/p")),
    },
    {
      given: "whose path nobody tells does not keep a model from being removed",
      recorded,
      desired: gone,
      observed: { jobs: [], endedMs: 3_000 },
      expected: record({ kind: "removed", savepoint: null }, { ends: "removed", ...note("file:///savepoints/f") }),
    },
    {
      given: "whose answer is lost is given time to show",
      recorded,
      desired: run(),
      observed: { jobs: alive, stop: { kind: "untold" }, waitedMs: 59_999 },
      expected: { do: "wait", for: "j1 to end" },
    },
    {
      given: "whose answer is lost is asked for again",
      recorded,
      desired: run(),
      observed: { jobs: alive, stop: { kind: "untold" }, waitedMs: 60_000 },
      expected: { do: "stop" },
    },
  ]);
});

describe("a stop without a savepoint", () => {
  const recorded = job(running, attempt({ stop: { ...stop, withSavepoint: false, savepointFolder: null } }));
  table([
    {
      given: "cancels the job",
      recorded,
      desired: run(),
      observed: { jobs: [listed("j1")] },
      expected: { do: "cancel", jobId: "j1" },
    },
    {
      given: "waits for its end",
      recorded,
      desired: run(),
      observed: { jobs: [listed("j1", "CANCELLING")] },
      expected: { do: "wait" },
    },
    {
      given: "is recorded",
      recorded,
      desired: run(),
      observed: { jobs: [listed("j1", "CANCELED")] },
      expected: record({ kind: "stopped", savepoint: null }),
    },
  ]);
});

describe("a job that was stopped", () => {
  const recorded = job(running, attempt({ stopped }));
  table([
    {
      given: "is followed by the new one, from its savepoint",
      recorded,
      desired: run(),
      expected: record({ kind: "submit-intended", role: "new", jobId: hex, reference: newRef, restore: "file:/s" }),
    },
    {
      given: "is followed by a stateless one without",
      recorded,
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "is followed by a stateless one from the path that a person named",
      recorded,
      desired: run({ upgradeMode: "stateless", answer: "file:/p" }),
      expected: record({ kind: "submit-intended", restore: "file:/p" }),
    },
    {
      given: "rests with its savepoint",
      recorded,
      desired: rest({ reference: null, by: "command" }),
      expected: record(
        { kind: "suspended", by: "command", reference: oldRef, savepoint: "file:/s" },
        { ends: "suspended" },
      ),
    },
    {
      given: "rests with a change that takes effect later",
      recorded,
      desired: rest(),
      expected: record(
        { kind: "suspended", reference: newRef, savepoint: "file:/s" },
        { ends: "suspended", ...note("resumed") },
      ),
    },
    {
      given: "is removed with its savepoint",
      recorded,
      desired: gone,
      expected: record({ kind: "removed", reference: oldRef, savepoint: "file:/s" }, { ends: "removed" }),
    },
  ]);
});

describe("a submission in hand", () => {
  const upgrade = (one: Submission, ...before: readonly Submission[]) =>
    job(running, attempt({ stopped, submissions: [...before, one] }));
  const fresh = (one: Submission) => job(null, attempt({ stop: null, submissions: [one] }));
  const good = { jobs: [listed("j2")], progress, steadyMs: 5_000 };
  table([
    {
      given: "is sent where the cluster never had it",
      recorded: upgrade(submission({ accepted: false })),
      desired: run(),
      expected: { do: "submit", submission: submission({ accepted: false }) },
    },
    {
      given: "is recorded as sent where the cluster has it",
      recorded: upgrade(submission({ accepted: false })),
      desired: run(),
      observed: good,
      expected: record({ kind: "submitted", jobId: "j2" }),
    },
    {
      given: "is not made while the old job lives again: that one is stopped once more",
      recorded: job(running, attempt({ stopped })),
      desired: run(),
      observed: { jobs: [listed("j1")] },
      expected: record({ kind: "stop-failed", jobId: "j1" }, note("came back")),
    },
    {
      given: "that was not sent gives way to the old job that came back, which is stopped once more",
      recorded: upgrade(submission({ accepted: false })),
      desired: run(),
      observed: { jobs: [listed("j1")] },
      expected: record({ kind: "stop-failed", jobId: "j1" }, note("came back")),
    },
    {
      given: "that runs beside the old job that came back: the old one is cancelled",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2"), listed("j1")], progress },
      expected: { do: "cancel", jobId: "j1" },
    },
    {
      given: "that a new JobManager restored from its own checkpoint was not restored wrongly",
      recorded: upgrade(submission()),
      desired: run(),
      observed: {
        jobs: [listed("j2")],
        progress: { ...progress, completedCheckpoints: 0, restoredFrom: "file:/checkpoints/j2/chk-7" },
      },
      expected: { do: "wait", for: "a completed checkpoint" },
    },
    {
      given: "that a new JobManager restored from its own checkpoint, and that fails, has let records out",
      recorded: upgrade(submission()),
      desired: run(),
      observed: {
        jobs: [listed("j2", "FAILED")],
        progress: { ...progress, completedCheckpoints: 0, restoredFrom: "file:/checkpoints/j2/chk-7" },
      },
      expected: refusal("needs-operator", "completed a checkpoint"),
    },
    {
      given: "may still be on its way from a run that died, when another change comes: its id is used up",
      recorded: upgrade(submission({ accepted: false, reference: { digest: "older", value: "v" } })),
      desired: run(),
      expected: { do: "fence", jobId: "j2" },
    },
    {
      given: "gives way to another change where it was not sent, and cannot be any more",
      recorded: upgrade(submission({ accepted: false, reference: { digest: "older", value: "v" } })),
      desired: run(),
      observed: fenced,
      expected: record({ kind: "submit-failed", cause: "another change came before it was submitted" }),
    },
    {
      given: "gives way to a path that a person names instead",
      recorded: fresh(submission({ accepted: false, restore: "file:/wrong" })),
      desired: run({ answer: "file:/right" }),
      observed: fenced,
      expected: record({ kind: "submit-failed" }),
    },
    {
      given: "is waited for",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "CREATED", false)] },
      expected: { do: "wait", for: "state RUNNING" },
    },
    {
      given: "is asked for a checkpoint that would come too late",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { ...good, progress: { ...started, checkpointIntervalMs: 600_000 } },
      expected: { do: "checkpoint", jobId: "j2" },
    },
    {
      given: "that holds upgrades the job",
      recorded: upgrade(submission()),
      desired: run(),
      observed: good,
      expected: record({ kind: "running", jobId: "j2", reference: newRef, restored: "file:/s" }, { ends: "upgraded" }),
    },
    {
      given: "that holds creates the job",
      recorded: fresh(submission({ restore: null })),
      desired: run(),
      observed: { ...good, progress: { ...progress, restoredFrom: "", restores: 0 } },
      expected: record({ kind: "running" }, { ends: "created" }),
    },
    {
      given: "that holds resumes the job",
      recorded: job(suspended, attempt({ stop: null, submissions: [submission()] })),
      desired: run(),
      observed: good,
      expected: record({ kind: "running" }, { ends: "resumed" }),
    },
    {
      given: "that holds with a remark is recorded with it",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { ...good, steadyMs: 10_000, progress: { ...started, checkpointIntervalMs: null } },
      expected: record({ kind: "running" }, { ends: "upgraded", ...note("takes no checkpoints") }),
    },
    {
      given: "that holds although another is wanted by now is recorded, and that is looked at next",
      recorded: upgrade(submission({ reference: { digest: "older", value: "v" } })),
      desired: run(),
      observed: good,
      expected: record({ kind: "running", reference: { digest: "older", value: "v" } }),
    },
    {
      given: "that holds although it is to be removed by now is recorded, and that is looked at next",
      recorded: upgrade(submission()),
      desired: gone,
      observed: good,
      expected: record({ kind: "running", reference: newRef }),
    },
    {
      given: "that is FINISHED has finished",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "FINISHED")] },
      expected: record({ kind: "finished", jobId: "j2" }, { ends: "finished" }),
    },
    {
      given: "that does not hold has failed",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "FAILED")], progress: { ...started, lastFailure: "no such state" } },
      expected: record({ kind: "submit-failed", jobId: "j2", cause: "it is FAILED: no such state" }),
    },
    {
      given: "that let records out before it failed is a person's to decide",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "FAILED")], progress },
      expected: refusal("needs-operator", "send them twice"),
    },
    {
      given: "that may have let records out, which the gateway does not tell, is a person's to decide",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "FAILED", null)], seesProgress: false },
      expected: refusal("needs-operator", "jobmanager-url"),
    },
    {
      given: "that Flink refused let nothing out, through the gateway too",
      recorded: upgrade(submission()),
      desired: run(),
      observed: { jobs: [listed("j2", "FAILED", null)], seesProgress: false, wasRefused: true },
      expected: record({ kind: "submit-failed" }),
    },
    {
      given: "that let records out goes on from the path that a person names",
      recorded: upgrade(submission()),
      desired: run({ answer: "file:/p" }),
      observed: { jobs: [listed("j2", "FAILED")], progress },
      expected: record({ kind: "submit-failed" }),
    },
    {
      given: "that started from nothing and let records out is a person's to decide",
      recorded: fresh(submission({ restore: null })),
      desired: run(),
      observed: { jobs: [listed("j2", "FAILED")], progress },
      expected: refusal("needs-operator", "allow-fresh-start"),
    },
    ...[run({ upgradeMode: "stateless" }), run({ consent: { toReplay: false, toStartEmpty: true } })].map(
      (desired) => ({
        given: "that started from nothing may be given up where it may start so again",
        recorded: fresh(submission({ restore: null })),
        desired,
        observed: { jobs: [listed("j2", "FAILED")], progress },
        expected: record({ kind: "submit-failed" }),
      }),
    ),
    {
      given: "that the cluster lost is a person's to decide",
      recorded: upgrade(submission()),
      desired: run(),
      expected: refusal("needs-operator", "whether it let records out is unknown"),
    },
    {
      given: "that the cluster lost is given up under `stateless`",
      recorded: upgrade(submission({ restore: null })),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-failed" }),
    },
    {
      given: "that the cluster lost is given up for a path that a person names, be it the same",
      recorded: upgrade(submission()),
      desired: run({ answer: "file:/s", reference: { digest: "new", value: "with a path" } }),
      expected: record({ kind: "submit-failed" }),
    },
    {
      given: "is judged by the old program's mode when that is put back",
      recorded: upgrade(putBack, failedNew),
      desired: run(),
      settings: { settledMode: "batch" },
      observed: { jobs: [listed("j3")], progress },
      expected: { do: "wait", for: "the batch job to finish" },
    },
    {
      given: "that puts the old job back ends the deployment as rolled back",
      recorded: upgrade(putBack, failedNew),
      desired: run(),
      observed: { jobs: [listed("j3")], progress },
      expected: record({ kind: "running", jobId: "j3", reference: oldRef }, { ends: "rolled-back" }),
    },
    {
      given: "that puts the old job back is what is wanted where the change was taken back",
      recorded: upgrade(putBack, failedNew),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j3")], progress },
      expected: record({ kind: "running", jobId: "j3" }, { ends: "upgraded" }),
    },
    {
      given: "that puts the old job back is followed by a third change",
      recorded: upgrade(putBack, failedNew),
      desired: run({ reference: { digest: "third", value: "v" } }),
      observed: { jobs: [listed("j3")], progress },
      expected: record({ kind: "running", jobId: "j3", reference: oldRef }),
    },
    {
      given: "that would put the old job back gives way to a third change",
      recorded: upgrade({ ...putBack, accepted: false }, failedNew),
      desired: run({ reference: { digest: "third", value: "v" } }),
      observed: { jobs: [{ ...listed("j3", "FINISHED"), name: "flink-dbt-deploy fence j3" }] },
      expected: record({ kind: "submit-failed", jobId: "j3" }),
    },
    {
      given: "waits for a failed one before it to end",
      recorded: upgrade({ ...putBack, accepted: false }, failedNew),
      desired: run(),
      observed: { jobs: [listed("j2", "CANCELLING")] },
      expected: { do: "wait", for: "j2 to end" },
    },
    {
      given: "has a failed one before it cancelled",
      recorded: upgrade({ ...putBack, accepted: false }, failedNew),
      desired: run(),
      observed: { jobs: [listed("j2", "RESTARTING")] },
      expected: { do: "cancel", jobId: "j2" },
    },
  ]);
});

describe("a submission that failed", () => {
  const upgrade = (...submissions: readonly Submission[]) => job(running, attempt({ stopped, submissions }));
  const over = { jobs: [listed("j2", "CANCELED")], progress: started, isFinal: true };
  table([
    {
      given: "is cancelled",
      recorded: upgrade(failedNew),
      desired: run(),
      observed: { jobs: [listed("j2")] },
      expected: { do: "cancel", jobId: "j2" },
    },
    {
      given: "has its last word before anything else",
      recorded: upgrade(failedNew),
      desired: run(),
      observed: { ...over, isFinal: false },
      expected: { do: "wait", for: "the last word on j2" },
    },
    {
      given: "is replaced by the old job, from the same savepoint",
      recorded: upgrade(failedNew),
      desired: run(),
      observed: over,
      expected: record(
        { kind: "submit-intended", role: "put-back", jobId: hex, reference: oldRef, restore: "file:/s" },
        note("putting the old one back"),
      ),
    },
    {
      given: "is not replaced where it had let records out by its end",
      recorded: upgrade(failedNew),
      desired: run(),
      observed: { ...over, progress },
      expected: refusal("needs-operator", "send them twice"),
    },
    {
      given: "is followed by one from the path that a person names",
      recorded: upgrade(failedNew),
      desired: run({ answer: "file:/p", reference: { digest: "new", value: "with a path" } }),
      observed: { ...over, progress },
      expected: record({ kind: "submit-intended", role: "new", restore: "file:/p" }),
    },
    {
      given: "does not go on from a path that was tried",
      recorded: upgrade({ ...failedNew, restore: "file:/p" }),
      desired: run({ answer: "file:/p" }),
      observed: { ...over, progress },
      expected: refusal("needs-operator", "send them twice"),
    },
    {
      given: "is put back whatever path is named, where nothing is in doubt",
      recorded: upgrade(failedNew),
      desired: run({ answer: "file:/p", reference: { digest: "new", value: "with a path" } }),
      observed: over,
      expected: record({ kind: "submit-intended", role: "put-back", restore: "file:/s" }, note("putting")),
    },
    {
      given: "that the cluster lost goes on from the path that a person names",
      recorded: upgrade(failedNew),
      desired: run({ answer: "file:/s", reference: { digest: "new", value: "with a path" } }),
      expected: record({ kind: "submit-intended", role: "new", restore: "file:/s" }),
    },
    {
      given: "is followed by another change that came meanwhile",
      recorded: upgrade(failedNew),
      desired: run({ reference: { digest: "third", value: "v" } }),
      observed: over,
      expected: record({ kind: "submit-intended", role: "new", reference: { digest: "third", value: "v" } }),
    },
    {
      given: "leaves the job down where the old program cannot be sent again",
      recorded: upgrade(failedNew),
      desired: run(),
      observed: over,
      settings: { canPutBack: false },
      expected: {
        do: "record",
        fact: { kind: "down", reference: oldRef, savepoint: "file:/s", cause: "it is FAILED" },
        ends: "failed",
      },
    },
    {
      given: "leaves the job down where the old one does not hold either",
      recorded: upgrade(failedNew, { ...putBack, failure: "the disk is gone" }),
      desired: run(),
      observed: { jobs: [listed("j3", "FAILED")], progress: started, isFinal: true },
      expected: record({ kind: "down", savepoint: "file:/s", cause: "the disk is gone" }, { ends: "failed" }),
    },
    {
      given: "leaves a suspended job suspended",
      recorded: job(suspended, attempt({ stop: null, submissions: [failedNew] })),
      desired: run(),
      observed: over,
      expected: record({ kind: "suspended", reference: oldRef, savepoint: "file:/s" }, { ends: "failed" }),
    },
    {
      given: "leaves a job that was down where it was, with its savepoint, also under `stateless`",
      recorded: job(down, attempt({ stop: null, submissions: [{ ...failedNew, restore: null }] })),
      desired: run({ upgradeMode: "stateless" }),
      observed: over,
      expected: record({ kind: "down", savepoint: "file:/s" }, { ends: "failed" }),
    },
    {
      given: "leaves a new job down without state",
      recorded: job(null, attempt({ stop: null, submissions: [{ ...failedNew, restore: null }] })),
      desired: run(),
      observed: over,
      expected: record({ kind: "down", reference: null, savepoint: null }, { ends: "failed" }),
    },
    {
      given: "of a job that is to rest by now leaves it at rest",
      recorded: upgrade(failedNew),
      desired: rest({ reference: null, by: "command" }),
      observed: over,
      expected: record({ kind: "suspended", reference: oldRef, savepoint: "file:/s" }, { ends: "suspended" }),
    },
    {
      given: "of a job that is to be removed by now leaves it removed",
      recorded: upgrade(failedNew),
      desired: gone,
      observed: over,
      expected: record({ kind: "removed", savepoint: "file:/s" }, { ends: "removed" }),
    },
    {
      given: "of a job that is to be removed by now has its last word first",
      recorded: upgrade(failedNew),
      desired: gone,
      observed: { ...over, isFinal: false },
      expected: { do: "wait" },
    },
    {
      given: "and let records out is removed without the savepoint that would send them again",
      recorded: upgrade(failedNew),
      desired: gone,
      observed: { ...over, progress },
      expected: record({ kind: "removed", savepoint: null }, { ends: "removed", ...note("file:/s") }),
    },
    {
      given: "and that the cluster lost is removed without it too",
      recorded: upgrade(failedNew),
      desired: gone,
      expected: record({ kind: "removed", savepoint: null }, { ends: "removed", ...note("file:/s") }),
    },
    {
      given: "and that the cluster lost is a person's to decide",
      recorded: upgrade(failedNew),
      desired: run(),
      expected: refusal("needs-operator", "whether it let out records after file:/s is unknown"),
    },
    {
      given: "and that the cluster lost is left behind under `stateless`",
      recorded: upgrade(failedNew),
      desired: run({ upgradeMode: "stateless" }),
      expected: record({ kind: "submit-intended", role: "new", restore: null }),
    },
    {
      given: "that the cluster lost does not rest under `stateless` with the savepoint that it may have gone on from",
      recorded: upgrade(failedNew),
      desired: rest({ upgradeMode: "stateless" }),
      expected: refusal("needs-operator", "is unknown"),
    },
  ]);
});

describe("after a person named a state, because a job may have let records out,", () => {
  const named = submission({ jobId: "j3", restore: "file:/p", accepted: false, failure: "no such file" });
  const upgrade = job(running, attempt({ stopped, submissions: [failedNew, named] }));
  table([
    {
      given: "a submission that fails leaves the job down with that state: the old one is not put back",
      recorded: upgrade,
      desired: run(),
      expected: record(
        { kind: "down", savepoint: "file:/p", cause: expect.stringContaining("not put back") },
        { ends: "failed" },
      ),
    },
    {
      given: "a suspended job stays suspended with that state",
      recorded: job(suspended, attempt({ stop: null, submissions: [failedNew, named] })),
      desired: run(),
      expected: record({ kind: "suspended", reference: oldRef, savepoint: "file:/p", of: null }, { ends: "failed" }),
    },
    {
      given: "a suspension keeps that state",
      recorded: upgrade,
      desired: rest({ reference: null, by: "command" }),
      expected: record({ kind: "suspended", savepoint: "file:/p" }, { ends: "suspended" }),
    },
    {
      given: "a removal keeps that state",
      recorded: upgrade,
      desired: gone,
      expected: record({ kind: "removed", savepoint: "file:/p" }, { ends: "removed" }),
    },
    {
      given: "another change starts from that state",
      recorded: upgrade,
      desired: run({ reference: { digest: "third", value: "v" } }),
      expected: record({ kind: "submit-intended", role: "new", restore: "file:/p" }),
    },
  ]);
});

describe("a job that goes back to an earlier program's own state", () => {
  const rewind = { path: "file:/old", of: newRef, stop: "savepoint" } as const;
  const back = run({ rewind });
  const observed = { jobs: [listed("j1")] };
  const rewound = submission({ restore: "file:/old", rewinds: true });
  const goesBack = record({
    kind: "submit-intended",
    role: "new",
    reference: newRef,
    restore: "file:/old",
    rewinds: true,
  });
  const restsThere = (text: string) => record({ kind: "down", reference: newRef, savepoint: "file:/old" }, note(text));
  const ended = (state: ClusterJob["state"]) => ({ jobs: [listed("j1", state)], endedMs: 5_000 });
  table([
    {
      given: "is stopped with a savepoint, though the earlier program is stateless",
      recorded: job(running),
      desired: run({ rewind, upgradeMode: "stateless" }),
      observed,
      expected: record({ kind: "stop-intended", purpose: "upgrade", withSavepoint: true }),
    },
    {
      given: "is cancelled where the program that runs is stateless",
      recorded: job(running),
      desired: run({ rewind: { ...rewind, stop: "stateless" } }),
      observed,
      expected: record({ kind: "stop-intended", withSavepoint: false }),
    },
    {
      given: "is cancelled where the program that runs goes on from its checkpoints",
      recorded: job(running),
      desired: run({ rewind: { ...rewind, stop: "last_state" } }),
      observed: { ...observed, retention: { survivesCancel: true, hasCheckpoint: true } },
      expected: record({ kind: "stop-intended", withSavepoint: false, keepsCheckpoint: true }),
    },
    {
      given: "starts from there once the other is stopped",
      recorded: job(running, attempt({ stopped })),
      desired: back,
      expected: goesBack,
    },
    {
      given: "keeps what the other left, which the cluster forgot",
      recorded: job(running),
      desired: back,
      observed: { retained: { kind: "found", path: "file:/chk-7" } },
      expected: record({ kind: "stopped", jobId: "j1", savepoint: "file:/chk-7" }, note("it left file:/chk-7")),
    },
    {
      given: "keeps the savepoint with which someone stopped the other",
      recorded: job(running),
      desired: back,
      observed: { ...ended("FINISHED"), lastSavepoint: { kind: "known", path: "file:/theirs", isNewest: true } },
      expected: record({ kind: "stopped", savepoint: "file:/theirs" }, note("it left file:/theirs")),
    },
    {
      given: "waits for the last word on the other",
      recorded: job(running),
      desired: back,
      observed: { ...ended("FAILED"), endedMs: 0 },
      expected: { do: "wait", for: "the last word on j1" },
    },
    {
      given: "rests there first where nothing tells what the other left",
      recorded: job(running),
      desired: back,
      observed: ended("FAILED"),
      expected: restsThere("nothing tells its state"),
    },
    {
      given: "rests there first where the other read its sources to their end",
      recorded: job(finished),
      desired: back,
      expected: restsThere("read its sources to their end"),
    },
    {
      given: "rests there first where it was removed",
      recorded: job(removed),
      desired: back,
      expected: restsThere("it was removed"),
    },
    {
      given: "starts from where it rests",
      recorded: job({ kind: "down", reference: newRef, savepoint: "file:/old" }),
      desired: back,
      expected: record({ kind: "submit-intended", restore: "file:/old" }),
    },
    {
      given: "is run again where it is a batch job",
      recorded: job(finished),
      desired: run({ rewind: { ...rewind, path: null }, runtimeMode: "batch" }),
      expected: record({ kind: "submit-intended", restore: null }),
    },
    {
      given: "stays suspended, with that state",
      recorded: job(suspended),
      desired: rest({ rewind }),
      expected: record(
        { kind: "suspended", reference: newRef, savepoint: "file:/old" },
        { ends: "unchanged", ...note("when it is resumed") },
      ),
    },
    {
      given: "stays suspended, with that state instead of a later one of the same program",
      recorded: job({ ...suspended, reference: newRef }),
      desired: rest({ rewind }),
      expected: record({ kind: "suspended", reference: newRef, savepoint: "file:/old" }, { ends: "unchanged" }),
    },
    {
      given: "is as it should be where it is suspended with that state",
      recorded: job({ ...suspended, reference: newRef, savepoint: "file:/old" }),
      desired: rest({ rewind }),
      expected: { do: "end", ending: "unchanged" },
    },
    {
      given: "is suspended with that state after a resumption that was under way",
      recorded: job(running, attempt({ stop: { ...stop, purpose: "suspend" }, stopped })),
      desired: rest({ rewind }),
      expected: record(
        { kind: "suspended", savepoint: "file:/old" },
        { ends: "suspended", ...note("when it is resumed") },
      ),
    },
    {
      given: "rests there first where nothing tells the savepoint of the stop",
      recorded: job(running, attempt()),
      desired: back,
      observed: ended("FINISHED"),
      expected: restsThere("it lies under file:///savepoints/f"),
    },
    {
      given: "rests there first where nothing tells the checkpoint that was to be kept",
      recorded: job(running, attempt({ stop: { ...stop, withSavepoint: false, keepsCheckpoint: true } })),
      desired: back,
      observed: ended("CANCELED"),
      expected: restsThere("nothing tells its newest checkpoint"),
    },
    {
      given: "keeps the savepoint of someone else who stopped the other meanwhile",
      recorded: job(running, attempt()),
      desired: back,
      observed: { ...ended("FINISHED"), lastSavepoint: { kind: "known", path: "file:/theirs", isNewest: true } },
      expected: record({ kind: "stopped", savepoint: "file:/theirs" }),
    },
    {
      given: "fails where the other cannot be stopped with a savepoint",
      recorded: job(running, attempt()),
      desired: back,
      observed: { ...observed, stop: { kind: "failed", cause: "not all tasks run", savepoint: null } },
      expected: record({ kind: "stop-failed" }, { ends: "failed", cause: expect.stringContaining("allow-replay") }),
    },
    {
      given: "has the other cancelled instead where a person agreed",
      recorded: job(running, attempt()),
      desired: run({ rewind, consent: { toReplay: true, toStartEmpty: false } }),
      observed: { ...observed, stop: { kind: "failed", cause: "not all tasks run", savepoint: null } },
      expected: record(
        { kind: "stop-intended", triggerId: "t1", withSavepoint: false, keepsCheckpoint: true },
        note("as was agreed"),
      ),
    },
    {
      given: "does not wait for a third program that was submitted before",
      recorded: job(
        running,
        attempt({ stopped, submissions: [submission({ reference: { digest: "third", value: "v" } })] }),
      ),
      desired: back,
      observed: { jobs: [listed("j2")], progress },
      expected: record({ kind: "submit-failed", jobId: "j2", cause: expect.stringContaining("went back") }),
    },
    {
      given: "starts once that one is gone, whatever it let out",
      recorded: job(
        running,
        attempt({
          stopped,
          submissions: [submission({ reference: { digest: "third", value: "v" }, failure: "over" })],
        }),
      ),
      desired: back,
      observed: { jobs: [listed("j2", "CANCELED")], progress, isFinal: true },
      expected: goesBack,
    },
    {
      given: "is put back from the other's savepoint where it does not hold",
      recorded: job(running, attempt({ stopped, submissions: [{ ...rewound, failure: "it is FAILED" }] })),
      desired: back,
      observed: { jobs: [listed("j2", "FAILED")], progress: started, isFinal: true },
      expected: record(
        { kind: "submit-intended", role: "put-back", reference: oldRef, restore: "file:/s" },
        note("putting the old one back"),
      ),
    },
    {
      given: "is waited for while the put-back is under way",
      recorded: job(running, attempt({ stopped, submissions: [{ ...rewound, failure: "it is FAILED" }, putBack] })),
      desired: back,
      observed: { jobs: [listed("j3")], progress: started },
      expected: { do: "wait", for: "a completed checkpoint" },
    },
    {
      given: "leaves its own state where a third program may have let records out, and it does not hold",
      recorded: job(
        running,
        attempt({
          stopped,
          submissions: [
            submission({ reference: { digest: "third", value: "v" }, failure: "over" }),
            { ...rewound, jobId: "j3", failure: "it is FAILED" },
          ],
        }),
      ),
      desired: back,
      observed: { jobs: [listed("j3", "FAILED")], progress: started, isFinal: true },
      expected: record({ kind: "down", reference: newRef, savepoint: "file:/old" }, { ends: "failed" }),
    },
    {
      given: "and was lost, goes on from its own checkpoint, and is never put back to the other's program from there",
      recorded: job(running, attempt({ stopped, submissions: [{ ...rewound, failure: "it is gone" }] })),
      desired: back,
      observed: { retained: { kind: "found", path: "file:/chk" }, isFinal: true },
      expected: record(
        { kind: "submit-intended", restore: "file:/chk", rewinds: true },
        note("goes on from file:/chk"),
      ),
    },
    {
      given: "and does not hold from its own checkpoint either, rests with its own program",
      recorded: job(
        running,
        attempt({
          stopped,
          submissions: [
            { ...rewound, failure: "it is gone" },
            { ...rewound, jobId: "j3", restore: "file:/chk", accepted: false, failure: "no such file" },
          ],
        }),
      ),
      desired: back,
      expected: record({ kind: "down", reference: newRef, savepoint: "file:/chk" }, { ends: "failed" }),
    },
    {
      given: "and did not, is gone forward from by another change with the other's savepoint",
      recorded: job(running, attempt({ stopped, submissions: [{ ...rewound, failure: "it is FAILED" }] })),
      desired: run({ reference: oldRef }),
      observed: { jobs: [listed("j2", "FAILED")], progress: started, isFinal: true },
      expected: record({ kind: "submit-intended", role: "new", reference: oldRef, restore: "file:/s" }),
    },
    {
      given: "and did not, rests as the other does where it is suspended then",
      recorded: job(running, attempt({ stopped, submissions: [{ ...rewound, failure: "it is FAILED" }] })),
      desired: rest({ reference: null, by: "command" }),
      observed: { jobs: [listed("j2", "FAILED")], progress: started, isFinal: true },
      expected: record({ kind: "suspended", reference: oldRef, savepoint: "file:/s" }, { ends: "suspended" }),
    },
    {
      given: "in place of one that was never accepted, and fails: the other is put back from its own state",
      recorded: job(
        running,
        attempt({
          stop: null,
          submissions: [
            submission({
              reference: { digest: "third", value: "v" },
              accepted: false,
              restore: "file:/chk",
              failure: "x",
            }),
            { ...rewound, jobId: "j3", failure: "it is FAILED" },
          ],
        }),
      ),
      desired: back,
      observed: { jobs: [listed("j3", "FAILED")], progress: started, isFinal: true },
      expected: record(
        { kind: "submit-intended", role: "put-back", restore: "file:/chk" },
        note("putting the old one back"),
      ),
    },
  ]);
});

test("an attempt keeps the ids of the deployment that began it, whichever goes on with it", () => {
  const recorded = job(running, attempt({ stopped }));
  const step = (deployment: string, since: string) =>
    nextStep("totals", run(), { ...recorded, since }, seen(), { ...settings, deployment });
  expect(step("d2", "e1")).toEqual(step("d3", "e1"));
  expect(step("d2", "e1")).not.toEqual(step("d2", "e2"));
});

test("an attempt that neither stops nor submits is a defect", () => {
  const recorded = job(running, attempt({ stop: null }));
  expect(() => nextStep("totals", run(), recorded, seen(), settings)).toThrow("neither a stop nor a submission");
});
