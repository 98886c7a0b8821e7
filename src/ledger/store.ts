import type { Entry } from "./entry.ts";

/** Keeps one environment's ledger. Every write is on stable storage, and was read back, when its promise is fulfilled. */
export interface Store {
  /** For messages: `file /srv/ledger/production`. */
  readonly description: string;
  /** All entries, in order. Throws `ledger-unreadable`; an empty answer is proven, never a failure in disguise. */
  entries(): Promise<readonly Entry[]>;
  /** Throws `store-unconfirmed` when the entry is not known to be stored. */
  append(entry: Entry): Promise<void>;
  /** Stores a text under its key; the same key always has the same text. */
  putValue(key: string, text: string): Promise<void>;
  getValue(key: string): Promise<string>;
}
