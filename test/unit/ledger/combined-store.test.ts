import { describe, expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { openLedger, readEntries } from "../../../src/ledger/ledger.ts";
import { combineStores, lockedStores } from "../../../src/ledger/stores/combined.ts";
import { entry, reference } from "./entries.ts";
import { MemoryStore } from "./memory-store.ts";
import { adopted, key, write, writer } from "./store-contract.ts";

const unconfirmed = () => new DeployError("store-unconfirmed", "no space left");

/** Two places, and a way to open both as one as often as a test likes. */
function two() {
  const first = new MemoryStore("first");
  const second = new MemoryStore("second");
  return { first, second, open: () => combineStores([first.opened(), second.opened()]) };
}

describe("several stores", () => {
  test("are all written and read as one", async () => {
    const { first, second, open } = two();
    await open().append(write([entry(adopted("j"))], [[key, "text"]]));
    expect(await first.entries()).toHaveLength(1);
    expect(await second.entries()).toHaveLength(1);
    expect(await open().entries()).toHaveLength(1);
    expect(await open().value(key)).toBe("text");
  });

  test("confirm only what all of them confirm", async () => {
    const { first, second } = two();
    second.failNext(unconfirmed());
    const store = combineStores([first, second]);
    await expect(store.append(write([entry(adopted("j"))]))).rejects.toMatchObject({ code: "store-unconfirmed" });
    expect(await readEntries(combineStores([first, second]))).toHaveLength(1);
  });

  test("are not written where the first of them is ahead", async () => {
    const { first, second } = two();
    await first.append(write([entry(adopted("theirs"))]));
    const store = combineStores([first, second]);
    await expect(store.append(write([entry(adopted("ours"))]))).rejects.toMatchObject({ code: "lock-held" });
    expect(await second.entries()).toEqual([]);
  });

  test("are made equal by the next write, values too", async () => {
    const { first, second, open } = two();
    const removed = { kind: "removed", reference: { ...reference, value: key }, savepoint: null } as const;
    await first.append(write([entry(removed)], [[key, "text"]]));
    const ledger = await openLedger(open(), writer);
    await ledger.append("totals", adopted("j"));
    expect(await readEntries(second)).toEqual(await readEntries(first));
    expect(await second.value(key)).toBe("text");
  });

  test("that forgot everything are filled again from the others", async () => {
    const { first, second, open } = two();
    await open().append(write([1, 2, 3].map((sequence) => entry(adopted("j"), { sequence }))));
    second.place.entries.clear();
    await (await openLedger(open(), writer)).append("totals", adopted("k"));
    expect(await readEntries(second)).toEqual(await readEntries(first));
  });

  test("are out when one of them is: the others may not know of the newest intent", async () => {
    const { first, second } = two();
    const broken = Object.assign(second.opened(), {
      entries: () => Promise.reject(new DeployError("ledger-unreadable", "no answer")),
    });
    await expect(combineStores([first, broken]).entries()).rejects.toMatchObject({ code: "ledger-unreadable" });
  });

  test("do without one whose ledger is known to be lost, as long as another one has it", async () => {
    const { first, second } = two();
    const expired = () => Promise.reject(new DeployError("ledger-lost", "it expired"));
    const store = combineStores([first, Object.assign(second.opened(), { entries: expired })]);
    await expect(store.entries()).rejects.toMatchObject({ code: "ledger-lost" });
    await first.append(write([entry(adopted("j1"))]));
    expect(await store.entries()).toHaveLength(1);
    await store.append(write([entry(adopted("j2"), { sequence: 2 })]));
    expect(await second.entries()).toHaveLength(2);
  });

  test("are refreshed where they can be, and say what was done", async () => {
    const { first, second } = two();
    const store = combineStores([first, second]);
    expect(await store.refresh?.()).toBeNull();
    Object.assign(second, { refresh: async () => "uploaded again" });
    expect(await store.refresh?.()).toBe("uploaded again");
  });

  test("keep for good what one of them does", () => {
    const { first, second } = two();
    const brief = Object.assign(second, { keeps: "for-a-while" });
    expect(combineStores([first, brief]).keeps).toBe("for-good");
    expect(combineStores([brief]).keeps).toBe("for-a-while");
  });

  test("are locked each by itself, in the order in which they are written", () => {
    const { first, second } = two();
    expect(lockedStores(combineStores([first, second]))).toEqual([first, second]);
    expect(lockedStores(combineStores([first]))).toEqual([first]);
  });
});
