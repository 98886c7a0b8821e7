import type { Change } from "../plan/plan.ts";
import { cell, code, count } from "./markdown-text.ts";
import type { StatusRow } from "./status-row.ts";

export interface Drift {
  readonly environment: string;
  readonly rows: readonly StatusRow[];
  /** What a plan of the default branch would change of what is deployed; null where none was due. */
  readonly planned: PlannedDrift | "failed" | null;
}

export interface PlannedDrift {
  readonly head: string;
  readonly changes: readonly Change[];
}

/** What an environment's issue says, as Markdown; null where it is as it should be. Pure. */
export function renderDrift({ environment, rows, planned: due }: Drift): { title: string; body: string } | null {
  const isUnplanned = due === "failed";
  const planned = isUnplanned ? null : due;
  const changed = (planned?.changes ?? []).filter(({ kind }) => kind !== "none");
  const remarks = [
    ...rows.flatMap(({ job, problem }) => (problem === null ? [] : [remark("🔴", job, problem)])),
    ...rows.flatMap(({ job, warning }) => (warning === null ? [] : [remark("⚠️", job, warning)])),
    ...changed.map((change) => remark("↔️", change.job, differenceOf(change))),
  ];
  if (remarks.length === 0 && !isUnplanned) return null;
  const head = planned === null ? "" : `; the default branch is at \`${planned.head.slice(0, 10)}\``;
  const shown = remarks.slice(0, mostRemarks);
  const more = remarks.length - shown.length;
  return {
    title:
      remarks.length === 0
        ? `${environment}: ${unplanned}`
        : `${environment}: ${count(remarks.length, "job remark")} of ${count(rows.length, "job")}`,
    body: [
      remarks.length === 0
        ? `The environment ${code(environment)} is what its ledger says, as far as was looked.`
        : `The environment ${code(environment)} is not what its ledger and the default branch say${head}.`,
      "",
      ...(isUnplanned
        ? [`- ⚠️ ${unplanned}, so whether another program runs is not known; the run's log says why`]
        : []),
      ...shown,
      ...(more > 0 ? [`- and ${more} more, which the run's summary has`] : []),
      "",
      "This issue is brought up to date by the workflow that looks, and closed by it once all is well.",
      "",
    ].join("\n"),
  };
}

const unplanned = "the default branch could not be planned";

/** Of about 300 signs each, so that an issue holds them all. */
const mostRemarks = 150;

function remark(sign: string, job: string, text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 299)}…` : text;
  return `- ${sign} **${cell(job)}**: ${cell(short)}`;
}

/** A commit alone would not tell: most commits change no job, and a job keeps the commit that its program came with. */
function differenceOf({ kind, reasons }: Change): string {
  const why = reasons.map(({ object, text }) => `${object}: ${text}`).join("; ");
  const what = {
    create: "the default branch has it, and it is not deployed",
    upgrade: "runs another program than the default branch's",
    suspend: "runs, and the default branch suspends it",
    resume: "is suspended, and the default branch runs it",
    remove: "runs, and the default branch does not have it",
    none: "is as it should be",
  }[kind];
  return why === "" ? what : `${what} (${why})`;
}
