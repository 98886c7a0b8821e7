import { DeployError, describeError } from "../../errors.ts";
import type { Entry } from "../entry.ts";
import type { Lock } from "../lock.ts";
import type { Store, Write } from "../store.ts";
import type { GithubApi } from "./github/api.ts";
import type { ListedArtifact } from "./github/artifact-list.ts";
import { readLock, writeLock } from "./github/artifact-lock.ts";
import { ArtifactPlace, describeUnseen } from "./github/artifact-place.ts";
import { looksMs, newestOf } from "./github/claim.ts";
import { confirming } from "./github/confirming.ts";
import {
  additionsTo,
  decodeSnapshot,
  emptySnapshot,
  encodeSnapshot,
  type KeptValue,
  packValue,
  type Snapshot,
  unpackValue,
} from "./github/snapshot.ts";
import type { ArtifactClient } from "./github/toolkit-clients.ts";

export interface ArtifactStoreOptions {
  readonly environment: string;
  readonly api: GithubApi;
  readonly client: ArtifactClient;
  /** Of the repository; null where it is not known. */
  readonly repositoryId: number | null;
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
  readonly log: (line: string) => void;
  /** Tells an upload from every other of the same number. */
  readonly nonce: () => string;
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

/** What a write starts from. */
interface Base {
  readonly snapshot: Snapshot;
  /** Null where there is none. */
  readonly artifact: ListedArtifact | null;
}

class ArtifactStore implements Store {
  readonly description: string;
  readonly keeps = "for-a-while";
  readonly #options: ArtifactStoreOptions;
  readonly #writes: ArtifactPlace;
  readonly #locks: ArtifactPlace;
  /** The newest one that was read or written, and others that hold values for it. */
  #newestRead: { readonly id: number; readonly snapshot: Snapshot } | null = null;
  readonly #others = new Map<number, Snapshot>();
  /** The values that this run added, which each of its uploads holds. */
  #ownValues: ReadonlyMap<string, KeptValue> = new Map();
  /** What was read by whoever appends next, and what was confirmed to them. */
  #told: readonly Entry[] = [];
  #confirmed: readonly Entry[] = [];
  #lockReadAt = Number.NEGATIVE_INFINITY;

  constructor(options: ArtifactStoreOptions) {
    this.#options = options;
    const pause = (ms: number): Promise<void> => this.#pause(ms);
    this.#writes = new ArtifactPlace("ledger", { ...options, pause });
    this.#locks = new ArtifactPlace("lock", { ...options, pause });
    this.description = `artifact ${options.api.repository} ${options.environment}`;
  }

  async entries(): Promise<readonly Entry[]> {
    const { entries } = (await this.#newest()).snapshot;
    this.#told = entries;
    return entries;
  }

  async append(write: Write): Promise<void> {
    await confirming(this.description, async () => {
      // Where the ledger expired, whoever has it from another store brings all of it.
      const isWhole = write.entries.some(({ sequence }) => sequence === 1);
      const base = await this.#newest({ isLossMended: isWhole });
      this.#refuseLost(base.snapshot);
      const added = additionsTo(base.snapshot, write);
      if (added.entries.length > 0 || added.values.size > 0) await this.#upload(base, added);
    });
  }

  async value(key: string): Promise<string> {
    let snapshot = this.#newestRead?.snapshot;
    if (!snapshot?.values.has(key)) snapshot = (await this.#newest()).snapshot;
    const value = snapshot.values.get(key);
    const packed = value?.kind === "elsewhere" ? await this.#valueElsewhere(value.artifact, key) : value;
    if (packed?.kind === "here") return unpackValue(packed.gzip, this.description);
    const where = value?.kind === "elsewhere" ? `: artifact ${value.artifact}, which held it, is gone` : "";
    throw new DeployError("ledger-unreadable", `${this.description} has no value ${key}${where}`);
  }

  /** Uploads the ledger again where it, or a value that it refers to, expires within a third of its retention. */
  async refresh(): Promise<string | null> {
    return await confirming(this.description, async () => {
      const { snapshot, artifact } = await this.#newest();
      if (artifact === null) return null;
      const due = [...snapshot.values.values()].map((value) => (value.kind === "here" ? null : value.renewFrom));
      if (![renewFrom(artifact), ...due].some((from) => from !== null && this.#isDue(from))) return null;
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

  /** Null where the artifact is gone. */
  async #valueElsewhere(artifact: number, key: string): Promise<KeptValue | null> {
    const snapshot = this.#others.get(artifact) ?? (await this.#download(artifact, null));
    if (snapshot === null) return null;
    this.#others.set(artifact, snapshot);
    return snapshot.values.get(key) ?? null;
  }

  async #upload(base: Base, added: Write): Promise<void> {
    const { snapshot, ownValues } = await this.#next(base, added);
    const text = encodeSnapshot(snapshot);
    const claim = await this.#writes.claim(snapshot.write, base.artifact, text, this.#options.retentionDays);
    const { name, standing } = claim;
    switch (standing.kind) {
      case "unseen":
        throw new DeployError("store-unconfirmed", describeUnseen(claim), { cause: claim.problem });
      case "lost":
        return await this.#withdraw(name);
      case "passed": {
        const ids = new Set((await this.#newest()).snapshot.entries.map(({ id }) => id));
        if (!snapshot.entries.every(({ id }) => ids.has(id))) return await this.#withdraw(name);
        break;
      }
      case "held": {
        const found = await this.#writes.read(standing.mine.id, standing.mine.digest);
        if (found !== text) {
          const how = found === null ? "is gone" : "differs from what was written";
          throw new DeployError("store-unconfirmed", `artifact ${name}, read back, ${how}`);
        }
        this.#newestRead = { id: standing.mine.id, snapshot };
      }
    }
    this.#ownValues = ownValues;
    this.#confirmed = snapshot.entries;
    await this.#writes.keep(name, 2);
  }

  /** What was confirmed stays, or someone deleted it. What was only read may have been a claim that was withdrawn. */
  #refuseLost(newest: Snapshot): void {
    const ids = new Set(newest.entries.map(({ id }) => id));
    if (!this.#confirmed.every(({ id }) => ids.has(id))) {
      throw new DeployError(
        "store-unconfirmed",
        `what this run wrote to ${this.description} before is not there any more`,
      );
    }
    if (!this.#told.every(({ id }) => ids.has(id))) {
      throw new DeployError(
        "lock-held",
        `what was read from ${this.description} was withdrawn by its writer meanwhile`,
      );
    }
  }

  /** What is to be uploaded, and which of its values this run answers for from then on. */
  async #next(base: Base, { entries, values }: Write) {
    const { environment, ref } = this.#options;
    const ownValues = new Map(this.#ownValues);
    for (const [key, text] of values) ownValues.set(key, packValue(text));
    const elsewhere = new Map<string, KeptValue>();
    for (const [key, value] of base.snapshot.values) {
      if (ownValues.has(key) || base.artifact === null) continue;
      const link = value.kind === "elsewhere" ? value : linkTo(base.artifact);
      const isDue = this.#isDue(link.renewFrom);
      // What is gone already cannot be moved; the link tells whoever needs it where it was.
      const moved = isDue ? (value.kind === "here" ? value : await this.#valueElsewhere(value.artifact, key)) : null;
      if (moved === null) elsewhere.set(key, link);
      else ownValues.set(key, moved);
    }
    const snapshot: Snapshot = {
      environment,
      write: base.snapshot.write + 1,
      ref,
      entries: [...base.snapshot.entries, ...entries],
      values: new Map([...elsewhere, ...ownValues]),
    };
    return { snapshot, ownValues };
  }

  /** Throws `lock-held`. As long as both are there, the ledger cannot be read. */
  async #withdraw(name: string): Promise<never> {
    const error = await this.#writes.remove(name);
    if (error === null) throw new DeployError("lock-held", `someone else wrote to ${this.description} meanwhile`);
    const message = `someone else wrote to ${this.description} meanwhile, and artifact ${name} must be deleted by hand`;
    throw new DeployError("store-unconfirmed", `${message}: ${describeError(error)}`, { cause: error });
  }

  #isDue(from: string): boolean {
    return this.#options.now().getTime() >= Date.parse(from);
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await this.#options.sleep(ms, never);
  }
}

/** When the last third of an artifact's retention begins. */
function renewFrom({ createdAt, expiresAt }: ListedArtifact): string {
  const [from, to] = [Date.parse(createdAt), Date.parse(expiresAt)];
  return new Date(to - (to - from) / 3).toISOString();
}

function linkTo(artifact: ListedArtifact): Extract<KeptValue, { readonly kind: "elsewhere" }> {
  return { kind: "elsewhere", artifact: artifact.id, renewFrom: renewFrom(artifact) };
}
