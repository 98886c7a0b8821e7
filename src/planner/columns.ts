import type { ResultSet } from "../flink/gateway.ts";
import type { CreateTableAs } from "../project/job.ts";

/** A column as CREATE TABLE ... AS SELECT would make it: Flink's own name and type for it, e.g. `BIGINT NOT NULL`. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * The columns in a DESCRIBE's answer. CTAS keeps names, types and NOT NULL as the query has them, and makes plain
 * timestamps of time attributes (compared with what CTAS really makes on 1.17.2, 1.20.3 and 2.3.0).
 */
export function columnsIn(description: ResultSet): readonly Column[] {
  return description.rows.map(([name, type, isNullable]) => ({
    name: String(name),
    type: `${String(type).replace(/ \*(?:ROWTIME|PROCTIME)\*$/, "")}${isNullable === false ? " NOT NULL" : ""}`,
  }));
}

/** `CREATE TABLE relation (columns) clauses`: what CTAS makes, before it fills it. */
export function createTable(table: CreateTableAs, columns: readonly Column[]): string {
  const lines = columns.map(({ name, type }) => `  ${quoted(name)} ${type}`);
  return `CREATE TABLE ${table.relation} (\n${lines.join(",\n")}\n) ${table.clauses.trim()}`.trimEnd();
}

/** The name as an identifier in SQL. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
