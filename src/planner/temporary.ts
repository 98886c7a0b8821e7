/**
 * The same DDL for a temporary object where that is needed: it hides an object of the same name in a catalog that
 * outlives the session, and leaves no trace there. Views always can be, they are expanded. A table only where
 * `mayOutlive`, since Flink leaves the definitions of temporary tables out of compiled plans; and only one with a
 * connector of its own, since others belong to their catalog (Paimon, Iceberg), which alone can make them.
 */
export function asTemporary(sql: string, mayOutlive: boolean): string {
  const isView = /^\s*create\s+view\b/i.test(sql);
  const isTableOfItsOwn = /^\s*create\s+table\b/i.test(sql) && /'connector'\s*=/.test(sql);
  return isView || (mayOutlive && isTableOfItsOwn) ? sql.replace(/^(\s*create)\b/i, "$1 TEMPORARY") : sql;
}

/** True where one of these brings in a catalog, which may be one that outlives the session. */
export function namesCatalog(statements: readonly string[]): boolean {
  return statements.some((sql) => /\bcatalog\b/i.test(sql));
}
