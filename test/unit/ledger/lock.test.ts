import { afterEach, describe, expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { type HeldLock, type LockOptions, takeLock } from "../../../src/ledger/held-lock.ts";
import { type Holder, type Lock, reasonToTakeOver } from "../../../src/ledger/lock.ts";
import { MemoryStore } from "./memory-store.ts";
import { lock as lockOf } from "./store-contract.ts";

const leaseMs = 60_000;
const start = Date.parse("2026-01-01T00:00:00.000Z");
const holder = (id: string): Holder => ({ id, name: id, run: null, process: null, workflow: null });

/** Time that passes only when it is told to; whoever sleeps wakes up when their time has come. */
class Time {
  ms = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  readonly #held: HeldLock[] = [];
  readonly lines: string[] = [];

  async take(store: MemoryStore, id: string, options: Partial<LockOptions> = {}): Promise<HeldLock> {
    const lock = await takeLock({
      stores: [store],
      self: holder(id),
      leaseMs,
      timeoutMs: 0,
      isAlive: () => true,
      now: () => new Date(start + this.ms),
      clock: () => this.ms,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      signal: new AbortController().signal,
      log: (line) => this.lines.push(line),
      ...options,
    });
    this.#held.push(lock);
    return lock;
  }

  async pass(ms: number): Promise<void> {
    const end = this.ms + ms;
    for (;;) {
      await settled();
      const next = Math.min(...[...this.#sleepers].map(({ until }) => until));
      if (next > end) break;
      this.ms = next;
      for (const sleeper of this.#sleepers) if (sleeper.until <= next) sleeper.wake();
    }
    this.ms = end;
    await settled();
  }

  async end(): Promise<void> {
    for (const lock of this.#held) await lock[Symbol.asyncDispose]();
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        until: this.ms + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      if (signal.aborted) sleeper.wake();
      else signal.addEventListener("abort", sleeper.wake, { once: true });
    });
  }
}

/** All that can happen without time passing has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

let time = new Time();
afterEach(async () => {
  await time.end();
  time = new Time();
});

describe("the lock of an environment", () => {
  test("is held by one, and the other is told by whom", async () => {
    const store = new MemoryStore();
    await time.take(store, "ana");
    await expect(time.take(store.opened(), "bo")).rejects.toMatchObject({
      code: "lock-held",
      message: expect.stringContaining("ana"),
    });
  });

  test("is free once it is released", async () => {
    const store = new MemoryStore();
    await (await time.take(store, "ana"))[Symbol.asyncDispose]();
    await time.take(store.opened(), "bo");
    expect(store.place.lock?.holder?.id).toBe("bo");
  });

  test("is waited for as long as one is ready to wait", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana");
    const waiting = time.take(store.opened(), "bo", { timeoutMs: 30_000 });
    await time.pass(10_000);
    await ana[Symbol.asyncDispose]();
    await time.pass(2_000);
    await (await waiting).confirm();
    expect(time.lines.join()).toContain("waiting for the lock, held by ana");
  });

  test("is not waited for longer", async () => {
    const store = new MemoryStore();
    await time.take(store, "ana");
    const waiting = time.take(store.opened(), "bo", { timeoutMs: 30_000 });
    const refused = expect(waiting).rejects.toMatchObject({ code: "lock-held" });
    await time.pass(31_000);
    await refused;
  });

  test("is renewed as long as its holder lives", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana");
    const waiting = time.take(store.opened(), "bo", { timeoutMs: 10 * leaseMs });
    const refused = expect(waiting).rejects.toMatchObject({ code: "lock-held" });
    await time.pass(11 * leaseMs);
    await refused;
    await ana.confirm();
  });

  test("is taken over from a holder that was not seen to renew it for its lease", async () => {
    const store = new MemoryStore();
    store.place.lock = { ...lockOf(1, "ana"), renewedAt: new Date(start).toISOString() };
    const waiting = time.take(store, "bo", { timeoutMs: 2 * leaseMs });
    await time.pass(leaseMs - 2_000);
    expect(store.place.lock.holder?.id).toBe("ana");
    await time.pass(4_000);
    await (await waiting).confirm();
    expect(time.lines.join()).toContain("took over the lock of ana");
  });

  test("tells a holder that slept through its lease that it is lost", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana", {
      sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    await ana.confirm();
    time.ms += leaseMs;
    store.place.lock = lockOf(2, "bo");
    await expect(ana.confirm()).rejects.toMatchObject({ code: "lock-held", message: expect.stringContaining("bo") });
  });

  test("is still its own for a holder that slept through its lease, where nobody took it", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana", {
      sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    time.ms += 3 * leaseMs;
    await Promise.all([ana.confirm(), ana.confirm()]);
    expect(store.place.lock).toMatchObject({ version: 2, renewedAt: new Date(start + 3 * leaseMs).toISOString() });
    await ana[Symbol.asyncDispose]();
    expect(store.place.lock?.holder).toBeNull();
  });

  test("is not confirmed where a late renewal cannot be stored", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana", {
      sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    });
    time.ms += leaseMs;
    store.failNext(new DeployError("store-unconfirmed", "no answer"));
    await expect(ana.confirm()).rejects.toThrow("could not be renewed in time");
  });

  test("tells a holder from whom it was taken by whom", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana");
    store.place.lock = lockOf(9, "bo");
    await time.pass(leaseMs / 2);
    await expect(ana.confirm()).rejects.toThrow("bo");
  });

  test("outlives a store that is out for less than its lease", async () => {
    const store = new MemoryStore();
    const ana = await time.take(store, "ana");
    store.failNext(new DeployError("store-unconfirmed", "no answer"));
    await time.pass(leaseMs / 2);
    await ana.confirm();
    expect(time.lines.join()).toContain("no answer");
  });

  test("is still its own where the answer to a renewal was lost", async () => {
    const store = new MemoryStore();
    const original = store.setLock.bind(store);
    let renewals = 0;
    store.setLock = async (next) => {
      const isSet = await original(next);
      renewals += 1;
      if (renewals === 2) throw new DeployError("store-unconfirmed", "the answer was lost");
      return isSet;
    };
    const ana = await time.take(store, "ana");
    await time.pass(leaseMs);
    await ana.confirm();
    await ana[Symbol.asyncDispose]();
    expect(store.place.lock?.holder).toBeNull();
  });

  test("is taken in every store, or in none", async () => {
    const [first, second] = [new MemoryStore("first"), new MemoryStore("second")];
    await time.take(second, "ana");
    await expect(time.take(first, "bo", { stores: [first, second] })).rejects.toMatchObject({ code: "lock-held" });
    expect(first.place.lock?.holder).toBeNull();
  });

  test("is not waited for by a run that is interrupted", async () => {
    const store = new MemoryStore();
    await time.take(store, "ana");
    const interrupt = new AbortController();
    const waiting = time.take(store.opened(), "bo", { timeoutMs: leaseMs, signal: interrupt.signal });
    const ended = expect(waiting).rejects.toMatchObject({ code: "interrupted" });
    await time.pass(1_000);
    interrupt.abort();
    await time.pass(1_000);
    await ended;
  });
});

describe("a holder is known to be gone", () => {
  const self: Holder = { ...holder("bo"), process: { machine: "m", pid: 2 }, workflow: { job: "run/1", attempt: 2 } };
  const held = (changes: Partial<Holder>): Lock => ({
    version: 1,
    holder: { ...holder("ana"), ...changes },
    leaseMs,
    renewedAt: new Date(start).toISOString(),
  });
  const reason = (lock: Lock, later = 0, isAlive = false) =>
    reasonToTakeOver({ lock, unchangedMs: 0, now: new Date(start + later), self, isAlive: () => isAlive });

  test.each([
    ["where its process on this machine has ended", held({ process: { machine: "m", pid: 1 } })],
    ["where we are a later attempt of its workflow run", held({ workflow: { job: "run/1", attempt: 1 } })],
  ])("%s", (_name, lock) => {
    expect(reason(lock)).not.toBeNull();
  });

  test.each([
    ["where its process was on another machine", held({ process: { machine: "n", pid: 1 } })],
    ["where it is another job of this attempt", held({ workflow: { job: "run/1", attempt: 2 } })],
    ["where it is another run", held({ workflow: { job: "run/9", attempt: 1 } })],
  ])("but not %s", (_name, lock) => {
    expect(reason(lock)).toBeNull();
  });

  test("but not where its process runs", () => {
    expect(reason(held({ process: { machine: "m", pid: 1 } }), 0, true)).toBeNull();
  });

  test("by the clocks, where they leave no doubt", () => {
    expect(reason(held({}), leaseMs + 4 * 60_000)).toBeNull();
    expect(reason(held({}), leaseMs + 6 * 60_000)).toContain("min ago");
  });
});
