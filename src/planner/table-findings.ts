import type { Finding, Job } from "../project/job.ts";
import { existingTables, sentenceOf } from "./existing-tables.ts";
import { refusalOf } from "./finding.ts";
import { rehearse } from "./rehearsal.ts";
import { preparingHooks } from "./scopes.ts";
import type { Sessions } from "./sessions.ts";

/**
 * Tables of the job that a catalog holds already and not as the job declares them: a deployment leaves them as they are,
 * and refuses such a job. What Flink refuses on the way is told by `explain`.
 */
export async function tableFindings(sessions: Sessions, job: Job): Promise<readonly Finding[]> {
  const { setup, sink, preHooks, runtimeMode } = job.program;
  return await sessions.use(runtimeMode, async (session) => {
    const tables = existingTables(session, { isPrepared: true });
    const rehearsal = rehearse(session, { mayOutlive: true, standIns: true });
    const findings: Finding[] = [];
    const hooks = preparingHooks(preHooks).map((sql) => ({ sql, origin: job.origin }));
    for (const { sql, origin } of [...setup, ...hooks, sink]) {
      const found = await tables.look(sql);
      if (found !== null) findings.push({ ...sentenceOf(found), job: job.name, file: origin.file, line: null });
      await refusalOf(() => rehearsal.run(sql));
    }
    return findings;
  });
}
