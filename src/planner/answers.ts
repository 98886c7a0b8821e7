import { DeployError } from "../errors.ts";
import type { Gateway, GatewaySession } from "../flink/gateway.ts";
import { readableSql, shapeOf } from "../project/statement.ts";
import { type Rehearsal, rehearse } from "./rehearsal.ts";

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
  let opened: Opened | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const answer: Answers["answer"] = async (statement, before) => {
    // dbt compiles and then runs: the second time begins with an empty session again.
    if (opened?.done.some((sql, at) => sql !== before[at]?.sql) === true) {
      await opened.session.close().catch(() => undefined);
      opened = null;
    }
    opened ??= await open(options);
    const { session, rehearsal, done } = opened;
    for (const { sql } of before.slice(done.length)) {
      await define(rehearsal, sql);
      done.push(sql);
    }
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
      await last;
      await opened?.session.close().catch(() => undefined);
    },
  };
}

interface Opened {
  readonly session: GatewaySession;
  readonly rehearsal: Rehearsal;
  /** The statements of the recording that are behind it, in order. */
  readonly done: string[];
}

async function open({ gateway, initSql, signal }: AnswersOptions): Promise<Opened> {
  const session = await gateway.openSession({ name: "flink-dbt-deploy answers" });
  for (const sql of initSql) await session.execute(sql, { signal });
  const run = { execute: (sql: string) => session.execute(sql, { signal }) };
  return { session, rehearsal: rehearse(run, { mayOutlive: true, standIns: true }), done: [] };
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
async function define(rehearsal: Rehearsal, sql: string): Promise<void> {
  const shape = shapeOf(sql);
  if (shape.kind === "create-table-as") {
    await rehearsal.run(`CREATE VIEW ${shape.parts.relation} AS ${shape.parts.query}`).catch(() => undefined);
  } else if (defining.has(shape.kind)) {
    await rehearsal.run(readableSql(sql)).catch(() => undefined);
  }
}

const defining: ReadonlySet<string> = new Set([
  "create-table",
  "create-view",
  "create-function",
  "create-catalog",
  "create-database",
  "use",
  "set",
  "drop",
]);
