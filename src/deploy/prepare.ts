import { describeError } from "../errors.ts";
import type { Gateway, GatewaySession } from "../flink/gateway.ts";
import { type DifferingTable, existingTables, isAnother } from "../planner/existing-tables.ts";
import type { Config, Program } from "../project/job.ts";
import type { PreparedProgram } from "./cluster.ts";

export interface PrepareOptions {
  readonly gateway: Gateway;
  /** Run in every session first: catalogs, functions, modules, jars. */
  readonly initSql: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Makes a program's tables in a session of its own and lets the cluster's planner read its INSERT, so that a program
 * that this cluster refuses is known before anything is stopped. Throws `statement-failed` with Flink's cause.
 */
export async function prepareProgram(program: Program, options: PrepareOptions): Promise<PreparedProgram> {
  // Set for the session: a view takes over the mode in which it is made.
  const properties = { "execution.runtime-mode": program.runtimeMode };
  const session = await options.gateway.openSession({ name: "flink-dbt-deploy", properties });
  let differing: readonly DifferingTable[];
  try {
    differing = await setUp(session, program, options);
  } catch (error) {
    await session.close().catch(() => undefined);
    throw error;
  }
  return {
    differing,
    async submit({ jobId, name, restore }) {
      const executionConfig = submissionConfig(program, jobId, name, restore);
      await session.execute(program.insert, { executionConfig, signal: options.signal, timeoutMs: submitLimitMs });
      return await runPostHooks(session, program, options);
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

/** The job runs by then, so a hook that fails is told and changes nothing. */
async function runPostHooks(
  session: GatewaySession,
  program: Program,
  options: PrepareOptions,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const sql of program.postHooks) {
    try {
      await session.execute(sql, { signal: options.signal });
    } catch (error) {
      notes.push(`its post-hook failed, and those after it were left out: ${describeError(error)}`);
      break;
    }
  }
  return notes;
}

/** Reading a large savepoint's metadata and uploading jars happens within the INSERT. */
const submitLimitMs = 300_000;

/** The older is ignored by some versions for part of the settings, the newer unknown to others. */
const restoreKeys = ["execution.savepoint.path", "execution.state-recovery.path"] as const;

async function setUp(
  session: GatewaySession,
  program: Program,
  options: PrepareOptions,
): Promise<readonly DifferingTable[]> {
  const run = (sql: string) => session.execute(sql, { signal: options.signal });
  const tables = existingTables({ execute: run }, { isPrepared: options.initSql.length + program.preHooks.length > 0 });
  const differing: DifferingTable[] = [];
  const define = async (sql: string): Promise<void> => {
    const found = await tables.look(sql);
    if (found !== null) differing.push(found);
    await run(unlessThere(sql));
  };
  for (const sql of options.initSql) await run(sql);
  for (const statement of program.setup) await define(statement.sql);
  for (const sql of program.preHooks) await run(sql);
  await define(program.sink.sql);
  // A path that a hook or init SQL left in the session would rewind a job that is to start without one.
  if (options.initSql.length + program.preHooks.length > 0) for (const key of restoreKeys) await run(`RESET '${key}'`);
  // Into another table it would be refused for that, in words that do not tell; or it fits, and is refused by us.
  if (differing.some(isAnother)) return differing;
  const executionConfig = { ...program.executionConfig, "execution.runtime-mode": program.runtimeMode };
  await session.execute(`EXPLAIN ${program.insert}`, { executionConfig, signal: options.signal });
  return differing;
}

/**
 * A persistent catalog keeps its tables between sessions; they are never dropped. A view is temporary, as it was
 * planned: one of the same name that a catalog kept from an earlier deployment must not take its place.
 */
function unlessThere(sql: string): string {
  return sql
    .replace(/^(\s*CREATE\s+)(?=VIEW\b)/i, "$1TEMPORARY ")
    .replace(/^(\s*CREATE\s+(?:TEMPORARY\s+)?TABLE\s+)(?!IF\s+NOT\s+EXISTS\b)/i, "$1IF NOT EXISTS ");
}

/**
 * With the statement, never by SET, which would reach the next one (facts 2). The restore path goes under both of its
 * names.
 */
export function submissionConfig(program: Program, jobId: string, name: string, restore: string | null): Config {
  return {
    ...program.executionConfig,
    "execution.runtime-mode": program.runtimeMode,
    "pipeline.name": name,
    "$internal.pipeline.job-id": jobId,
    ...(restore === null ? {} : Object.fromEntries(restoreKeys.map((key) => [key, restore]))),
  };
}
