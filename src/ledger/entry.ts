import { createHash } from "node:crypto";
import { DeployError } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";

/** A deployed program by its digest, and the key of the sealed job (`StoredJob`) in the ledger's values. */
export interface JobReference {
  readonly digest: string;
  readonly value: string;
}

/** What became known of one job. Intents come before their effect, outcomes after it. Paths are savepoint URIs. */
export type Fact =
  | { readonly kind: "adopted"; readonly jobId: string }
  | { readonly kind: "renamed"; readonly from: string }
  | {
      readonly kind: "stop-intended";
      readonly purpose: "upgrade" | "suspend" | "remove";
      readonly jobId: string;
      readonly triggerId: string;
      readonly withSavepoint: boolean;
      /** Without a savepoint: its newest checkpoint is its state, which must be one that its end leaves. */
      readonly keepsCheckpoint?: boolean;
      readonly savepointFolder: string | null;
    }
  | { readonly kind: "stop-failed"; readonly jobId: string; readonly cause: string }
  | {
      readonly kind: "stopped";
      readonly jobId: string;
      readonly savepoint: string | null;
      /** A person named the path, since nothing told it. */
      readonly named?: boolean;
    }
  | {
      readonly kind: "submit-intended";
      readonly role: "new" | "put-back";
      readonly jobId: string;
      readonly reference: JobReference;
      readonly restore: string | null;
      /** The program goes back to a state of its own, which is not what its predecessor was stopped with. */
      readonly rewinds?: true;
    }
  /** The cluster has it: from here on it may let records out. */
  | { readonly kind: "submitted"; readonly jobId: string }
  | { readonly kind: "submit-failed"; readonly jobId: string; readonly cause: string }
  | {
      readonly kind: "running";
      readonly jobId: string;
      readonly reference: JobReference;
      readonly restored: string | null;
    }
  /** The newest checkpoint that was seen of a running job: where it might start from, should the cluster forget it. */
  | { readonly kind: "checkpointed"; readonly jobId: string; readonly path: string }
  /** A savepoint is to be taken of a job that goes on running. */
  | {
      readonly kind: "savepoint-intended";
      readonly jobId: string;
      readonly triggerId: string;
      readonly savepointFolder: string;
    }
  /** It is there. A person asked for it, so it is never disposed of. */
  | { readonly kind: "savepoint-taken"; readonly jobId: string; readonly path: string }
  | { readonly kind: "savepoint-missed"; readonly jobId: string; readonly cause: string }
  /** A savepoint that we took is not there any more: we disposed of it, or found it gone. */
  | { readonly kind: "disposed"; readonly path: string }
  | { readonly kind: "finished"; readonly jobId: string; readonly reference: JobReference }
  | {
      readonly kind: "suspended";
      /** `model`: job_state says so, and it resumes when job_state does; `command`: it rests until `resume`. */
      readonly by: "model" | "command";
      /** What runs when it is resumed. */
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
      /** The program that took the savepoint, where that is another; null where a person named the path. */
      readonly of?: JobReference | null;
    }
  | { readonly kind: "removed"; readonly reference: JobReference | null; readonly savepoint: string | null }
  | {
      readonly kind: "down";
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
      readonly cause: string;
    }
  /** What a rollback is about to do to this job; it changes nothing by itself, and says what kind of deployment this is. */
  | {
      readonly kind: "rollback-begun";
      /** The deployment that it goes back to. */
      readonly to: string;
      /** The program of then; null where the job did not exist. */
      readonly reference: JobReference | null;
      /** Where that program is to start from; null: from nothing, or from what the job has now. */
      readonly restore: string | null;
      readonly keepsProgress: boolean;
    };

/** One line of an environment's ledger. `sequence` grows by one with each append; ties are broken by id. */
export interface Entry {
  readonly version: 1;
  readonly sequence: number;
  readonly id: string;
  /**
   * ISO 8601, UTC, by the writer's clock. It tells how old a savepoint is, which may keep it longer (retention) or make a
   * warning; the order of entries is not told by it, and no id covers it.
   */
  readonly at: string;
  readonly environment: string;
  readonly deployment: string;
  /** The dbt project that was deployed; null where a command deployed none. */
  readonly project: string | null;
  readonly commit: string | null;
  readonly job: string;
  readonly fact: Fact;
}

/** An entry's id covers all that it says but its time, so the same entry written twice is one entry. */
export function entryId(entry: Omit<Entry, "id" | "at">): string {
  return createHash("sha256").update(JSON.stringify(entry)).digest("hex").slice(0, 32);
}

/** The programs that a fact refers to. */
export function referencesIn(fact: Fact): readonly JobReference[] {
  const of = fact.kind === "suspended" ? [fact.of ?? null] : [];
  return ["reference" in fact ? fact.reference : null, ...of].filter((one) => one !== null);
}

export function byOrder(a: Entry, b: Entry): number {
  return a.sequence - b.sequence || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/**
 * All of a store's entries in order. Sequences grow by one, so one that is missing was lost: throws
 * `ledger-unreadable`, since what it said may be what a job's state hangs on.
 */
export function inOrder(entries: readonly Entry[], where: string): readonly Entry[] {
  const sorted = entries.toSorted(byOrder);
  let last = 0;
  for (const { sequence } of sorted) {
    if (sequence !== last && sequence !== last + 1)
      throw new DeployError("ledger-unreadable", `the ledger ${where} has no entry ${last + 1}, but entry ${sequence}`);
    last = sequence;
  }
  return sorted;
}

const text = (value: unknown): value is string => typeof value === "string";
const textOrNull = (value: unknown): boolean => value === null || text(value);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const reference = (value: unknown): boolean => isRecord(value) && text(value.digest) && text(value.value);
const referenceOrNull = (value: unknown): boolean => value === null || reference(value);
const oneOf =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    text(value) && names.includes(value);

const fields: { readonly [Kind in Fact["kind"]]: Readonly<Record<string, (value: unknown) => boolean>> } = {
  adopted: { jobId: text },
  renamed: { from: text },
  "stop-intended": {
    purpose: oneOf("upgrade", "suspend", "remove"),
    jobId: text,
    triggerId: text,
    withSavepoint: (value) => typeof value === "boolean",
    keepsCheckpoint: (value) => value === undefined || typeof value === "boolean",
    savepointFolder: textOrNull,
  },
  "stop-failed": { jobId: text, cause: text },
  stopped: {
    jobId: text,
    savepoint: textOrNull,
    named: (value) => value === undefined || typeof value === "boolean",
  },
  "submit-intended": {
    role: oneOf("new", "put-back"),
    jobId: text,
    reference,
    restore: textOrNull,
    rewinds: (value) => value === undefined || value === true,
  },
  submitted: { jobId: text },
  "submit-failed": { jobId: text, cause: text },
  running: { jobId: text, reference, restored: textOrNull },
  checkpointed: { jobId: text, path: text },
  "savepoint-intended": { jobId: text, triggerId: text, savepointFolder: text },
  "savepoint-taken": { jobId: text, path: text },
  "savepoint-missed": { jobId: text, cause: text },
  disposed: { path: text },
  finished: { jobId: text, reference },
  suspended: {
    by: oneOf("model", "command"),
    reference: referenceOrNull,
    savepoint: textOrNull,
    of: (value) => value === undefined || referenceOrNull(value),
  },
  removed: { reference: referenceOrNull, savepoint: textOrNull },
  down: { reference: referenceOrNull, savepoint: textOrNull, cause: text },
  "rollback-begun": {
    to: text,
    reference: referenceOrNull,
    restore: textOrNull,
    keepsProgress: (value) => typeof value === "boolean",
  },
};

/** Reads one entry, or throws `ledger-unreadable` naming `where` and the field: an entry is never skipped. */
export function decodeEntry(json: string, where: string): Entry {
  const unreadable = (why: string): DeployError =>
    new DeployError("ledger-unreadable", `the ledger entry ${where} cannot be read: ${why}`);
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (cause) {
    throw new DeployError("ledger-unreadable", `the ledger entry ${where} is not JSON`, { cause });
  }
  if (!isRecord(value)) throw unreadable("it is not an object");
  if (value.version !== 1) throw unreadable(`its version is ${JSON.stringify(value.version)}, this program reads 1`);
  for (const field of ["id", "at", "environment", "deployment", "job"] as const) {
    if (!text(value[field])) throw unreadable(`${field} is not text`);
  }
  if (!Number.isSafeInteger(value.sequence) || Number(value.sequence) < 1) {
    throw unreadable(`sequence is ${JSON.stringify(value.sequence)}`);
  }
  for (const field of ["project", "commit"] as const) {
    if (!textOrNull(value[field])) throw unreadable(`${field} is neither text nor null`);
  }
  const fact = value.fact;
  if (!isRecord(fact) || !text(fact.kind) || !Object.hasOwn(fields, fact.kind)) {
    throw unreadable(`fact.kind is ${JSON.stringify(isRecord(fact) ? fact.kind : fact)}`);
  }
  for (const [field, holds] of Object.entries(fields[fact.kind as Fact["kind"]])) {
    if (!holds(fact[field])) throw unreadable(`fact.${field} is ${JSON.stringify(fact[field])}`);
  }
  const entry = value as unknown as Entry;
  const { version, sequence, environment, deployment, project, commit, job, fact: said } = entry;
  if (entryId({ version, sequence, environment, deployment, project, commit, job, fact: said }) !== entry.id)
    throw unreadable("its id does not match what it says");
  return entry;
}
