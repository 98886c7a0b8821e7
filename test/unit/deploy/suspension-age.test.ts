import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/deploy/deployment.ts";
import { stateTimes, suspensionWarning, withSuspensionWarnings } from "../../../src/deploy/suspension-age.ts";
import type { Entry, Fact } from "../../../src/ledger/entry.ts";
import { fold, nothing } from "../../../src/ledger/fold.ts";
import { entry, reference } from "../ledger/entries.ts";

const dayMs = 24 * 3_600_000;
const start = Date.parse("2026-01-01T00:00:00.000Z");
const savepoint = "file:/s/savepoint-1";

const stopped: Fact = { kind: "stopped", jobId: "j", savepoint };
const suspended = (path: string | null = savepoint): Fact => ({
  kind: "suspended",
  by: "model",
  reference,
  savepoint: path,
});

/** Entries that say these, each so many days after the start. */
function entriesOf(...all: readonly (readonly [number, Fact])[]): readonly Entry[] {
  return all.map(([day, fact], index) =>
    entry(fact, { sequence: index + 1, at: new Date(start + day * dayMs).toISOString() }),
  );
}

function warning(day: number, entries: readonly Entry[], limitDays: number | null = 7): string | null {
  const recorded = fold(entries).get("totals") ?? nothing("totals");
  const limitMs = limitDays === null ? null : limitDays * dayMs;
  return suspensionWarning(recorded, stateTimes(entries), { now: start + day * dayMs, limitMs });
}

describe("a suspended job is warned of", () => {
  const rests = entriesOf([0, stopped], [0, suspended()]);

  test.each([
    [9, "suspended for 9 days: "],
    [7.5, "suspended for 7 days: "],
  ])("%d days after its savepoint was taken", (day, said) => {
    expect(warning(day, rests)).toContain(said);
    expect(warning(day, rests)).toMatch(/Kafka.*transactions.*change-data-capture/);
  });

  test("by the age of its state, though a changed program was recorded since", () => {
    const other = { ...suspended(), reference: { digest: "d2", value: "v2" } } as Fact;
    expect(warning(9, [...rests, ...entriesOf([0, stopped], [0, stopped], [8, other]).slice(2)])).toContain("9 days");
  });

  test("by the age of a checkpoint that was noted, where it rests with that", () => {
    const path = "file:/c/chk-7";
    expect(warning(9, entriesOf([0, { kind: "checkpointed", jobId: "j", path }], [8, suspended(path)]))).toContain(
      "9 days",
    );
  });
});

test.each<readonly [string, string | null]>([
  ["younger ones", warning(7, entriesOf([0, stopped], [0, suspended()]))],
  ["jobs without state, which nothing can be too old for", warning(99, entriesOf([0, suspended(null)]))],
  ["jobs that run", warning(99, entriesOf([0, { kind: "running", jobId: "j", reference, restored: savepoint }]))],
  ["any, where nobody wants to be warned", warning(99, entriesOf([0, stopped], [0, suspended()]), null)],
  ["jobs that nobody knows", warning(99, [])],
])("there is no warning of %s", (_name, said) => {
  expect(said).toBeNull();
});

test("a deployment notes it of each job that it leaves suspended", () => {
  const entries = entriesOf([0, stopped], [0, suspended()]);
  const job = {
    ending: "unchanged",
    code: null,
    message: null,
    jobId: null,
    savepoint: null,
    restored: null,
    durationMs: 0,
    interruptionMs: null,
    notes: ["its own"],
  } as const;
  const outcome: Outcome = {
    environment: "test",
    deployment: "d",
    jobs: [
      { ...job, job: "totals" },
      { ...job, job: "sums" },
    ],
  };
  const limit = { now: start + 9 * dayMs, limitMs: 7 * dayMs };
  const [totals, sums] = withSuspensionWarnings(outcome, { entries, deployed: fold(entries) }, limit).jobs;
  expect(totals?.notes).toEqual(["its own", expect.stringContaining("suspended for 9 days")]);
  expect(sums?.notes).toEqual(["its own"]);
});
