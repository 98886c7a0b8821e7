import { plainValidationError, validationError } from "./java-error.ts";
import { failed, type Outcome, ok, rows } from "./outcome.ts";
import { type Statement, type TableColumn, tablesRead } from "./statement.ts";

export interface Table {
  readonly columns: readonly TableColumn[];
  readonly clauses: string;
  readonly isTemporary: boolean;
}

/** What lives in a session: its settings, tables and views. */
export interface SessionObjects {
  readonly config: Map<string, string>;
  readonly tables: Map<string, Table>;
  readonly views: Map<string, string>;
}

/** A table, of which a SELECT may say more; a lenient statement leaves what is there. */
export function created(
  session: SessionObjects,
  statement: Extract<Statement, { kind: "create-table" }>,
  sql: string,
): Outcome {
  const { name, columns, clauses, isTemporary, isLenient, query } = statement;
  if (session.tables.has(name) || session.views.has(name)) {
    if (isLenient) return ok;
    return failed([
      [
        "org.apache.flink.table.api.ValidationException",
        `Could not execute CreateTable in path \`default_catalog\`.\`default_database\`.\`${name}\``,
      ],
      [
        "org.apache.flink.table.catalog.exceptions.TableAlreadyExistException",
        `Table (or view) default_database.${name} already exists in Catalog default_catalog.`,
      ],
    ]);
  }
  const refusal = query === null ? null : missing(session, query, sql);
  if (refusal === null) session.tables.set(name, { columns, clauses, isTemporary });
  return refusal ?? ok;
}

/** The refusal of a query that reads what is not there; null where all is. */
export function missing(session: SessionObjects, query: string, sql: string): Outcome | null {
  const offset = Math.max(sql.lastIndexOf(query), 0);
  const found = tablesRead(query).find(({ name }) => !session.tables.has(name) && !session.views.has(name));
  if (found === undefined) return null;
  const start = found.column + offset;
  const place = `From line 1, column ${start} to line 1, column ${start + found.name.length - 1}`;
  return failed(validationError(`${place}: Object '${found.name}' not found`));
}

export function createdView(
  session: SessionObjects,
  statement: Extract<Statement, { kind: "create-view" }>,
  sql: string,
): Outcome {
  const refusal = missing(session, statement.query, sql);
  if (refusal === null) session.views.set(statement.name, statement.query);
  return refusal ?? ok;
}

export function dropped(session: SessionObjects, statement: Extract<Statement, { kind: "drop" }>): Outcome {
  const { object, name, isLenient } = statement;
  const isGone = object === "TABLE" ? session.tables.delete(name) : session.views.delete(name);
  if (isGone || isLenient) return ok;
  const word = object === "TABLE" ? "Table" : "View";
  return failed(
    plainValidationError(`${word} with identifier 'default_catalog.default_database.${name}' does not exist.`),
  );
}

export function described(session: SessionObjects, name: string): Outcome {
  const columns = session.tables.get(name)?.columns ?? (session.views.has(name) ? [] : undefined);
  if (columns === undefined)
    return failed(
      plainValidationError(
        `Tables or views with the identifier 'default_catalog.default_database.${name}' doesn't exist.`,
      ),
    );
  const found = columns.map((column) => [column.name, column.type, column.nullable, null, null, null]);
  return rows(["name", "type", "null", "key", "extras", "watermark"], found);
}

/** The table's statement as Flink writes it; clauses and watermarks only as far as they were written that way. */
export function shownTable(session: SessionObjects, name: string): Outcome {
  const table = session.tables.get(name);
  const identifier = `\`default_catalog\`.\`default_database\`.\`${name}\``;
  if (table === undefined) {
    const text = `Could not execute SHOW CREATE TABLE. Table with identifier ${identifier} does not exist.`;
    return failed(plainValidationError(text));
  }
  const columns = table.columns.map((column) => {
    const type = column.type.replace(/^STRING$/, "VARCHAR(2147483647)");
    return `  \`${column.name}\` ${type}${column.nullable ? "" : " NOT NULL"}`;
  });
  const verb = table.isTemporary ? "CREATE TEMPORARY TABLE" : "CREATE TABLE";
  return rows(["result"], [[`${verb} ${identifier} (\n${columns.join(",\n")}\n) ${table.clauses}\n`]]);
}
