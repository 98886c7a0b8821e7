import type { Change } from "../plan/plan.ts";
import { maskSecrets } from "../secrets.ts";
import { code, count, folded, sentence, shortened } from "./markdown-text.ts";
import { deploymentWord, stateWord, staysSuspended, totals } from "./words.ts";

/** How much stands in a row. */
export interface RowStyle {
  readonly reasons: number;
  /** Characters of a reason. */
  readonly reasonLength: number;
}

const heading = "| Job | Change | Why | State | Deployment |\n| --- | --- | --- | --- | --- |";
const longestName = 200;
/** So many unchanged jobs are listed. */
const few = 20;

/** A suspended job whose program changes is shown too, although nothing is done to it yet. */
export function isShown({ kind, reasons }: Change): boolean {
  return kind !== "none" || reasons.length > 0;
}

/**
 * A row per job in the plan's order. Where they are more than `maxBytes` together, those a reviewer must not miss stay:
 * jobs that are refused, lose state or go; the others are counted, and `whole` says where they are.
 */
export function changesTable(
  changes: readonly Change[],
  style: RowStyle,
  { maxBytes, whole }: { readonly maxBytes: number; readonly whole: string },
): readonly string[] {
  if (changes.length === 0) return [];
  const rows = new Map(changes.map((change) => [change, row(change, style)]));
  const kept = new Set<Change>();
  let left = maxBytes - heading.length;
  for (const change of [...changes].sort((one, other) => weightOf(one) - weightOf(other))) {
    left -= Buffer.byteLength(rows.get(change) ?? "") + 1;
    if (left < 0) break;
    kept.add(change);
  }
  const others = changes.filter((change) => !kept.has(change));
  return [
    ...(kept.size === 0
      ? []
      : [[heading, ...changes.filter((one) => kept.has(one)).map((one) => rows.get(one))].join("\n")]),
    ...(others.length === 0 ? [] : [`**${rest(others, kept.size > 0)}** ${whole}`]),
  ];
}

/** How many jobs stay as they are; which, where they are few. */
export function unchangedJobs(changes: readonly Change[], unrecorded: readonly string[]): readonly string[] {
  const unchanged = changes.filter((change) => !isShown(change));
  const number = unchanged.length + unrecorded.length;
  if (number === 0) return [];
  const suspended = unchanged.filter(staysSuspended).length;
  const stay = number === 1 ? "1 job stays as it is" : `${number} jobs stay as they are`;
  const text =
    suspended === 0 ? `${stay}.` : `${stay}, ${suspended === number ? "" : `${suspended} of them `}suspended.`;
  if (number > few) return [text];
  const names = [
    ...unchanged.map((change) => `${jobName(change.job)}${staysSuspended(change) ? " (suspended)" : ""}`),
    ...unrecorded.map(jobName),
  ];
  return [folded(text, names.join(", "))];
}

export function jobName(name: string): string {
  return code(shortened(name, longestName));
}

function rest(others: readonly Change[], isPart: boolean): string {
  const waiting = others.filter(({ kind }) => kind === "none").length;
  const what = [
    ...(waiting === others.length ? [] : [totals(others)]),
    ...(waiting === 0 ? [] : [`${waiting} suspended`]),
  ];
  return `${count(others.length, isPart ? "more job" : "job")} not shown here: ${what.join(", ")}.`;
}

function weightOf({ kind, state }: Change): number {
  if (state.kind === "unknown" || state.kind === "dropped") return 0;
  return kind === "remove" ? 1 : kind === "none" ? 3 : 2;
}

function row(change: Change, style: RowStyle): string {
  const name = jobName(change.job);
  const job = change.renamedFrom === null ? name : `${jobName(change.renamedFrom)} → ${name}`;
  return `| ${job} | ${change.kind} | ${whyCell(change, style)} | ${stateWord(change)} | ${deploymentWord(change)} |`;
}

function whyCell({ reasons }: Change, { reasons: most, reasonLength }: RowStyle): string {
  const texts = reasons.slice(0, most).map(({ text }) => sentence(shortened(maskSecrets(text), reasonLength)));
  const more = reasons.length - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join("<br>");
}
