import { normalisePath } from "../flink/paths.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Deployed, RecordedJob } from "../ledger/fold.ts";
import type { Outcome } from "./deployment.ts";
import type { JobOutcome } from "./task.ts";

const dayMs = 24 * 3_600_000;

type Note = Extract<Entry["fact"], { kind: "checkpointed" | "savepoint-taken" }>;

const isNote = (fact: Entry["fact"]): fact is Note => fact.kind === "checkpointed" || fact.kind === "savepoint-taken";

/** When the ledger first told of a state, as ISO 8601, by its normalised path. */
export type StateTimes = ReadonlyMap<string, string>;

/** Of every savepoint and checkpoint that the entries, in their order, tell of. Pure. */
export function stateTimes(entries: readonly Entry[]): StateTimes {
  const times = new Map<string, string>();
  for (const { fact, at } of entries) {
    const path = "savepoint" in fact ? fact.savepoint : isNote(fact) ? fact.path : null;
    if (path !== null && !times.has(normalisePath(path))) times.set(normalisePath(path), at);
  }
  return times;
}

/**
 * What to say of a job that is suspended for longer than `limitMs`, by the age of the state that it would resume from;
 * null where there is nothing to say, or no limit. `now` in ms since 1970. Pure.
 */
export function suspensionWarning(
  { settled }: RecordedJob,
  times: StateTimes,
  { now, limitMs }: { readonly now: number; readonly limitMs: number | null },
): string | null {
  if (limitMs === null || settled?.kind !== "suspended" || settled.savepoint === null) return null;
  const ageMs = now - Date.parse(times.get(normalisePath(settled.savepoint)) ?? "");
  if (!(ageMs > limitMs)) return null;
  const days = Math.floor(ageMs / dayMs);
  return `suspended for ${days} ${days === 1 ? "day" : "days"}: its state grows old. What Kafka keeps may not reach back to its offsets any more, transactions of its sink may have timed out, and change-data-capture slots expire; resume it in time`;
}

/** A deployment's outcome with that warning among the notes of each job that it left suspended. */
export function withSuspensionWarnings(
  outcome: Outcome,
  { entries, deployed }: { readonly entries: readonly Entry[]; readonly deployed: Deployed },
  limit: { readonly now: number; readonly limitMs: number | null },
): Outcome {
  const times = stateTimes(entries);
  const warned = (job: JobOutcome): JobOutcome => {
    const recorded = deployed.get(job.job);
    const warning = recorded === undefined ? null : suspensionWarning(recorded, times, limit);
    return warning === null ? job : { ...job, notes: [...job.notes, warning] };
  };
  return { ...outcome, jobs: outcome.jobs.map(warned) };
}
