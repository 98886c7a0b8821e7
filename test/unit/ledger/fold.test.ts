import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fact } from "../../../src/ledger/entry.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { entries, entry, ledgers, reference } from "./entries.ts";

const older = { digest: "d0", value: "v0" };
const running: Fact = { kind: "running", jobId: "j1", reference: older, restored: null };
const stop: Fact = {
  kind: "stop-intended",
  purpose: "upgrade",
  jobId: "j1",
  triggerId: "t1",
  withSavepoint: true,
  savepointFolder: "file:///f",
};
const stopped: Fact = { kind: "stopped", jobId: "j1", savepoint: "file:/s" };
const submit: Fact = { kind: "submit-intended", role: "new", jobId: "j2", reference, restore: "file:/s" };
const putBack: Fact = { kind: "submit-intended", role: "put-back", jobId: "j3", reference: older, restore: "file:/s" };

const folded = (...facts: readonly Fact[]) => fold(entries(...facts)).get("totals");

test("neither the order in which entries come nor how often each comes matters", () => {
  const lists = ledgers.chain((all) =>
    fc.record({
      all: fc.constant(all),
      again: fc.shuffledSubarray([...all, ...all], { minLength: all.length }).map((some) => [...some, ...all]),
      shuffled: fc.shuffledSubarray([...all], { minLength: all.length }),
    }),
  );
  fc.assert(
    fc.property(lists, ({ all, again, shuffled }) => {
      const one = [...fold(all)].sort();
      expect([...fold(shuffled)].sort()).toEqual(one);
      expect([...fold(again)].sort()).toEqual(one);
    }),
  );
});

test("what is said of one job says nothing of another", () => {
  const only = (job: string) => (deployed: ReturnType<typeof fold>) => deployed.get(job);
  fc.assert(
    fc.property(ledgers, (all) => {
      const plain = all.filter(({ fact }) => fact.kind !== "renamed");
      const own = plain.filter(({ job }) => job === "totals");
      expect(only("totals")(fold(plain))).toEqual(only("totals")(fold(own)));
    }),
  );
});

describe("a savepoint that is taken while the job runs on", () => {
  const intended = { kind: "savepoint-intended", jobId: "j1", triggerId: "t", savepointFolder: "file:///f" } as const;
  const taken: Fact = { kind: "savepoint-taken", jobId: "j1", path: "file:/f/savepoint-1" };
  const checkpointed: Fact = { kind: "checkpointed", jobId: "j1", path: "file:/c/j1/chk-1" };

  test("is in hand until it is known what became of it", () => {
    expect(folded(running, intended)).toMatchObject({ taking: intended, attempt: null });
    expect(folded(running, intended, taken)).toMatchObject({ taking: null, attempt: null });
    expect(folded(running, intended, { kind: "savepoint-missed", jobId: "j1", cause: "x" })).toMatchObject({
      taking: null,
      noted: null,
    });
  });

  test("is the newest state that was noted, until a checkpoint is noted after it", () => {
    expect(folded(running, checkpointed, intended, taken)).toMatchObject({
      checkpoint: { path: "file:/c/j1/chk-1" },
      noted: { jobId: "j1", path: "file:/f/savepoint-1" },
    });
    expect(folded(running, taken, checkpointed)?.noted?.path).toBe("file:/c/j1/chk-1");
  });

  test("of a job that was replaced meanwhile says nothing of the one that runs", () => {
    expect(folded({ ...running, jobId: "j2" }, taken)?.noted).toBeNull();
  });
});

describe("a job's record", () => {
  test("of nothing is nothing", () => {
    expect(fold([]).size).toBe(0);
  });

  test("tells where it rests", () => {
    expect(folded(running)).toMatchObject({
      settled: { kind: "running", jobId: "j1", reference: older, restored: null },
      attempt: null,
    });
  });

  test("keeps where it rested while an attempt is in hand", () => {
    expect(folded(running, stop)).toMatchObject({
      settled: { kind: "running", jobId: "j1" },
      attempt: { deployment: "d", stop: { triggerId: "t1" }, stopped: null, submissions: [] },
    });
    expect(folded(running, stop, stopped, submit)).toMatchObject({
      settled: { kind: "running", jobId: "j1" },
      attempt: { stopped: { savepoint: "file:/s" }, submissions: [{ jobId: "j2", accepted: false, failure: null }] },
    });
  });

  test("tells of each submission whether the cluster had it and why it failed", () => {
    const facts: readonly Fact[] = [
      running,
      stop,
      stopped,
      submit,
      { kind: "submitted", jobId: "j2" },
      { kind: "submit-failed", jobId: "j2", cause: "it is FAILED" },
      putBack,
    ];
    expect(folded(...facts)?.attempt?.submissions).toMatchObject([
      { jobId: "j2", accepted: true, failure: "it is FAILED" },
      { jobId: "j3", accepted: false, failure: null },
    ]);
  });

  test.each([
    [
      { kind: "running", jobId: "j2", reference, restored: "file:/s" },
      { kind: "running", restored: "file:/s" },
    ],
    [
      { kind: "finished", jobId: "j2", reference },
      { kind: "finished", jobId: "j2" },
    ],
    [
      { kind: "suspended", by: "model", reference, savepoint: "file:/s" },
      { kind: "suspended", savepoint: "file:/s" },
    ],
    [
      { kind: "removed", reference, savepoint: "file:/s" },
      { kind: "removed", savepoint: "file:/s" },
    ],
    [
      { kind: "down", reference, savepoint: "file:/s", cause: "x" },
      { kind: "down", savepoint: "file:/s" },
    ],
    [
      { kind: "adopted", jobId: "x" },
      { kind: "running", jobId: "x", reference: null },
    ],
  ] as const)("rests again with %o", (fact, settled) => {
    expect(folded(running, stop, stopped, submit, fact)).toMatchObject({ settled, attempt: null });
  });

  test("is as before when the stop failed, but for what the next attempt's ids are derived from", () => {
    const before = folded(running);
    const after = folded(running, stop, { kind: "stop-failed", jobId: "j1", cause: "disk full" });
    expect(after).toMatchObject({ settled: before?.settled, attempt: null });
    expect(after?.since).not.toBe(before?.since);
  });

  test("names the deployment that began the attempt, not the one that goes on with it", () => {
    const all = [
      entry(running, { sequence: 1, deployment: "d0" }),
      entry(stop, { sequence: 2, deployment: "d1" }),
      entry(stopped, { sequence: 3, deployment: "d2" }),
    ];
    expect(fold(all).get("totals")?.attempt?.deployment).toBe("d1");
  });

  test("is as before when a rollback says what it is about to do", () => {
    const begun: Fact = {
      kind: "rollback-begun",
      to: "d0",
      reference: older,
      restore: "file:/s",
      keepsProgress: false,
    };
    expect(folded(running, stop, begun)).toEqual(folded(running, stop));
  });

  test("keeps the commit that was deployed when a command without one suspends it", () => {
    const rest: Fact = { kind: "suspended", by: "command", reference, savepoint: "file:/s" };
    const all = [entry(running, { sequence: 1, commit: "abc" }), entry(rest, { sequence: 2 })];
    expect(fold(all).get("totals")?.commit).toBe("abc");
  });

  const rested = entry(running, { sequence: 1, commit: "abc" });
  const failing = [stop, stopped, submit, putBack].map((fact, at) =>
    entry(fact, { sequence: at + 2, commit: "refused" }),
  );
  test.each([
    ["put back", { kind: "running", jobId: "j3", reference: older, restored: "file:/s" }],
    ["down instead of its successor", { kind: "down", reference: older, savepoint: "file:/s", cause: "x" }],
  ] as const)("keeps the commit of a program that is %s, whichever deployment did that", (_how, fact) => {
    const all = [rested, ...failing, entry(fact, { sequence: 6, commit: "refused" })];
    expect(fold(all).get("totals")?.commit).toBe("abc");
  });

  test("has no commit while it runs a program that nobody deployed here", () => {
    const adopted = entry({ kind: "adopted", jobId: "x" }, { commit: "abc" });
    expect(fold([adopted]).get("totals")?.commit).toBeNull();
  });

  test("takes the commit of another program, and of one that comes back after its removal", () => {
    const other = entry({ ...running, reference }, { sequence: 6, commit: "next" });
    expect(fold([rested, ...failing, other]).get("totals")?.commit).toBe("next");
    const gone = entry({ kind: "removed", reference: older, savepoint: "file:/s" }, { sequence: 2, commit: "later" });
    expect(fold([rested, gone]).get("totals")?.commit).toBe("later");
    const back = entry(running, { sequence: 3, commit: "back" });
    expect(fold([rested, gone, back]).get("totals")?.commit).toBe("back");
  });
});

describe("a rename", () => {
  const renamed = entry({ kind: "renamed", from: "totals" }, { sequence: 2, job: "sums" });

  test("moves what is recorded to the new name", () => {
    const deployed = fold([entry(running), renamed]);
    expect(deployed.get("sums")).toMatchObject({ name: "sums", settled: { jobId: "j1" }, movedTo: null });
    expect(deployed.get("totals")).toMatchObject({ settled: null, attempt: null, movedTo: "sums" });
  });

  test("leaves the old name free for another job", () => {
    const again = entry({ ...running, jobId: "j9" }, { sequence: 3 });
    expect(fold([entry(running), renamed, again]).get("totals")).toMatchObject({
      settled: { jobId: "j9" },
      movedTo: null,
    });
  });
});
