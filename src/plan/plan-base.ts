import type { Job } from "../project/job.ts";
import type { Change, Plan } from "./plan.ts";

/** What the ledger says of the environment that a plan is to be carried out in. */
export interface Ground {
  readonly environment: string;
  readonly flinkVersion: string;
  /** The project's deployed jobs, with or without their secrets: only names and digests are looked at. */
  readonly jobs: readonly Pick<Job, "name" | "digest">[];
  /** Deployed jobs of other projects in the same environment: by name the project. */
  readonly foreign: ReadonlyMap<string, string>;
}

/** Why a plan cannot be carried out any more; `job` is null where all of it is concerned. */
export interface BaseDifference {
  readonly job: string | null;
  readonly planned: string;
  readonly found: string;
}

/**
 * Where the ground is not what the plan was made on. What a first try of the same plan has done already is no difference,
 * so that a deployment that died is finished by running it again. Pure.
 */
export function differencesFromBase(plan: Plan, ground: Ground): readonly BaseDifference[] {
  const deployed = new Map(ground.jobs.map(({ name, digest }) => [name, digest]));
  const known = new Set([
    ...plan.changes.flatMap(({ job, renamedFrom }) => [job, ...(renamedFrom === null ? [] : [renamedFrom])]),
    ...plan.unrecorded,
  ]);
  return [
    ...differing("environment", plan.environment, ground.environment),
    ...differing("Flink", plan.flinkVersion, ground.flinkVersion),
    ...plan.changes.flatMap((change) => ofChange(change, deployed, ground.foreign)),
    ...plan.unrecorded
      .filter((name) => !deployed.has(name))
      .map((job) => ({ job, planned: "unchanged", found: "not deployed" })),
    ...ground.jobs
      .filter(({ name }) => !known.has(name))
      .map(({ name: job, digest }) => ({ job, planned: "not in the plan", found: program(digest) })),
  ];
}

function differing(what: string, planned: string, found: string): readonly BaseDifference[] {
  return planned === found ? [] : [{ job: null, planned: `${what} ${planned}`, found: `${what} ${found}` }];
}

function ofChange(
  { job, before, after }: Change,
  deployed: ReadonlyMap<string, string>,
  foreign: ReadonlyMap<string, string>,
): readonly BaseDifference[] {
  const owner = foreign.get(job);
  if (owner !== undefined) return [{ job, planned: "a job of this project", found: `a job of project ${owner}` }];
  const old = before === null ? undefined : deployed.get(before.name);
  const here = deployed.get(job) ?? old;
  const isAsBefore = here === before?.digest;
  // Also where the first try had moved the job to its new name and no more.
  const isDone = here === after?.digest;
  if (isAsBefore || isDone) return [];
  const planned = before === null ? "not deployed" : program(before.digest);
  return [{ job, planned, found: here === undefined ? "not deployed" : program(here) }];
}

const program = (digest: string): string => `program ${digest.slice(0, 12)}`;
