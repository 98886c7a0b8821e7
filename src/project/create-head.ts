import { readName, skipWords } from "./token-reader.ts";
import type { Token } from "./tokens.ts";

/** The beginning of a CREATE TABLE or CREATE VIEW, by indices of its tokens. */
export interface CreateHead {
  readonly object: "TABLE" | "VIEW";
  readonly temporary: boolean;
  readonly ifNotExists: boolean;
  readonly name: readonly string[];
  readonly nameAt: number;
  readonly nameEnd: number;
  /** The AS before the query; null where there is no query. */
  readonly asAt: number | null;
}

/** Reads the head of a CREATE TABLE or CREATE VIEW from its tokens without comments; null for any other statement. */
export function readCreateHead(tokens: readonly Token[]): CreateHead | null {
  const replaced = skipWords(tokens, 1, ["OR", "REPLACE"]);
  const at = skipWords(tokens, replaced, ["TEMPORARY"]);
  const object = tokens[at]?.text.toUpperCase();
  if (tokens[0]?.text.toUpperCase() !== "CREATE" || (object !== "TABLE" && object !== "VIEW")) return null;
  const nameAt = skipWords(tokens, at + 1, ["IF", "NOT", "EXISTS"]);
  const read = readName(tokens, nameAt);
  if (read === null) return null;
  return {
    object,
    temporary: at > replaced,
    ifNotExists: nameAt > at + 1,
    name: read.name,
    nameAt,
    nameEnd: read.next,
    asAt: findBodyAs(tokens, read.next),
  };
}

/** The only AS outside parentheses: those of computed columns and watermarks stand inside. */
function findBodyAs(tokens: readonly Token[], from: number): number | null {
  let depth = 0;
  for (const [index, token] of tokens.slice(from).entries()) {
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth === 0 && token.kind === "word" && token.text.toUpperCase() === "AS") return from + index;
  }
  return null;
}
