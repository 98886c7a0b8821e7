import { readCreateHead } from "./create-head.ts";
import { findOptions, type OptionsClause } from "./create-options.ts";
import { isAdapterComment } from "./hints.ts";
import { queryBounds, withoutSemicolons } from "./token-reader.ts";
import { meaningful, type Token, tokenize } from "./tokens.ts";

/** A piece of the text that stands for itself: no line that begins inside it is indented or trimmed. */
interface Piece {
  readonly text: string;
  readonly isFixed: boolean;
  readonly isRemoved: boolean;
}

/**
 * A statement for people and for diffs: without dbt's query comment, the adapter's hints, surrounding blank lines,
 * common indentation, parentheses around a CREATE's whole query and the last `;`. Comments and formatting of the author stay; table options come sorted.
 */
export function readableSql(sql: string): string {
  const tokens = tokenize(sql);
  const all = meaningful(tokens);
  const last = all.findLast((token) => token.text !== ";");
  const clause = all[0]?.text.toUpperCase() === "CREATE" ? findOptions(all) : null;
  const range = { from: 0, to: sql.length, semicolonsAfter: last?.end ?? 0 };
  return layOut(pieces(sql, tokens, range, all, clause, parenthesesAroundQuery(all)));
}

/** Where the adapter's template puts the query of a CREATE in parentheses: their places. */
function parenthesesAroundQuery(tokens: readonly Token[]): ReadonlySet<number> {
  const body = withoutSemicolons(tokens);
  const asAt = readCreateHead(body)?.asAt ?? null;
  if (asAt === null) return new Set();
  const { from, to } = queryBounds(body, asAt + 1);
  return new Set([...body.slice(asAt + 1, from), ...body.slice(to)].map(({ start }) => start));
}

/** What stands between a relation and AS: as written, with sorted options and without an empty `WITH ()`. */
export function readableClauses(sql: string, tokens: readonly Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (first === undefined || last === undefined) return "";
  const range = { from: first.start - indentOf(sql, first.start).length, to: last.end, semicolonsAfter: last.end };
  return layOut(pieces(sql, tokenize(sql), range, tokens, findOptions(tokens)));
}

/** The query that begins at `tokens[from]`, without parentheses around the whole of it and comments behind it. */
export function readableQuery(sql: string, tokens: readonly Token[], from: number): string {
  const bounds = queryBounds(tokens, from);
  const opening = tokens[bounds.from - 1];
  const last = tokens[bounds.to - 1];
  if (opening === undefined || last === undefined) return "";
  const range = { from: opening.end, to: last.end, semicolonsAfter: last.end };
  return layOut(pieces(sql, tokenize(sql), range, [], null));
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly semicolonsAfter: number;
}

function pieces(
  sql: string,
  tokens: readonly Token[],
  range: Range,
  meaning: readonly Token[],
  clause: OptionsClause | null,
  needless: ReadonlySet<number> = new Set(),
): readonly Piece[] {
  const edit = clause === null ? null : optionsEdit(sql, tokens, meaning, clause);
  const result: Piece[] = [];
  let at = range.from;
  for (const token of tokens) {
    if (token.start < at || token.end > range.to) continue;
    result.push(gap(sql.slice(at, token.start), result));
    at = token.end;
    if (edit !== null && token.start === edit.start) {
      result.push({ text: edit.text, isFixed: false, isRemoved: edit.text === "" });
      at = edit.end;
    } else if (
      needless.has(token.start) ||
      isAdapterComment(token) ||
      (token.text === ";" && token.start >= range.semicolonsAfter)
    ) {
      result.push({ text: "", isFixed: false, isRemoved: true });
    } else {
      const isFixed = token.kind !== "comment" && token.text.includes("\n");
      result.push({ text: token.text, isFixed, isRemoved: false });
    }
  }
  result.push(gap(sql.slice(at, range.to), result));
  return result;
}

/** The blanks between two tokens: around a removed one only one side of them, but never none at all. */
function gap(text: string, former: readonly Piece[]): Piece {
  const kept = former.findLast((piece) => piece.text !== "")?.text;
  if (former.at(-1)?.isRemoved !== true || kept === undefined) return { text, isFixed: false, isRemoved: false };
  const rest = text.replace(/^[ \t]+/, "");
  return { text: /\s$/.test(kept) || /^\s/.test(rest) ? rest : ` ${rest}`, isFixed: false, isRemoved: false };
}

/** The WITH clause with its options one a line; null where the author wrote comments into it. */
function optionsEdit(
  sql: string,
  tokens: readonly Token[],
  meaning: readonly Token[],
  clause: OptionsClause,
): { readonly start: number; readonly end: number; readonly text: string } | null {
  const [start, end] = [meaning[clause.from]?.start, meaning[clause.to]?.end];
  if (start === undefined || end === undefined) return null;
  if (tokens.some((token) => token.kind === "comment" && token.start > start && token.end < end)) return null;
  const indent = indentOf(sql, start);
  const lines = clause.options.map(({ key, value }) => `${indent}  ${key.text} = ${value.text}`);
  return { start, end, text: lines.length === 0 ? "" : `WITH (\n${lines.join(",\n")}\n${indent})` };
}

/** The blanks before the first token of a line; none for a token further on. */
function indentOf(sql: string, at: number): string {
  return /(?:^|\n)([ \t]*)$/.exec(sql.slice(0, at))?.[1] ?? "";
}

interface Line {
  text: string;
  /** It begins inside a token, or in a text that is laid out already. */
  readonly isFixed: boolean;
  hasRemoved: boolean;
}

function layOut(pieces: readonly Piece[]): string {
  const lines = trimLines(toLines(pieces));
  const indents = lines
    .filter((line) => !line.isFixed && line.text !== "")
    .map((line) => line.text.length - line.text.trimStart().length);
  // One by one: a long statement has more lines than a call takes arguments.
  const indent = indents.reduce((least, each) => Math.min(least, each), 1000);
  return lines
    .map((line) => (line.isFixed ? line.text : line.text.slice(indent)))
    .join("\n")
    .trim();
}

function toLines(pieces: readonly Piece[]): readonly Line[] {
  const lines: Line[] = [{ text: "", isFixed: false, hasRemoved: false }];
  for (const piece of pieces) {
    const [first = "", ...rest] = piece.text.split("\n");
    const last = lines.at(-1);
    if (last !== undefined) {
      last.text += first;
      last.hasRemoved ||= piece.isRemoved;
    }
    for (const text of rest) lines.push({ text, isFixed: piece.isFixed, hasRemoved: false });
  }
  return lines;
}

/** Without blanks at line ends, and without empty lines that a removal or the adapter's template left. */
function trimLines(lines: readonly Line[]): readonly Line[] {
  const trimmed = lines.map((line, at) => {
    const runsOn = lines[at + 1]?.isFixed === true;
    return { ...line, text: runsOn ? line.text : line.text.trimEnd() };
  });
  const kept: Line[] = [];
  const next = nextTexts(trimmed);
  for (const [at, line] of trimmed.entries()) {
    const isEmpty = line.text === "" && !line.isFixed && trimmed[at + 1]?.isFixed !== true;
    if (!isEmpty) {
      kept.push(line);
      continue;
    }
    const before = kept.at(-1);
    const opens =
      before !== undefined && (/\($/.test(before.text) || (before.hasRemoved && /\bas$/i.test(before.text)));
    const isLeftOver = line.hasRemoved || before === undefined || before.text === "" || opens;
    const closes = /^\s*\)/.test(next[at] ?? "");
    if (!(isLeftOver || closes)) kept.push(line);
  }
  return kept;
}

/** Of each line, the text of the first one from there on that has any. */
function nextTexts(lines: readonly Line[]): readonly string[] {
  let next = "";
  return lines
    .toReversed()
    .map(({ text }) => {
      if (text !== "") next = text;
      return next;
    })
    .reverse();
}
