import { parseJson } from "../flink/parse-json.ts";

/** dbt's query comment, a JSON block comment before or (`append: true`) after the statement; null where there is none. */
export function commentOf(sql: string): Readonly<Record<string, unknown>> | null {
  const leading = /^\s*\/\*\s*(\{.*?\})\s*\*\//s.exec(sql)?.[1];
  const trailing = /\/\*\s*(\{(?:(?!\*\/).)*\})\s*\*\/\s*;?\s*$/s.exec(sql)?.[1];
  return parseComment(leading) ?? parseComment(trailing);
}

/** The node id in the query comment; null where the project's own `query-comment` says nothing of the node. */
export function nodeIdOf(sql: string): string | null {
  const id = commentOf(sql)?.node_id;
  return typeof id === "string" ? id : null;
}

function parseComment(json: string | undefined): Readonly<Record<string, unknown>> | null {
  if (json === undefined) return null;
  try {
    const comment: unknown = parseJson(json);
    return typeof comment === "object" && comment !== null ? { ...comment } : null;
  } catch {
    return null; // A comment of the user's own, in braces but not JSON.
  }
}

const blank = /^(?:\s|--[^\n]*(?:\n|$)|\/\*.*?\*\/|[(;])+/s;

/** The first words of a statement in upper case, past comments and opening parentheses. */
export function leadingWords(sql: string, count: number): readonly string[] {
  const words: string[] = [];
  let rest = sql.replace(blank, "");
  while (words.length < count) {
    const word = /^[A-Za-z_]+/.exec(rest)?.[0];
    if (word === undefined) break;
    words.push(word.toUpperCase());
    rest = rest.slice(word.length).replace(blank, "");
  }
  return words;
}

const querying = new Set(["SELECT", "WITH", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"]);

/** Whether a statement wants rows that only a planner has; what it asks of jobs is known, for there are none. */
export function isQuery(sql: string): boolean {
  const [first = "", second = ""] = leadingWords(sql, 2);
  return querying.has(first) && !isAboutJobs(first, second);
}

/** `SHOW JOBS` and `DESCRIBE JOB`. */
export function isAboutJobs(first: string, second: string): boolean {
  return (first === "SHOW" && second === "JOBS") || (first.startsWith("DESC") && second === "JOB");
}

/** A statement without the block comment that dbt puts before or after it, and without outer blanks. */
export function withoutQueryComment(sql: string): string {
  return sql
    .replace(/^\s*\/\*(?!\*).*?\*\//s, "")
    .replace(/\/\*(?!\*)(?:(?!\*\/).)*\*\/(\s*;?\s*)$/s, "$1")
    .trim();
}
