import type { Change } from "../plan/plan.ts";
import { maskSecrets } from "../secrets.ts";
import { code, count, folded, sentence, shortened } from "./markdown-text.ts";
import { deploymentWord, stateWord, staysSuspended, totals } from "./words.ts";

/** How much stands in a row. */
export interface RowStyle {
  readonly reasons: number;
  /** Characters of a reason. */
  readonly reasonLength: number;
  /** Jobs of which all else is the same share a row, at most so many. */
  readonly jobs: number;
}

interface Row {
  readonly changes: readonly Change[];
  readonly text: string;
}

const heading = "| Job | Change | Why | State | Deployment |\n| --- | --- | --- | --- | --- |";
const longestName = 200;

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
  const rows = rowsOf(changes, style);
  const kept = new Set<Row>();
  let left = maxBytes - heading.length;
  for (const row of rows.toSorted((one, other) => weightOf(one) - weightOf(other))) {
    left -= Buffer.byteLength(row.text) + 1;
    if (left < 0) break;
    kept.add(row);
  }
  const others = rows.filter((row) => !kept.has(row)).flatMap((row) => row.changes);
  const shown = rows.filter((row) => kept.has(row)).map(({ text }) => text);
  return [
    ...(shown.length === 0 ? [] : [[heading, ...shown].join("\n")]),
    ...(others.length === 0 ? [] : [`**${rest(others, shown.length > 0)}** ${whole}`]),
  ];
}

/** How many jobs stay as they are; which, where they are `few`. */
export function unchangedJobs(
  changes: readonly Change[],
  unrecorded: readonly string[],
  few: number,
): readonly string[] {
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
  return code(shortened(maskSecrets(name), longestName));
}

function rest(others: readonly Change[], isPart: boolean): string {
  const waiting = others.filter(({ kind }) => kind === "none").length;
  const what = [
    ...(waiting === others.length ? [] : [totals(others)]),
    ...(waiting === 0 ? [] : [`${waiting} suspended`]),
  ];
  return `${count(others.length, isPart ? "more job" : "job")} not shown here: ${what.join(", ")}.`;
}

function weightOf({ changes: [change] }: Row): number {
  if (change === undefined) return 3;
  if (change.state.kind === "unknown" || change.state.kind === "dropped") return 0;
  return change.kind === "remove" ? 1 : change.kind === "none" ? 3 : 2;
}

function rowsOf(changes: readonly Change[], style: RowStyle): readonly Row[] {
  const rows: { changes: Change[]; cells: string }[] = [];
  const open = new Map<string, { changes: Change[] }>();
  for (const change of changes) {
    const cells = `${change.kind} | ${whyCell(change, style)} | ${stateWord(change)} | ${deploymentWord(change)}`;
    const row = open.get(cells);
    if (row !== undefined && row.changes.length < style.jobs) row.changes.push(change);
    else {
      const begun = { changes: [change], cells };
      rows.push(begun);
      open.set(cells, begun);
    }
  }
  return rows.map(({ changes, cells }) => ({ changes, text: `| ${jobsCell(changes)} | ${cells} |` }));
}

/** The names of several jobs are folded: a row is as high as one. */
function jobsCell(changes: readonly Change[]): string {
  const names = changes.map(jobCell);
  if (names.length <= 3) return names.join(", ");
  return `<details><summary>${count(names.length, "job")}</summary> ${names.join(", ")}</details>`;
}

function jobCell({ job, renamedFrom }: Change): string {
  return renamedFrom === null ? jobName(job) : `${jobName(renamedFrom)} → ${jobName(job)}`;
}

function whyCell({ reasons }: Change, { reasons: most, reasonLength }: RowStyle): string {
  const texts = reasons.slice(0, most).map(({ text }) => sentence(shortened(maskSecrets(text), reasonLength)));
  const more = reasons.length - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join("<br>");
}
