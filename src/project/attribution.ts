import { groupBy } from "./group-by.ts";
import type { Config } from "./job.ts";
import type { ManifestNode, RecordedStatement, Recording } from "./recording.ts";
import { type ObjectName, type StatementShape, shapeOf } from "./statement.ts";

/** Whom a statement belongs to: a dbt node, a project hook before or after the models, or the adapter itself. */
export type Owner =
  | { readonly kind: "node"; readonly id: string }
  | { readonly kind: "start-hook" | "end-hook" | "adapter" | "unknown" };

/** A recorded statement with its place in the recording, what it does and whom it belongs to. */
export interface Attributed {
  readonly at: number;
  readonly sql: string;
  readonly executionConfig: Config;
  readonly shape: StatementShape;
  readonly owner: Owner;
}

/**
 * Tells whom each recorded statement belongs to. dbt's query comment names the node of most; sources, seeds' rows
 * and statements of a project without query comments are known by the relation they make or fill.
 */
export function attribute(recording: Recording): readonly Attributed[] {
  const nodes = new Map(recording.nodes.map((node) => [node.uniqueId, node]));
  const byRelation = groupBy(recording.nodes, (node) => node.relation);
  const shaped = recording.statements.map((statement) => ({ statement, shape: shapeOf(statement.sql) }));
  const owners = shaped.map(({ statement, shape }) => ownerOf(statement, shape, nodes, byRelation));
  const models = shaped.flatMap(({ shape }, at) => (isOfModel(owners[at], shape, nodes, byRelation) ? [at] : []));
  const [first, last] = [models[0] ?? shaped.length, models.at(-1) ?? shaped.length];
  return shaped.map(({ statement, shape }, at) => {
    const hook = at < first ? "start-hook" : at > last ? "end-hook" : "unknown";
    const owner = owners[at] ?? { kind: hook };
    return { at, sql: statement.sql, executionConfig: statement.executionConfig, shape, owner };
  });
}

type Nodes = ReadonlyMap<string, ManifestNode>;
type Relations = ReadonlyMap<string, readonly ManifestNode[]>;

/** Null for a statement of a project hook, whose side only its place tells. */
function ownerOf(
  statement: RecordedStatement,
  shape: StatementShape,
  nodes: Nodes,
  relations: Relations,
): Owner | null {
  const named = statement.nodeId === null ? undefined : nodes.get(statement.nodeId);
  const isOperation = statement.nodeId === null || /^operation\./.test(statement.nodeId);
  if (!isOperation && named?.resourceType !== "operation") {
    return named === undefined ? { kind: "adapter" } : { kind: "node", id: named.uniqueId };
  }
  if (changesNothing(shape, statement.sql)) return { kind: "adapter" };
  const node = nodeByRelation(shape, relations);
  return node === null ? null : { kind: "node", id: node.uniqueId };
}

/** What the adapter sends by itself, with no comment, and queries: SHOW JOBS, STOP JOB, DROP, SET of the runtime mode. */
function changesNothing(shape: StatementShape, sql: string): boolean {
  switch (shape.kind) {
    case "show":
    case "describe":
    case "select":
    case "explain":
    case "drop":
      return true;
    case "set":
      return shape.key === "execution.runtime-mode" && /^SET /.test(sql);
    case "other":
      return ["", "STOP", "COMMIT", "BEGIN", "ROLLBACK"].includes(shape.verb);
    default:
      return false;
  }
}

/** The node whose relation a statement makes or fills. */
function nodeByRelation(shape: StatementShape, relations: Relations): ManifestNode | null {
  switch (shape.kind) {
    case "create-table":
      return find(shape.name, relations, ["source", "seed"]);
    case "create-table-as":
    case "create-view":
      return find(shape.name, relations, ["model"]);
    case "insert":
      return find(shape.target, relations, ["seed"]);
    default:
      return null;
  }
}

function find(name: ObjectName, relations: Relations, types: readonly string[]): ManifestNode | null {
  return relations.get(name.join("."))?.find((node) => types.includes(node.resourceType)) ?? null;
}

/** Whether a statement was sent while dbt ran models and seeds; the DROP before a model names no node. */
function isOfModel(
  owner: Owner | null | undefined,
  shape: StatementShape,
  nodes: Nodes,
  relations: Relations,
): boolean {
  if (owner?.kind === "node") return nodes.get(owner.id)?.resourceType !== "source";
  return shape.kind === "drop" && find(shape.name, relations, ["model", "seed"]) !== null;
}
