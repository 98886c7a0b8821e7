import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeError } from "../errors.ts";
import { readText } from "../flink/read-text.ts";
import type { Config, Finding, Job } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { decodeCompiledPlan, encodeCompiledPlan, renumber } from "./compiled-plan.ts";
import { decodeExplanation } from "./explain-text.ts";
import type { Explanation } from "./explanation.ts";
import { type Asked, refusal, refusalOf } from "./finding.ts";
import { explainLeftOut, rehearse } from "./rehearsal.ts";
import { preparingHooks } from "./scopes.ts";
import type { PlannerSession, Sessions } from "./sessions.ts";
import { namesCatalog } from "./temporary.ts";

interface Options {
  readonly flinkVersion: string;
  readonly scratchFolder: string;
  readonly log: (line: string) => void;
}

/** See `Planner.explain`. Each job has a session of its own, which knows nothing but the job's program. */
export async function explainJob(sessions: Sessions, job: Job, options: Options): Promise<Explanation | Finding> {
  const { setup, sink, insert, runtimeMode, executionConfig: config } = job.program;
  return await sessions.use(runtimeMode, async (session) => {
    const hooks = preparingHooks(job.program.preHooks).map((sql) => ({ sql, origin: job.origin }));
    const statements = [...setup, ...hooks, sink];
    const mayOutlive = session.hasCatalog || namesCatalog(statements.map(({ sql }) => sql));
    const rehearsal = rehearse(session, { mayOutlive, standIns: false });
    const refuse = (error: unknown, asked: Asked): Finding =>
      unknown(
        refusal(error, job.name, asked, () => null),
        rehearsal.leftOut,
      );
    for (const { sql, origin } of statements) {
      const error = await refusalOf(() => rehearsal.run(sql));
      if (error !== null) return refuse(error, { sql, origin });
    }
    // JSON_EXECUTION_PLAN also translates the plan to operators, where Flink finds some more that cannot run.
    // PLAN_ADVICE is refused in batch mode.
    const details = runtimeMode === "batch" ? "JSON_EXECUTION_PLAN" : "PLAN_ADVICE, JSON_EXECUTION_PLAN";
    try {
      const { rows } = await session.execute(`EXPLAIN ${details} ${insert}`, config);
      const compiledPlan = runtimeMode === "batch" ? null : await compile(session, job, config, options);
      return { ...decodeExplanation(String(rows[0]?.[0] ?? "")), compiledPlan };
    } catch (error) {
      return refuse(error, { sql: insert, origin: job.origin });
    }
  });
}

/** The largest that was seen is a hundredth of it; a change's author chooses the SQL that it is made of. */
const maxPlanBytes = 64 * 1024 * 1024;

/** The job's compiled plan, canonical; null where Flink can run the job but cannot write its plan down. */
async function compile(session: PlannerSession, job: Job, config: Config, options: Options): Promise<string | null> {
  const folder = await mkdtemp(join(options.scratchFolder, "plan-"));
  try {
    const path = join(folder, "plan.json");
    // 1.17 takes a path without a scheme only; from 1.18 on it is a URI.
    const target = /^1\.1[0-7]\./.test(options.flinkVersion) ? path : pathToFileURL(path).href;
    const error = await refusalOf(() =>
      session.execute(`COMPILE PLAN '${target.replaceAll("'", "''")}' FOR ${job.program.insert}`, config),
    );
    if (error === null) return encodeCompiledPlan(renumber(decodeCompiledPlan(await readText(path, maxPlanBytes))));
    options.log(`${job.name} has no compiled plan: ${describeError(error)}`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where something was left out, a refusal does not prove the program wrong: its cluster may have what is missing. */
function unknown(finding: Finding, leftOut: readonly string[]): Finding {
  if (leftOut.length === 0) return finding;
  const message = `${finding.message} (${maskSecrets(explainLeftOut(leftOut))})`;
  return { ...finding, severity: "warning", code: "unknown", message };
}
