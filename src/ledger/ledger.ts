import { type Entry, entryId, type Fact } from "./entry.ts";
import { type Deployed, fold, nothing, type RecordedJob } from "./fold.ts";
import type { Store } from "./store.ts";

/** An environment's ledger while one deployment writes it. Appends go one after the other. */
export interface Ledger {
  readonly store: Store;
  readonly environment: string;
  /** The dbt project that is being deployed; null where none is. */
  readonly project: string | null;
  deployed(): Deployed;
  job(name: string): RecordedJob;
  /** Resolves once the store has confirmed it; throws `store-unconfirmed`. */
  append(job: string, fact: Fact): Promise<void>;
}

export interface Writer {
  readonly environment: string;
  readonly deployment: string;
  readonly project: string | null;
  readonly commit: string | null;
  /** ISO 8601 of now. */
  readonly now: () => string;
}

/** Reads the whole ledger once; throws `ledger-unreadable`. */
export async function openLedger(store: Store, writer: Writer): Promise<Ledger> {
  const entries: Entry[] = [...(await store.entries())];
  let deployed = fold(entries);
  let last: Promise<unknown> = Promise.resolve();
  const write = async (job: string, fact: Fact): Promise<void> => {
    const covered = {
      version: 1,
      sequence: (entries.at(-1)?.sequence ?? 0) + 1,
      environment: writer.environment,
      deployment: writer.deployment,
      project: writer.project,
      commit: writer.commit,
      job,
      fact,
    } as const;
    const entry: Entry = { ...covered, id: entryId(covered), at: writer.now() };
    await store.append(entry);
    entries.push(entry);
    deployed = fold(entries);
  };
  return {
    store,
    environment: writer.environment,
    project: writer.project,
    deployed: () => deployed,
    job: (name) => deployed.get(name) ?? nothing(name),
    append(job, fact) {
      const next = last.then(() => write(job, fact));
      last = next.catch(() => undefined);
      return next;
    },
  };
}
