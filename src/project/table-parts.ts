import { findOptions } from "./create-options.ts";
import { canonicalSql } from "./statement.ts";
import { closingParenthesis, identifierOf, readName, skipWords } from "./token-reader.ts";
import { type Token, tokenize } from "./tokens.ts";

/** A CREATE TABLE, taken apart for saying what changed in it. Texts are canonical. */
export interface TableParts {
  /** Physical, metadata and computed columns by name, in order. */
  readonly columns: ReadonlyMap<string, string>;
  /** `WATERMARK FOR ts AS ...`; null where there is none. */
  readonly watermark: string | null;
  /** PRIMARY KEY and the like. */
  readonly constraints: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** COMMENT, PARTITIONED BY, DISTRIBUTED BY, LIKE: what stands outside columns and options. */
  readonly clauses: string;
}

/** Null where the text is not a CREATE TABLE with columns. */
export function tableParts(sql: string): TableParts | null {
  const tokens = tokenize(canonicalSql(sql));
  const nameAt = skipWords(tokens, tableKeyword(tokens), ["IF", "NOT", "EXISTS"]);
  const name = readName(tokens, nameAt);
  if (name === null || tokens[nameAt - 1]?.kind !== "word" || tokens[name.next]?.text !== "(") return null;
  const close = closingParenthesis(tokens, name.next);
  if (close === null) return null;
  const items = splitAtCommas(tokens.slice(name.next + 1, close));
  const rest = tokens.slice(close + 1);
  const options = findOptions(rest);
  const outside = options === null ? rest : [...rest.slice(0, options.from), ...rest.slice(options.to + 1)];
  const keyword = (item: readonly Token[]): string => (item[0]?.kind === "word" ? item[0].text.toUpperCase() : "");
  const watermark = items.find((item) => keyword(item) === "WATERMARK");
  const isConstraint = (item: readonly Token[]): boolean => ["PRIMARY", "CONSTRAINT", "UNIQUE"].includes(keyword(item));
  const columns = items.filter((item) => item !== watermark && !isConstraint(item));
  return {
    columns: new Map(
      columns.flatMap((item) => (item[0] === undefined ? [] : [[identifierOf(item[0]), written(item.slice(1))]])),
    ),
    watermark: watermark === undefined ? null : written(watermark),
    constraints: items.filter(isConstraint).map(written),
    options: new Map(options?.options.map(({ key, value }) => [unquoted(key), unquoted(value)])),
    clauses: written(outside),
  };
}

/** The index after CREATE [TEMPORARY] TABLE; 0 where it does not begin so. */
function tableKeyword(tokens: readonly Token[]): number {
  const create = skipWords(tokens, 0, ["CREATE"]);
  const at = skipWords(tokens, skipWords(tokens, create, ["OR", "REPLACE"]), ["TEMPORARY"]);
  const end = skipWords(tokens, at, ["TABLE"]);
  return create === 0 || end === at ? 0 : end;
}

function splitAtCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const items: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    // Angle brackets nest in types only; in a computed column an unpaired one would only join it to the next.
    if (token.text === "(" || token.text === "<") depth += 1;
    if (token.text === ")" || token.text === ">") depth -= 1;
    if (token.text === "," && depth === 0) items.push([]);
    else items.at(-1)?.push(token);
  }
  return items.filter((item) => item.length > 0);
}

function written(tokens: readonly Token[]): string {
  return tokens
    .map(({ text }) => text)
    .join(" ")
    .replace(/ ?([(.<]) ?/g, "$1")
    .replace(/ ([),>])/g, "$1");
}

function unquoted(token: Token): string {
  return token.text.replace(/^'|'$/g, "").replaceAll("''", "'");
}
