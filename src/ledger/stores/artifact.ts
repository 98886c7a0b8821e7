import { DeployError, describeError } from "../../errors.ts";
import type { Entry } from "../entry.ts";
import type { Lock } from "../lock.ts";
import type { Store, Write } from "../store.ts";
import type { ListedArtifact } from "./github/artifact-list.ts";
import { readLock, writeLock } from "./github/artifact-lock.ts";
import { ArtifactPlace, type ArtifactPlaceOptions, describeUnseen } from "./github/artifact-place.ts";
import { ArtifactValues, type Base } from "./github/artifact-values.ts";
import { looksMs, newestOf } from "./github/claim.ts";
import { confirming } from "./github/confirming.ts";
import {
  additionsTo,
  decodeSnapshot,
  emptySnapshot,
  encodeSnapshot,
  type Snapshot,
  unpackValue,
} from "./github/snapshot.ts";

export interface ArtifactStoreOptions extends Omit<ArtifactPlaceOptions, "pause"> {
  /** The git ref of this run. */
  readonly ref: string;
  readonly retentionDays: number;
  /** A ledger that is known to have expired is taken for none. */
  readonly isFirstDeployment: boolean;
  readonly now: () => Date;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the pause between two looks at the lock; a write is not given up. */
  readonly signal: AbortSignal;
}

/** A job's token has 1000 requests an hour for its whole repository, and a look at the lock takes one or two. */
const betweenLocksMs = 10_000;
const never = new AbortController().signal;

/**
 * A ledger in the artifacts of the repository's workflow runs. Each write uploads one artifact of the whole ledger, which
 * holds the values that this run added, and says in which artifact each other one is; so the newest is enough, and what
 * this run uploaded before is deleted, but for one. The lock is an artifact of its own.
 */
export function openArtifactStore(options: ArtifactStoreOptions): Store {
  return new ArtifactStore(options);
}

class ArtifactStore implements Store {
  readonly description: string;
  readonly keeps = "for-a-while";
  readonly #options: ArtifactStoreOptions;
  readonly #writes: ArtifactPlace;
  readonly #locks: ArtifactPlace;
  readonly #values: ArtifactValues;
  /** The newest one that was read or written. */
  #newestRead: { readonly id: number; readonly snapshot: Snapshot } | null = null;
  /** This run's own last write: whether it is still the newest, the next one's claim will show. */
  #lastWrite: Base | null = null;
  /** What was read by whoever appends next, and what was confirmed to them. */
  #told: readonly Entry[] = [];
  #confirmed: readonly Entry[] = [];
  #lockReadAt = Number.NEGATIVE_INFINITY;

  constructor(options: ArtifactStoreOptions) {
    this.#options = options;
    const pause = (ms: number): Promise<void> => this.#pause(ms);
    this.#writes = new ArtifactPlace("ledger", { ...options, pause });
    this.#locks = new ArtifactPlace("lock", { ...options, pause });
    this.#values = new ArtifactValues({ now: options.now, download: (id) => this.#download(id, null) });
    this.description = `artifact ${options.api.repository} ${options.environment}`;
  }

  async entries(): Promise<readonly Entry[]> {
    const { snapshot } = await this.#newest();
    this.#refuseDeleted(snapshot);
    this.#told = snapshot.entries;
    return snapshot.entries;
  }

  async append(write: Write): Promise<void> {
    await confirming(this.description, async () => {
      // Where the ledger expired, whoever has it from another store brings all of it.
      const isWhole = write.entries.some(({ sequence }) => sequence === 1);
      const base = this.#lastWrite ?? (await this.#newest({ isLossMended: isWhole }));
      this.#refuseDeleted(base.snapshot);
      this.#refuseWithdrawn(base.snapshot);
      const added = additionsTo(base.snapshot, write);
      if (added.entries.length > 0 || added.values.size > 0) await this.#upload(base, added);
    });
  }

  async value(key: string): Promise<string> {
    let snapshot = this.#newestRead?.snapshot;
    if (!snapshot?.values.has(key)) snapshot = (await this.#newest()).snapshot;
    const kept = snapshot.values.get(key);
    const found = kept === undefined ? null : await this.#values.follow(kept, key);
    if (found !== null) return unpackValue(found.gzip, this.description);
    const where = kept?.kind === "elsewhere" ? `: artifact ${kept.artifact}, which held it, is gone` : "";
    throw new DeployError("ledger-unreadable", `${this.description} has no value ${key}${where}`);
  }

  /** Uploads the ledger again where it, or a value that it refers to, expires within a third of its retention. */
  async refresh(): Promise<string | null> {
    return await confirming(this.description, async () => {
      const { snapshot, artifact } = await this.#newest();
      if (artifact === null || !this.#values.isAnyDue(snapshot, artifact)) return null;
      try {
        await this.#upload({ snapshot, artifact }, { entries: [], values: new Map() });
      } catch (error) {
        // Someone else wrote meanwhile, which is as good.
        if (error instanceof DeployError && error.code === "lock-held") return null;
        throw error;
      }
      return `${this.description}: uploaded again, since it, or a part of it, would have expired soon`;
    });
  }

  async lock(): Promise<Lock | null> {
    const { clock, sleep, signal } = this.#options;
    const restedMs = clock() - this.#lockReadAt;
    if (restedMs < betweenLocksMs) await sleep(betweenLocksMs - restedMs, signal);
    this.#lockReadAt = clock();
    return await readLock(this.#locks, (ms) => this.#pause(ms));
  }

  async setLock(lock: Lock): Promise<boolean> {
    return await confirming(this.description, () => writeLock(this.#locks, lock));
  }

  /** The newest write. Throws `ledger-unreadable`, or `ledger-lost` where it is known to have expired. */
  async #newest({ isLossMended = false } = {}): Promise<Base> {
    const { environment, ref, isFirstDeployment } = this.#options;
    let [problem, looks] = ["", 0];
    for (;;) {
      const newest = newestOf(await this.#writes.list());
      let found: string;
      switch (newest.kind) {
        case "none":
          return { snapshot: emptySnapshot(environment, ref), artifact: null };
        case "expired": {
          const { number: write, expiresAt } = newest.artifact;
          if (isFirstDeployment || isLossMended) {
            return { snapshot: { ...emptySnapshot(environment, ref), write }, artifact: null };
          }
          throw new DeployError("ledger-lost", `the ledger in ${this.description} expired on ${expiresAt}`);
        }
        case "contested": {
          const ids = newest.artifacts.map(({ id }) => id).join(" and ");
          found = `artifacts ${ids} are both its newest write; delete the wrong one by hand`;
          break;
        }
        case "found": {
          const { artifact } = newest;
          const snapshot = await this.#read(artifact);
          if (snapshot !== null) return { snapshot, artifact };
          // Its run deletes it once it has written newer ones.
          found = `artifact ${artifact.id} is in the list, but gone`;
        }
      }
      // What changes is on its way; what stays as it is will not pass by itself.
      looks = found === problem ? looks + 1 : 1;
      problem = found;
      const pauseMs = looksMs[looks];
      if (pauseMs === undefined) {
        throw new DeployError("ledger-unreadable", `the ledger in ${this.description} cannot be read: ${problem}`);
      }
      await this.#pause(pauseMs);
    }
  }

  async #read({ id, name, number, digest }: ListedArtifact): Promise<Snapshot | null> {
    if (this.#newestRead?.id === id) return this.#newestRead.snapshot;
    const snapshot = await this.#download(id, digest);
    if (snapshot === null) return null;
    if (snapshot.write !== number) {
      throw new DeployError("ledger-unreadable", `artifact ${name} holds write ${snapshot.write}`);
    }
    this.#newestRead = { id, snapshot };
    return snapshot;
  }

  async #download(id: number, digest: string | null): Promise<Snapshot | null> {
    const text = await this.#writes.read(id, digest);
    return text === null ? null : decodeSnapshot(text, this.#options.environment, `artifact ${id}`);
  }

  async #upload(base: Base, added: Write): Promise<void> {
    this.#lastWrite = null;
    const { environment, ref, retentionDays } = this.#options;
    const next = await this.#values.next(base, added.values);
    const write = base.snapshot.write + 1;
    const entries = [...base.snapshot.entries, ...added.entries];
    const snapshot: Snapshot = { environment, write, ref, entries, values: next.values };
    const text = encodeSnapshot(snapshot);
    const claim = await this.#writes.claim(write, base.artifact, text, retentionDays);
    const { name, standing } = claim;
    switch (standing.kind) {
      case "unseen":
        throw new DeployError("store-unconfirmed", describeUnseen(claim), { cause: claim.problem });
      case "lost":
        return await this.#withdraw(name);
      case "passed":
        if (!isWithin((await this.#newest()).snapshot, entries)) return await this.#withdraw(name);
        break;
      case "held": {
        const found = await this.#writes.read(standing.mine.id, standing.mine.digest);
        if (found !== text) {
          const how = found === null ? "is gone" : "differs from what was written";
          throw new DeployError("store-unconfirmed", `artifact ${name}, read back, ${how}`);
        }
        this.#newestRead = { id: standing.mine.id, snapshot };
        this.#lastWrite = { snapshot, artifact: standing.mine };
      }
    }
    this.#values.keep(next);
    this.#confirmed = entries;
    await this.#writes.keep(name, 2);
  }

  /** What was confirmed to this run stays, unless a person deletes it. Throws `ledger-unreadable`. */
  #refuseDeleted(newest: Snapshot): void {
    if (isWithin(newest, this.#confirmed)) return;
    throw new DeployError("ledger-unreadable", `what this run wrote to ${this.description} is not there any more`);
  }

  /** What was only read may have been a claim. Throws `lock-held`. */
  #refuseWithdrawn(newest: Snapshot): void {
    if (isWithin(newest, this.#told)) return;
    throw new DeployError("lock-held", `what was read from ${this.description} was withdrawn by its writer meanwhile`);
  }

  /** Throws `lock-held`. As long as both are there, the ledger cannot be read. */
  async #withdraw(name: string): Promise<never> {
    const error = await this.#writes.remove(name);
    if (error === null) {
      this.#refuseDeleted((await this.#newest()).snapshot);
      throw new DeployError("lock-held", `someone else wrote to ${this.description} meanwhile`);
    }
    const message = `someone else wrote to ${this.description} meanwhile, and artifact ${name} must be deleted by hand`;
    throw new DeployError("store-unconfirmed", `${message}: ${describeError(error)}`, { cause: error });
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await this.#options.sleep(ms, never);
  }
}

function isWithin({ entries }: Snapshot, some: readonly Entry[]): boolean {
  const ids = new Set(entries.map(({ id }) => id));
  return some.every(({ id }) => ids.has(id));
}
