import type { JobReference } from "../ledger/entry.ts";
import type { Settled } from "../ledger/fold.ts";
import { type AttemptKey, jobId } from "./ids.ts";
import type { Desired, Situation, Step } from "./step.ts";

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
        fact: { kind: "removed", reference: settled.reference, savepoint: settled.savepoint },
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
  const step = suspend(desired, settled.reference, desired.startFrom ?? settled.savepoint);
  return settled.kind === "suspended" ? { ...step, ends: "unchanged" } : step;
}

/** A changed job under `stateless` leaves its state behind when it is resumed. */
function suspend(
  desired: Extract<Desired, { kind: "suspended" }>,
  before: JobReference | null,
  savepoint: string | null,
): Record {
  const reference = desired.reference ?? before;
  const isChanged = before !== null && reference?.digest !== before.digest;
  const leavesState = isChanged && desired.upgradeMode === "stateless";
  return {
    do: "record",
    fact: {
      kind: "suspended",
      by: desired.by,
      reference,
      savepoint: leavesState ? desired.startFrom : savepoint,
    },
    ends: "suspended",
    ...(isChanged ? { note: "it is suspended; the change takes effect when it is resumed" } : {}),
  };
}

/** A job at rest starts again with its state, unless a person names another or it changed under `stateless`. */
function restoreAtRest(desired: Extract<Desired, { kind: "running" }>, settled: AtRest): string | null {
  if (desired.startFrom !== null) return desired.startFrom;
  const isChanged = settled.reference?.digest !== desired.reference.digest;
  return isChanged && desired.upgradeMode === "stateless" ? null : settled.savepoint;
}

/** The next step of an attempt whose old job has ended with this savepoint; also where no new job held. */
export function afterStop({ desired, settled, key }: Situation, savepoint: string | null, number: number): Step {
  const before = settled?.reference ?? null;
  switch (desired.kind) {
    case "suspended":
      return suspend(desired, before, savepoint);
    case "removed":
      return { do: "record", fact: { kind: "removed", reference: before, savepoint }, ends: "removed" };
    case "running":
      return submitNew(desired, desired.upgradeMode === "stateless" ? null : savepoint, key, number);
  }
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
