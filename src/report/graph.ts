import type { Explanation, GraphNode } from "../planner/explanation.ts";

const detailLength = 60;

/** A Mermaid flowchart of the job as it would run, with the operators that are new or changed against `before` marked. */
export function mermaidGraph(before: Explanation | null, after: Explanation): string {
  const changed = before === null ? new Set<number>() : changedNodes(before.graph, after.graph);
  const nodes = after.graph.map(
    (node) => `  n${node.id}["${labelOf(node)}"]${changed.has(node.id) ? ":::changed" : ""}`,
  );
  const edges = after.graph.flatMap(({ id, inputs }) => inputs.map((input) => `  n${input} --> n${id}`));
  const style =
    changed.size === 0 ? [] : ["  classDef changed fill:#fff3cd,stroke:#d4a72c,stroke-width:2px,color:#1f2328"];
  return ["flowchart LR", ...nodes, ...edges, ...style].join("\n");
}

/** Ids of nodes in `after` that have no equal in `before`; equal ones are paired off, so that twins count. */
export function changedNodes(before: readonly GraphNode[], after: readonly GraphNode[]): ReadonlySet<number> {
  const left = new Map<string, number>();
  for (const node of before) left.set(keyOf(node), (left.get(keyOf(node)) ?? 0) + 1);
  const changed = new Set<number>();
  for (const node of after) {
    const count = left.get(keyOf(node)) ?? 0;
    if (count === 0) changed.add(node.id);
    else left.set(keyOf(node), count - 1);
  }
  return changed;
}

function keyOf({ label, description, parallelism }: GraphNode): string {
  return JSON.stringify([label, description, parallelism]);
}

function labelOf({ label, description, parallelism }: GraphNode): string {
  const times = parallelism !== null && parallelism > 1 ? ` ×${parallelism}` : "";
  const detail = detailOf(description);
  return `${escaped(label)}${times}${detail === "" ? "" : `<br/>${escaped(detail)}`}`;
}

/** What stands in the description's parentheses, shortened; not for sources and sinks, whose label says it all. */
function detailOf(description: string): string {
  if (/^(?:TableSourceScan|Sink)\b/.test(description)) return "";
  const inner = /^\w+[([](.*)[)\]]$/s.exec(description)?.[1] ?? "";
  const line = inner.replace(/\s+/g, " ");
  return line.length > detailLength ? `${line.slice(0, detailLength - 1)}…` : line;
}

/** Mermaid's own escape, by code point: quotes, HTML, entities, directives, formulas, icons. */
function escaped(text: string): string {
  return text.replace(/["#&<>`%{}$\\;@]|:(?! )/g, (sign) => `#${sign.codePointAt(0)};`);
}
