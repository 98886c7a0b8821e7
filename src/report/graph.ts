import type { Explanation, GraphNode } from "../planner/explanation.ts";
import { shortened } from "./markdown-text.ts";

const detailLength = 60;
const labelLength = 120;

/** What two graphs of one job differ in; nodes by their ids in the new one. */
export interface ComparedGraphs {
  /** New, or with another description. */
  readonly changed: ReadonlySet<number>;
  /** The same, with another parallelism: the one they had. */
  readonly scaled: ReadonlyMap<number, number>;
  /** Labels of operators that have no successor of their kind. */
  readonly gone: readonly string[];
}

/** Pairs nodes of one label and description off, so that twins count; what is left on a side is new, changed or gone. */
export function compareGraphs(before: readonly GraphNode[], after: readonly GraphNode[]): ComparedGraphs {
  const changed: GraphNode[] = [];
  const scaled = new Map<number, number>();
  const left = [...before];
  for (const node of after) {
    const at = left.findIndex(({ label, description }) => label === node.label && description === node.description);
    const [twin] = at === -1 ? [] : left.splice(at, 1);
    if (twin === undefined) changed.push(node);
    else if (twin.parallelism !== null && twin.parallelism !== node.parallelism) scaled.set(node.id, twin.parallelism);
  }
  for (const { label } of changed) {
    const at = left.findIndex((node) => node.label === label);
    if (at !== -1) left.splice(at, 1);
  }
  return { changed: new Set(changed.map(({ id }) => id)), scaled, gone: left.map(({ label }) => label) };
}

/** A Mermaid flowchart of the job as it would run, with the operators that are new or changed against `before` marked. */
export function mermaidGraph(before: Explanation | null, after: Explanation): string {
  const { changed, scaled } = compareGraphs(before?.graph ?? after.graph, after.graph);
  const nodes = after.graph.map((node) => {
    const mark = changed.has(node.id) ? ":::changed" : "";
    return `  n${node.id}["${labelOf(node, scaled.get(node.id) ?? null)}"]${mark}`;
  });
  const edges = after.graph.flatMap(({ id, inputs }) => inputs.map((input) => `  n${input} --> n${id}`));
  const style = "  classDef changed fill:#fff3cd,stroke:#d4a72c,stroke-width:2px,color:#1f2328";
  return ["flowchart LR", ...nodes, ...edges, ...(changed.size === 0 ? [] : [style])].join("\n");
}

function labelOf({ label, description, parallelism }: GraphNode, was: number | null): string {
  const times = was !== null ? ` ×${was} → ×${parallelism}` : (parallelism ?? 1) > 1 ? ` ×${parallelism}` : "";
  const detail = detailOf(description);
  return `${escaped(shortened(label.replace(/\s+/g, " "), labelLength))}${times}${detail === "" ? "" : `<br/>${escaped(detail)}`}`;
}

/** What stands in the description's parentheses, shortened; not for sources and sinks, whose label says it all. */
function detailOf(description: string): string {
  if (/^(?:TableSourceScan|Sink)\b/.test(description)) return "";
  const inner = /^\w+[([](.*)[)\]]$/s.exec(description)?.[1] ?? "";
  return shortened(inner.replace(/\s+/g, " "), detailLength);
}

/** Mermaid's own escape, by code point: quotes, HTML, entities, directives, formulas, icons. */
function escaped(text: string): string {
  return text.replace(/["#&<>`%{}$\\;@]|:(?! )/g, (sign) => `#${sign.codePointAt(0)};`);
}
