import { DeployError } from "../errors.ts";
import { programDigest } from "../project/digest.ts";
import type { Definition, Finding, Job, JobDefinition, Program, ProgramStatement } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { type Column, columnsIn, createTable, quoted } from "./columns.ts";
import { isRefusal, refusal, refusalOf, type TextOf } from "./finding.ts";
import type { Completed } from "./planner.ts";
import { explainLeftOut, type Rehearsal, rehearse, withLeftOut } from "./rehearsal.ts";
import { type Scope, scopesOf, split } from "./scopes.ts";
import type { PlannerSession, Sessions } from "./sessions.ts";
import { namesCatalog } from "./temporary.ts";

type Outcome =
  | { readonly kind: "job"; readonly job: Job; readonly warnings: readonly Finding[] }
  | { readonly kind: "refused"; readonly finding: Finding };

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
    findings: inOrder.flatMap((outcome) => (outcome.kind === "refused" ? [outcome.finding] : outcome.warnings)),
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
  const sent = [...scope.definitions.map(({ sql }) => sql), ...scope.hooks];
  const rehearsal = rehearse(session, { mayOutlive: session.hasCatalog || namesCatalog(sent), standIns: true });
  const made = new Map<string, ProgramStatement>();
  const refused = new Map<string, DeployError>();
  for (const definition of scope.definitions) {
    const error = await refusalOf(async () => {
      const statement = await statementFor(definition, columns);
      await rehearsal.run(statement.sql);
      made.set(keyOf(definition), statement);
    });
    if (error !== null) refused.set(keyOf(definition), withLeftOut(error, rehearsal.leftOut));
  }
  const refusedHook = await runHooks(scope.hooks, rehearsal);
  for (const job of scope.jobs) {
    // The first refusal only: what reads a refused object is refused for that alone.
    const culprit = job.definitions.find((definition) => refused.has(keyOf(definition)));
    const outcome =
      culprit === undefined
        ? refusedHook === null
          ? await completeJob(job, made, columns, { textOf, leftOut: rehearsal.leftOut })
          : refuseHook(refusedHook, job)
        : refuse(refused.get(keyOf(culprit)), job, culprit);
    outcomes.set(job, outcome);
  }

  function refuseHook({ sql, error }: RefusedHook, { name, origin }: JobDefinition): Outcome {
    return { kind: "refused", finding: refusal(error, name, { sql, origin }, textOf) };
  }
  function refuse(error: DeployError | undefined, job: JobDefinition, culprit: Definition): Outcome {
    const sql = culprit.kind === "table-as" ? culprit.select.query : culprit.sql;
    return { kind: "refused", finding: refusal(error, job.name, { sql, origin: culprit.origin }, textOf) };
  }
}

interface RefusedHook {
  readonly sql: string;
  readonly error: DeployError;
}

/** The first hook that is refused; those after it are not run. */
async function runHooks(hooks: readonly string[], rehearsal: Rehearsal): Promise<RefusedHook | null> {
  for (const sql of hooks) {
    const error = await refusalOf(() => rehearsal.run(sql));
    if (error === null) continue;
    const inHook = new DeployError(error.code, `a pre-hook: ${error.message}`, { cause: error });
    return { sql, error: withLeftOut(inHook, rehearsal.leftOut) };
  }
  return null;
}

interface Telling {
  readonly textOf: TextOf;
  readonly leftOut: readonly string[];
}

async function completeJob(
  definition: JobDefinition,
  made: ReadonlyMap<string, ProgramStatement>,
  columns: (table: JobDefinition["sink"]) => Promise<readonly Column[]>,
  { textOf, leftOut }: Telling,
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
      warnings: warningsOf(definition, leftOut),
    };
  } catch (error) {
    const told = isRefusal(error) ? withLeftOut(error, leftOut) : error;
    return { kind: "refused", finding: refusal(told, name, { sql: sink.query, origin }, textOf) };
  }
}

/** An ALTER that was not run may change what the job reads; a database or table that was not made is missed elsewhere. */
function warningsOf(
  { name, origin, definitions, preHooks }: JobDefinition,
  leftOut: readonly string[],
): readonly Finding[] {
  const own = new Set([...definitions.map(({ sql }) => sql), ...preHooks]);
  const altering = leftOut.filter((sql) => own.has(sql) && /^\W*alter\b/i.test(sql));
  if (altering.length === 0) return [];
  const message = maskSecrets(`What it changes is not known here: ${explainLeftOut(altering)}.`);
  return [{ severity: "warning", code: "unknown", message, job: name, file: origin.file, line: null }];
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
