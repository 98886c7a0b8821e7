import { isBlocked } from "../plan/make-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { changesTable, isShown, jobName, type RowStyle, unchangedJobs } from "./changes-table.ts";
import { detailsOf, renderDetails } from "./details.ts";
import type { Files } from "./file-address.ts";
import { type FindingsStyle, renderFindings } from "./findings.ts";
import { bytesOf, type Dropped, fitDetails } from "./fit-details.ts";
import { code, count, plainText, shortened, withVisibleSigns } from "./markdown-text.ts";
import { verdictLine } from "./words.ts";

/** What surrounds a plan where it is shown; texts are Markdown. */
export interface Frame {
  /** Of UTF-8. Kept as far as rows and verdict allow, and they shrink too. */
  readonly maxBytes: number;
  readonly files: Files | null;
  /** A sentence: where to find what is left out. */
  readonly whole: string;
  /** A paragraph below the verdict. */
  readonly notice: string | null;
  /** For the last line. */
  readonly links: readonly string[];
}

interface Style extends RowStyle, FindingsStyle {
  /** So many unchanged jobs are listed. */
  readonly few: number;
}

/** What a text holds besides what it always holds. */
interface Content {
  readonly style: Style;
  readonly rowBytes: number;
  readonly details: readonly string[];
  readonly left: string | null;
}

const all = Number.POSITIVE_INFINITY;
const long: Style = { jobs: 1, reasons: 4, reasonLength: all, most: all, lineBytes: all, messageLength: all, few: 20 };
const shorter: Style = { ...long, reasons: 1, reasonLength: 80, most: 50, messageLength: 500, few: 0 };
const shortest: Style = { ...shorter, jobs: 100, reasonLength: 40, most: 10, lineBytes: 15_000, messageLength: 300 };
/** For the line that says what was left out. */
const noteBytes = 400;

/**
 * The plan as a reviewer reads it: verdict, problems, a table of what changes, then each changed job folded. What is too
 * long for the frame goes in this order: graphs, execution plans, unchanged lines of SQL, SQL, the folds; then reasons and
 * messages are shortened, then jobs of which all else is the same share rows, and at last rows are counted.
 */
export function planText(plan: Plan, frame: Frame): string {
  const details = plan.changes.filter(isShown).map((change) => detailsOf(change, frame.files));
  const room = frame.maxBytes - bytesOf(compose(plan, frame, content(long))) - 2 * details.length;
  const fitting = fitDetails(details, room);
  const isWhole = fitting?.every((dropped) => dropped.size === 0) ?? false;
  const dropped = isWhole ? fitting : fitDetails(details, room - noteBytes);
  if (dropped !== null) {
    const folds = details.map((one, index) => renderDetails(one, dropped[index] ?? new Set()));
    return compose(plan, frame, { ...content(long), details: folds, left: leftOut(dropped) });
  }
  const left = details.length === 0 ? "" : "all details";
  const also = `${left === "" ? "" : `${left}, `}reasons but the first, long messages`;
  const contents = [
    { ...content(long), left },
    { ...content(shorter), left: also },
    { ...content(shortest), left: also },
  ];
  const text = contents.map((each) => compose(plan, frame, each)).find((each) => bytesOf(each) <= frame.maxBytes);
  if (text !== undefined) return text;
  const cut = { ...content(shortest), left: also };
  const bare = compose(plan, frame, { ...cut, rowBytes: 0 });
  return compose(plan, frame, { ...cut, rowBytes: Math.max(0, frame.maxBytes - bytesOf(bare) - 20) });
}

function content(style: Style): Content {
  return { style, rowBytes: all, details: [], left: null };
}

function compose(plan: Plan, frame: Frame, { style, rowBytes, details, left }: Content): string {
  const { files, whole, notice } = frame;
  const parts = [
    `## Plan for ${jobName(plan.project)} on ${jobName(plan.environment)}`,
    verdictLine(plan),
    ...(notice === null ? [] : [notice]),
    ...renderFindings(plan.findings, files, style),
    ...changesTable(plan.changes.filter(isShown), style, { maxBytes: rowBytes, whole }),
    ...unchangedJobs(plan.changes, plan.unrecorded, style.few),
    ...details,
    ...(left === null ? [] : [`_Left out for length: ${left}. ${whole}_`]),
    footer(plan, frame),
  ];
  return withVisibleSigns(`${parts.join("\n\n")}\n`);
}

/** In how many jobs' folds what is missing; null where nothing is. */
function leftOut(dropped: Dropped): string | null {
  const number = (what: string, of: number): readonly string[] => (of === 0 ? [] : [`${what} of ${count(of, "job")}`]);
  const texts = [
    ...number("graphs", dropped.filter((parts) => parts.has("graph")).length),
    ...number("execution plans", dropped.filter((parts) => parts.has("plan")).length),
    ...number("unchanged lines", dropped.filter((parts) => parts.has("context") && !parts.has("sql")).length),
    ...number("SQL", dropped.filter((parts) => parts.has("sql")).length),
  ];
  return texts.length === 0 ? null : texts.join(", ");
}

function footer(plan: Plan, { links }: Frame): string {
  const versions = [`Flink ${plan.flinkVersion}`, `dbt ${plan.dbtVersion}`, plan.adapterVersion.replace("==", " ")];
  const sides = `${code(short(plan.base))} → ${code(short(plan.head))}`;
  const digest = isBlocked(plan) ? [] : [`plan ${code(plan.digest.slice(0, 12))}`];
  const shown = versions.map((version) => plainText(shortened(version, 60)));
  return `<sub>${[sides, ...shown, ...digest, ...links].join(" · ")}</sub>`;
}

function short(reference: string): string {
  return shortened(reference.replace(/^([0-9a-f]{10})[0-9a-f]{30}\b/, "$1"), 60);
}
