import fc from "fast-check";
import { type Entry, entryId, type Fact } from "../../../src/ledger/entry.ts";

export const reference = { digest: "d1", value: "v1" };

export interface EntryOptions {
  readonly sequence?: number;
  readonly job?: string;
  readonly deployment?: string;
  readonly project?: string | null;
  readonly commit?: string | null;
  readonly at?: string;
}

/** An entry that says this, the first of its ledger unless told otherwise. */
export function entry(fact: Fact, options: EntryOptions = {}): Entry {
  const {
    sequence = 1,
    job = "totals",
    deployment = "d",
    project = null,
    commit = null,
    at = "2026-01-01T00:00:00.000Z",
  } = options;
  const covered = { version: 1, sequence, environment: "test", deployment, project, commit, job, fact } as const;
  return { ...covered, id: entryId(covered), at };
}

/** Entries that say these one after the other. */
export function entries(...facts: readonly Fact[]): readonly Entry[] {
  return facts.map((fact, index) => entry(fact, { sequence: index + 1 }));
}

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const path = fc.option(text, { nil: null });
const references = fc.record({ digest: text, value: text });

/** Any fact there is. */
export const facts: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({ kind: fc.constant("adopted" as const), jobId: text }),
  fc.record({
    kind: fc.constant("stop-intended" as const),
    purpose: fc.constantFrom("upgrade" as const, "suspend" as const, "remove" as const),
    jobId: text,
    triggerId: text,
    withSavepoint: fc.boolean(),
    savepointFolder: path,
  }),
  fc.record({ kind: fc.constant("stop-failed" as const), jobId: text, cause: text }),
  fc.record(
    { kind: fc.constant("stopped" as const), jobId: text, savepoint: path, named: fc.boolean() },
    { requiredKeys: ["kind", "jobId", "savepoint"] },
  ),
  fc.record({
    kind: fc.constant("submit-intended" as const),
    role: fc.constantFrom("new" as const, "put-back" as const),
    jobId: text,
    reference: references,
    restore: path,
  }),
  fc.record({
    kind: fc.constant("submit-intended" as const),
    role: fc.constant("new" as const),
    jobId: text,
    reference: references,
    restore: path,
    rewinds: fc.constant(true as const),
  }),
  fc.record({ kind: fc.constant("submitted" as const), jobId: text }),
  fc.record({ kind: fc.constant("submit-failed" as const), jobId: text, cause: text }),
  fc.record({ kind: fc.constant("running" as const), jobId: text, reference: references, restored: path }),
  fc.record({ kind: fc.constant("checkpointed" as const), jobId: text, path: text }),
  fc.record({
    kind: fc.constant("savepoint-intended" as const),
    jobId: text,
    triggerId: text,
    savepointFolder: text,
  }),
  fc.record({ kind: fc.constant("savepoint-taken" as const), jobId: text, path: text }),
  fc.record({ kind: fc.constant("savepoint-missed" as const), jobId: text, cause: text }),
  fc.record({ kind: fc.constant("disposed" as const), path: text }),
  fc.record({ kind: fc.constant("finished" as const), jobId: text, reference: references }),
  fc.record({
    kind: fc.constant("suspended" as const),
    by: fc.constantFrom("model" as const, "command" as const),
    reference: fc.option(references, { nil: null }),
    savepoint: path,
  }),
  fc.record({
    kind: fc.constant("removed" as const),
    reference: fc.option(references, { nil: null }),
    savepoint: path,
  }),
  fc.record({
    kind: fc.constant("down" as const),
    reference: fc.option(references, { nil: null }),
    savepoint: path,
    cause: text,
  }),
  fc.record({
    kind: fc.constant("rollback-begun" as const),
    to: text,
    reference: fc.option(references, { nil: null }),
    restore: path,
    keepsProgress: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("renamed" as const), from: fc.constantFrom("totals", "sums") }),
);

/** A ledger of a few jobs; some sequences are there twice, as two writers at once make them. */
export const ledgers: fc.Arbitrary<readonly Entry[]> = fc
  .array(fc.tuple(facts, fc.constantFrom("totals", "sums"), fc.constantFrom("d1", "d2"), fc.boolean()), {
    maxLength: 20,
  })
  .map((all) => {
    let sequence = 0;
    return all.map(([fact, job, deployment, isConcurrent]) => {
      if (!isConcurrent || sequence === 0) sequence += 1;
      return entry(fact, { sequence, job, deployment });
    });
  });
