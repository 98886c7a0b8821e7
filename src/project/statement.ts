import { type CreateHead, readCreateHead } from "./create-head.ts";
import type { CreateTableAs } from "./job.ts";
import { readableClauses, readableQuery } from "./readable-sql.ts";
import { readName, skipWords, withoutSemicolons } from "./token-reader.ts";
import { meaningful, type Token, tokenize } from "./tokens.ts";

export { canonicalSql } from "./canonical-sql.ts";
export { readableSql } from "./readable-sql.ts";
export { splitStatements } from "./split-statements.ts";

/** An object's name, its parts without quotes: `` `db`.t `` is `["db", "t"]`. */
export type ObjectName = readonly string[];

interface Created {
  readonly name: ObjectName;
  readonly temporary: boolean;
  readonly ifNotExists: boolean;
}

/** What a statement does, as far as anything here depends on it. */
export type StatementShape =
  | ({ readonly kind: "create-table-as"; readonly parts: CreateTableAs } & Created)
  | ({ readonly kind: "create-table" } & Created)
  | ({ readonly kind: "create-view" } & Created)
  | { readonly kind: "drop"; readonly object: string; readonly name: ObjectName }
  | { readonly kind: "insert"; readonly target: ObjectName }
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  /** Asks and changes nothing: SHOW, DESCRIBE, SELECT, EXPLAIN and a SET without a key. */
  | { readonly kind: "show" | "describe" | "select" | "explain" }
  | { readonly kind: "use" | "create-function" | "create-catalog" | "create-database" }
  /** Anything else, with its first word in capitals; empty where there is no statement at all. */
  | { readonly kind: "other"; readonly verb: string };

/** Tells what one statement does. Never throws: what is not understood is `other`. */
export function shapeOf(sql: string): StatementShape {
  const tokens = withoutSemicolons(meaningful(tokenize(sql)));
  const verb = tokens[0]?.kind === "word" ? tokens[0].text.toUpperCase() : (tokens[0]?.text ?? "");
  switch (verb) {
    case "CREATE":
      return shapeOfCreate(sql, tokens);
    case "DROP":
      return shapeOfDrop(tokens);
    case "INSERT":
      return shapeOfInsert(tokens);
    case "SET":
      return shapeOfSet(sql);
    case "SHOW":
      return { kind: "show" };
    case "DESC":
    case "DESCRIBE":
      return { kind: "describe" };
    case "SELECT":
    case "WITH":
    case "VALUES":
    case "(":
      return { kind: "select" };
    case "EXPLAIN":
      return { kind: "explain" };
    case "USE":
      return { kind: "use" };
    default:
      return { kind: "other", verb };
  }
}

function shapeOfCreate(sql: string, tokens: readonly Token[]): StatementShape {
  const head = readCreateHead(tokens);
  if (head === null) return shapeOfOtherCreate(tokens);
  const created = { name: head.name, temporary: head.temporary, ifNotExists: head.ifNotExists };
  if (head.object === "VIEW") return { kind: "create-view", ...created };
  if (head.asAt === null) return { kind: "create-table", ...created };
  return { kind: "create-table-as", parts: splitCreate(sql, tokens, head, head.asAt), ...created };
}

function shapeOfOtherCreate(tokens: readonly Token[]): StatementShape {
  const at = skipWords(tokens, skipWords(tokens, skipWords(tokens, 1, ["OR", "REPLACE"]), ["TEMPORARY"]), ["SYSTEM"]);
  const object = tokens[at]?.text.toUpperCase();
  if (object === "FUNCTION") return { kind: "create-function" };
  if (object === "CATALOG") return { kind: "create-catalog" };
  if (object === "DATABASE") return { kind: "create-database" };
  return { kind: "other", verb: "CREATE" };
}

function splitCreate(sql: string, tokens: readonly Token[], head: CreateHead, asAt: number): CreateTableAs {
  const name = tokens.slice(head.nameAt, head.nameEnd);
  return {
    relation: name.map((token) => token.text).join(""),
    clauses: readableClauses(sql, tokens.slice(head.nameEnd, asAt)),
    query: readableQuery(sql, tokens, asAt + 1),
  };
}

function shapeOfDrop(tokens: readonly Token[]): StatementShape {
  const at = skipWords(tokens, skipWords(tokens, 1, ["TEMPORARY"]), ["SYSTEM"]);
  const object = tokens[at]?.text.toLowerCase() ?? "";
  const read = readName(tokens, skipWords(tokens, at + 1, ["IF", "EXISTS"]));
  return read === null ? { kind: "other", verb: "DROP" } : { kind: "drop", object, name: read.name };
}

function shapeOfInsert(tokens: readonly Token[]): StatementShape {
  const read = readName(tokens, 2);
  return read === null ? { kind: "other", verb: "INSERT" } : { kind: "insert", target: read.name };
}

/** Flink reads SET by a pattern of its own, not by its grammar: the key may be bare, with dots and dashes. */
function shapeOfSet(sql: string): StatementShape {
  const text = bareSet(sql);
  if (/^SET$/i.test(text)) return { kind: "show" };
  const match = /^SET\s+(?:'((?:[^']|'')*)'|([^'\s=]+))\s*=\s*(?:'((?:[^']|'')*)'|([^;\s']+))$/i.exec(text);
  if (match === null) return { kind: "other", verb: "SET" };
  const unquote = (quoted: string | undefined, bare: string | undefined) => quoted?.replaceAll("''", "'") ?? bare ?? "";
  return { kind: "set", key: unquote(match[1], match[2]), value: unquote(match[3], match[4]) };
}

/** The statement without leading comments and trailing semicolons. */
function bareSet(sql: string): string {
  const first = meaningful(tokenize(sql))[0];
  return sql.slice(first?.start ?? 0).replace(/[\s;]+$/, "");
}
