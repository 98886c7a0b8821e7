import type { Change } from "../plan/plan.ts";
import { maskSecrets } from "../secrets.ts";
import { mermaidGraph } from "./graph.ts";
import type { Level } from "./markdown.ts";
import { fenced, folded, htmlText, plainText } from "./markdown-text.ts";
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

function planSection({ explainedBefore, explainedAfter }: Change, context: number): readonly string[] {
  if (explainedAfter === null) return [];
  const advice = explainedAfter.advice === null ? [] : [`Flink's advice: ${plainText(explainedAfter.advice)}`];
  const plan = maskSecrets(explainedAfter.plan);
  if (explainedBefore === null) return [`**Execution plan**\n\n${fenced("text", plan)}`, ...advice];
  const parts = [{ title: "optimized execution plan", before: maskSecrets(explainedBefore.plan), after: plan }];
  const diff = textDiff(parts, context);
  return [diff === "" ? "**Execution plan:** unchanged." : `**Execution plan**\n\n${fenced("diff", diff)}`, ...advice];
}

function graphSection({ explainedBefore, explainedAfter }: Change): readonly string[] {
  if (explainedAfter === null || explainedAfter.graph.length === 0) return [];
  const legend = explainedBefore === null ? "" : " (new or changed operators are marked)";
  return [`**Graph**${legend}\n\n${fenced("mermaid", maskSecrets(mermaidGraph(explainedBefore, explainedAfter)))}`];
}
