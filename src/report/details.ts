import type { Change } from "../plan/plan.ts";
import { maskSecrets } from "../secrets.ts";
import { compareGraphs, mermaidGraph } from "./graph.ts";
import type { Level } from "./markdown.ts";
import { code, fenced, folded, htmlText, plainText } from "./markdown-text.ts";
import { programSql, sqlDiff } from "./sql-diff.ts";
import { textDiff } from "./text-diff.ts";
import { deploymentText } from "./words.ts";

/** One changed job, folded: state and deployment first, then what changed in SQL, plan and graph. */
export function renderDetails(change: Change, level: Level): string {
  const summary = `<b>${htmlText(change.job)}</b>: ${change.kind}`;
  const facts = [
    ...change.reasons.map(({ text }) => `- ${plainText(text)}`),
    `- **State:** ${plainText(change.state.text)}`,
    `- **Deployment:** ${deploymentText(change)}`,
  ].join("\n");
  const parts = [
    facts,
    ...(level.diffs ? sqlSection(change, level.context) : []),
    ...(level.plans ? planSection(change, level.context) : []),
    ...(level.graphs ? graphSection(change) : []),
  ];
  return folded(summary, parts.join("\n\n"));
}

function sqlSection({ before, after }: Change, context: number): readonly string[] {
  if (after === null) return [];
  if (before === null) return [`**Compiled SQL**\n\n${fenced("sql", programSql(after))}`];
  const diff = sqlDiff(before, after, context);
  return diff === "" ? [] : [`**Compiled SQL**\n\n${fenced("diff", diff)}`];
}

/** A suspended or removed job runs no plan; for the others, what is unchanged is said in a line. */
function planSection({ kind, explainedBefore, explainedAfter }: Change, context: number): readonly string[] {
  if (explainedAfter === null || kind === "suspend") return [];
  const plan = maskSecrets(explainedAfter.plan);
  const advice = explainedAfter.advice === explainedBefore?.advice ? null : explainedAfter.advice;
  return [
    explainedBefore === null
      ? `**Execution plan**\n\n${fenced("text", plan)}`
      : planDiff(maskSecrets(explainedBefore.plan), plan, context),
    ...(advice === null ? [] : [adviceText(advice)]),
  ];
}

function planDiff(before: string, after: string, context: number): string {
  const diff = textDiff([{ title: "optimized execution plan", before, after }], context);
  return diff === "" ? "**Execution plan:** unchanged." : `**Execution plan**\n\n${fenced("diff", diff)}`;
}

function adviceText(advice: string): string {
  const lines = advice.split("\n").map((line) => `- ${plainText(line.replace(/^\[ADVICE\] /, ""))}`);
  return `**Flink's advice**\n\n${lines.join("\n")}`;
}

function graphSection({ kind, explainedBefore, explainedAfter }: Change): readonly string[] {
  if (explainedAfter === null || explainedAfter.graph.length === 0 || kind === "suspend") return [];
  const graph = fenced("mermaid", maskSecrets(mermaidGraph(explainedBefore, explainedAfter)));
  if (explainedBefore === null) return [`**Graph**\n\n${graph}`];
  const compared = compareGraphs(explainedBefore.graph, explainedAfter.graph);
  if (compared.changed.size + compared.scaled.size + compared.gone.length === 0) return [];
  const legend = compared.changed.size === 0 ? "" : ", new and changed operators marked";
  const gone = compared.gone.length === 0 ? [] : [`No longer there: ${compared.gone.map(code).join(", ")}.`];
  return [`**Graph**${legend}\n\n${graph}`, ...gone];
}
