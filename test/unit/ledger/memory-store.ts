import { DeployError } from "../../../src/errors.ts";
import type { Entry } from "../../../src/ledger/entry.ts";
import type { Lock } from "../../../src/ledger/lock.ts";
import type { Store, Write } from "../../../src/ledger/store.ts";

interface Place {
  readonly entries: Map<number, Entry>;
  readonly values: Map<string, string>;
  lock: Lock | null;
}

/** A store whose writes can be looked at and made to fail; a write takes a turn of the event loop. */
export class MemoryStore implements Store {
  readonly description: string;
  readonly keeps = "for-good";
  readonly writes: Write[] = [];
  readonly place: Place;
  readonly #failures: Error[] = [];

  constructor(description = "memory", place: Place = { entries: new Map(), values: new Map(), lock: null }) {
    this.description = description;
    this.place = place;
  }

  /** The same place, as another process opens it. */
  opened(): MemoryStore {
    return new MemoryStore(this.description, this.place);
  }

  /** The next write, of entries or of the lock, fails. */
  failNext(error: Error): void {
    this.#failures.push(error);
  }

  async entries(): Promise<readonly Entry[]> {
    return [...this.place.entries.values()];
  }

  async append(write: Write): Promise<void> {
    await Promise.resolve();
    this.#fail();
    for (const [key, text] of write.values) this.place.values.set(key, text);
    for (const entry of write.entries) {
      const there = this.place.entries.get(entry.sequence);
      if (there !== undefined && there.id !== entry.id) {
        throw new DeployError("lock-held", `entry ${entry.sequence} is there already`);
      }
      this.place.entries.set(entry.sequence, there ?? entry);
    }
    this.writes.push(write);
  }

  async value(key: string): Promise<string> {
    const text = this.place.values.get(key);
    if (text === undefined) throw new DeployError("ledger-unreadable", `${this.description} has no value ${key}`);
    return text;
  }

  async lock(): Promise<Lock | null> {
    return this.place.lock;
  }

  async setLock(lock: Lock): Promise<boolean> {
    await Promise.resolve();
    this.#fail();
    if ((this.place.lock?.version ?? 0) !== lock.version - 1) return false;
    this.place.lock = lock;
    return true;
  }

  #fail(): void {
    const error = this.#failures.shift();
    if (error !== undefined) throw error;
  }
}
