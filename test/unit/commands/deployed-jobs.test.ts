import { expect, test } from "vitest";
import { deployedJobs } from "../../../src/commands/deployed-jobs.ts";
import type { Fact, JobReference } from "../../../src/ledger/entry.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { openLedger } from "../../../src/ledger/ledger.ts";
import { keepJob } from "../../../src/ledger/stored-job.ts";
import { entry } from "../ledger/entries.ts";
import { MemoryStore } from "../ledger/memory-store.ts";
import { job } from "../plan/jobs.ts";

const writer = { environment: "test", project: "shop", commit: null, now: () => "2026-01-01T00:00:00.000Z" };
const ledger = await openLedger(new MemoryStore(), writer);
const read = (...facts: readonly (readonly [string, Fact])[]) =>
  deployedJobs(ledger, fold(facts.map(([name, fact], at) => entry(fact, { sequence: at + 1, job: name }))), {
    project: "shop",
    flinkVersion: "1.20.3",
  });

test("a streaming job whose removal left no savepoint is lost; one that left some, ran in batch or never ran is not", async () => {
  const streaming = keepJob(ledger, job("a"), null, "1.20.3");
  const batch = keepJob(ledger, job("a", { runtimeMode: "batch" }), null, "1.20.3");
  const removed = (reference: JobReference | null, savepoint: string | null): Fact => ({
    kind: "removed",
    reference,
    savepoint,
  });
  const { jobs, past, lost } = await read(
    ["gone", removed(streaming, null)],
    ["kept", removed(streaming, "file:/s")],
    ["of-batch", removed(batch, null)],
    ["never-ran", removed(null, null)],
  );
  expect(jobs).toEqual([]);
  expect([...lost.keys()]).toEqual(["gone"]);
  expect([...past]).toEqual([["kept", "removed"]]);
});

test("compiled plans are those of the Flink version only: another one compiles otherwise", async () => {
  const running = (name: string, plan: string | null, version: string): readonly [string, Fact] => {
    const reference = keepJob(ledger, job(name), plan, version);
    return [name, { kind: "running", jobId: name, reference, restored: null }];
  };
  const { compiledPlans } = await read(
    running("a", "plan of a", "1.20.3"),
    running("b", "plan of b", "2.3.0"),
    running("c", null, "1.20.3"),
  );
  expect([...compiledPlans]).toEqual([["a", "plan of a"]]);
});
