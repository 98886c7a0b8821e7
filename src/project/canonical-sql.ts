import { readCreateHead } from "./create-head.ts";
import { findOptions } from "./create-options.ts";
import { isFoldable, isKeyword, isReserved } from "./keywords.ts";
import { identifierOf, queryBounds, withoutSemicolons } from "./token-reader.ts";
import { meaningful, type Token, tokenize } from "./tokens.ts";

/**
 * The form in which two texts are equal only if they mean the same to Flink: comments dropped (not optimizer hints),
 * tokens apart by one blank, reserved words in capitals, needless backquotes and parentheses around a CREATE's query
 * taken away, table options sorted, an empty `WITH ()` and the last `;` dropped. Names keep their case: Flink tells them apart.
 */
export function canonicalSql(sql: string): string {
  const all = tokenize(sql);
  const tokens = withoutSemicolons(meaningful(all));
  const first = tokens[0]?.text.toUpperCase();
  if (all.some((token) => token.kind === "unterminated")) return sql.trim();
  if (first === "SET" || first === "RESET") return canonicalSetting(sql, tokens);
  const ordered = first === "CREATE" ? canonicalCreate(tokens) : tokens;
  return ordered
    .map(
      (token, at) => separator(sql, ordered[at - 1], token) + canonicalToken(token, ordered[at - 1], ordered[at + 1]),
    )
    .join("");
}

/** A blank; between two strings a line break where there is one, for only then Flink reads them as one string. */
function separator(sql: string, before: Token | undefined, token: Token): string {
  if (before === undefined) return "";
  const areStrings = before.kind === "string" && token.kind === "string";
  return areStrings && /[\n\r]/.test(sql.slice(before.end, token.start)) ? "\n" : " ";
}

/** Flink reads SET and RESET by a pattern, where blanks may matter: only the fully quoted form is normalised. */
function canonicalSetting(sql: string, tokens: readonly Token[]): string {
  const [verb, ...rest] = tokens;
  const isQuoted = rest.every((token) => (token.kind === "string" && token.text.startsWith("'")) || token.text === "=");
  const from = verb?.start ?? 0;
  const text = isQuoted
    ? rest.map((token) => token.text).join(" ")
    : sql
        .slice(verb?.end ?? from)
        .replace(/[\s;]+$/, "")
        .trim();
  return `${verb?.text.toUpperCase() ?? ""} ${text}`.trim();
}

/** Head words in capitals, options in order, no parentheses around the query of CREATE TABLE AS and CREATE VIEW. */
function canonicalCreate(tokens: readonly Token[]): readonly Token[] {
  const head = readCreateHead(tokens);
  if (head === null) return tokens;
  const { asAt } = head;
  const definition = sortOptions(tokens.slice(head.nameEnd, asAt ?? tokens.length));
  const folded = tokens.slice(0, head.nameAt).map((token) => ({ ...token, text: token.text.toUpperCase() }));
  const opening = [...folded, ...tokens.slice(head.nameAt, head.nameEnd), ...definition];
  if (asAt === null) return opening;
  const bounds = queryBounds(tokens, asAt + 1);
  return [...opening, ...tokens.slice(asAt, asAt + 1), ...tokens.slice(bounds.from, bounds.to)];
}

function sortOptions(tokens: readonly Token[]): readonly Token[] {
  const clause = findOptions(tokens);
  if (clause === null) return tokens;
  if (clause.options.length === 0) return [...tokens.slice(0, clause.from), ...tokens.slice(clause.to + 1)];
  const [equals, comma] = [operator("="), operator(",")];
  const listed = clause.options.flatMap(({ key, value }, at) =>
    at === 0 ? [key, equals, value] : [comma, key, equals, value],
  );
  return [...tokens.slice(0, clause.from + 2), ...listed, ...tokens.slice(clause.to)];
}

function operator(text: string): Token {
  return { kind: "operator", text, start: 0, end: 0 };
}

function canonicalToken(token: Token, before: Token | undefined, after: Token | undefined): string {
  if (token.kind === "hint") return canonicalHint(token.text);
  if (token.kind === "word")
    return before?.text !== "." && isFoldable(token.text) ? token.text.toUpperCase() : token.text;
  if (token.kind !== "quoted") return token.text;
  const name = identifierOf(token);
  const needsQuotes = !/^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) || isReserved(name);
  const beginsSyntax = (after?.text === "(" || after?.text === "[") && isKeyword(name);
  return needsQuotes || beginsSyntax ? token.text : name;
}

/** Blanks and comments inside a hint mean nothing; everything else is left as written. */
function canonicalHint(text: string): string {
  const inner = tokenize(text.slice(3, -2)).filter((token) => token.kind !== "comment");
  return ["/*+", ...inner.map((token) => token.text), "*/"].join(" ");
}
