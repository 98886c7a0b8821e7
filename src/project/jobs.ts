import { type Context, contextOf, definitionsOf, originOf, ownStatements, suspendedPlace } from "./definitions.ts";
import { parseHints } from "./hints.ts";
import type { CreateTableAs, Finding, JobDefinition } from "./job.ts";
import {
  duplicateNames,
  hintFindings,
  leftAlone,
  modeFindings,
  passwordsInPaths,
  severalStatements,
} from "./job-findings.ts";
import { modesOf } from "./job-modes.ts";
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

/** The jobs that a recording describes. Pure; what cannot become a job is a finding. */
export function jobsOf(recording: Recording): RecordedJobs {
  const context = contextOf(recording);
  const models = recording.nodes.filter((node) => node.resourceType === "model" && isWanted(node, recording));
  const tables = models.filter((node) => node.materialized === "table");
  const starts = tables.flatMap((node) => findStart(context, node) ?? []).sort((a, b) => a.at - b.at);
  const made = starts.map((start) => makeJob(context, start));
  const started = new Set(starts.map(({ node }) => node.uniqueId));
  return {
    jobs: made.map(({ job }) => job),
    findings: [
      ...severalStatements(recording.nodes, context.statements),
      ...tables.flatMap((node) => (started.has(node.uniqueId) ? [] : [nothingSent(node)])),
      ...tables.flatMap((node) => hintFindings(node, textOf(context, node))),
      ...tables.flatMap((node) => modeFindings(node, textOf(context, node))),
      ...distinct(made.flatMap(({ findings }) => findings)),
      ...duplicateNames(made.map(({ job }) => job)),
      ...passwordsInPaths(made.map(({ job }) => job)),
      ...leftAlone(recording.nodes, context.statements),
    ],
  };
}

function isWanted(node: ManifestNode, recording: Recording): boolean {
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

function textOf(context: Context, node: ManifestNode): string {
  const sent = ownStatements(context, node).findLast(({ shape }) => shape.kind === "create-table-as");
  return sent?.sql ?? context.recording.written[node.uniqueId] ?? "";
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
  const { definitions, findings } = definitionsOf(context, node, start.at);
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

function nothingSent(node: ManifestNode): Finding {
  const message = `dbt sent no CREATE TABLE ... AS for ${node.name}, so it is no job here; run dbt on it by itself to see why.`;
  return { severity: "error", code: "unknown", message, job: null, file: node.file, line: null };
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.message, finding])).values()];
}
