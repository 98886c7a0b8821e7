import { type Attributed, attribute } from "./attribution.ts";
import { parseHints } from "./hints.ts";
import type { CreateTableAs, Definition, Finding, JobDefinition } from "./job.ts";
import { duplicateNames, hintFindings, leftAlone, modeFindings } from "./job-findings.ts";
import { modesOf } from "./job-modes.ts";
import { creates, definitionOf, effective, preparesSession } from "./objects.ts";
import { readableSql } from "./readable-sql.ts";
import type { ManifestNode, Recording } from "./recording.ts";
import { shapeOf } from "./statement.ts";

/** What dbt made of a recording: its jobs in the order sent, and what is wrong with it or left to dbt. */
export interface RecordedJobs {
  readonly jobs: readonly JobDefinition[];
  readonly findings: readonly Finding[];
}

/** The statement that makes a table model's table and starts its job, as recorded or, when suspended, as written. */
interface Start {
  readonly node: ManifestNode;
  /** Its place among the recorded statements. */
  readonly at: number;
  readonly sql: string;
  readonly sink: CreateTableAs;
  readonly executionConfig: Readonly<Record<string, string>>;
}

/** Everything that is looked up while jobs are made. */
interface Context {
  readonly recording: Recording;
  readonly nodes: ReadonlyMap<string, ManifestNode>;
  readonly statements: readonly Attributed[];
  readonly byNode: ReadonlyMap<string, readonly Attributed[]>;
  /** What the project's on-run-start hooks prepare, for every job alike. */
  readonly prepared: readonly Placed[];
  /** Definitions by statement: the same source is read by many jobs. */
  readonly known: Map<Attributed, Definition>;
}

interface Placed {
  readonly at: number;
  readonly definition: Definition;
}

/** The jobs that a recording describes. Pure; what cannot become a job is a finding. */
export function jobsOf(recording: Recording): RecordedJobs {
  const context = contextOf(recording);
  const models = recording.nodes.filter((node) => node.resourceType === "model" && wasRun(node, recording));
  const tables = models.filter((node) => node.materialized === "table");
  const starts = tables.flatMap((node) => findStart(context, node) ?? []).sort((a, b) => a.at - b.at);
  const made = starts.map((start) => makeJob(context, start));
  const started = new Set(starts.map(({ node }) => node.uniqueId));
  return {
    jobs: made.map(({ job }) => job),
    findings: [
      ...tables.flatMap((node) => (started.has(node.uniqueId) ? [] : [nothingSent(node)])),
      ...tables.flatMap((node) => hintFindings(node, textOf(context, node))),
      ...tables.flatMap((node) => modeFindings(node, textOf(context, node))),
      ...distinct(made.flatMap(({ findings }) => findings)),
      ...duplicateNames(made.map(({ job }) => job)),
      ...leftAlone(recording.nodes, context.statements),
    ],
  };
}

function contextOf(recording: Recording): Context {
  const statements = effective(attribute(recording));
  return {
    recording,
    nodes: new Map(recording.nodes.map((node) => [node.uniqueId, node])),
    statements,
    byNode: Map.groupBy(statements, ({ owner }) => (owner.kind === "node" ? owner.id : "")),
    prepared: statements
      .filter(({ owner, shape }) => owner.kind === "start-hook" && preparesSession(shape))
      .map(({ at, sql, shape }) => ({ at, definition: definitionOf(sql, shape, null, { nodeId: null, file: null }) })),
    known: new Map(),
  };
}

function wasRun(node: ManifestNode, recording: Recording): boolean {
  return recording.selected === null || recording.selected.includes(node.uniqueId);
}

function findStart(context: Context, node: ManifestNode): Start | null {
  const sent = ownStatements(context, node).findLast(({ shape }) => shape.kind === "create-table-as");
  if (sent?.shape.kind === "create-table-as") {
    return { node, at: sent.at, sql: sent.sql, sink: sent.shape.parts, executionConfig: sent.executionConfig };
  }
  const written = context.recording.written[node.uniqueId] ?? "";
  const shape = shapeOf(written);
  const hints = parseHints(written);
  if (shape.kind !== "create-table-as" || hints.jobState?.toLowerCase() !== "suspended") return null;
  const at = suspendedPlace(context, node);
  return { node, at, sql: written, sink: shape.parts, executionConfig: hints.executionConfig ?? {} };
}

/** Where a suspended model's table was dropped: there it would have been made; the end, where nothing was sent. */
function suspendedPlace(context: Context, node: ManifestNode): number {
  const drop = context.statements.findLast(({ shape }) => shape.kind === "drop" && shape.name.at(-1) === node.relation);
  return drop?.at ?? context.recording.statements.length;
}

function textOf(context: Context, node: ManifestNode): string {
  const sent = ownStatements(context, node).findLast(({ shape }) => shape.kind === "create-table-as");
  return sent?.sql ?? context.recording.written[node.uniqueId] ?? "";
}

function ownStatements(context: Context, node: ManifestNode): readonly Attributed[] {
  return context.byNode.get(node.uniqueId) ?? [];
}

function makeJob(
  context: Context,
  start: Start,
): { readonly job: JobDefinition; readonly findings: readonly Finding[] } {
  const { node } = start;
  const own = ownStatements(context, node).filter(({ shape, at }) => at !== start.at && isHook(shape.kind));
  const {
    "execution.savepoint.path": savepoint,
    "execution.state-recovery.path": recovery,
    ...executionConfig
  } = start.executionConfig;
  const { definitions, findings } = definitionsOf(context, start);
  const job = {
    name: executionConfig["pipeline.name"] ?? node.relation,
    origin: originOf(node),
    relation: node.relation,
    ...modesOf(parseHints(start.sql), node.config),
    executionConfig,
    startFrom: savepoint ?? recovery ?? null,
    definitions,
    sink: start.sink,
    preHooks: own.filter(({ at }) => at < start.at).map(({ sql }) => readableSql(sql)),
    postHooks: own.filter(({ at }) => at > start.at).map(({ sql }) => readableSql(sql)),
  };
  return { job, findings };
}

/** A model's macros may also ask the session; only what does something is a hook. */
function isHook(kind: string): boolean {
  return !["show", "describe", "select", "explain"].includes(kind);
}

function definitionsOf(
  context: Context,
  start: Start,
): { readonly definitions: readonly Definition[]; readonly findings: readonly Finding[] } {
  const read = closureOf(context, start.node).map((node) => ({ node, placed: objectOf(context, node, start.at) }));
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
  return own.flatMap((statement) => {
    const { at, shape } = statement;
    if (statement !== made && (creates(shape, node.relation) || !preparesSession(shape))) return [];
    // A table model's hooks belong to its own job; what its SELECT needs to be understood was there before it.
    if (isTableModel && (at > made.at || shape.kind === "set")) return [];
    return [{ at, definition: knownDefinition(context, statement, node) }];
  });
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

function originOf(node: ManifestNode): { readonly nodeId: string; readonly file: string } {
  return { nodeId: node.uniqueId, file: node.file };
}

function nothingSent(node: ManifestNode): Finding {
  const message = `dbt sent no CREATE TABLE ... AS for ${node.name}, so it is no job here; run dbt on it by itself to see why.`;
  return { severity: "error", code: "unknown", message, job: null, file: node.file, line: null };
}

function notRecorded(node: ManifestNode): Finding {
  const message = `${node.resourceType} ${node.name} is read by a job, but dbt sent nothing that creates ${node.relation}.`;
  return { severity: "warning", code: "unknown", message, job: null, file: node.file, line: null };
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.message, finding])).values()];
}
