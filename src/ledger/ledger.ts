import { createHash } from "node:crypto";
import { DeployError } from "../errors.ts";
import { type Entry, entryId, type Fact, inOrder, referencesIn } from "./entry.ts";
import { type Deployed, fold, nothing, type RecordedJob } from "./fold.ts";
import type { Store } from "./store.ts";

/** An environment's ledger while one deployment writes it. Appends that come while one is under way are written as one. */
export interface Ledger {
  readonly environment: string;
  /** The dbt project that is being deployed; null where none is. */
  readonly project: string | null;
  /** From here on entries are of this deployment, and of this commit if one is given: both may follow from the ledger. */
  begin(deployment: string, commit?: string | null): void;
  entries(): readonly Entry[];
  deployed(): Deployed;
  job(name: string): RecordedJob;
  /** What `job` will say once these facts are stored. */
  foreseen(name: string, facts: readonly Fact[]): RecordedJob;
  /**
   * Fulfils with true once the store has confirmed all of them, and with false where someone else had written meanwhile:
   * then none is stored, and `job` tells what is there now. Throws `store-unconfirmed`, or `lock-held`.
   */
  append(job: string, ...facts: readonly Fact[]): Promise<boolean>;
  /** The same for facts of several jobs: all of them are stored, or none. */
  appendAll(facts: readonly JobFacts[]): Promise<boolean>;
  /** Keeps a text for the entry that will refer to it, and says under which key. */
  keep(text: string): string;
  /** Throws `ledger-unreadable`. */
  value(key: string): Promise<string>;
}

export interface JobFacts {
  readonly job: string;
  readonly facts: readonly Fact[];
}

export interface Writer {
  readonly environment: string;
  readonly project: string | null;
  readonly commit: string | null;
  /** ISO 8601 of now. */
  readonly now: () => string;
  /** Throws where this run may write no more, since its lock is not its own any longer. */
  readonly confirmLock?: () => Promise<void>;
}

/** All of a store's entries in order; throws `ledger-unreadable`, also where one is missing. */
export async function readEntries(store: Store): Promise<readonly Entry[]> {
  return inOrder(await store.entries(), store.description);
}

/** Reads the whole ledger once; throws `ledger-unreadable`. */
export async function openLedger(store: Store, writer: Writer): Promise<Ledger> {
  return new OpenLedger(store, writer, await readEntries(store));
}

interface Waiting {
  readonly all: readonly JobFacts[];
  readonly resolve: (isStored: boolean) => void;
  readonly reject: (error: unknown) => void;
}

class OpenLedger implements Ledger {
  readonly environment: string;
  readonly project: string | null;
  readonly #store: Store;
  readonly #writer: Writer;
  readonly #kept = new Map<string, string>();
  #entries: readonly Entry[];
  #deployed: Deployed;
  #waiting: Waiting[] = [];
  #isWriting = false;
  #deployment = "";
  #commit: string | null;

  constructor(store: Store, writer: Writer, entries: readonly Entry[]) {
    this.environment = writer.environment;
    this.project = writer.project;
    this.#store = store;
    this.#writer = writer;
    this.#commit = writer.commit;
    this.#entries = entries;
    this.#deployed = fold(entries);
  }

  begin(deployment: string, commit: string | null = this.#writer.commit): void {
    this.#deployment = deployment;
    this.#commit = commit;
  }

  entries(): readonly Entry[] {
    return this.#entries;
  }

  deployed(): Deployed {
    return this.#deployed;
  }

  job(name: string): RecordedJob {
    return this.#deployed.get(name) ?? nothing(name);
  }

  foreseen(name: string, facts: readonly Fact[]): RecordedJob {
    return fold(this.#entriesOf([{ job: name, facts }]), this.#deployed).get(name) ?? nothing(name);
  }

  append(job: string, ...facts: readonly Fact[]): Promise<boolean> {
    return this.appendAll([{ job, facts }]);
  }

  appendAll(all: readonly JobFacts[]): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ all, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  keep(text: string): string {
    const key = createHash("sha256").update(text).digest("hex");
    this.#kept.set(key, text);
    return key;
  }

  async value(key: string): Promise<string> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const text = await this.#store.value(key);
    this.#kept.set(key, text);
    return text;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const isStored = await this.#write(batch);
        for (const one of batch) one.resolve(isStored);
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #write(batch: readonly Waiting[]): Promise<boolean> {
    const { confirmLock = async () => {} } = this.#writer;
    await confirmLock();
    const entries = this.#entriesOf(batch.flatMap(({ all }) => all));
    try {
      await this.#store.append({ entries, values: this.#valuesOf(entries) });
    } catch (error) {
      if (!(error instanceof DeployError) || error.code !== "lock-held") throw error;
      await confirmLock();
      this.#entries = await readEntries(this.#store);
      this.#deployed = fold(this.#entries);
      return false;
    }
    this.#entries = [...this.#entries, ...entries];
    this.#deployed = fold(entries, this.#deployed);
    return true;
  }

  #entriesOf(all: readonly JobFacts[]): readonly Entry[] {
    const { environment, project, now } = this.#writer;
    const deployment = this.#deployment;
    const commit = this.#commit;
    const first = (this.#entries.at(-1)?.sequence ?? 0) + 1;
    return all
      .flatMap(({ job, facts }) => facts.map((fact) => ({ job, fact })))
      .map(({ job, fact }, index) => {
        const sequence = first + index;
        const covered = { version: 1, sequence, environment, deployment, project, commit, job, fact } as const;
        return { ...covered, id: entryId(covered), at: now() };
      });
  }

  /** Those that these entries refer to; a store that has one already writes nothing. */
  #valuesOf(entries: readonly Entry[]): ReadonlyMap<string, string> {
    const keys = entries.flatMap(({ fact }) => referencesIn(fact).map(({ value }) => value));
    return new Map(keys.flatMap((key) => [[key, this.#kept.get(key)] as const]).filter(isKept));
  }
}

const isKept = (pair: readonly [string, string | undefined]): pair is readonly [string, string] =>
  pair[1] !== undefined;
