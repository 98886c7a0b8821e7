import type { Job, Program, ProgramStatement } from "../project/job.ts";
import { canonicalSql } from "../project/statement.ts";
import { type TableParts, tableParts } from "../project/table-parts.ts";
import { isSecretKey, maskSecrets } from "../secrets.ts";
import type { Reason } from "./plan.ts";

/** Why two programs differ, object by object, in a reviewer's words; empty where they mean the same to Flink. */
export function programReasons(before: Job, after: Job): readonly Reason[] {
  const [old, now] = [before.program, after.program];
  return [
    ...setupReasons(old, now),
    ...modelReasons(before, after),
    ...configReasons(old, now),
    ...hookReasons("pre-hook", old.preHooks, now.preHooks),
    ...hookReasons("post-hook", old.postHooks, now.postHooks),
  ];
}

function setupReasons(before: Program, after: Program): readonly Reason[] {
  const old = objectsOf(before);
  const now = objectsOf(after);
  const names = [...new Set([...now.keys(), ...old.keys()])];
  return [
    ...names.flatMap((name) => objectReasons(old.get(name), now.get(name))),
    ...statementReasons(statementsOf(before), statementsOf(after)),
  ];
}

function objectReasons(before: ProgramStatement | undefined, after: ProgramStatement | undefined): readonly Reason[] {
  const either = after ?? before;
  if (either === undefined) return [];
  const object = titleOf(either);
  if (before === undefined) return [{ object, text: `${object} is read now` }];
  if (after === undefined) return [{ object, text: `${object} is no longer read` }];
  if (sameSql(before.sql, after.sql)) return [];
  return detailsOf(before.sql, after.sql).map((detail) => ({ object, text: `${object}${detail}` }));
}

/** The model's own table and query. */
function modelReasons(before: Job, after: Job): readonly Reason[] {
  const object = titleOf(after.program.sink);
  const sink = sameSql(before.program.sink.sql, after.program.sink.sql)
    ? []
    : detailsOf(before.program.sink.sql, after.program.sink.sql);
  const query = sameSql(before.program.insert, after.program.insert) ? [] : [": SELECT changed"];
  return [...query, ...sink].map((detail) => ({ object, text: `${object}${detail}` }));
}

function configReasons(before: Program, after: Program): readonly Reason[] {
  const mode =
    before.runtimeMode === after.runtimeMode ? [] : [`runtime mode ${before.runtimeMode} → ${after.runtimeMode}`];
  const keys = [...new Set([...Object.keys(before.executionConfig), ...Object.keys(after.executionConfig)])].sort();
  const changed = keys.flatMap((key) => {
    const [old, now] = [before.executionConfig[key], after.executionConfig[key]];
    return old === now ? [] : [`${key} ${valueChange(key, old, now, (value) => value)}`];
  });
  return [...mode, ...changed].map((text) => ({ object: "config", text }));
}

function hookReasons(kind: string, before: readonly string[], after: readonly string[]): readonly Reason[] {
  if (before.map(canonicalSql).join("\n") === after.map(canonicalSql).join("\n")) return [];
  const verb = before.length === 0 ? "added" : after.length === 0 ? "removed" : "changed";
  return [{ object: kind, text: `${kind} ${verb}` }];
}

function statementReasons(before: readonly string[], after: readonly string[]): readonly Reason[] {
  const reason = (verb: string) => (sql: string) => ({
    object: "setup statement",
    text: `setup statement ${verb}: ${shortened(maskSecrets(sql))}`,
  });
  const added = after.filter((sql) => !before.includes(sql)).map(reason("added"));
  const removed = before.filter((sql) => !after.includes(sql)).map(reason("removed"));
  const isReordered = added.length === 0 && removed.length === 0 && before.join("\n") !== after.join("\n");
  return isReordered
    ? [{ object: "setup statement", text: "setup statements run in another order" }]
    : [...added, ...removed];
}

/** What differs between two CREATEs of one object, as `: column x added` or ` changed`. */
function detailsOf(before: string, after: string): readonly string[] {
  const [old, now] = [tableParts(before), tableParts(after)];
  const details = old === null || now === null ? [] : tableDetails(old, now);
  return details.length === 0 ? [" changed"] : details.map((detail) => `: ${detail}`);
}

function tableDetails(before: TableParts, after: TableParts): readonly string[] {
  const isReordered =
    [...before.columns.keys()].join("\n") !== [...after.columns.keys()].join("\n") &&
    [...before.columns.keys()].sort().join("\n") === [...after.columns.keys()].sort().join("\n");
  return [
    ...mapDetails(before.columns, after.columns, (name, old, now) => {
      if (old === undefined) return `column ${name} added`;
      return now === undefined ? `column ${name} removed` : `column ${name} ${old} → ${now}`;
    }),
    ...(isReordered ? ["columns in another order"] : []),
    ...(before.watermark === after.watermark ? [] : [`watermark ${verbOf(before.watermark, after.watermark)}`]),
    ...(before.constraints.join() === after.constraints.join() ? [] : ["key changed"]),
    ...mapDetails(before.options, after.options, (key, old, now) => {
      return `option '${key}' ${valueChange(key, old, now, (value) => `'${value}'`)}`;
    }),
    ...(before.clauses === after.clauses
      ? []
      : [`${after.clauses || before.clauses} ${verbOf(before.clauses || null, after.clauses || null)}`]),
  ];
}

function mapDetails(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  say: (key: string, old: string | undefined, now: string | undefined) => string,
): readonly string[] {
  const keys = [...new Set([...after.keys(), ...before.keys()])];
  return keys.flatMap((key) => {
    const [old, now] = [before.get(key), after.get(key)];
    return old === now ? [] : [say(key, old, now)];
  });
}

function valueChange(
  key: string,
  before: string | undefined,
  after: string | undefined,
  show: (value: string) => string,
): string {
  const shown = (value: string): string => show(shortened(isSecretKey(key) ? "******" : maskSecrets(value)));
  if (before === undefined) return `added: ${shown(after ?? "")}`;
  if (after === undefined) return `removed (was ${shown(before)})`;
  return shown(before) === shown(after) ? "changed" : `${shown(before)} → ${shown(after)}`;
}

function verbOf(before: string | null, after: string | null): string {
  if (before === null) return "added";
  return after === null ? "removed" : "changed";
}

/** `source raw.orders`, `view order_view`, `model per_customer`: by what dbt calls it, where dbt knows it. */
export function titleOf({ kind, name, origin }: ProgramStatement): string {
  const [type, , ...rest] = (origin.nodeId ?? "").split(".");
  if (type === "source" && rest.length > 0) return `source ${rest.join(".")}`;
  if (type === "seed") return `seed ${name ?? rest.join(".")}`;
  if (kind === "view") return `view ${name ?? rest.join(".")}`;
  return type === "model" ? `model ${rest.join(".")}` : `table ${name ?? ""}`;
}

function objectsOf(program: Program): ReadonlyMap<string, ProgramStatement> {
  return new Map(program.setup.flatMap((one) => (one.kind === "statement" ? [] : [[one.name ?? one.sql, one]])));
}

function statementsOf(program: Program): readonly string[] {
  return program.setup.flatMap((one) => (one.kind === "statement" ? [canonicalSql(one.sql)] : []));
}

function sameSql(left: string, right: string): boolean {
  return left === right || canonicalSql(left) === canonicalSql(right);
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
