import { DeployError } from "../../errors.ts";
import type { Entry } from "../entry.ts";
import { decodeLock, type Lock } from "../lock.ts";
import type { Store, Write } from "../store.ts";
import type { CacheService, FoundCache } from "./github/cache-service.ts";
import { confirming } from "./github/confirming.ts";
import { nameOf, namePrefix, numberIn, type PlaceKind } from "./github/place.ts";
import {
  additionsTo,
  decodeSnapshot,
  emptySnapshot,
  encodeSnapshot,
  packValue,
  type Snapshot,
  unpackValue,
} from "./github/snapshot.ts";
import type { CacheClient } from "./github/toolkit-clients.ts";

export interface CacheStoreOptions {
  readonly environment: string;
  readonly service: CacheService;
  readonly client: CacheClient;
  /** The git ref of this run, which its caches belong to. */
  readonly ref: string;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * A ledger in the repository's caches. Each write is a cache of the whole ledger under the key of its number, which only
 * one of several writers can make: that is the compare-and-set, for the lock too.
 *
 * - Caches belong to a git ref and are read from that ref and the default branch alone. So what a run on another ref
 *   would write is refused: the next run on the ref before would not see it, and go on from an older ledger.
 * - A cache that nobody reads for 7 days is evicted, and the longest unread ones where a repository has over 10 GB. The
 *   newest write is the one that is read, so it goes last, and nothing older is left to be taken for it.
 */
export function openCacheStore(options: CacheStoreOptions): Store {
  const { environment, service, ref } = options;
  const description = `cache ${environment} on ${ref}`;
  const writes = new CachePlace("ledger", options);
  const locks = new CachePlace("lock", options);
  /** The newest that was read or written. */
  let last: { readonly key: string; readonly snapshot: Snapshot } | null = null;

  async function newest(): Promise<Snapshot> {
    const found = await writes.newest();
    if (found === null) return emptySnapshot(environment, ref);
    if (last?.key !== found.key) {
      const snapshot = decodeSnapshot(await service.read(found), environment, `cache ${found.key}`);
      if (snapshot.write !== found.number) {
        throw new DeployError("ledger-unreadable", `cache ${found.key} holds write ${snapshot.write}`);
      }
      last = { key: found.key, snapshot };
    }
    return last.snapshot;
  }

  return {
    description,
    keeps: "for-a-while",
    async entries(): Promise<readonly Entry[]> {
      return (await newest()).entries;
    },
    async append(write: Write) {
      await confirming(description, async () => {
        const before = last?.snapshot.entries ?? [];
        const base = await newest();
        refuseLost(before, base, description);
        const added = additionsTo(base, write);
        if (added.entries.length === 0 && added.values.size === 0) return;
        refuseOtherRef(base, ref);
        const packed = [...added.values].map(([key, text]) => [key, packValue(text)] as const);
        const snapshot: Snapshot = {
          environment,
          write: base.write + 1,
          ref,
          entries: [...base.entries, ...added.entries],
          values: new Map([...base.values, ...packed]),
        };
        const isMine = await writes.claim(snapshot.write, encodeSnapshot(snapshot));
        if (!isMine) throw new DeployError("lock-held", `someone else wrote to ${description} meanwhile`);
        last = { key: nameOf(environment, "ledger", snapshot.write), snapshot };
      });
    },
    async value(key) {
      const value = (last?.snapshot.values.has(key) ? last.snapshot : await newest()).values.get(key);
      if (value?.kind === "here") return unpackValue(value.gzip, description);
      throw new DeployError("ledger-unreadable", `${description} has no value ${key}`);
    },
    async lock(): Promise<Lock | null> {
      const found = await locks.newest();
      return found === null ? null : decodeLock(await service.read(found), found.key);
    },
    async setLock(lock) {
      return await confirming(description, async () => {
        // Once: a lock on this ref keeps nobody away who deploys from another.
        if (last === null) refuseOtherRef(await newest(), ref);
        const before = await locks.newest();
        if ((before?.number ?? 0) !== lock.version - 1) return false;
        return await locks.claim(lock.version, `${JSON.stringify(lock)}\n`);
      });
    },
    async refresh() {
      const found = await writes.newest();
      if (found === null) return null;
      await service.read(found);
      return `${description}: read, so that it is not evicted for another 7 days`;
    },
  };
}

function refuseOtherRef({ ref: before }: Snapshot, here: string): void {
  if (before === here) return;
  const message = `store: the ledger in the cache was written from ${before}, whose runs cannot read what ${here} writes; deploy from ${before}, or take another store`;
  throw new DeployError("inputs-invalid", message);
}

/** A cache is written once and never changed; only its eviction can take entries away. */
function refuseLost(before: readonly Entry[], { entries }: Snapshot, where: string): void {
  const ids = new Set(entries.map(({ id }) => id));
  if (before.every(({ id }) => ids.has(id))) return;
  throw new DeployError("store-unconfirmed", `what was in ${where} is not there any more: it was evicted or deleted`);
}

interface NumberedCache extends FoundCache {
  readonly number: number;
}

/** What is saved is found at once as a rule. */
const looksMs = [0, 1_000, 2_000, 4_000, 8_000];
/** How far the newest by prefix may lie behind the newest that there is. */
const longestWalk = 200;

/** The caches of one kind; their file's path tells the kinds apart for the service too. */
class CachePlace {
  readonly #kind: PlaceKind;
  readonly #options: CacheStoreOptions;
  readonly #file: string;

  constructor(kind: PlaceKind, options: CacheStoreOptions) {
    this.#kind = kind;
    this.#options = options;
    this.#file = `.flink-dbt-deploy/cache/${kind}.jsonl`;
  }

  /**
   * The newest, or null: proven to be none. By prefix the service finds the newest of this run's own ref, and only where
   * there is none that of the default branch; so from there on it is asked for each next one by its key.
   */
  async newest(): Promise<NumberedCache | null> {
    const { environment, service } = this.#options;
    const found = await service.findNewest(namePrefix(environment, this.#kind), this.#file);
    let newest = this.#one(found);
    for (let step = 0; newest !== null && step < longestWalk; step += 1) {
      const next = this.#one(await service.find(nameOf(environment, this.#kind, newest.number + 1), this.#file));
      if (next === null) return newest;
      newest = next;
    }
    if (newest === null) return null;
    throw new DeployError(
      "ledger-unreadable",
      `the cache service does not tell which is the newest after ${newest.key}`,
    );
  }

  /**
   * Whether the text is the one that is saved under its number. `saveCache` answers -1 to every failure: so it is looked
   * whether the key is there, and with which content. Throws `store-unconfirmed` where it is not.
   */
  async claim(number: number, text: string): Promise<boolean> {
    const { environment, service, client, sleep } = this.#options;
    const key = nameOf(environment, this.#kind, number);
    const isSaved = await client.save(key, this.#file, text);
    for (const pauseMs of isSaved ? looksMs : looksMs.slice(0, 3)) {
      if (pauseMs > 0) await sleep(pauseMs);
      const found = await service.find(key, this.#file);
      // A machine that packs otherwise saves beside ours, and neither can be taken back: then it is nobody's.
      if (found.length > 1) return false;
      const [cache] = found;
      if (cache !== undefined) return (await service.read(cache)) === text;
    }
    const why = isSaved
      ? "was saved, but is not found"
      : "could not be saved: the toolkit says why in the lines before, or another job has reserved the key";
    throw new DeployError("store-unconfirmed", `cache ${key} ${why}`);
  }

  /** The newest of those that were found by each way of packing; null of none. */
  #one(found: readonly FoundCache[]): NumberedCache | null {
    const [first, second] = found
      .map((cache) => {
        const number = numberIn(cache.key, this.#options.environment, this.#kind);
        if (number === null) throw new DeployError("ledger-unreadable", `cache ${cache.key} is not of this program`);
        return { ...cache, number };
      })
      .toSorted((a, b) => b.number - a.number);
    if (first === undefined) return null;
    // A race that nobody won, see `claim`; a lock that two claim ends with its lease.
    if (first.number === second?.number && this.#kind === "ledger") {
      const message = `two runs, whose machines pack caches differently, both wrote cache ${first.key}; delete the wrong one by hand`;
      throw new DeployError("ledger-unreadable", message);
    }
    return first;
  }
}
