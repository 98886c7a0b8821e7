import { closingParenthesis } from "./token-reader.ts";
import type { Token } from "./tokens.ts";

/** One `'key' = 'value'` of a WITH clause. */
export interface TableOption {
  readonly key: Token;
  readonly value: Token;
}

/** `WITH (...)` among a CREATE's tokens: the indices of WITH and of its `)`, and the options sorted by key. */
export interface OptionsClause {
  readonly from: number;
  readonly to: number;
  readonly options: readonly TableOption[];
}

/**
 * Finds the WITH clause of a CREATE TABLE. Options are sorted: Flink keeps them in a map, and dbt lists the same
 * config in another order from run to run. Null where there is none or a key stands twice, since then order counts.
 */
export function findOptions(tokens: readonly Token[]): OptionsClause | null {
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth !== 0 || token.text.toUpperCase() !== "WITH" || tokens[at + 1]?.text !== "(") continue;
    const to = closingParenthesis(tokens, at + 1);
    const options = to === null ? null : readOptions(tokens.slice(at + 2, to));
    return to === null || options === null ? null : { from: at, to, options };
  }
  return null;
}

function readOptions(tokens: readonly Token[]): readonly TableOption[] | null {
  const options = new Map<string, TableOption>();
  for (let at = 0; at < tokens.length; at += 4) {
    const [key, equals, value, comma] = tokens.slice(at, at + 4);
    const isOption = key?.kind === "string" && equals?.text === "=" && value?.kind === "string";
    const isFollowed = comma === undefined ? at + 3 === tokens.length : comma.text === "," && at + 4 < tokens.length;
    if (!isOption || !isFollowed || options.has(key.text)) return null;
    options.set(key.text, { key, value });
  }
  return [...options.values()].sort((a, b) => (a.key.text < b.key.text ? -1 : 1));
}
