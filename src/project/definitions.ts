import { type Attributed, attribute } from "./attribution.ts";
import { groupBy } from "./group-by.ts";
import type { Definition, Finding } from "./job.ts";
import { creates, definitionOf, effective, preparesSession, withoutReplaced } from "./objects.ts";
import type { ManifestNode, Recording } from "./recording.ts";
import { shapeOf } from "./statement.ts";

/** Everything that is looked up while jobs are made. */
export interface Context {
  readonly recording: Recording;
  readonly nodes: ReadonlyMap<string, ManifestNode>;
  readonly statements: readonly Attributed[];
  readonly byNode: ReadonlyMap<string, readonly Attributed[]>;
  /** What the project's on-run-start hooks prepare, for every job alike. */
  readonly prepared: readonly Placed[];
  /** Definitions by statement: the same source is read by many jobs. */
  readonly known: Map<Attributed, Definition>;
}

/** A definition and the place of its statement in the recording. */
export interface Placed {
  readonly at: number;
  readonly definition: Definition;
}

/** Attributes a recording and indexes it. */
export function contextOf(recording: Recording): Context {
  const statements = effective(attribute(recording));
  return {
    recording,
    nodes: new Map(recording.nodes.map((node) => [node.uniqueId, node])),
    statements,
    byNode: groupBy(statements, ({ owner }) => (owner.kind === "node" ? owner.id : "")),
    prepared: withoutReplaced(
      statements.filter(({ owner, shape }) => owner.kind === "start-hook" && preparesSession(shape)),
    ).map(({ at, sql, shape }) => ({ at, definition: definitionOf(sql, shape, null, { nodeId: null, file: null }) })),
    known: new Map(),
  };
}

/** The statements of one node, in order. */
export function ownStatements(context: Context, node: ManifestNode): readonly Attributed[] {
  return context.byNode.get(node.uniqueId) ?? [];
}

/** Where a suspended model's table was dropped: there it would have been made; the end, where nothing was sent. */
export function suspendedPlace(context: Context, node: ManifestNode): number {
  const drop = context.statements.findLast(({ shape }) => shape.kind === "drop" && shape.name.at(-1) === node.relation);
  return drop?.at ?? context.recording.statements.length;
}

/** What a model that starts at `before` reads, in the order sent, behind what the project's hooks prepare. */
export function definitionsOf(
  context: Context,
  model: ManifestNode,
  before: number,
): { readonly definitions: readonly Definition[]; readonly findings: readonly Finding[] } {
  const read = closureOf(context, model).map((node) => ({ node, placed: objectOf(context, node, before) }));
  const placed: readonly Placed[] = [...context.prepared, ...read.flatMap((object) => object.placed)];
  return {
    definitions: placed.toSorted((a, b) => a.at - b.at).map(({ definition }) => definition),
    findings: read.flatMap(({ node, placed }) => (placed.length === 0 ? [notRecorded(node)] : [])),
  };
}

/** The nodes that a model reads, directly or not; ephemeral ones are inlined by dbt and only lead on. */
function closureOf(context: Context, model: ManifestNode): readonly ManifestNode[] {
  const found = new Set<string>();
  const visit = (ids: readonly string[]): void => {
    for (const id of ids) {
      if (found.has(id) || id === model.uniqueId) continue;
      found.add(id);
      visit(context.nodes.get(id)?.dependsOn ?? []);
    }
  };
  visit(model.dependsOn);
  return [...found].flatMap((id) => context.nodes.get(id) ?? []).filter(isObject);
}

function isObject(node: ManifestNode): boolean {
  return ["model", "seed", "source", "snapshot"].includes(node.resourceType) && node.materialized !== "ephemeral";
}

/** A node's object and what prepares the session for it, as they stood before `before`. */
function objectOf(context: Context, node: ManifestNode, before: number): readonly Placed[] {
  const own = ownStatements(context, node).filter(({ at }) => at < before);
  const made = own.findLast(({ shape }) => creates(shape, node.relation));
  if (made === undefined) return writtenObject(context, node);
  const isTableModel = made.shape.kind === "create-table-as";
  const kept = own.filter((statement) => {
    const { at, shape } = statement;
    if (statement !== made && (creates(shape, node.relation) || !preparesSession(shape))) return false;
    // A table model's hooks belong to its own job; what its SELECT needs to be understood was there before it.
    return !(isTableModel && (at > made.at || shape.kind === "set"));
  });
  return withoutReplaced(kept).map((statement) => ({
    at: statement.at,
    definition: knownDefinition(context, statement, node),
  }));
}

function knownDefinition(context: Context, statement: Attributed, node: ManifestNode): Definition {
  const known = context.known.get(statement);
  if (known !== undefined) return known;
  const definition = definitionOf(statement.sql, statement.shape, node, originOf(node));
  context.known.set(statement, definition);
  return definition;
}

/** A suspended model that another one reads, or a model that this run left out: only dbt's target folder has it. */
function writtenObject(context: Context, node: ManifestNode): readonly Placed[] {
  const written = context.recording.written[node.uniqueId] ?? "";
  const shape = shapeOf(written);
  if (!creates(shape, node.relation)) return [];
  return [{ at: suspendedPlace(context, node), definition: definitionOf(written, shape, node, originOf(node)) }];
}

/** The node and its file. */
export function originOf(node: ManifestNode): { readonly nodeId: string; readonly file: string } {
  return { nodeId: node.uniqueId, file: node.file };
}

function notRecorded(node: ManifestNode): Finding {
  const message = `${node.resourceType} ${node.name} is read by a job, but dbt sent nothing that creates ${node.relation}.`;
  return { severity: "warning", code: "unknown", message, job: null, file: node.file, line: null };
}
