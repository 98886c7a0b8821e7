import { readName, skipWords } from "../project/token-reader.ts";
import { meaningful, type Token, tokenize } from "../project/tokens.ts";

/**
 * What of a project's statement is run while planning. A catalog that init SQL or the project brings in may outlive
 * the session, and nothing in it is made, changed or dropped: only the session's own built-in catalog is.
 */
export type Planned =
  | { readonly kind: "run"; readonly sql: string }
  /** It would change a catalog, and no temporary object can take its place. */
  | { readonly kind: "left-out" }
  /**
   * A table that only its catalog can make (Paimon, Iceberg): what reads it is understood with a temporary one of the
   * same columns, but not planned, since that one is of another connector.
   */
  | { readonly kind: "stand-in"; readonly sql: string };

/** The catalog of a session that nothing was done to; it is in memory and ends with the session. */
export const builtInCatalog = "default_catalog";

/** Pure. `currentCatalog` is that of the session; null where it can be no other than the built-in one. */
export function forPlanning(sql: string, currentCatalog: string | null): Planned {
  const tokens = meaningful(tokenize(sql));
  const [verb, object, at] = readHead(tokens);
  if (object === null || isTemporary(tokens)) return { kind: "run", sql };
  // A catalog is registered in the session only; what it holds is not touched by that.
  if (object === "CATALOG") return verb === "CREATE" ? { kind: "run", sql } : { kind: "left-out" };
  // A view always can be temporary, it is expanded.
  if (object === "VIEW" && verb !== "ALTER") return { kind: "run", sql: asTemporary(sql, tokens) };
  if (isBuiltIn(catalogOf(tokens, at, object) ?? currentCatalog)) return { kind: "run", sql };
  const canBeTemporary = object === "TABLE" || object === "FUNCTION";
  if (verb === "ALTER" || !canBeTemporary) return { kind: "left-out" };
  const temporary = asTemporary(sql, tokens);
  const belongsToCatalog = verb === "CREATE" && object === "TABLE" && !hasConnector(tokens);
  return belongsToCatalog ? { kind: "stand-in", sql: withConnector(temporary) } : { kind: "run", sql: temporary };
}

function isBuiltIn(catalog: string | null): boolean {
  return catalog === null || catalog === builtInCatalog;
}

/** CREATE, ALTER or DROP with what it is about, and where the name begins; null objects are none of a catalog. */
function readHead(tokens: readonly Token[]): readonly [string, string | null, number] {
  const verb = tokens[0]?.text.toUpperCase() ?? "";
  if (!["CREATE", "ALTER", "DROP"].includes(verb)) return [verb, null, 0];
  let at = skipWords(tokens, 1, ["OR", "REPLACE"]);
  for (const word of ["TEMPORARY", "SYSTEM", "MATERIALIZED"]) at = skipWords(tokens, at, [word]);
  const object = tokens[at]?.text.toUpperCase() ?? "";
  const name = skipWords(tokens, skipWords(tokens, at + 1, ["IF", "NOT", "EXISTS"]), ["IF", "EXISTS"]);
  return [verb, object, name];
}

function isTemporary(tokens: readonly Token[]): boolean {
  return skipWords(tokens, 1, ["TEMPORARY"]) === 2;
}

/** The catalog that a name is written with; null where it is that of the session. */
function catalogOf(tokens: readonly Token[], at: number, object: string): string | null {
  const parts = readName(tokens, at)?.name ?? [];
  const withCatalog = object === "DATABASE" ? 2 : 3;
  return parts.length >= withCatalog ? (parts[0] ?? null) : null;
}

function asTemporary(sql: string, tokens: readonly Token[]): string {
  const end = tokens[0]?.end ?? 0;
  return `${sql.slice(0, end)} TEMPORARY${sql.slice(end)}`;
}

/** Of its own, or that of the table that it is like. */
export function hasConnector(tokens: readonly Token[]): boolean {
  return tokens.some(
    (token, at) =>
      (token.text === "'connector'" && tokens[at + 1]?.text === "=") ||
      (token.kind === "word" && token.text.toUpperCase() === "LIKE"),
  );
}

/** A table without a connector may be refused where a catalog manages such tables. */
export function withConnector(sql: string): string {
  const tokens = meaningful(tokenize(sql)).filter(({ text }) => text !== ";");
  const end = tokens.at(-1)?.end ?? sql.length;
  const option = "'connector' = 'blackhole'";
  const opening = tokens.find((_token, at) => isOptions(tokens, at));
  if (opening === undefined) return `${sql.slice(0, end)} WITH (${option})`;
  const isEmpty = tokens[tokens.indexOf(opening) + 1]?.text === ")";
  return `${sql.slice(0, opening.end)}${option}${isEmpty ? "" : ", "}${sql.slice(opening.end, end)}`;
}

/** Whether the token is the parenthesis after a WITH outside of any other. */
function isOptions(tokens: readonly Token[], at: number): boolean {
  if (tokens[at]?.text !== "(" || tokens[at - 1]?.text.toUpperCase() !== "WITH") return false;
  const before = tokens.slice(0, at);
  return before.filter(({ text }) => text === "(").length === before.filter(({ text }) => text === ")").length;
}

/** True where one of these brings in a catalog, which may be one that outlives the session. */
export function namesCatalog(statements: readonly string[]): boolean {
  return statements.some((sql) => /\bcatalog\b/i.test(sql));
}
