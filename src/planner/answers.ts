import { DeployError } from "../errors.ts";
import type { Gateway, GatewaySession } from "../flink/gateway.ts";
import { readableSql, shapeOf } from "../project/statement.ts";
import { withoutForeignCode } from "./foreign-code.ts";

export interface AnswersOptions {
  readonly gateway: Gateway;
  readonly initSql: readonly string[];
  readonly signal: AbortSignal;
}

/** What dbt's macros ask while they are recorded: rows with their columns. */
export interface AnsweredRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface Answers extends AsyncDisposable {
  /** Answers in a session in which the statements `before`, of one recording and in order, have been run. */
  answer(statement: string, before: readonly { readonly sql: string }[]): Promise<AnsweredRows>;
}

/** A macro's SELECT runs within the gateway itself, on no cluster. */
const withinTheGateway = { "execution.target": "local", "execution.runtime-mode": "batch", "parallelism.default": "1" };
const answerLimitMs = 60_000;

/** Real answers for one recording, from a session of the embedded gateway that is opened when the first is needed. */
export function openAnswers(options: AnswersOptions): Answers {
  let opened: Promise<GatewaySession> | null = null;
  let done = 0;
  let last: Promise<unknown> = Promise.resolve();
  const answer: Answers["answer"] = async (statement, before) => {
    opened ??= open(options);
    const session = await opened;
    for (const { sql } of before.slice(done)) await define(session, sql, options.signal);
    done = Math.max(done, before.length);
    const sql = readableSql(statement);
    const limits = { signal: options.signal, timeoutMs: answerLimitMs };
    if (shapeOf(sql).kind === "select") await refuseTables(session, sql, limits);
    const { columns, rows } = await session.execute(sql, { ...limits, executionConfig: withinTheGateway });
    return { columns, rows };
  };
  return {
    answer(statement, before) {
      // One after the other: what is answered depends on what was defined before.
      const next = last.then(() => answer(statement, before));
      last = next.catch(() => undefined);
      return next;
    },
    async [Symbol.asyncDispose]() {
      const session = await opened?.catch(() => null);
      await session?.close().catch(() => undefined);
    },
  };
}

async function open({ gateway, initSql, signal }: AnswersOptions): Promise<GatewaySession> {
  const session = await gateway.openSession({ name: "flink-dbt-deploy answers" });
  for (const sql of initSql) await session.execute(sql, { signal });
  return session;
}

/**
 * A macro may compute, and may not read: tables have no data where a change is planned, and a connector of a stranger's
 * project would read the files of this machine or reach into its network.
 */
async function refuseTables(
  session: GatewaySession,
  sql: string,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const executionConfig = { ...withinTheGateway, "execution.target": "planner-only" };
  const { rows } = await session.execute(`EXPLAIN ${sql}`, { ...limits, executionConfig });
  const plan = rows.flat().join("\n").split("== Optimized Execution Plan ==")[1] ?? "";
  const others = [...plan.matchAll(/(?:^|[\s:+|-])([A-Z]\w*)\(/gm)].map((match) => match[1] ?? "");
  const reading = plan === "" ? "a plan that cannot be read" : others.find((operator) => !computing.has(operator));
  if (reading === undefined) return;
  throw new DeployError(
    "statement-failed",
    `a macro queries a table (${reading}), and while planning tables have no data: ${sql}`,
  );
}

/** Operators that read nothing from outside. */
const computing: ReadonlySet<string> = new Set([
  "Values",
  "Calc",
  "Union",
  "Sort",
  "SortLimit",
  "Limit",
  "Exchange",
  "Reused",
  "HashAggregate",
  "LocalHashAggregate",
  "SortAggregate",
  "LocalSortAggregate",
  "Expand",
  "NestedLoopJoin",
  "HashJoin",
  "SortMergeJoin",
]);

/**
 * Repeats a recorded definition. A table model would start a job, so it is there as a view of the same columns. What
 * Flink refuses here is refused again, with the model's name, when the jobs are planned.
 */
async function define(session: GatewaySession, sql: string, signal: AbortSignal): Promise<void> {
  const shape = shapeOf(sql);
  const repeated =
    shape.kind === "create-table-as"
      ? `CREATE VIEW ${shape.parts.relation} AS ${shape.parts.query}`
      : [
            "create-table",
            "create-view",
            "create-function",
            "create-catalog",
            "create-database",
            "use",
            "set",
            "drop",
          ].includes(shape.kind)
        ? readableSql(sql)
        : null;
  const harmless = repeated === null ? null : withoutForeignCode(repeated);
  if (harmless !== null) await session.execute(harmless, { signal }).catch(() => undefined);
}
