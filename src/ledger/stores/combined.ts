import { DeployError, describeError } from "../../errors.ts";
import { type Entry, referencesIn } from "../entry.ts";
import type { Store, Write } from "../store.ts";

/**
 * Several stores as one: what is read is the union, and a write is confirmed by all. Every intent was confirmed by all of
 * them, so an entry that only one has is one whose effect was not begun, or an outcome that can be looked up again. Which
 * of two writers comes first is told by the first store alone, so that the others never disagree with it.
 */
export class CombinedStore implements Store {
  readonly stores: readonly Store[];
  readonly description: string;
  readonly keeps: Store["keeps"];
  /** By store, the ids of the entries that it is known to have. */
  readonly #known = new Map<Store, Set<string>>();
  #union = new Map<string, Entry>();

  constructor(stores: readonly Store[]) {
    this.stores = stores;
    this.description = stores.map((store) => store.description).join(", ");
    this.keeps = stores.some((store) => store.keeps === "for-good") ? "for-good" : "for-a-while";
  }

  /** A store whose ledger is known to be lost has none, as long as another one has it. */
  async entries(): Promise<readonly Entry[]> {
    const lost: DeployError[] = [];
    const noteLoss = (error: unknown): readonly Entry[] => {
      if (!(error instanceof DeployError) || error.code !== "ledger-lost") throw error;
      lost.push(error);
      return [];
    };
    const all = await Promise.all(
      this.stores.map(async (store) => [store, await store.entries().catch(noteLoss)] as const),
    );
    if (lost[0] !== undefined && all.every(([, entries]) => entries.length === 0)) throw lost[0];
    for (const [store, entries] of all) this.#known.set(store, new Set(entries.map(({ id }) => id)));
    this.#union = new Map(all.flatMap(([, entries]) => entries.map((entry) => [entry.id, entry] as const)));
    return [...this.#union.values()];
  }

  /** What a store lacks of earlier entries, since it failed or forgot, is written to it first. */
  async append(write: Write): Promise<void> {
    const [first, ...others] = this.stores;
    if (first !== undefined) await this.#appendTo(first, write);
    await Promise.all(others.map((store) => this.#appendTo(store, write)));
    for (const entry of write.entries) this.#union.set(entry.id, entry);
  }

  async value(key: string): Promise<string> {
    const problems: string[] = [];
    for (const store of this.stores) {
      try {
        return await store.value(key);
      } catch (error) {
        problems.push(describeError(error));
      }
    }
    throw new DeployError("ledger-unreadable", problems.join("; "));
  }

  async refresh(): Promise<string | null> {
    const done = await Promise.all(this.stores.map((store) => store.refresh?.() ?? null));
    return done.filter((one) => one !== null).join("; ") || null;
  }

  /** Each of the stores is locked by itself: `takeLock` is given all of them. */
  lock(): never {
    throw new Error("a combined store has no lock of its own");
  }

  setLock(): never {
    throw new Error("a combined store has no lock of its own");
  }

  async #appendTo(store: Store, write: Write): Promise<void> {
    const known = this.#known.get(store) ?? new Set();
    const missing = [...this.#union.values()].filter(({ id }) => !known.has(id));
    if (missing.length > 0) {
      const values = new Map<string, string>();
      for (const { value } of missing.flatMap(({ fact }) => referencesIn(fact))) {
        if (!values.has(value)) values.set(value, await this.value(value));
      }
      await store.append({ entries: missing.toSorted((a, b) => a.sequence - b.sequence), values });
      for (const { id } of missing) known.add(id);
    }
    await store.append(write);
    for (const { id } of write.entries) known.add(id);
    this.#known.set(store, known);
  }
}

/** One store as it is, several as one; the first of them must be the same one for every writer. */
export function combineStores(stores: readonly Store[]): Store {
  const [only] = stores;
  return stores.length === 1 && only !== undefined ? only : new CombinedStore(stores);
}

/** The stores to be locked, each by itself, in the order of their writes. */
export function lockedStores(store: Store): readonly Store[] {
  return store instanceof CombinedStore ? store.stores : [store];
}
