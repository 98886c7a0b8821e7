import type { JobReference } from "../ledger/entry.ts";
import { type Settled, takenBy } from "../ledger/fold.ts";
import { type AttemptKey, jobId } from "./ids.ts";
import type { Desired, NamedPath, Situation, Step } from "./step.ts";

type AtRest = Exclude<Settled, { jobId: string }>;
type Record = Extract<Step, { do: "record" }>;

/** The first step for a job that the ledger knows and that runs nowhere: suspended, removed or down. Pure. */
export function beginAtRest({ desired, key }: Situation, settled: AtRest): Step {
  switch (desired.kind) {
    case "suspended":
      return suspendAtRest(desired, settled);
    case "removed":
      if (settled.kind === "removed") return { do: "end", ending: "unchanged" };
      return {
        do: "record",
        fact: { kind: "removed", reference: takenBy(settled) ?? settled.reference, savepoint: settled.savepoint },
        ends: "removed",
      };
    case "running":
      return submitNew(desired, restoreAtRest(desired, settled), key, 1);
  }
}

/** It stays suspended; a changed program takes effect when it is resumed. */
function suspendAtRest(desired: Extract<Desired, { kind: "suspended" }>, settled: AtRest): Step {
  const isSame = (desired.reference ?? settled.reference)?.value === settled.reference?.value;
  if (settled.kind === "suspended" && isSame && settled.by === desired.by && desired.startFrom === null) {
    return { do: "end", ending: "unchanged" };
  }
  const named = desired.startFrom;
  const state =
    named === null ? { savepoint: settled.savepoint, of: takenBy(settled) } : { savepoint: named, of: null };
  const step = suspend(desired, settled.reference, state);
  return settled.kind === "suspended" ? { ...step, ends: "unchanged" } : step;
}

/** The savepoint is kept whatever is to run from now on: whether that takes it is decided when it is resumed. */
function suspend(
  desired: Extract<Desired, { kind: "suspended" }>,
  before: JobReference | null,
  { savepoint, of }: { readonly savepoint: string | null; readonly of: JobReference | null },
): Record {
  const reference = desired.reference ?? before;
  const isChanged = before !== null && reference?.digest !== before.digest;
  return {
    do: "record",
    fact: {
      kind: "suspended",
      by: desired.by,
      reference,
      savepoint,
      ...(of?.digest === reference?.digest ? {} : { of }),
    },
    ends: "suspended",
    ...(isChanged ? { note: "it is suspended; the change takes effect when it is resumed" } : {}),
  };
}

/** A job at rest starts again with its state, unless a person names another or it changed under `stateless`. */
function restoreAtRest(desired: Extract<Desired, { kind: "running" }>, settled: AtRest): string | null {
  if (desired.startFrom !== null) return desired.startFrom;
  const of = takenBy(settled);
  const isChosen = settled.kind === "suspended" && settled.of === null;
  const isChanged = !isChosen && of?.digest !== desired.reference.digest;
  return isChanged && desired.upgradeMode === "stateless" ? null : settled.savepoint;
}

/** The next step of an attempt whose old job has ended with this savepoint; also where no new job held. */
export function afterStop({ desired, settled, key }: Situation, savepoint: string | null, number: number): Step {
  const before = settled?.reference ?? null;
  switch (desired.kind) {
    case "suspended":
      return suspend(desired, before, { savepoint, of: before });
    case "removed":
      return { do: "record", fact: { kind: "removed", reference: before, savepoint }, ends: "removed" };
    case "running":
      return submitNew(desired, desired.upgradeMode === "stateless" ? named(desired) : savepoint, key, number);
  }
}

/** The path in the model's config, before the attempt began or since. */
function named({ startFrom, answer }: NamedPath): string | null {
  return startFrom ?? answer;
}

/** The `number`-th submission of the attempt. */
export function submitNew(
  desired: Extract<Desired, { kind: "running" }>,
  restore: string | null,
  key: AttemptKey,
  number: number,
): Record {
  return {
    do: "record",
    fact: { kind: "submit-intended", role: "new", jobId: jobId(key, number), reference: desired.reference, restore },
  };
}
