import { DeployError, describeError } from "../errors.ts";
import { describeHolder, type Holder, type Lock, reasonToTakeOver } from "./lock.ts";
import type { Store } from "./store.ts";

export interface LockOptions {
  /** In the order that every contender takes them in; each is locked. */
  readonly stores: readonly Store[];
  readonly self: Holder;
  readonly leaseMs: number;
  /** How long to wait for another holder; 0 is not at all. */
  readonly timeoutMs: number;
  readonly isAlive: (pid: number) => boolean;
  readonly now: () => Date;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** The environment's lock while this run holds it; it renews itself until it is released. */
export interface HeldLock extends AsyncDisposable {
  /**
   * Throws `lock-held` where the lease was lost or could not be renewed in time: nothing may be done any more. A run that
   * stood still for longer than its lease, with its machine, asks the store whether the lock is still its own.
   */
  confirm(): Promise<void>;
}

const pauseMs = 1_000;

/** Takes the lock, or throws `lock-held` naming the holder. */
export async function takeLock(options: LockOptions): Promise<HeldLock> {
  const taken: HeldPlace[] = [];
  try {
    const since = options.clock();
    for (const store of options.stores) taken.push(await takePlace(store, since, options));
  } catch (error) {
    for (const place of taken) await place.release();
    throw error;
  }
  return {
    confirm: async () => {
      for (const place of taken) await place.confirm();
    },
    [Symbol.asyncDispose]: async () => {
      for (const place of taken) await place.release();
    },
  };
}

async function takePlace(store: Store, since: number, options: LockOptions): Promise<HeldPlace> {
  const { self, leaseMs, clock, now, log } = options;
  let seen: { readonly version: number; readonly at: number } | null = null;
  let isTold = false;
  for (;;) {
    const lock = await store.lock();
    if (seen === null || seen.version !== (lock?.version ?? 0)) seen = { version: lock?.version ?? 0, at: clock() };
    const unchangedMs = clock() - seen.at;
    const why =
      lock === null
        ? "it is free"
        : reasonToTakeOver({ lock, unchangedMs, now: now(), self, isAlive: options.isAlive });
    if (why !== null) {
      const mine: Lock = { version: seen.version + 1, holder: self, leaseMs, renewedAt: now().toISOString() };
      const renewed = clock();
      if (await store.setLock(mine)) {
        if (lock !== null && lock.holder !== null) log(`took over the lock of ${describeHolder(lock)}: ${why}`);
        return new HeldPlace(store, mine, renewed, options);
      }
      continue;
    }
    if (lock === null) continue;
    if (options.signal.aborted) throw new DeployError("interrupted", "interrupted while waiting for the lock");
    if (clock() - since >= options.timeoutMs) {
      const waited = options.timeoutMs === 0 ? "" : ` after ${Math.round((clock() - since) / 1000)} s`;
      throw new DeployError("lock-held", `the environment is locked${waited} by ${describeHolder(lock)}`);
    }
    if (!isTold) log(`waiting for the lock, held by ${describeHolder(lock)}`);
    isTold = true;
    await options.sleep(Math.min(pauseMs, leaseMs / 4), options.signal);
  }
}

/** The lock in one store. */
class HeldPlace {
  readonly #store: Store;
  readonly #options: LockOptions;
  readonly #ending = new AbortController();
  readonly #renewing: Promise<void>;
  #lock: Lock;
  /** By this run's clock, taken before the request: others count from later. */
  #renewedAt: number;
  #lost: DeployError | null = null;
  #renewal: Promise<void> | null = null;

  constructor(store: Store, lock: Lock, renewedAt: number, options: LockOptions) {
    this.#store = store;
    this.#lock = lock;
    this.#renewedAt = renewedAt;
    this.#options = options;
    this.#renewing = this.#renew();
  }

  async confirm(): Promise<void> {
    if (this.#lost === null && this.#isLate()) await this.#renewNow();
    if (this.#lost !== null) throw this.#lost;
    if (!this.#isLate()) return;
    throw new DeployError("lock-held", `the lock in ${this.#store.description} could not be renewed in time`);
  }

  async release(): Promise<void> {
    this.#ending.abort();
    await this.#renewing;
    await this.#renewal;
    if (this.#lost !== null) return;
    const free = (lock: Lock): Lock => ({ ...lock, version: lock.version + 1, holder: null });
    try {
      if (await this.#store.setLock(free(this.#lock))) return;
      // A renewal whose answer was lost may have been a yes.
      const found = await this.#store.lock();
      if (found?.holder?.id === this.#options.self.id) await this.#store.setLock(free(found));
    } catch (error) {
      this.#options.log(`the lock could not be released, and ends with its lease: ${describeError(error)}`);
    }
  }

  /** With a margin: what is about to be done takes its time on the way. */
  #isLate(): boolean {
    const { leaseMs, clock } = this.#options;
    return clock() - this.#renewedAt > leaseMs * 0.75;
  }

  async #renew(): Promise<void> {
    const { leaseMs, sleep } = this.#options;
    const { signal } = this.#ending;
    for (;;) {
      await sleep(leaseMs / 4, signal);
      if (signal.aborted || this.#lost !== null) return;
      await this.#renewNow();
    }
  }

  /** One at a time: two of one version would take each other for somebody else's. */
  async #renewNow(): Promise<void> {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = null;
    });
    await this.#renewal;
  }

  async #renewOnce(): Promise<void> {
    const { clock, now, log } = this.#options;
    const at = clock();
    const next: Lock = { ...this.#lock, version: this.#lock.version + 1, renewedAt: now().toISOString() };
    try {
      if (await this.#store.setLock(next)) {
        this.#lock = next;
        this.#renewedAt = at;
      } else await this.#look(next, at);
    } catch (error) {
      log(`the lock could not be renewed: ${describeError(error)}`);
    }
  }

  /** An answer that was lost may have been a yes. */
  async #look(next: Lock, at: number): Promise<void> {
    const found = await this.#store.lock();
    if (found?.holder?.id === this.#options.self.id) {
      this.#lock = found;
      this.#renewedAt = at;
      return;
    }
    const by = found === null ? "it is gone" : `${describeHolder(found)} has it`;
    this.#lost = new DeployError("lock-held", `the lock of this run was taken over: ${by} (version ${next.version})`);
  }
}
