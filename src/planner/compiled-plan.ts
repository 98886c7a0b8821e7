import { fields, list, nullable, number, string } from "../flink/decode.ts";
import { type ExactJson, parseExactJson, writeExactJson } from "./exact-json.ts";

/** A plan as COMPILE PLAN writes it. Edges of one target are in the order of its inputs. */
export interface CompiledPlan {
  /** Major and minor, e.g. `1.20`. */
  readonly flinkVersion: string;
  readonly nodes: readonly ExecNode[];
  readonly edges: readonly ExecEdge[];
}

export interface ExecNode {
  readonly id: number;
  /** With its version: `stream-exec-group-aggregate_1`. */
  readonly type: string;
  /** As EXPLAIN shows it; empty where the plan has none. */
  readonly description: string;
  /** The whole node as read; its `id` is the one above. */
  readonly json: { readonly [key: string]: ExactJson };
}

export interface ExecEdge {
  readonly source: number;
  readonly target: number;
  readonly json: { readonly [key: string]: ExactJson };
}

const decodeNode = fields((node) => ({
  id: node.get("id", number),
  type: node.get("type", string),
  description: node.get("description", nullable(string)) ?? "",
}));
const decodeEdge = fields((edge) => ({ source: edge.get("source", number), target: edge.get("target", number) }));
const decodeDocument = fields((plan) => ({
  flinkVersion: plan.get("flinkVersion", string),
  nodes: plan.get(
    "nodes",
    list((value, path) => ({ ...decodeNode(value, path), json: value as ExecNode["json"] })),
  ),
  edges: plan.get(
    "edges",
    list((value, path) => ({ ...decodeEdge(value, path), json: value as ExecEdge["json"] })),
  ),
}));

/** Reads a compiled plan; throws SyntaxError or DecodeError naming the place. */
export function decodeCompiledPlan(text: string): CompiledPlan {
  return decodeDocument(parseExactJson(text), "");
}

/** The plan's canonical text: keys sorted, nodes by id; Flink reads it as it reads its own. */
export function encodeCompiledPlan(plan: CompiledPlan): string {
  const nodes = plan.nodes.toSorted((left, right) => left.id - right.id).map((node) => ({ ...node.json, id: node.id }));
  const edges = plan.edges.map((edge) => ({ ...edge.json, source: edge.source, target: edge.target }));
  return writeExactJson({ flinkVersion: plan.flinkVersion, nodes, edges });
}

/**
 * The same plan with ids from 1, every node after its inputs. Flink's own ids come from a counter of the whole
 * gateway process; these follow from the plan's shape alone, so the same SQL has the same ids each time.
 */
export function renumber(plan: CompiledPlan): CompiledPlan {
  const order = inputsFirst(plan);
  const renumbered = new Map(order.map((id, index) => [id, index + 1]));
  const idOf = (id: number): number => renumbered.get(id) ?? id;
  return {
    flinkVersion: plan.flinkVersion,
    nodes: plan.nodes.map((node) => ({ ...node, id: idOf(node.id) })).toSorted((left, right) => left.id - right.id),
    // Stable: edges of one target keep their order, which is the order of its inputs.
    edges: plan.edges
      .map((edge) => ({ ...edge, source: idOf(edge.source), target: idOf(edge.target) }))
      .toSorted((left, right) => left.target - right.target),
  };
}

/** Node ids, depth first from the sinks, a node after all of its inputs. */
function inputsFirst(plan: CompiledPlan): readonly number[] {
  const inputs = new Map<number, number[]>();
  for (const edge of plan.edges) inputs.set(edge.target, [...(inputs.get(edge.target) ?? []), edge.source]);
  const isInput = new Set(plan.edges.map((edge) => edge.source));
  const seen = new Set<number>();
  const order: number[] = [];
  const visit = (id: number): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const input of inputs.get(id) ?? []) visit(input);
    order.push(id);
  };
  for (const node of plan.nodes) if (!isInput.has(node.id)) visit(node.id);
  for (const node of plan.nodes) visit(node.id);
  return order;
}
