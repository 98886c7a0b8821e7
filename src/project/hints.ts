import { type Token, tokenize } from "./tokens.ts";

/** The adapter's hints of one statement, as written: a hint that is not there is null. */
export interface Hints {
  readonly mode: string | null;
  readonly upgradeMode: string | null;
  readonly jobState: string | null;
  readonly executionConfig: Readonly<Record<string, string>> | null;
  readonly dropStatement: string | null;
  readonly fetchMax: string | null;
  readonly fetchTimeoutMs: string | null;
  readonly testQuery: string | null;
}

/** One `name('value')` of a `/** ... *\/` comment. */
export interface Hint {
  readonly name: string;
  readonly value: string;
}

const names = "mode|upgrade_mode|job_state|execution_config|drop_statement|fetch_max|fetch_timeout_ms|test_query";
/** A value runs to the quote and parenthesis behind which the comment ends or the next hint begins. */
const hintPattern = new RegExp(
  `\\s*(${names})\\(\\s*(?:'([\\s\\S]*?)'|"([\\s\\S]*?)"|([^'"()]*))\\s*\\)(?=\\s*(?:$|(?:${names})\\())`,
  "y",
);

/** Reads the adapter's hints: of two with one name the last counts, as it does to the adapter. */
export function parseHints(sql: string): Hints {
  const hints = new Map(listHints(sql).map(({ name, value }) => [name, value]));
  const config = hints.get("execution_config");
  return {
    mode: hints.get("mode") ?? null,
    upgradeMode: hints.get("upgrade_mode") ?? null,
    jobState: hints.get("job_state") ?? null,
    executionConfig: config === undefined ? null : Object.fromEntries(configItems(config).map(splitItem)),
    dropStatement: hints.get("drop_statement") ?? null,
    fetchMax: hints.get("fetch_max") ?? null,
    fetchTimeoutMs: hints.get("fetch_timeout_ms") ?? null,
    testQuery: hints.get("test_query") ?? null,
  };
}

/** All hints of a statement in order. */
export function listHints(sql: string): readonly Hint[] {
  return tokenize(sql).flatMap((token) => readHints(token) ?? []);
}

/** The items of an execution_config value, as the adapter splits it. */
export function configItems(value: string): readonly string[] {
  return value.split(";").filter((item) => item.trim() !== "");
}

function splitItem(item: string): readonly [string, string] {
  const at = item.indexOf("=");
  return at < 0 ? [item, ""] : [item.slice(0, at), item.slice(at + 1)];
}

/** The hints of a comment that holds nothing else; null for any other token. */
function readHints(token: Token): readonly Hint[] | null {
  if (token.kind !== "comment" || !token.text.startsWith("/**")) return null;
  const inner = token.text.slice(3, -2).trim();
  const hints: Hint[] = [];
  let at = 0;
  while (at < inner.length) {
    hintPattern.lastIndex = at;
    const match = hintPattern.exec(inner);
    if (match === null) return null;
    hints.push({ name: match[1] ?? "", value: match[2] ?? match[3] ?? match[4] ?? "" });
    at = hintPattern.lastIndex;
  }
  return hints.length === 0 ? null : hints;
}

/** Whether a comment is dbt's or the adapter's own: the query comment, hints, the view template's leftover. */
export function isAdapterComment(token: Token): boolean {
  if (token.kind !== "comment" || !token.text.startsWith("/*")) return false;
  if (/^\/\*\s*\{[\s\S]*"app"\s*:\s*"dbt"[\s\S]*\}\s*\*\/$/.test(token.text)) return true;
  return readHints(token) !== null || /^\/\*TODO \S+__dbt_tmp\*\/$/.test(token.text);
}
