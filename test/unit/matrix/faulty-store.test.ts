import { describe, expect, test } from "vitest";
import { failedWriteIn, faultyStore, type StoreFault, writesIn } from "../../matrix/faulty-store.ts";
import { entry } from "../ledger/entries.ts";
import { MemoryStore } from "../ledger/memory-store.ts";

const intent = entry({
  kind: "stop-intended",
  purpose: "upgrade",
  jobId: "j",
  triggerId: "t",
  withSavepoint: true,
  savepointFolder: "file:///s",
});
const holder = { id: "me", name: "me", run: null, process: null, workflow: null };
const lock = { version: 1, holder, leaseMs: 1, renewedAt: "2026-01-01T00:00:00Z" };

/** Takes the lock, writes an intent and releases the lock, in a store that fails like this. */
async function run(fault: StoreFault | null) {
  const memory = new MemoryStore();
  const lines: string[] = [];
  const store = faultyStore(memory, fault, (line) => lines.push(line));
  const ended = (async () => {
    await store.setLock(lock);
    await store.append({ entries: [intent], values: new Map() });
    await store.setLock({ ...lock, version: 2, holder: null });
  })();
  const error = await ended.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { memory, log: lines.map((line) => `${line}\n`).join(""), error };
}

describe("a store that fails on demand", () => {
  test("tells what is written, locks too", async () => {
    const { log, error } = await run(null);
    expect(error).toBeNull();
    expect(writesIn(log)).toEqual(["lock", "stop-intended", "unlock"]);
    expect(failedWriteIn(log)).toBeNull();
  });

  test("fails before the write: nothing is stored", async () => {
    const { memory, log, error } = await run({ at: 2, kind: "fail-before" });
    expect(error).toMatchObject({ code: "store-unconfirmed" });
    expect(await memory.entries()).toEqual([]);
    expect(failedWriteIn(log)).toBe("stop-intended");
  });

  test("fails after the write: it is stored, and nobody is told", async () => {
    const { memory, error } = await run({ at: 2, kind: "fail-after" });
    expect(error).toMatchObject({ code: "store-unconfirmed" });
    expect(await memory.entries()).toEqual([intent]);
  });

  test("counts locks as writes", async () => {
    const { memory, log } = await run({ at: 1, kind: "fail-before" });
    expect(await memory.lock()).toBeNull();
    expect(failedWriteIn(log)).toBe("lock");
  });
});
