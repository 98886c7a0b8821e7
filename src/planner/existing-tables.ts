import { readCreateHead } from "../project/create-head.ts";
import type { Finding } from "../project/job.ts";
import { type TableDifference, tableDifferences } from "../project/table-differences.ts";
import { meaningful, tokenize } from "../project/tokens.ts";
import { quoted } from "./columns.ts";
import { refusalOf } from "./finding.ts";
import { builtInCatalog, hasConnector, withConnector } from "./temporary.ts";

interface Session {
  execute(sql: string): Promise<{ readonly rows: readonly (readonly unknown[])[] }>;
}

/** A table that was there before the project's CREATE TABLE, as the statement names it, and what it has otherwise. */
export interface DifferingTable {
  readonly table: string;
  readonly differences: readonly TableDifference[];
}

/** Whether it is certain that the table is not the declared one. */
export function isAnother({ differences }: DifferingTable): boolean {
  return differences.some(({ isCertain }) => isCertain);
}

/** For a finding, or for a person who deploys: an error where the table is another one for certain. */
export function sentenceOf(found: DifferingTable): Pick<Finding, "severity" | "code" | "message"> {
  const { table, differences } = found;
  const shown = isAnother(found) ? differences.filter(({ isCertain }) => isCertain) : differences;
  const told = shown.map(({ text }) => text).join("; ");
  return isAnother(found)
    ? {
        severity: "error",
        code: "table-differs",
        message: `The table ${table} is there already, and not as declared: ${told}.`,
      }
    : {
        severity: "note",
        code: "table-differs",
        message: `The table ${table} is there already, perhaps not as declared: ${told}.`,
      };
}

/** Looks, in one session, for tables that are there already and not as a project declares them. */
export interface ExistingTables {
  /** Before the statement is run. Null where it makes no table, where there is none of that name, and where they are alike. */
  look(sql: string): Promise<DifferingTable | null>;
}

export interface ExistingTablesOptions {
  /** Whether something else made tables in this session: else its built-in catalog holds those of the project only. */
  readonly isPrepared: boolean;
}

/** No object of a project's has this name. */
const twin = quoted("flink_dbt_deploy_declared");

export function existingTables(session: Session, { isPrepared }: ExistingTablesOptions): ExistingTables {
  let catalog: string | null = null;
  const currentCatalog = async (): Promise<string> => {
    catalog ??= String((await session.execute("SHOW CURRENT CATALOG")).rows[0]?.[0]);
    return catalog;
  };
  /** SHOW CREATE TABLE's answer; null where Flink refuses it, since there is none, or it is a view. */
  const shown = async (table: string): Promise<string | null> => {
    let text: string | null = null;
    await refusalOf(async () => {
      text = String((await session.execute(`SHOW CREATE TABLE ${table}`)).rows[0]?.[0]);
    });
    return text;
  };
  return {
    async look(sql) {
      if (/^\W*use\b/i.test(sql)) catalog = null;
      const head = readCreateHead(meaningful(tokenize(sql)));
      if (head === null || head.object !== "TABLE" || head.temporary || head.asAt !== null) return null;
      const holds = head.name.length === 3 ? (head.name[0] ?? "") : await currentCatalog();
      if (holds === builtInCatalog && !isPrepared) return null;
      const table = head.name.map(quoted).join(".");
      const existing = await shown(table);
      // One of the session's own hides what its catalog has; the job takes it as well.
      if (existing === null || /^CREATE\s+TEMPORARY\b/i.test(existing)) return null;
      const differences = await compare(existing, sql);
      return differences.length === 0 ? null : { table: head.name.join("."), differences };
    },
  };

  /** Flink itself writes both, so that only what differs is different. */
  async function compare(existing: string, sql: string): Promise<readonly TableDifference[]> {
    const { statement, hasStandIn } = twinOf(sql);
    const refused = await refusalOf(() => session.execute(statement));
    if (refused !== null) return [{ text: `they cannot be compared: ${refused.message}`, isCertain: false }];
    const { rows } = await session.execute(`SHOW CREATE TABLE ${twin}`);
    await session.execute(`DROP TEMPORARY TABLE ${twin}`);
    return tableDifferences(existing, String(rows[0]?.[0]), hasStandIn ? ["connector"] : []);
  }
}

/** The same table under another name, for this session alone: no catalog is asked or changed. */
function twinOf(sql: string): { readonly statement: string; readonly hasStandIn: boolean } {
  const tokens = meaningful(tokenize(sql));
  const end = tokens[(readCreateHead(tokens)?.nameEnd ?? 1) - 1]?.end ?? 0;
  const statement = `CREATE TEMPORARY TABLE ${twin}${sql.slice(end)}`;
  return hasConnector(tokens)
    ? { statement, hasStandIn: false }
    : { statement: withConnector(statement), hasStandIn: true };
}
