import type { Blobs } from "./blobs.ts";
import type { Clock } from "./clock.ts";
import type { WorkflowRun } from "./runs.ts";
import type { GithubReply } from "./server.ts";

export interface StoredCache {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  /** The git ref that it belongs to. */
  readonly scope: string;
  readonly blob: string;
  readonly createdAt: Date;
  lastReadAt: Date;
  isFinished: boolean;
}

const day = 86_400_000;

/**
 * The caches of one repository. A key can be written once for each version and scope; a run reads its own ref's caches
 * and then the default branch's; what nobody read for 7 days is evicted.
 */
export class Caches {
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #defaultRef: string;
  #caches: StoredCache[] = [];
  #lastId = 500;
  /** So many look-ups pass before a new cache is found. */
  lookupLag = 0;
  readonly #hiddenFor = new Map<StoredCache, number>();

  constructor(blobs: Blobs, clock: Clock, defaultRef: string) {
    this.#blobs = blobs;
    this.#clock = clock;
    this.#defaultRef = defaultRef;
  }

  get all(): readonly StoredCache[] {
    return this.#caches;
  }

  /** As GitHub does every night. */
  evictUnread(): void {
    this.#caches = this.#caches.filter(({ lastReadAt }) => this.#clock.now.getTime() - lastReadAt.getTime() < 7 * day);
  }

  /** As a repository over its 10 GB does, or a person. */
  remove(matches: (cache: StoredCache) => boolean): void {
    this.#caches = this.#caches.filter((cache) => !matches(cache));
  }

  /** One that was removed, or is another ref's. */
  restore(cache: StoredCache): void {
    this.#caches.push(cache);
  }

  /** Another job reserved the key and has not finished its upload. */
  reserve(run: WorkflowRun, key: string, version: string): void {
    this.#store(run, key, version, "");
  }

  /** An answer of `CacheService`. */
  reply(method: string, run: WorkflowRun, request: Readonly<Record<string, unknown>>): GithubReply {
    const [key, version] = [String(request.key), String(request.version)];
    const mine = this.#caches.find(
      (cache) => cache.key === key && cache.version === version && cache.scope === run.ref,
    );
    switch (method) {
      case "CreateCacheEntry": {
        if (!run.mayWriteCaches) {
          return { status: 200, body: { ok: false, signed_upload_url: "", message: "cache write denied: untrusted" } };
        }
        if (mine !== undefined) {
          const msg = "cache entry with the same key, version, and scope already exists";
          return { status: 409, body: { code: "already_exists", msg } };
        }
        const upload = this.#blobs.forUpload();
        this.#store(run, key, version, upload.name);
        return { status: 200, body: { ok: true, signed_upload_url: upload.url, message: "" } };
      }
      case "FinalizeCacheEntryUpload": {
        if (mine === undefined) return { status: 200, body: { ok: false, entry_id: "0", message: "" } };
        mine.isFinished = true;
        this.#hiddenFor.set(mine, this.lookupLag);
        return { status: 200, body: { ok: true, entry_id: String(mine.id), message: "" } };
      }
      case "GetCacheEntryDownloadURL": {
        const keys = Array.isArray(request.restore_keys) ? request.restore_keys.map(String) : [];
        const found = this.#find(run, version, [key, ...keys]);
        if (found === undefined) return { status: 200, body: { ok: false, signed_download_url: "", matched_key: "" } };
        found.lastReadAt = this.#clock.now;
        return {
          status: 200,
          body: { ok: true, signed_download_url: this.#blobs.forDownload(found.blob), matched_key: found.key },
        };
      }
      default:
        return { status: 404, body: { msg: `no method ${method}` } };
    }
  }

  /** In each scope: the key itself, then the newest whose key begins with it, and so for each restore key. */
  #find(run: WorkflowRun, version: string, keys: readonly string[]): StoredCache | undefined {
    const visible = this.#caches.filter((cache) => {
      const hidden = this.#hiddenFor.get(cache) ?? 0;
      if (hidden > 0) this.#hiddenFor.set(cache, hidden - 1);
      return cache.isFinished && cache.version === version && hidden === 0;
    });
    for (const scope of [run.ref, this.#defaultRef]) {
      const here = visible.filter((cache) => cache.scope === scope);
      for (const key of keys) {
        const exact = here.find((cache) => cache.key === key);
        const found = exact ?? here.findLast((cache) => cache.key.startsWith(key));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #store(run: WorkflowRun, key: string, version: string, blob: string): void {
    this.#lastId += 1;
    const { now } = this.#clock;
    this.#caches.push({
      id: this.#lastId,
      key,
      version,
      scope: run.ref,
      blob,
      createdAt: now,
      lastReadAt: now,
      isFinished: false,
    });
  }
}
