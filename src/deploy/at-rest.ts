import type { JobReference } from "../ledger/entry.ts";
import { type Settled, takenBy } from "../ledger/fold.ts";
import { type AttemptKey, jobId } from "./ids.ts";
import {
  type Desired,
  mayStartEmpty,
  type NamedPath,
  nameAPath,
  type Rewind,
  refuse,
  type Situation,
  type Step,
} from "./step.ts";

type AtRest = Exclude<Settled, { jobId: string }>;
type Record = Extract<Step, { do: "record" }>;

/** The first step for a job that the ledger knows and that runs nowhere: suspended, removed or down. Pure. */
export function beginAtRest(situation: Situation, settled: AtRest): Step {
  const { desired, key } = situation;
  switch (desired.kind) {
    case "suspended":
      return suspendAtRest(desired, settled);
    case "removed":
      if (settled.kind === "removed") return { do: "end", ending: "unchanged" };
      return {
        do: "record",
        fact: { kind: "removed", reference: ranAtRest(settled), savepoint: settled.savepoint },
        ends: "removed",
      };
    case "running":
      if (desired.rewind !== null && !isBack(desired, desired.rewind, settled)) {
        return restBack(desired, desired.rewind, `it was ${settled.kind}`);
      }
      if (hasNoWayBack(situation, desired, settled)) {
        return refuse(
          "needs-operator",
          `${situation.name} ran before it was removed and left no savepoint from which it sends no record twice, so it would read everything again; set \`allow-fresh-start\` if that is meant, or ${nameAPath}`,
        );
      }
      return submitNew(desired, restoreAtRest(desired, settled), key, 1);
  }
}

/**
 * Where nothing runs and there is no state to put back, the job first rests where it goes back to. From then on it is a
 * job at rest like any other: what starts it, or fails to, needs to know of no rollback.
 */
export function restBack({ reference }: Extract<Desired, { kind: "running" }>, { path }: Rewind, why: string): Record {
  const cause = `${why}; it goes back to ${path ?? "its beginning, without state"}`;
  return { do: "record", fact: { kind: "down", reference, savepoint: path, cause }, note: cause };
}

function isBack({ reference }: Extract<Desired, { kind: "running" }>, { path }: Rewind, settled: AtRest): boolean {
  return settled.kind === "down" && settled.reference?.digest === reference.digest && settled.savepoint === path;
}

/** The program that a removed job's savepoint is of; null where it never ran. */
function ranAtRest(settled: AtRest): JobReference | null {
  return settled.savepoint === null ? null : (takenBy(settled) ?? settled.reference);
}

/** It was removed while it ran, and what it left is not known or would send records twice. */
function hasNoWayBack(
  { settings }: Situation,
  desired: Extract<Desired, { kind: "running" }>,
  settled: AtRest,
): boolean {
  const isStreaming = desired.runtimeMode === "streaming" && settings.settledMode !== "batch";
  const isWithoutState = settled.kind === "removed" && settled.reference !== null && settled.savepoint === null;
  return isStreaming && isWithoutState && !mayStartEmpty(desired) && desired.startFrom === null;
}

/** It stays suspended; a changed program takes effect when it is resumed. */
function suspendAtRest(desired: Extract<Desired, { kind: "suspended" }>, settled: AtRest): Step {
  const { rewind, startFrom: named } = desired;
  const isSame = (desired.reference ?? settled.reference)?.value === settled.reference?.value;
  const isThere = named === null && (rewind === null || rewind.path === settled.savepoint);
  if (settled.kind === "suspended" && isSame && settled.by === desired.by && isThere) {
    return { do: "end", ending: "unchanged" };
  }
  const kept = rewind === null ? { savepoint: settled.savepoint, of: takenBy(settled) } : stateOf(rewind);
  const state = named === null ? kept : { savepoint: named, of: null };
  const step = suspend(desired, settled.reference, state);
  return settled.kind === "suspended" ? { ...step, ends: "unchanged" } : step;
}

const stateOf = ({ path, of }: Rewind) => ({ savepoint: path, of });

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
      return suspend(desired, before, desired.rewind === null ? { savepoint, of: before } : stateOf(desired.rewind));
    case "removed":
      return { do: "record", fact: { kind: "removed", reference: before, savepoint }, ends: "removed" };
    case "running":
      if (desired.rewind !== null) return submitRewound(desired, desired.rewind, key, number);
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

/** The same, where its predecessor's state is another one, which is kept. */
export function submitRewound(
  desired: Extract<Desired, { kind: "running" }>,
  { path }: Rewind,
  key: AttemptKey,
  number: number,
): Record {
  const { reference } = desired;
  const fact = { kind: "submit-intended", role: "new", jobId: jobId(key, number), reference, restore: path } as const;
  return { do: "record", fact: { ...fact, rewinds: true } };
}
