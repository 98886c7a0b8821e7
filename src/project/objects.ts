import type { Attributed } from "./attribution.ts";
import type { Definition, Origin } from "./job.ts";
import { readableSql } from "./readable-sql.ts";
import type { ManifestNode } from "./recording.ts";
import type { StatementShape } from "./statement.ts";

/** What a hook or a model does to the session beside its own object; INSERT, CTAS and the like start jobs instead. */
export function preparesSession(shape: StatementShape): boolean {
  switch (shape.kind) {
    case "set":
    case "use":
    case "create-function":
    case "create-catalog":
    case "create-database":
    case "create-table":
    case "create-view":
      return true;
    case "other":
      return ["ADD", "REMOVE", "LOAD", "UNLOAD", "RESET", "ALTER"].includes(shape.verb);
    default:
      return false;
  }
}

/** Whether a statement makes an object of that relation. */
export function creates(shape: StatementShape, relation: string): boolean {
  if (shape.kind !== "create-table" && shape.kind !== "create-table-as" && shape.kind !== "create-view") return false;
  return shape.name.at(-1) === relation;
}

/**
 * The statements that still count when all have run: of two that make one object the last, unless it was made
 * `if not exists` and the object stood.
 */
export function effective(statements: readonly Attributed[]): readonly Attributed[] {
  const standing = new Map<string, Attributed>();
  const gone = new Set<Attributed>();
  for (const statement of statements) {
    const { shape } = statement;
    if (shape.kind === "drop") standing.delete(shape.name.join("."));
    if (shape.kind !== "create-table" && shape.kind !== "create-table-as" && shape.kind !== "create-view") continue;
    const name = shape.name.join(".");
    const former = standing.get(name);
    if (former !== undefined && shape.ifNotExists) gone.add(statement);
    else standing.set(name, statement);
  }
  return statements.filter((statement) => !gone.has(statement));
}

/**
 * Statements that prepare a session from its beginning: of two that make one object the later, since the DROP between
 * them is no part of a preparation.
 */
export function withoutReplaced<T extends { readonly shape: StatementShape }>(statements: readonly T[]): readonly T[] {
  const nameOf = ({ shape }: T): string | null =>
    shape.kind === "create-table" || shape.kind === "create-view" ? shape.name.join(".") : null;
  const last = new Map(statements.map((statement) => [nameOf(statement), statement]));
  return statements.filter((statement) => nameOf(statement) === null || last.get(nameOf(statement)) === statement);
}

/** One definition of a job from a statement that makes a node's object or prepares the session. */
export function definitionOf(
  sql: string,
  shape: StatementShape,
  node: ManifestNode | null,
  origin: Origin,
): Definition {
  const readable = readableSql(sql);
  if (node === null || !creates(shape, node.relation)) return { kind: "statement", name: null, sql: readable, origin };
  const name = node.relation;
  switch (shape.kind) {
    case "create-table-as":
      return { kind: "table-as", name, sql: readable, origin, select: shape.parts };
    case "create-view":
      return { kind: "view", name, sql: readable, origin };
    default:
      return { kind: "table", name, sql: readable, origin };
  }
}
