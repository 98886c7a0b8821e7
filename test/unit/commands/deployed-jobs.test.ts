import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deployedJobs } from "../../../src/commands/deployed-jobs.ts";
import type { Fact, JobReference } from "../../../src/ledger/entry.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { storeJob } from "../../../src/ledger/stored-job.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import { entry } from "../ledger/entries.ts";
import { job } from "../plan/jobs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deployed-jobs-"));
});
afterEach(() => rm(folder, { recursive: true }));

const store = () => openFileStore(folder, "test");
const read = (...facts: readonly (readonly [string, Fact])[]) =>
  deployedJobs(store(), fold(facts.map(([name, fact], at) => entry(fact, { sequence: at + 1, job: name }))), {
    project: "shop",
    flinkVersion: "1.20.3",
  });

test("a streaming job whose removal left no savepoint is lost; one that left some, ran in batch or never ran is not", async () => {
  const streaming = await storeJob(store(), job("a"), null, "1.20.3");
  const batch = await storeJob(store(), job("a", { runtimeMode: "batch" }), null, "1.20.3");
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
  const running = async (name: string, plan: string | null, version: string): Promise<readonly [string, Fact]> => {
    const reference = await storeJob(store(), job(name), plan, version);
    return [name, { kind: "running", jobId: name, reference, restored: null }];
  };
  const { compiledPlans } = await read(
    await running("a", "plan of a", "1.20.3"),
    await running("b", "plan of b", "2.3.0"),
    await running("c", null, "1.20.3"),
  );
  expect([...compiledPlans]).toEqual([["a", "plan of a"]]);
});
