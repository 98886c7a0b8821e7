import { mkdir } from "node:fs/promises";
import type { Gateway } from "../flink/gateway.ts";
import type { Finding, Job, JobDefinition, Origin } from "../project/job.ts";
import { completeJobs } from "./complete.ts";
import { explainJob } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { openSessions } from "./sessions.ts";
import { tableFindings } from "./table-findings.ts";
import { namesCatalog } from "./temporary.ts";

/** Flink's planner, asked what a recording's jobs are and how Flink would run them. Starts no job and needs no cluster. */
export interface Planner extends AsyncDisposable {
  readonly flinkVersion: string;
  /**
   * Works out the columns of every table model and so makes programs of definitions. A job that Flink refuses is
   * missing from `jobs` and has a finding instead. Definitions are those of one recording: a name means one thing.
   */
  complete(definitions: readonly JobDefinition[], options?: CompleteOptions): Promise<Completed>;
  /** How Flink would run the job, or a finding where it refuses to. */
  explain(job: Job): Promise<Explanation | Finding>;
  /** What a catalog that init SQL or the job brings in holds otherwise than the job declares. */
  tables(job: Job): Promise<readonly Finding[]>;
}

export interface CompleteOptions {
  /** The text of a model's file, for finding the line in it that Flink complains about; null where unknown. */
  readonly textOf?: (origin: Origin) => string | null;
}

export interface Completed {
  readonly jobs: readonly Job[];
  readonly findings: readonly Finding[];
}

export interface PlannerOptions {
  readonly gateway: Gateway;
  readonly flinkVersion: string;
  /** A folder for compiled plans, absolute: the gateway writes them there and we read them. Made where missing. */
  readonly scratchFolder: string;
  /** Run in every session before anything else: catalogs, functions, modules, jars. */
  readonly initSql: readonly string[];
  /** How many sessions work side by side, at least 1. */
  readonly sessions: number;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Throws the gateway's DeployErrors; a statement of the project that Flink refuses becomes a finding instead. */
export async function openPlanner(options: PlannerOptions): Promise<Planner> {
  await mkdir(options.scratchFolder, { recursive: true });
  const sessions = openSessions(options);
  return {
    flinkVersion: options.flinkVersion,
    complete: (definitions, { textOf } = {}) => completeJobs(sessions, definitions, textOf ?? (() => null)),
    explain: (job) => explainJob(sessions, job, options),
    tables: async (job) => {
      const { setup, preHooks } = job.program;
      const mayHold = namesCatalog([...options.initSql, ...setup.map(({ sql }) => sql), ...preHooks]);
      return mayHold ? await tableFindings(sessions, job) : [];
    },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
}
