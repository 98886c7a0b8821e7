import { describe, expect, test } from "vitest";
import type { Fact } from "../../../src/ledger/entry.ts";
import { openLedger, readEntries } from "../../../src/ledger/ledger.ts";
import type { Lock } from "../../../src/ledger/lock.ts";
import type { Store, Write } from "../../../src/ledger/store.ts";
import { entry } from "./entries.ts";

export const adopted = (jobId: string): Fact => ({ kind: "adopted", jobId });
export const writer = {
  environment: "test",
  project: null,
  commit: null,
  now: () => "2026-01-01T00:00:00.000Z",
};
export const key = "a".repeat(64);
export const write = (entries: Write["entries"], values: Iterable<readonly [string, string]> = []): Write => ({
  entries,
  values: new Map(values),
});
const byPosition = (all: Write["entries"]) => all.toSorted((a, b) => a.sequence - b.sequence);

export function lock(version: number, name: string | null = "ana"): Lock {
  const holder = name === null ? null : { id: name, name, run: null, process: null, workflow: null };
  return { version, holder, leaseMs: 60_000, renewedAt: "2026-01-01T00:00:00.000Z" };
}

export interface StoreSubject {
  /** How many race for one place. Fewer where each try takes the work of an upload. */
  readonly racers?: number;
}

/** What every store promises. `open` opens the one place again, as another process would; each test has a place of its own. */
export function describeStore(name: string, place: () => () => Store, { racers = 20 }: StoreSubject = {}): void {
  describe(`${name}, as every store,`, () => {
    test("holds nothing before the first write", async () => {
      const open = place();
      expect(await open().entries()).toEqual([]);
      expect(await open().lock()).toBeNull();
    });

    test("reads entries as they were written, whoever opens it", async () => {
      const open = place();
      const all = [1, 2, 3].map((sequence) => entry(adopted(`ö${sequence}`), { sequence }));
      await open().append(write(all.slice(0, 1)));
      await open().append(write(all.slice(1)));
      expect(byPosition(await open().entries())).toEqual(all);
    });

    test("reads what it wrote itself", async () => {
      const store = place()();
      const all = [1, 2, 3].map((sequence) => entry(adopted(`j${sequence}`), { sequence }));
      for (const one of all) await store.append(write([one]));
      expect(byPosition(await store.entries())).toEqual(all);
    });

    test("keeps an entry once, however often it is written", async () => {
      const open = place();
      const store = open();
      const one = entry(adopted("j1"));
      await store.append(write([one]));
      await store.append(write([one]));
      await open().append(write([{ ...one, at: "2026-02-02T00:00:00.000Z" }]));
      expect(await open().entries()).toHaveLength(1);
    });

    test("refuses another entry of a sequence that is taken, and all after it", async () => {
      const open = place();
      const late = open();
      await late.entries();
      const first = entry(adopted("j1"));
      await open().append(write([first]));
      const others = [entry(adopted("j2")), entry(adopted("j3"), { sequence: 2 })];
      await expect(late.append(write(others))).rejects.toMatchObject({ code: "lock-held" });
      expect(await open().entries()).toEqual([first]);
    });

    test("keeps the values that come with entries, and only those", async () => {
      const open = place();
      const text = `SELECT 'ö' ${"x".repeat(100_000)}`;
      await open().append(write([entry(adopted("j1"))], [[key, text]]));
      expect(await open().value(key)).toBe(text);
      await expect(open().value("b".repeat(64))).rejects.toMatchObject({ code: "ledger-unreadable" });
    });

    test("takes a value again with later entries", async () => {
      const open = place();
      await open().append(write([entry(adopted("j1"))], [[key, "text"]]));
      await open().append(write([entry(adopted("j2"), { sequence: 2 })], [[key, "text"]]));
      expect(await open().value(key)).toBe("text");
    });

    test(`is written by ${racers} at once, and loses nothing`, async () => {
      const open = place();
      const one = async (number: number): Promise<void> => {
        const ledger = await openLedger(open(), writer);
        while (!(await ledger.append(`job ${number}`, adopted(`j${number}`))));
      };
      await Promise.all(Array.from({ length: racers }, (_, number) => one(number)));
      const jobs = (await readEntries(open())).map(({ job }) => job);
      expect(jobs.toSorted()).toEqual(Array.from({ length: racers }, (_, number) => `job ${number}`).toSorted());
    });

    test("is locked, renewed, released and locked again", async () => {
      const open = place();
      expect(await open().setLock(lock(1))).toBe(true);
      expect(await open().lock()).toEqual(lock(1));
      expect(await open().setLock(lock(2))).toBe(true);
      expect(await open().setLock(lock(3, null))).toBe(true);
      expect(await open().lock()).toEqual(lock(3, null));
      expect(await open().setLock(lock(4, "bo"))).toBe(true);
      expect(await open().lock()).toEqual(lock(4, "bo"));
    });

    test("refuses a lock that is not the next", async () => {
      const open = place();
      await open().setLock(lock(1));
      expect(await open().setLock(lock(1, "bo"))).toBe(false);
      expect(await open().setLock(lock(3, "bo"))).toBe(false);
      expect(await open().lock()).toEqual(lock(1));
    });

    test(`is locked by one of ${racers} at most`, async () => {
      const open = place();
      const names = Array.from({ length: racers }, (_, number) => `holder ${number}`);
      const taken = await Promise.all(names.map(async (one) => [one, await open().setLock(lock(1, one))] as const));
      const holders = taken.filter(([, isTaken]) => isTaken).map(([one]) => one);
      expect(holders.length).toBeLessThanOrEqual(1);
      if (holders.length === 1) expect((await open().lock())?.holder?.name).toBe(holders[0]);
    });

    test("keeps entries and lock apart", async () => {
      const open = place();
      await open().setLock(lock(1));
      await open().append(write([entry(adopted("j1"))]));
      await open().setLock(lock(2));
      expect(await open().entries()).toHaveLength(1);
      expect((await open().lock())?.version).toBe(2);
    });
  });
}
