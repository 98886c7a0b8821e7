import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeError } from "../errors.ts";
import type { Config, Finding, Job } from "../project/job.ts";
import { decodeCompiledPlan, encodeCompiledPlan, renumber } from "./compiled-plan.ts";
import { decodeExplanation } from "./explain-text.ts";
import type { Explanation } from "./explanation.ts";
import { isRefusal, refusal } from "./finding.ts";
import { withoutForeignCode } from "./foreign-code.ts";
import type { PlannerSession, Sessions } from "./sessions.ts";
import { asTemporary, namesCatalog } from "./temporary.ts";

interface Options {
  readonly flinkVersion: string;
  readonly scratchFolder: string;
  readonly log: (line: string) => void;
}

/** See `Planner.explain`. Each job has a session of its own, which knows nothing but the job's program. */
export async function explainJob(sessions: Sessions, job: Job, options: Options): Promise<Explanation | Finding> {
  const { setup, sink, insert, runtimeMode, executionConfig: config } = job.program;
  return await sessions.use(runtimeMode, async (session) => {
    const mayOutlive = session.hasCatalog || namesCatalog(setup.map(({ sql }) => sql));
    for (const { sql, origin } of [...setup, sink]) {
      const planned = withoutForeignCode(asTemporary(sql, mayOutlive));
      if (planned === null) continue;
      const error = await refusalOf(session.execute(planned));
      if (error !== null) return refusal(error, job.name, { sql, origin }, () => null);
    }
    // JSON_EXECUTION_PLAN also translates the plan to operators, where Flink finds some more that cannot run.
    // PLAN_ADVICE is refused in batch mode.
    const details = runtimeMode === "batch" ? "JSON_EXECUTION_PLAN" : "PLAN_ADVICE, JSON_EXECUTION_PLAN";
    try {
      const { rows } = await session.execute(`EXPLAIN ${details} ${insert}`, config);
      const compiledPlan = runtimeMode === "batch" ? null : await compile(session, job, config, options);
      return { ...decodeExplanation(String(rows[0]?.[0] ?? "")), compiledPlan };
    } catch (error) {
      return refusal(error, job.name, { sql: insert, origin: job.origin }, () => null);
    }
  });
}

/** The job's compiled plan, canonical; null where Flink can run the job but cannot write its plan down. */
async function compile(session: PlannerSession, job: Job, config: Config, options: Options): Promise<string | null> {
  const folder = await mkdtemp(join(options.scratchFolder, "plan-"));
  try {
    const path = join(folder, "plan.json");
    // 1.17 takes a path without a scheme only; from 1.18 on it is a URI.
    const target = /^1\.1[0-7]\./.test(options.flinkVersion) ? path : pathToFileURL(path).href;
    const error = await refusalOf(
      session.execute(`COMPILE PLAN '${target.replaceAll("'", "''")}' FOR ${job.program.insert}`, config),
    );
    if (error === null) return encodeCompiledPlan(renumber(decodeCompiledPlan(await readFile(path, "utf8"))));
    options.log(`${job.name} has no compiled plan: ${describeError(error)}`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function refusalOf(statement: Promise<unknown>): Promise<Error | null> {
  try {
    await statement;
    return null;
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}
