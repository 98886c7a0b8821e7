import type { Token } from "./tokens.ts";

/** The index after `words` where all of them stand at `at`, in any case; else `at`. */
export function skipWords(tokens: readonly Token[], at: number, words: readonly string[]): number {
  const found = words.every((word, index) => {
    const token = tokens[at + index];
    return token?.kind === "word" && token.text.toUpperCase() === word;
  });
  return found ? at + words.length : at;
}

/** The dotted name at `at` without quotes, and the index after it; null where none stands there. */
export function readName(
  tokens: readonly Token[],
  at: number,
): { readonly name: readonly string[]; readonly next: number } | null {
  const name: string[] = [];
  let next = at;
  for (;;) {
    const token = tokens[next];
    if (token?.kind !== "word" && token?.kind !== "quoted") return null;
    name.push(identifierOf(token));
    next += 1;
    if (tokens[next]?.text !== ".") return { name, next };
    next += 1;
  }
}

/** What an identifier's token names: without backquotes, doubled ones undone. */
export function identifierOf(token: Token): string {
  return token.kind === "quoted" ? token.text.slice(1, -1).replaceAll("``", "`") : token.text;
}

/** The tokens without the semicolons at their end. */
export function withoutSemicolons(tokens: readonly Token[]): readonly Token[] {
  return tokens.slice(0, tokens.findLastIndex((token) => token.text !== ";") + 1);
}

/** The index of the parenthesis that closes the one at `at`; null where it is not closed. */
export function closingParenthesis(tokens: readonly Token[], at: number): number | null {
  let depth = 0;
  for (let index = at; index < tokens.length; index += 1) {
    const text = tokens[index]?.text;
    if (text === "(") depth += 1;
    if (text === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return null;
}

/** From AS on: where the query begins and ends once parentheses around the whole of it are taken away. */
export function queryBounds(tokens: readonly Token[], from: number): { readonly from: number; readonly to: number } {
  let [begin, end] = [from, tokens.length];
  while (
    tokens[begin]?.text === "(" &&
    closingParenthesis(tokens, begin) === end - 1 &&
    isQueryStart(tokens[begin + 1])
  ) {
    begin += 1;
    end -= 1;
  }
  return { from: begin, to: end };
}

function isQueryStart(token: Token | undefined): boolean {
  return token !== undefined && ["SELECT", "WITH", "VALUES", "("].includes(token.text.toUpperCase());
}
