import { holdsPassword, maskSecrets } from "../secrets.ts";
import type { Attributed } from "./attribution.ts";
import { groupBy } from "./group-by.ts";
import { adapterWouldBreakOn, describeProblem, executionConfigOf, unsafeConfig } from "./hint-problems.ts";
import { parseHints } from "./hints.ts";
import type { Finding, JobDefinition } from "./job.ts";
import { unknownModes } from "./job-modes.ts";
import { preparesSession } from "./objects.ts";
import { readableSql } from "./readable-sql.ts";
import type { ManifestNode } from "./recording.ts";
import { countStatements } from "./split-statements.ts";

/** Hints of a model that the adapter reads otherwise than they are written. */
export function hintFindings(node: ManifestNode, sql: string): readonly Finding[] {
  const configured = unsafeConfig(executionConfigOf(node.config));
  const problems = configured.length > 0 ? configured : adapterWouldBreakOn(sql);
  return problems.map((problem) => ({
    severity: "error",
    code: "hint-unsafe",
    message: `${node.name}: ${describeProblem(problem)}`,
    job: null,
    file: node.file,
    line: null,
  }));
}

/** Modes that are none: the adapter ends with a Python error on them. */
export function modeFindings(node: ManifestNode, sql: string): readonly Finding[] {
  return unknownModes(parseHints(sql), node.config).map(({ setting, value, known }) => ({
    severity: "error",
    code: "model-invalid",
    message: `${node.name}: ${setting} is \`${value}\`; it can be ${known.join(" or ")}.`,
    job: null,
    file: node.file,
    line: null,
  }));
}

/** A path with a password in it would be written into the ledger and shown; no file system of Flink's needs one. */
export function passwordsInPaths(jobs: readonly JobDefinition[]): readonly Finding[] {
  return jobs
    .filter(({ startFrom }) => startFrom !== null && holdsPassword(startFrom))
    .map(({ name, origin }) => ({
      severity: "error",
      code: "model-invalid",
      message: `The savepoint path of ${name} holds a password, which would be stored and shown; take it out, and give it to Flink in its own configuration.`,
      job: name,
      file: origin.file,
      line: null,
    }));
}

/** Jobs of one name: Flink and the adapter tell jobs apart by nothing else. */
export function duplicateNames(jobs: readonly JobDefinition[]): readonly Finding[] {
  return [...groupBy(jobs, (job) => job.name)].flatMap(([name, same]) => {
    if (same.length < 2) return [];
    const files = same.map((job) => job.origin.file ?? job.relation);
    const message = `The job name ${name} is used by ${files.join(" and ")}; set a pipeline.name of its own for each.`;
    return [{ severity: "error", code: "duplicate-job-name", message, job: name, file: files[0] ?? null, line: null }];
  });
}

/** Texts of more than one statement, as a `sql_header` makes them: the SQL Gateway takes one at a time. */
export function severalStatements(
  nodes: readonly ManifestNode[],
  statements: readonly Attributed[],
): readonly Finding[] {
  return statements.flatMap(({ owner, sql }) => {
    if (owner.kind === "adapter" || countStatements(sql) < 2) return [];
    const node = owner.kind === "node" ? nodes.find(({ uniqueId }) => uniqueId === owner.id) : undefined;
    const where = node?.name ?? "A hook";
    const message = `${where} sends ${countStatements(sql)} statements at once; the SQL Gateway takes one at a time: ${maskSecrets(firstLine(readableSql(sql)))}`;
    return [{ severity: "error", code: "model-invalid", message, job: null, file: node?.file ?? null, line: null }];
  });
}

/** What dbt goes on doing: rows of seeds, snapshots, other materializations, hooks that are no preparation. */
export function leftAlone(nodes: readonly ManifestNode[], statements: readonly Attributed[]): readonly Finding[] {
  const byNode = nodes.flatMap((node) => {
    const reason = whyLeftAlone(node, statements);
    return reason === null ? [] : [note(`${node.name}: ${reason}`, node.file)];
  });
  const byHook = statements.flatMap(({ owner, shape, sql }) => {
    const isLeft = owner.kind === "end-hook" || owner.kind === "unknown" || !preparesSession(shape);
    const isOurs = owner.kind === "node" || owner.kind === "adapter";
    if (isOurs || !isLeft) return [];
    const where = owner.kind === "end-hook" ? "on-run-end" : owner.kind === "start-hook" ? "on-run-start" : "A hook";
    return [note(`${where} is left to dbt: ${maskSecrets(firstLine(readableSql(sql)))}`, null)];
  });
  return [...byNode, ...byHook];
}

function whyLeftAlone(node: ManifestNode, statements: readonly Attributed[]): string | null {
  if (node.resourceType === "snapshot") return "snapshots are left to dbt.";
  if (node.resourceType === "seed") {
    const fills = statements.some(
      ({ owner, shape }) => owner.kind === "node" && owner.id === node.uniqueId && shape.kind === "insert",
    );
    return fills ? "the rows of seeds are left to `dbt seed`; only the table is created here." : null;
  }
  if (node.resourceType !== "model" || ["table", "view", "ephemeral"].includes(node.materialized ?? "")) return null;
  return `materialized ${node.materialized ?? "as nothing"} is left to dbt; only table models become jobs.`;
}

function note(message: string, file: string | null): Finding {
  return { severity: "note", code: "left-alone", message, job: null, file, line: null };
}

function firstLine(sql: string): string {
  const [first = "", ...rest] = sql.split("\n");
  return rest.length === 0 ? first : `${first} ...`;
}
