/**
 * The same DDL for a temporary object where that is possible: it hides an object of the same name in a catalog that
 * outlives the session, and leaves no trace there. A table without a connector of its own belongs to its catalog
 * (Paimon, Iceberg), which alone can make it, so that one stays as it is. The compiled plan is the same.
 */
export function asTemporary(sql: string): string {
  const isView = /^\s*create\s+view\b/i.test(sql);
  const isTableOfItsOwn = /^\s*create\s+table\b/i.test(sql) && /'connector'\s*=/.test(sql);
  return isView || isTableOfItsOwn ? sql.replace(/^(\s*create)\b/i, "$1 TEMPORARY") : sql;
}
