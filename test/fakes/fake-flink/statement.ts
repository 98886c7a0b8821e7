/** A statement as far as the fake understands it. Names are without quotes and catalog. */
export type Statement =
  | { readonly kind: "set"; readonly key: string | null; readonly value: string }
  | { readonly kind: "reset"; readonly key: string | null }
  | {
      readonly kind: "create-table";
      readonly name: string;
      readonly columns: readonly TableColumn[];
      /** What stands behind the columns, as written. */
      readonly clauses: string;
      readonly isTemporary: boolean;
      readonly isLenient: boolean;
      readonly query: string | null;
    }
  | { readonly kind: "create-view"; readonly name: string; readonly query: string; readonly isLenient: boolean }
  | { readonly kind: "drop"; readonly object: "TABLE" | "VIEW"; readonly name: string; readonly isLenient: boolean }
  | { readonly kind: "describe"; readonly name: string }
  | { readonly kind: "describe-job"; readonly id: string }
  | { readonly kind: "show"; readonly what: string }
  | { readonly kind: "show-create-table"; readonly name: string }
  | { readonly kind: "insert"; readonly sink: string; readonly query: string }
  | { readonly kind: "explain"; readonly query: string }
  | { readonly kind: "stop"; readonly id: string; readonly hasSavepoint: boolean }
  | { readonly kind: "select"; readonly query: string }
  /** USE, CREATE CATALOG, LOAD MODULE and the like: answered with OK. */
  | { readonly kind: "other" }
  | { readonly kind: "unknown"; readonly word: string };

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

const comments = /'(?:[^']|'')*'|--[^\n]*|\/\*(?!\+)[\s\S]*?\*\//g;
const name = "((?:`[^`]+`|[\\w$]+)(?:\\.(?:`[^`]+`|[\\w$]+))*)";
const createTable = new RegExp(
  `^CREATE (?:TEMPORARY )?TABLE (IF NOT EXISTS )?${name}\\s*(?:\\(([\\s\\S]*?)\\)\\s*(?=WITH|COMMENT|PARTITIONED|DISTRIBUTED|$))?([\\s\\S]*)$`,
  "i",
);
const createView = new RegExp(
  `^CREATE (?:OR REPLACE )?(?:TEMPORARY )?VIEW (IF NOT EXISTS )?${name}[\\s\\S]*?\\bAS\\b([\\s\\S]+)$`,
  "i",
);
const drop = new RegExp(`^DROP (?:TEMPORARY )?(TABLE|VIEW) (IF EXISTS )?${name}$`, "i");
const insert = new RegExp(`^INSERT (?:INTO|OVERWRITE) ${name}([\\s\\S]*)$`, "i");
const showCreateTable = new RegExp(`^SHOW CREATE TABLE ${name}$`, "i");
const describe = new RegExp(`^(?:DESCRIBE|DESC) ${name}$`, "i");

export function parsedStatement(sql: string): Statement {
  const text = withoutComments(sql);
  const words = text.replace(/\s+/g, " ");
  const set = /^SET(?: '?([^'=]+?)'? ?= ?'?([^']*)'?)?$/i.exec(words);
  if (set !== null) return { kind: "set", key: set[1]?.trim() ?? null, value: set[2] ?? "" };
  const reset = /^RESET(?: '([^']*)')?$/i.exec(words);
  if (reset !== null) return { kind: "reset", key: reset[1] ?? null };
  const stop = /^STOP JOB '([^']*)'( WITH SAVEPOINT)?/i.exec(words);
  if (stop !== null) return { kind: "stop", id: stop[1] ?? "", hasSavepoint: stop[2] !== undefined };
  const job = /^(?:DESCRIBE|DESC) JOB '([^']*)'$/i.exec(words);
  if (job !== null) return { kind: "describe-job", id: job[1] ?? "" };
  return definition(text) ?? query(text) ?? rest(words);
}

function definition(text: string): Statement | null {
  const table = createTable.exec(text);
  if (table !== null) {
    const query = /(?:^|\)|\s)AS\s+\(?\s*(SELECT[\s\S]+?)\)?$/i.exec(table[4] ?? "")?.[1] ?? null;
    const columns = columnsIn(table[3] ?? "");
    const isTemporary = /^CREATE TEMPORARY /i.test(text);
    const clauses = query === null ? (table[4] ?? "").trim() : "";
    return {
      kind: "create-table",
      name: bare(table[2]),
      columns,
      clauses,
      isTemporary,
      isLenient: table[1] !== undefined,
      query,
    };
  }
  const view = createView.exec(text);
  if (view !== null)
    return { kind: "create-view", name: bare(view[2]), query: view[3] ?? "", isLenient: view[1] !== undefined };
  const dropped = drop.exec(text);
  if (dropped === null) return null;
  const object = dropped[1]?.toUpperCase() === "VIEW" ? "VIEW" : "TABLE";
  return { kind: "drop", object, name: bare(dropped[3]), isLenient: dropped[2] !== undefined };
}

function query(text: string): Statement | null {
  const inserted = insert.exec(text);
  if (inserted !== null) return { kind: "insert", sink: bare(inserted[1]), query: inserted[2] ?? "" };
  const shown = showCreateTable.exec(text);
  if (shown !== null) return { kind: "show-create-table", name: bare(shown[1]) };
  const described = describe.exec(text);
  if (described !== null) return { kind: "describe", name: bare(described[1]) };
  const explained = /^EXPLAIN [\s\S]*?((?:INSERT|SELECT)[\s\S]*)$/i.exec(text);
  if (explained !== null) return { kind: "explain", query: explained[1] ?? "" };
  return /^(?:SELECT|WITH|VALUES)\b/i.test(text) ? { kind: "select", query: text } : null;
}

function rest(words: string): Statement {
  const show = /^SHOW (.+)$/i.exec(words);
  if (show !== null) return { kind: "show", what: (show[1] ?? "").toUpperCase() };
  const isOther = /^(?:USE|CREATE|ALTER|DROP|LOAD|UNLOAD|ADD|REMOVE|COMPILE|ANALYZE|BEGIN|END)\b/i.test(words);
  return isOther ? { kind: "other" } : { kind: "unknown", word: words.split(" ")[0] ?? "" };
}

function columnsIn(text: string): readonly TableColumn[] {
  return text
    .split(/,(?![^(<]*[)>])/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !/^(?:PRIMARY|WATERMARK|CONSTRAINT|PERIOD)\b/i.test(part))
    .map((part) => {
      const [, column, type] = /^(`[^`]+`|\S+)\s+([\s\S]+)$/.exec(part) ?? [];
      const plain = (type ?? "STRING").replace(/\s+(?:NOT NULL|METADATA|COMMENT|PRIMARY KEY)[\s\S]*$/i, "");
      return { name: bare(column), type: plain.toUpperCase(), nullable: !/\bNOT NULL\b/i.test(type ?? "") };
    });
}

/** Strings keep what looks like a comment in them. */
function withoutComments(sql: string): string {
  const text = sql.replace(comments, (found) => (found.startsWith("'") ? found : " "));
  return text.trim().replace(/[;\s]+$/, "");
}

function bare(identifier: string | undefined): string {
  return (identifier ?? "").replaceAll("`", "").split(".").at(-1) ?? "";
}

/** Names read in FROM and JOIN, with their place for Flink's message; functions and names of WITH are left out. */
export function tablesRead(sql: string): readonly { readonly name: string; readonly column: number }[] {
  const known = new Set([...sql.matchAll(/(?:\bWITH|,)\s+(\w+)\s+AS\s*\(/gi)].map((match) => match[1]));
  return [...sql.matchAll(/(?<!\bDISTINCT\s)\b(?:FROM|JOIN)\s+([`\w.]+)(?!\s*\()/gi)]
    .filter((match) => !/\b(?:EXTRACT|TRIM|SUBSTRING|OVERLAY)\s*\([^)]*$/i.test(sql.slice(0, match.index)))
    .map((match) => ({ name: bare(match[1]), column: match.index + match[0].indexOf(match[1] ?? "") + 1 }))
    .filter(({ name: read }) => !known.has(read));
}
