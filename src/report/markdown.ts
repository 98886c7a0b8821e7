import { isBlocked } from "../plan/make-plan.ts";
import type { Change, Plan } from "../plan/plan.ts";
import { renderDetails } from "./details.ts";
import { renderFindings } from "./findings.ts";
import { code, count, plainText, withVisibleSigns } from "./markdown-text.ts";
import { stateWord, verdictLine } from "./words.ts";

export interface RenderOptions {
  /** The most bytes of UTF-8 that the text may have, as far as rows and verdict allow; no limit unless given. */
  readonly maxBytes?: number;
}

/** How much is shown, from everything to rows alone: what is dropped first comes first. */
const levels = [
  { graphs: true, plans: true, context: 3, diffs: true, details: true, reasons: 4, left: null },
  { graphs: false, plans: true, context: 3, diffs: true, details: true, reasons: 4, left: "graphs" },
  { graphs: false, plans: false, context: 3, diffs: true, details: true, reasons: 4, left: "graphs and plans" },
  {
    graphs: false,
    plans: false,
    context: 0,
    diffs: true,
    details: true,
    reasons: 4,
    left: "graphs, plans and unchanged lines",
  },
  { graphs: false, plans: false, context: 0, diffs: false, details: true, reasons: 4, left: "graphs, plans and diffs" },
  { graphs: false, plans: false, context: 0, diffs: false, details: false, reasons: 1, left: "all details" },
] as const;

export type Level = (typeof levels)[number];

/** The plan as a reviewer reads it: verdict, a table of what changes, problems, then each changed job folded. */
export function renderPlan(plan: Plan, options: RenderOptions = {}): string {
  const limit = options.maxBytes ?? Number.POSITIVE_INFINITY;
  let text = "";
  for (const level of levels) {
    text = renderAt(plan, level);
    if (Buffer.byteLength(text) <= limit) break;
  }
  return text;
}

function renderAt(plan: Plan, level: Level): string {
  const shown = plan.changes.filter(isShown);
  const unchanged = plan.changes.length - shown.length + plan.unrecorded.length;
  const parts = [
    `## Plan for ${code(plan.project)} on ${code(plan.environment)}`,
    verdictLine(plan),
    ...(shown.length === 0 ? [] : [renderTable(shown, level)]),
    ...(unchanged === 0
      ? []
      : [
          `${count(unchanged, "job")} ${unchanged === 1 ? "stays" : "stay"} as ${unchanged === 1 ? "it is" : "they are"}.`,
        ]),
    ...renderFindings(plan.findings),
    ...(level.details ? shown.map((change) => renderDetails(change, level)) : []),
    ...(level.left === null ? [] : [`_Left out for length: ${level.left}. The plan file has everything._`]),
    renderFooter(plan),
  ];
  return withVisibleSigns(`${parts.join("\n\n")}\n`);
}

/** A suspended job whose program changes is shown too, although nothing is done to it yet. */
function isShown({ kind, reasons }: Change): boolean {
  return kind !== "none" || reasons.length > 0;
}

function renderTable(changes: readonly Change[], level: Level): string {
  const rows = changes.map((change) => {
    const job = change.renamedFrom === null ? code(change.job) : `${code(change.renamedFrom)} → ${code(change.job)}`;
    return `| ${job} | ${change.kind} | ${whyCell(change, level.reasons)} | ${stateWord(change)} |`;
  });
  return ["| Job | Change | Why | State |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function whyCell({ reasons }: Change, most: number): string {
  const texts = reasons.slice(0, most).map(({ text }) => plainText(text));
  const more = reasons.length - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join("<br>");
}

function renderFooter(plan: Plan): string {
  const versions = [`Flink ${plan.flinkVersion}`, `dbt ${plan.dbtVersion}`, plan.adapterVersion.replace("==", " ")];
  const sides = `${code(short(plan.base))} → ${code(short(plan.head))}`;
  const digest = isBlocked(plan) ? [] : [`plan ${code(plan.digest.slice(0, 12))}`];
  return `<sub>${[sides, ...versions.map(plainText), ...digest].join(" · ")}</sub>`;
}

function short(reference: string): string {
  return reference.replace(/^([0-9a-f]{10})[0-9a-f]{30}\b/, "$1");
}
