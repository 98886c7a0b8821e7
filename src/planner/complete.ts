import type { DeployError } from "../errors.ts";
import { programDigest } from "../project/digest.ts";
import type { Definition, Finding, Job, JobDefinition, Program, ProgramStatement } from "../project/job.ts";
import { type Column, columnsIn, createTable, quoted } from "./columns.ts";
import { isRefusal, refusal, type TextOf } from "./finding.ts";
import { withoutForeignCode } from "./foreign-code.ts";
import type { Completed } from "./planner.ts";
import { type Scope, scopesOf, split } from "./scopes.ts";
import type { PlannerSession, Sessions } from "./sessions.ts";
import { asTemporary, namesCatalog } from "./temporary.ts";

type Outcome = { readonly kind: "job"; readonly job: Job } | { readonly kind: "refused"; readonly finding: Finding };

/** Columns by relation and query, as promises: sessions side by side work out each table model once. */
type Memo = Map<string, Promise<readonly Column[]>>;

/** See `Planner.complete`. Jobs and findings come in the order of the definitions. */
export async function completeJobs(
  sessions: Sessions,
  definitions: readonly JobDefinition[],
  textOf: TextOf,
): Promise<Completed> {
  const outcomes = new Map<JobDefinition, Outcome>();
  const parts = await Promise.allSettled(
    scopesOf(definitions).flatMap((scope) => {
      const memo: Memo = new Map();
      return split(scope, sessions.sideBySide).map((part) =>
        sessions.use(scope.runtimeMode, (session) => completeScope(session, part, memo, textOf, outcomes)),
      );
    }),
  );
  // All have ended: no session is left working behind an error.
  const failed = parts.find((part) => part.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const inOrder = definitions.flatMap((definition) => outcomes.get(definition) ?? []);
  return {
    jobs: inOrder.flatMap((outcome) => (outcome.kind === "job" ? [outcome.job] : [])),
    findings: inOrder.flatMap((outcome) => (outcome.kind === "refused" ? [outcome.finding] : [])),
  };
}

async function completeScope(
  session: PlannerSession,
  scope: Scope,
  memo: Memo,
  textOf: TextOf,
  outcomes: Map<JobDefinition, Outcome>,
): Promise<void> {
  const columns = columnsWith(session, memo);
  const mayOutlive = session.hasCatalog || namesCatalog(scope.definitions.map(({ sql }) => sql));
  const made = new Map<string, ProgramStatement>();
  const refused = new Map<string, DeployError>();
  for (const definition of scope.definitions) {
    try {
      const statement = await statementFor(definition, columns);
      const planned = withoutForeignCode(asTemporary(statement.sql, mayOutlive));
      if (planned !== null) await session.execute(planned);
      made.set(keyOf(definition), statement);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.set(keyOf(definition), error);
    }
  }
  for (const job of scope.jobs) {
    // The first refusal only: what reads a refused object is refused for that alone.
    const culprit = job.definitions.find((definition) => refused.has(keyOf(definition)));
    const outcome =
      culprit === undefined
        ? await completeJob(job, made, columns, textOf)
        : refuse(refused.get(keyOf(culprit)), job, culprit);
    outcomes.set(job, outcome);
  }

  function refuse(error: DeployError | undefined, job: JobDefinition, culprit: Definition): Outcome {
    const sql = culprit.kind === "table-as" ? culprit.select.query : culprit.sql;
    return { kind: "refused", finding: refusal(error, job.name, { sql, origin: culprit.origin }, textOf) };
  }
}

async function completeJob(
  definition: JobDefinition,
  made: ReadonlyMap<string, ProgramStatement>,
  columns: (table: JobDefinition["sink"]) => Promise<readonly Column[]>,
  textOf: TextOf,
): Promise<Outcome> {
  const { name, origin, sink } = definition;
  try {
    const program: Program = {
      setup: definition.definitions.flatMap((one) => made.get(keyOf(one)) ?? []),
      sink: { kind: "table", name: definition.relation, sql: createTable(sink, await columns(sink)), origin },
      insert: `INSERT INTO ${sink.relation} ${sink.query}`,
      runtimeMode: definition.runtimeMode,
      executionConfig: definition.executionConfig,
      preHooks: definition.preHooks,
      postHooks: definition.postHooks,
    };
    const { upgradeMode, desiredState, startFrom } = definition;
    return {
      kind: "job",
      job: { name, origin, upgradeMode, desiredState, startFrom, program, digest: programDigest(program) },
    };
  } catch (error) {
    return { kind: "refused", finding: refusal(error, name, { sql: sink.query, origin }, textOf) };
  }
}

/** The definition as a program keeps it: a table model becomes a table whose columns are written out. */
async function statementFor(
  definition: Definition,
  columns: (table: JobDefinition["sink"]) => Promise<readonly Column[]>,
): Promise<ProgramStatement> {
  if (definition.kind !== "table-as") return definition;
  const { name, origin, select } = definition;
  return { kind: "table", name, sql: createTable(select, await columns(select)), origin };
}

function columnsWith(
  session: PlannerSession,
  memo: Memo,
): (table: JobDefinition["sink"]) => Promise<readonly Column[]> {
  return (table) => {
    const key = JSON.stringify([table.relation, table.query]);
    const known = memo.get(key);
    if (known !== undefined) return known;
    const columns = describe(session, table.query, `flink_dbt_deploy_${memo.size}`);
    memo.set(key, columns);
    return columns;
  };
}

async function describe(session: PlannerSession, query: string, view: string): Promise<readonly Column[]> {
  await session.execute(`CREATE TEMPORARY VIEW ${quoted(view)} AS ${query}`);
  return columnsIn(await session.execute(`DESCRIBE ${quoted(view)}`));
}

function keyOf(definition: Definition): string {
  return definition.kind === "statement" ? `statement ${definition.sql}` : `object ${definition.name}`;
}
