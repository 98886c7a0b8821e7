import type { Definition, JobDefinition, RuntimeMode } from "../project/job.ts";
import { preparesSession } from "../project/objects.ts";
import { shapeOf } from "../project/statement.ts";

/** Jobs whose definitions can live in one session, with these definitions, each once, in an order that runs. */
export interface Scope {
  readonly runtimeMode: RuntimeMode;
  readonly definitions: readonly Definition[];
  /** The hooks of the jobs that prepare the session, which run after the definitions. */
  readonly hooks: readonly string[];
  readonly jobs: readonly JobDefinition[];
}

interface OpenScope {
  readonly runtimeMode: RuntimeMode;
  readonly hooks: readonly string[];
  /** The SET, USE, CREATE FUNCTION ... statements in their order; every job of the scope has these. */
  readonly statements: readonly Definition[];
  /** What is made before statement `i`; the last stage is made after all of them. */
  readonly stages: Map<string, Definition>[];
  readonly jobs: JobDefinition[];
}

/**
 * Puts jobs together whose sessions would be prepared alike, so that each object is made once per session and not
 * once per job. Jobs of another runtime mode, or that need other statements or hooks, or another object of the same name, come into another scope.
 */
export function scopesOf(jobs: readonly JobDefinition[]): readonly Scope[] {
  const scopes: OpenScope[] = [];
  for (const job of jobs) {
    const own = opened(job);
    const scope = scopes.find((candidate) => fits(candidate, own));
    if (scope === undefined) scopes.push(own);
    else join(scope, own);
  }
  return scopes.map(({ runtimeMode, hooks, statements, stages, jobs: members }) => ({
    runtimeMode,
    hooks,
    jobs: members,
    definitions: stages.flatMap((stage, index) => [...stage.values(), ...statements.slice(index, index + 1)]),
  }));
}

/** Cuts a scope into at most `parts` of about the same number of jobs, each with all that its jobs need. */
export function split(scope: Scope, parts: number): readonly Scope[] {
  const size = Math.ceil(scope.jobs.length / parts);
  return Array.from({ length: Math.ceil(scope.jobs.length / size) }, (_, index) =>
    scopesOf(scope.jobs.slice(index * size, (index + 1) * size)),
  ).flat();
}

/** The pre-hooks without which a model may not be understood, DROPs before a CREATE too; others start jobs. */
export function preparingHooks(hooks: readonly string[]): readonly string[] {
  return hooks.filter((sql) => preparesSession(shapeOf(sql)) || shapeOf(sql).kind === "drop");
}

function opened(job: JobDefinition): OpenScope {
  const statements: Definition[] = [];
  const stages: Map<string, Definition>[] = [new Map()];
  for (const definition of job.definitions) {
    if (definition.kind === "statement") {
      statements.push(definition);
      stages.push(new Map());
    } else stages.at(-1)?.set(definition.name, definition);
  }
  const hooks = preparingHooks(job.preHooks);
  return { runtimeMode: job.runtimeMode, hooks, statements, stages, jobs: [job] };
}

function fits(scope: OpenScope, other: OpenScope): boolean {
  if (scope.runtimeMode !== other.runtimeMode || scope.statements.length !== other.statements.length) return false;
  if (scope.hooks.join("\n;\n") !== other.hooks.join("\n;\n")) return false;
  if (scope.statements.some(({ sql }, index) => sql !== other.statements[index]?.sql)) return false;
  return other.stages.every((stage, index) =>
    [...stage].every(([name, { sql }]) =>
      scope.stages.every((made, at) => {
        const known = made.get(name);
        return known === undefined || (at === index && known.sql === sql);
      }),
    ),
  );
}

function join(scope: OpenScope, other: OpenScope): void {
  scope.jobs.push(...other.jobs);
  // What an object needs comes before it in its own job's list, so appending keeps an order that runs.
  for (const [index, stage] of other.stages.entries())
    for (const [name, definition] of stage)
      if (scope.stages[index]?.has(name) === false) scope.stages[index]?.set(name, definition);
}
