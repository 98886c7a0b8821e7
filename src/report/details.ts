import type { Change } from "../plan/plan.ts";
import { maskSecrets } from "../secrets.ts";
import { type Files, fileAddress } from "./file-address.ts";
import { compareGraphs, mermaidGraph } from "./graph.ts";
import { code, fenced, folded, htmlText, link, sentence, shortened } from "./markdown-text.ts";
import { programSql, sqlDiff } from "./sql-diff.ts";
import { textDiff } from "./text-diff.ts";
import { deploymentText } from "./words.ts";

/** What may be left out of a job's details for length; `context`: the unchanged lines of its SQL diff. */
export type Part = "graph" | "plan" | "context" | "sql";

/** One changed job as Markdown, in parts; null where it has no such part. */
export interface Details {
  /** HTML. */
  readonly summary: string;
  readonly facts: string;
  readonly sql: string | null;
  /** The SQL diff without unchanged lines; null where it has none. */
  readonly briefSql: string | null;
  readonly plan: string | null;
  readonly graph: string | null;
}

const names: { readonly [Each in Part]: string } = {
  graph: "graph",
  plan: "execution plan",
  context: "unchanged lines",
  sql: "SQL",
};
/** Of unchanged lines around a change. */
const context = 3;
const longestName = 200;

export function detailsOf(change: Change, files: Files | null): Details {
  const facts = [
    ...change.reasons.map(({ text }) => `- ${sentence(maskSecrets(text))}`),
    `- **State:** ${sentence(maskSecrets(change.state.text))}`,
    `- **Deployment:** ${deploymentText(change)}`,
    ...modelLine(change, files),
  ];
  const sql = sqlSection(change, context);
  const brief = change.before === null ? sql : sqlSection(change, 0);
  return {
    summary: `<b>${htmlText(shortened(maskSecrets(change.job), longestName))}</b>: ${change.kind}`,
    facts: facts.join("\n"),
    sql,
    briefSql: brief === sql ? null : brief,
    plan: planSection(change),
    graph: graphSection(change),
  };
}

/** The job folded: state and deployment first, then what changed in SQL, plan and graph. */
export function renderDetails(details: Details, dropped: ReadonlySet<Part>): string {
  const { summary, facts, sql, briefSql, plan, graph } = details;
  const shownSql = dropped.has("sql") ? null : dropped.has("context") ? (briefSql ?? sql) : sql;
  const left = (["sql", "context", "plan", "graph"] as const).filter(
    (part) => dropped.has(part) && !(part === "context" && dropped.has("sql")),
  );
  const parts = [
    facts,
    shownSql,
    dropped.has("plan") ? null : plan,
    dropped.has("graph") ? null : graph,
    left.length === 0 ? null : `_Left out for length: ${left.map((part) => names[part]).join(", ")}._`,
  ];
  return folded(summary, parts.filter((part) => part !== null).join("\n\n"));
}

function modelLine({ after }: Change, files: Files | null): readonly string[] {
  const file = after?.origin.file ?? null;
  const address = file === null ? null : fileAddress(files, file, null);
  return file === null || address === null
    ? []
    : [`- **Model:** ${link(code(shortened(maskSecrets(file), longestName)), address)}`];
}

function sqlSection({ before, after }: Change, unchanged: number): string | null {
  if (after === null) return null;
  if (before === null) return `**Compiled SQL**\n\n${fenced("sql", programSql(after))}`;
  const diff = sqlDiff(before, after, unchanged);
  return diff === "" ? null : `**Compiled SQL**\n\n${fenced("diff", diff)}`;
}

/** A suspended or removed job runs no plan; for the others, what is unchanged is said in a line. */
function planSection({ kind, explainedBefore, explainedAfter }: Change): string | null {
  if (explainedAfter === null || kind === "suspend") return null;
  const plan = maskSecrets(explainedAfter.plan);
  const advice = explainedAfter.advice === explainedBefore?.advice ? null : explainedAfter.advice;
  const shown =
    explainedBefore === null
      ? `**Execution plan**\n\n${fenced("text", plan)}`
      : planDiff(maskSecrets(explainedBefore.plan), plan);
  return advice === null ? shown : `${shown}\n\n${adviceText(maskSecrets(advice))}`;
}

function planDiff(before: string, after: string): string {
  const diff = textDiff([{ title: "optimized execution plan", before, after }], context);
  return diff === "" ? "**Execution plan:** unchanged." : `**Execution plan**\n\n${fenced("diff", diff)}`;
}

function adviceText(advice: string): string {
  const lines = advice.split("\n").filter((line) => line.trim() !== "");
  const items = lines.map((line) => `- ${sentence(line.replace(/^\[ADVICE\] /, ""))}`);
  return `**Flink's advice**\n\n${items.join("\n")}`;
}

function graphSection({ kind, explainedBefore, explainedAfter }: Change): string | null {
  if (explainedAfter === null || explainedAfter.graph.length === 0 || kind === "suspend") return null;
  const graph = fenced("mermaid", maskSecrets(mermaidGraph(explainedBefore, explainedAfter)));
  if (explainedBefore === null) return `**Graph**\n\n${graph}`;
  const compared = compareGraphs(explainedBefore.graph, explainedAfter.graph);
  if (compared.changed.size + compared.scaled.size + compared.gone.length === 0) return null;
  const legend = compared.changed.size === 0 ? "" : ", new and changed operators marked";
  const gone =
    compared.gone.length === 0
      ? ""
      : `\n\nNo longer there: ${compared.gone.map((label) => code(shortened(maskSecrets(label), longestName))).join(", ")}.`;
  return `**Graph**${legend}\n\n${graph}${gone}`;
}
