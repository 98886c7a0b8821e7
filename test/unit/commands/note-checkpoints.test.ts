import { beforeEach, describe, expect, test } from "vitest";
import { noteCheckpoints, type SeenCheckpoint } from "../../../src/commands/note-checkpoints.ts";
import type { Shell } from "../../../src/commands/shell.ts";
import { DeployError } from "../../../src/errors.ts";
import { readInputs, type StatusInputs } from "../../../src/inputs/inputs.ts";
import type { Fact } from "../../../src/ledger/entry.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { type Ledger, openLedger } from "../../../src/ledger/ledger.ts";
import { reference } from "../ledger/entries.ts";
import { MemoryStore } from "../ledger/memory-store.ts";

const inputs = readInputs("status", { "gateway-url": "http://gateway:8083" }) as StatusInputs;

let store: MemoryStore;
let ledger: Ledger;
let lines: string[];
let shell: Shell;
beforeEach(async () => {
  store = new MemoryStore();
  const now = () => "2026-01-01T00:00:00.000Z";
  ledger = await openLedger(store.opened(), { environment: "default", project: "shop", commit: "c", now });
  await ledger.append("totals", running("j1"));
  await ledger.append("sums", running("j2"));
  lines = [];
  const { signal } = new AbortController();
  shell = {
    cwd: "/",
    environment: {},
    signal,
    deadline: signal,
    log: (line) => lines.push(line),
    print: async () => {},
    eventBase: null,
    annotate: () => undefined,
    writeOut: null,
    now: () => new Date("2026-01-02T00:00:00.000Z"),
    clock: () => 0,
    // The lock is never renewed: a test is over sooner than that.
    sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
  };
});

const running = (jobId: string): Fact => ({ kind: "running", jobId, reference, restored: null });
const seen = (job: string, jobId: string, path: string): SeenCheckpoint => ({ job, jobId, path });
const both = [seen("totals", "j1", "file:/c/j1/chk-1"), seen("sums", "j2", "file:/c/j2/chk-1")];

async function note(all: readonly SeenCheckpoint[]): Promise<void> {
  const deployed = fold(await store.entries());
  await noteCheckpoints(all, { store, deployed, inputs, shell });
}

const noted = async () => [...fold(await store.entries()).values()].map(({ name, checkpoint }) => [name, checkpoint]);

describe("checkpoints of running jobs", () => {
  test("are noted in one write, with their time, and the lock is free afterwards", async () => {
    await note(both);
    expect(store.writes.map(({ entries }) => entries.map(({ job, fact }) => [job, fact.kind]))).toEqual([
      [
        ["totals", "checkpointed"],
        ["sums", "checkpointed"],
      ],
    ]);
    const at = "2026-01-02T00:00:00.000Z";
    expect(await noted()).toEqual([
      ["totals", { jobId: "j1", path: "file:/c/j1/chk-1", at }],
      ["sums", { jobId: "j2", path: "file:/c/j2/chk-1", at }],
    ]);
    expect((await store.lock())?.holder).toBeNull();
    expect(lines).toEqual([]);
  });

  test("change nothing about the job that is recorded", async () => {
    const before = fold(await store.entries()).get("totals");
    await note(both);
    expect(fold(await store.entries()).get("totals")).toEqual({
      ...before,
      checkpoint: expect.anything(),
      noted: expect.anything(),
    });
  });

  test("are noted where they are others than those that are noted", async () => {
    await note(both);
    await note([seen("totals", "j1", "file:/c/j1/chk-2"), both[1] as SeenCheckpoint]);
    expect(store.writes.at(-1)?.entries.map(({ job }) => job)).toEqual(["totals"]);
  });

  test("that are noted already cost neither a write nor the lock", async () => {
    await note(both);
    const { version } = (await store.lock()) ?? {};
    await note(both);
    expect(store.writes).toHaveLength(1);
    expect((await store.lock())?.version).toBe(version);
  });
});

describe("nothing is noted, and it is no error,", () => {
  test("where somebody else holds the lock", async () => {
    const holder = { id: "h", name: "deploy by ana", run: null, process: null, workflow: null };
    await store.setLock({ version: 1, holder, leaseMs: 120_000, renewedAt: "2026-01-02T00:00:00.000Z" });
    await note(both);
    expect(store.writes).toEqual([]);
    expect(lines).toEqual([
      "no checkpoint was noted in the ledger: the environment is locked by deploy by ana, renewed 2026-01-02T00:00:00.000Z",
    ]);
    expect((await store.lock())?.holder?.id).toBe("h");
  });

  test("where the ledger cannot be written", async () => {
    store.failNext(new DeployError("store-unconfirmed", "the folder is read-only"));
    await note(both);
    expect(lines).toEqual(["no checkpoint was noted in the ledger: the folder is read-only"]);
    expect(store.writes).toEqual([]);
  });

  test("of a job that was replaced before the lock was taken", async () => {
    const deployed = fold(await store.entries());
    await ledger.append("totals", running("j3"));
    await noteCheckpoints(both, { store, deployed, inputs, shell });
    expect(store.writes.at(-1)?.entries.map(({ job }) => job)).toEqual(["sums"]);
  });

  test("in a ledger that nobody deployed to, which is not begun", async () => {
    store = new MemoryStore();
    await note(both);
    expect(store.writes).toEqual([]);
    expect(await store.lock()).toBeNull();
  });
});

test("a defect is not taken for a store that fails", async () => {
  store.failNext(new Error("a defect"));
  await expect(note(both)).rejects.toThrow("a defect");
});
