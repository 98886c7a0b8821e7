import { fields, list, nullable, number, string } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";
import type { Explanation, GraphNode } from "./explanation.ts";

/**
 * Reads the answer of `EXPLAIN [PLAN_ADVICE,] JSON_EXECUTION_PLAN`. Flink gives its parts as one text under headings;
 * only the last is JSON. Throws DecodeError where that is not the shape known.
 */
export function decodeExplanation(text: string): Omit<Explanation, "compiledPlan"> {
  const sections = sectionsOf(text);
  return {
    plan: normalisedPlan(sections.get("Optimized Execution Plan") ?? ""),
    advice: adviceIn(sections.get("Optimized Physical Plan With Advice") ?? ""),
    graph: decodeGraph(parseJson(sections.get("Physical Execution Plan") ?? '{"nodes":[]}')),
  };
}

const headings = [
  "Abstract Syntax Tree",
  "Optimized Physical Plan",
  "Optimized Physical Plan With Advice",
  "Optimized Execution Plan",
  "Physical Execution Plan",
];

function sectionsOf(text: string): ReadonlyMap<string, string> {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n")) {
    const heading = /^== (.+) ==$/.exec(line)?.[1];
    // The last one counts: a literal of the query may hold the same line, but the part after it, JSON, cannot.
    if (heading !== undefined && headings.includes(heading)) {
      current = [];
      sections.set(heading, current);
    } else current.push(line);
  }
  return new Map([...sections].map(([heading, lines]) => [heading, lines.join("\n").trim()]));
}

/** Numbers that Flink gives to shared parts, in the order in which they are first shown. */
function normalisedPlan(plan: string): string {
  const numbers = new Map<string, number>();
  return plan.replace(/\b(reuse_id|reference_id)=\[(\d+)\]/g, (_whole, name: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
    return `${name}=[${numbers.get(id)}]`;
  });
}

/** The lines after the plan, as `[ADVICE] ...` and `[WARNING] ...`; null where Flink has none to give. */
function adviceIn(section: string): string | null {
  const lines = section.split("\n").flatMap((line) => /^advice\[\d+\]: (.+)$/.exec(line)?.[1] ?? []);
  return lines.length === 0 ? null : lines.join("\n");
}

const decodeNodes = fields((graph) =>
  graph.get(
    "nodes",
    list(
      fields((node) => ({
        id: node.get("id", number),
        type: node.get("type", string),
        contents: node.get("contents", string),
        parallelism: node.get("parallelism", nullable(number)),
        predecessors: node.get("predecessors", nullable(list(fields((edge) => edge.get("id", number))))) ?? [],
      })),
    ),
  ),
);

/** The execution graph with ids from 1; Flink's come from a counter, and its texts hold others: `[42]:Calc(...)`. */
function decodeGraph(value: unknown): readonly GraphNode[] {
  const nodes = decodeNodes(value, "");
  // Sources come first in Flink's list, and every node after its inputs.
  const numbers = new Map(nodes.map((node, index) => [node.id, index + 1]));
  return nodes.map((node) => ({
    id: numbers.get(node.id) ?? 0,
    label: withoutNumber(node.type),
    description: withoutNumber(node.contents),
    inputs: node.predecessors.flatMap((id) => numbers.get(id) ?? []),
    parallelism: node.parallelism,
  }));
}

/** Without the exec node's number: `[42]:Calc(...)`, `Source: orders[42]`, `orders[42]: Writer`. */
function withoutNumber(text: string): string {
  return text.replace(/^\[\d+\]:/, "").replace(/^([^()[\]]+)\[\d+\](?=$|: )/, "$1");
}
