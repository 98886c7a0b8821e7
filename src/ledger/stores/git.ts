import { isDeepStrictEqual } from "node:util";
import { DeployError, describeError } from "../../errors.ts";
import type { Entry } from "../entry.ts";
import type { Lock } from "../lock.ts";
import type { Store, Write } from "../store.ts";
import { GitRef, type GitRefOptions } from "./git-ref.ts";
import type { Interruption } from "./git-repository.ts";

export interface GitStoreOptions extends Omit<GitRefOptions, "description" | "timeoutMs"> {
  readonly signal: AbortSignal;
  /** Of one call of git; a minute unless given. */
  readonly timeoutMs?: number;
}

/** A ledger in a ref of its own in any git repository: a commit for each write, each set by compare-and-set. */
export function openGitStore(options: GitStoreOptions): Store {
  return new GitStore(options);
}

/** For a write in an interrupted command: it says what was done already. */
const graceMs = 5_000;

class GitStore implements Store {
  readonly description: string;
  readonly keeps = "for-good";
  readonly #ref: GitRef;
  readonly #reading: Interruption;
  readonly #writing: Interruption;
  /** One call at a time: two would only overtake each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: GitStoreOptions) {
    const { remote, ref, signal, timeoutMs = 60_000 } = options;
    this.description = `git ${remote.url} ${ref}`;
    this.#ref = new GitRef({ ...options, timeoutMs, description: this.description });
    this.#reading = { signal, graceMs: 0 };
    this.#writing = { signal, graceMs };
  }

  entries(): Promise<readonly Entry[]> {
    return this.#read(async () => [...(await this.#ref.look(this.#reading)).entries.values()]);
  }

  lock(): Promise<Lock | null> {
    return this.#read(async () => (await this.#ref.look(this.#reading)).lock);
  }

  value(key: string): Promise<string> {
    return this.#read(() => this.#ref.value(key, this.#reading));
  }

  async append(write: Write): Promise<void> {
    const isStored = await this.#write(() =>
      this.#ref.change((seen) => {
        const entries = write.entries.filter(({ sequence, id }) => seen.entries.get(sequence)?.id !== id);
        if (entries.some(({ sequence }) => seen.entries.has(sequence))) return "overtaken";
        const values = new Map([...write.values].filter(([key]) => !seen.values.has(key)));
        return entries.length + values.size === 0 ? "stored" : { entries, values, lock: null };
      }, this.#writing),
    );
    if (isStored) return;
    const first = write.entries[0]?.sequence;
    throw new DeployError("lock-held", `someone else wrote entry ${first} or a later one of ${this.description}`);
  }

  setLock(lock: Lock): Promise<boolean> {
    return this.#write(() =>
      this.#ref.change((seen, isTried) => {
        if (isTried && isDeepStrictEqual(seen.lock, lock)) return "stored";
        if ((seen.lock?.version ?? 0) !== lock.version - 1) return "overtaken";
        return { entries: [], values: new Map(), lock };
      }, this.#writing),
    );
  }

  #read<T>(task: () => Promise<T>): Promise<T> {
    return this.#inTurn(task, (cause) => {
      if (cause instanceof DeployError) return cause;
      return new DeployError("ledger-unreadable", `${this.description} cannot be read: ${describeError(cause)}`);
    });
  }

  #write<T>(task: () => Promise<T>): Promise<T> {
    return this.#inTurn(task, (cause) => {
      const message = `${this.description} could not be written: ${describeError(cause)}`;
      return new DeployError("store-unconfirmed", message);
    });
  }

  async #inTurn<T>(task: () => Promise<T>, failure: (cause: unknown) => DeployError): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    try {
      return await done;
    } catch (error) {
      throw failure(error);
    }
  }
}
