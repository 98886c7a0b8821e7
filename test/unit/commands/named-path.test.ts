import { describe, expect, test } from "vitest";
import { namedPath } from "../../../src/commands/named-path.ts";
import type { ClusterJob, FlinkState } from "../../../src/deploy/cluster.ts";
import type { Attempt, RecordedJob, Settled } from "../../../src/ledger/fold.ts";
import { nothing } from "../../../src/ledger/fold.ts";
import { reference } from "../ledger/entries.ts";

const path = "s3://b/sp/savepoint-1";
const other = "s3://b/sp/savepoint-2";
const running: Settled = { kind: "running", jobId: "j", reference, restored: path };
const suspended = (savepoint: string | null): Settled => ({ kind: "suspended", by: "command", reference, savepoint });
const noted = (jobId: string, of: string) => ({ jobId, path: of, at: "2026-01-01T00:00:00.000Z" });
const recorded = (more: Partial<RecordedJob>): RecordedJob => ({ ...nothing("orders"), ...more });
const stop = {
  kind: "stop-intended",
  purpose: "upgrade",
  jobId: "j",
  triggerId: "t",
  withSavepoint: true,
  savepointFolder: "s3://b/sp",
} as const;
const submission = (restore: string | null): Attempt["submissions"][number] => ({
  kind: "submit-intended",
  role: "new",
  jobId: "n",
  reference,
  restore,
  accepted: false,
  failure: null,
});
const attempt = (more: Partial<Attempt>): Attempt => ({
  deployment: "d",
  stop,
  stopped: null,
  submissions: [],
  ...more,
});
const stoppedWith = (savepoint: string | null) => ({ kind: "stopped", jobId: "j", savepoint }) as const;

const named = (job: RecordedJob, { toReplay = false, jobs = [] as readonly ClusterJob[] } = {}) =>
  namedPath(job, { path, consent: { toReplay, toStartEmpty: false }, jobs });

describe("a path that a person names", () => {
  test.each([
    ["the ledger knows nothing of the job", {}],
    ["it rests with that very path", { settled: suspended("s3a://b/sp/savepoint-1/") }],
    ["it rests with nothing", { settled: suspended(null) }],
    ["it is gone, and that is what was noted of it last", { settled: running, noted: noted("j", path) }],
  ])("is taken where %s", (_why, more) => {
    expect(named(recorded(more))).toEqual({ startFrom: path, answer: null, rewind: null });
  });

  test.each([
    ["it was stopped with that savepoint", { stopped: stoppedWith(path) }],
    ["its stop was to leave a savepoint in that folder", {}],
    ["it was submitted from there", { stopped: stoppedWith(path), submissions: [submission(path)] }],
    ["it was to start empty", { stop: null, submissions: [submission(null)] }],
  ])("is the answer of an attempt where %s", (_why, more) => {
    expect(named(recorded({ settled: running, attempt: attempt(more) })).answer).toBe(path);
  });

  test.each([
    ["it rests with another", { settled: suspended(other) }],
    ["it is gone, and another state was noted last", { settled: running, noted: noted("j", other) }],
    ["it is gone, and nothing was noted of it", { settled: running, noted: noted("older", path) }],
    ["an attempt stopped it with another", { attempt: attempt({ stopped: stoppedWith(other) }) }],
    ["an attempt submitted it from another", { attempt: attempt({ submissions: [submission(other)] }) }],
    ["its stop leaves its savepoint elsewhere", { attempt: attempt({ stop: { ...stop, savepointFolder: "s3://c" } }) }],
  ])("needs consent where %s", (_why, more) => {
    expect(() => named(recorded(more))).toThrow("Set `allow-replay: orders` if that is meant");
    expect(() => named(recorded(more), { toReplay: true })).not.toThrow();
  });

  test.each([
    ["the recorded job", { settled: running }, "j"],
    ["what an attempt submitted", { attempt: attempt({ submissions: [submission(path)] }) }, "n"],
    ["what an attempt is to stop", { attempt: attempt({}) }, "j"],
  ])("is refused while %s lives, whatever was agreed to", (_what, more, id) => {
    const jobs = [{ id, name: "orders", state: "RUNNING" as FlinkState, allTasksRunning: true }];
    expect(() => named(recorded(more), { toReplay: true, jobs })).toThrow("suspend it first");
  });
});
