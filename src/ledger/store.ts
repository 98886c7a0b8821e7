import type { Entry } from "./entry.ts";
import type { Lock } from "./lock.ts";

/** What goes into the ledger at one time: entries, and the texts by key that they are the first to refer to. */
export interface Write {
  readonly entries: readonly Entry[];
  readonly values: ReadonlyMap<string, string>;
}

/** Keeps one environment's ledger. Every write is on stable storage, and was read back, when its promise is fulfilled. */
export interface Store {
  /** For messages: `file /srv/ledger/production`. */
  readonly description: string;
  /** `for-a-while`: what was written may be evicted or expire, so that nothing found does not mean nothing written. */
  readonly keeps: "for-good" | "for-a-while";
  /** All entries, in any order. Throws `ledger-unreadable`; an empty answer is proven, never a failure in disguise. */
  entries(): Promise<readonly Entry[]>;
  /**
   * Throws `store-unconfirmed` when it is not known to be stored; some of it may be. Throws `lock-held` where another
   * entry has the sequence of one of these: then none of these is stored, nor any after it. Writing again what is there
   * has no effect, and an entry of an earlier sequence that is missing is mended.
   */
  append(write: Write): Promise<void>;
  /** The same key always has the same text. Throws `ledger-unreadable`, also where it is missing. */
  value(key: string): Promise<string>;
  /** Null where there was none yet. Throws `ledger-unreadable`. */
  lock(): Promise<Lock | null>;
  /** Compare and set: false where the newest lock is not of the version before this one. Throws `store-unconfirmed`. */
  setLock(lock: Lock): Promise<boolean>;
  /**
   * Only of stores that keep for a while: makes what is there last longer, where it would soon be gone. Says what it did,
   * or null where there was no need. Throws `store-unconfirmed`, `ledger-unreadable`.
   */
  refresh?(): Promise<string | null>;
}
