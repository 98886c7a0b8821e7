import { describe, expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { entryId } from "../../../src/ledger/entry.ts";
import { openLedger, readEntries } from "../../../src/ledger/ledger.ts";
import { entry, reference } from "./entries.ts";
import { MemoryStore } from "./memory-store.ts";
import { adopted, describeStore, writer } from "./store-contract.ts";

describeStore("a store in memory", () => {
  const store = new MemoryStore();
  return () => store.opened();
});

describe("appends", () => {
  test("that come while one is under way are written as one", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    const all = ["a", "b", "c", "d"].map((job) => ledger.append(job, adopted(job)));
    expect(await Promise.all(all)).toEqual([true, true, true, true]);
    expect(store.writes.map(({ entries }) => entries.map(({ job }) => job))).toEqual([["a"], ["b", "c", "d"]]);
    expect((await readEntries(store)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(ledger.job("b").settled).toMatchObject({ kind: "running", jobId: "b" });
  });

  test("of several facts are one write", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    await ledger.append("totals", adopted("a"), { kind: "removed", reference: null, savepoint: "file:/s" });
    expect(store.writes).toHaveLength(1);
    expect(ledger.job("totals").settled).toMatchObject({ kind: "removed", savepoint: "file:/s" });
  });

  test("for several jobs at once are one write, and all of them or none", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    const both = ["a", "b"].map((job) => ({ job, facts: [adopted(job)] }));
    store.failNext(new DeployError("store-unconfirmed", "no space left"));
    await expect(ledger.appendAll(both)).rejects.toThrow("no space left");
    expect(await readEntries(store)).toEqual([]);
    expect(await ledger.appendAll(both)).toBe(true);
    expect(store.writes.at(-1)?.entries.map(({ job }) => job)).toEqual(["a", "b"]);
    expect(ledger.job("b").settled).toMatchObject({ jobId: "b" });
  });

  test("are of the writer's commit, unless the deployment is of another", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, { ...writer, commit: "c1" });
    ledger.begin("d1");
    await ledger.append("totals", adopted("a"));
    ledger.begin("d2", "c0");
    await ledger.append("totals", adopted("b"));
    expect(await readEntries(store)).toMatchObject([
      { deployment: "d1", commit: "c1" },
      { deployment: "d2", commit: "c0" },
    ]);
  });

  test("that fail are not in the ledger, and the next one takes their place", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    store.failNext(new DeployError("store-unconfirmed", "no space left"));
    await expect(ledger.append("totals", adopted("j1"))).rejects.toThrow("no space left");
    expect(ledger.job("totals").settled).toBeNull();
    expect(await ledger.append("totals", adopted("j1"))).toBe(true);
    expect(await readEntries(store)).toMatchObject([{ sequence: 1 }]);
  });

  test("that someone else overtook are not stored, and what they wrote is known", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    await (await openLedger(store.opened(), writer)).append("totals", adopted("theirs"));
    expect(await ledger.append("totals", adopted("ours"))).toBe(false);
    expect(ledger.job("totals").settled).toMatchObject({ jobId: "theirs" });
    expect(await ledger.append("totals", adopted("ours"))).toBe(true);
  });

  test("are not written once the lock is lost", async () => {
    const store = new MemoryStore();
    const confirmLock = async () => {
      throw new DeployError("lock-held", "bo has it");
    };
    const ledger = await openLedger(store, { ...writer, confirmLock });
    await expect(ledger.append("totals", adopted("j"))).rejects.toMatchObject({ code: "lock-held" });
    expect(store.writes).toEqual([]);
  });

  test("bring the texts that they refer to, and no others", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    const value = ledger.keep("text");
    const other = ledger.keep("other");
    const fact = { kind: "removed", reference: { ...reference, value }, savepoint: null } as const;
    expect(await ledger.value(other)).toBe("other");
    await ledger.append("totals", fact);
    expect([...(store.writes[0]?.values ?? [])]).toEqual([[value, "text"]]);
  });

  test("are foreseen without being written", async () => {
    const store = new MemoryStore();
    const ledger = await openLedger(store, writer);
    expect(ledger.foreseen("totals", [adopted("j")]).settled).toMatchObject({ jobId: "j" });
    expect(ledger.job("totals").settled).toBeNull();
    expect(store.writes).toEqual([]);
  });

  test("have ids that cover what they say", () => {
    const { id, at: _at, ...covered } = entry(adopted("j1"));
    expect(entryId(covered)).toBe(id);
    expect(entryId({ ...covered, sequence: 2 })).not.toBe(id);
  });
});
