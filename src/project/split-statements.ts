import { DeployError } from "../errors.ts";
import { meaningful, type Token, tokenize } from "./tokens.ts";

/**
 * The statements of a script, split at each `;` outside strings, comments and `BEGIN STATEMENT SET; ... END;`.
 * Each is as written without its `;`; what holds nothing but comments is left out. Throws `inputs-invalid`.
 */
export function splitStatements(text: string): readonly string[] {
  const tokens = tokenize(text);
  const open = tokens.find((token) => token.kind === "unterminated");
  if (open !== undefined) {
    const line = text.slice(0, open.start).split("\n").length;
    const begin = open.text.slice(0, 20).split("\n")[0] ?? "";
    throw new DeployError("inputs-invalid", `the SQL text that begins with ${begin} in line ${line} is not closed`);
  }
  return cut(text, tokens);
}

/** How many statements a text holds; never throws. */
export function countStatements(text: string): number {
  return cut(text, tokenize(text)).length;
}

function cut(text: string, tokens: readonly Token[]): readonly string[] {
  const statements: string[] = [];
  let begin = 0;
  let current: Token[] = [];
  for (const token of meaningful(tokens)) {
    if (token.text !== ";" || isInsideStatementSet(current)) {
      current.push(token);
      continue;
    }
    if (current.length > 0) statements.push(text.slice(begin, token.start).trim());
    begin = token.end;
    current = [];
  }
  if (current.length > 0) statements.push(text.slice(begin).trim());
  return statements;
}

/** Whether `tokens`, which begin a statement, are a statement set whose END is not there yet. */
function isInsideStatementSet(tokens: readonly Token[]): boolean {
  const first = tokens.slice(0, 4).map((token) => token.text.toUpperCase());
  const opened = /^(EXECUTE STATEMENT SET BEGIN|BEGIN STATEMENT SET)\b/.test(first.join(" "));
  // An END right after a `;` closes the set; any other is that of a CASE.
  const closed = tokens.at(-1)?.text.toUpperCase() === "END" && tokens.at(-2)?.text === ";";
  return opened && !closed;
}
