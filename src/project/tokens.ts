export type TokenKind =
  | "word"
  | "quoted"
  | "string"
  | "number"
  | "operator"
  | "comment"
  | "hint"
  | "unterminated"
  | "unknown";

/** A piece of a SQL text: `text` is `sql.slice(start, end)`. Blanks between tokens are no tokens. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// The rules are those of Flink's own lexer, seen on 1.17.2, 1.20.3 and 2.3.0:
// - comments do not nest; both `--` and `//` run to the end of the line;
// - `/**` takes the character after it into its beginning, so `/***/` is not closed yet, while `/**/` is;
// - `/*+` begins an optimizer hint, which is part of the statement: here it is one token with all it holds;
// - a stray `*/` is one token, also in `a*/b`;
// - a backslash escapes nothing, but in E'...' (2.x; before, such a text was not valid at all);
// - a quoted identifier ends with its line, a string does not;
// - only blank, tab, line break and form feed separate: a no-break space is an error to Flink.
const blank = /[ \t\n\r\f]+/y;
const lineComment = /(?:--|\/\/)[^\n\r]*/y;
/** What Flink's lexer takes for letters. */
const letters =
  "A-Za-z_$\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u1fff\\u3040-\\u318f\\u3300-\\u337f\\u3400-\\u3d2d\\u4e00-\\u9fff\\uf900-\\ufaff";
const rules: readonly (readonly [TokenKind, RegExp])[] = [
  ["string", /[uU]&'(?:[^']|'')*'/y],
  ["string", /(?:_[A-Za-z0-9][A-Za-z0-9:.\-_]*|[nNxX])?'(?:[^']|'')*'/y],
  ["string", /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ["unterminated", /(?:[uU]&|_[A-Za-z0-9][A-Za-z0-9:.\-_]*|[nNxXeE])?'[\s\S]*/y],
  ["quoted", /`(?:[^`\n\r]|``)+`/y],
  ["unterminated", /`[\s\S]*/y],
  ["number", /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["word", new RegExp(`[${letters}][${letters}0-9]*`, "y")],
  ["operator", /\*\/|\|\||=>|!=|<>|<=|>=|\.\.|[()[\]{}.,;:?=<>+\-*/%^|"]/y],
  ["unknown", /[\s\S]/uy],
];

/** Splits a SQL text by the lexical rules of Flink SQL; never throws, what is not closed is an `unterminated` token. */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const skipped = matchEnd(blank, sql, at);
    if (skipped !== null) {
      at = skipped;
      continue;
    }
    const [kind, end] = nextToken(sql, at);
    tokens.push({ kind, text: sql.slice(at, end), start: at, end });
    at = end;
  }
  return tokens;
}

/** The tokens that mean something to Flink: comments left out. */
export function meaningful(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter((token) => token.kind !== "comment");
}

/** The first string, identifier or comment that is not closed; null where all are. */
export function findUnterminated(tokens: readonly Token[]): Token | null {
  return tokens.find((token) => token.kind === "unterminated") ?? null;
}

function nextToken(sql: string, at: number): readonly [TokenKind, number] {
  const lineEnd = matchEnd(lineComment, sql, at);
  if (lineEnd !== null) return ["comment", lineEnd];
  if (sql.startsWith("/*+", at)) return hintToken(sql, at);
  if (sql.startsWith("/*", at)) return commentToken(sql, at);
  for (const [kind, rule] of rules) {
    const end = matchEnd(rule, sql, at);
    if (end !== null) return [kind, end];
  }
  return ["unknown", at + 1];
}

function commentToken(sql: string, at: number): readonly [TokenKind, number] {
  const formal = sql.startsWith("/**", at) && sql[at + 3] !== "/";
  const close = sql.indexOf("*/", at + (formal ? 4 : 2));
  return close < 0 ? ["unterminated", sql.length] : ["comment", close + 2];
}

/** A hint ends at the first comment end outside its own strings and comments. */
function hintToken(sql: string, at: number): readonly [TokenKind, number] {
  let inner = at + 3;
  while (inner < sql.length) {
    const skipped = matchEnd(blank, sql, inner);
    if (skipped !== null) {
      inner = skipped;
      continue;
    }
    if (sql.startsWith("/*+", inner)) break;
    const [kind, end] = nextToken(sql, inner);
    if (kind === "unterminated") break;
    if (sql.slice(inner, end) === "*/") return ["hint", end];
    inner = end;
  }
  return ["unterminated", sql.length];
}

function matchEnd(rule: RegExp, sql: string, at: number): number | null {
  rule.lastIndex = at;
  return rule.test(sql) ? rule.lastIndex : null;
}
