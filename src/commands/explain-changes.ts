import { withExplanations } from "../plan/make-plan.ts";
import type { Change } from "../plan/plan.ts";
import type { Explanation } from "../planner/explanation.ts";
import type { Planner } from "../planner/planner.ts";
import type { Finding, Job } from "../project/job.ts";

/** A job that stays suspended does not run its changed program yet, and a deployment takes that program all the same. */
function asksPlanner({ kind, before, after }: Change): boolean {
  return kind !== "none" || (before !== null && after !== null && before.digest !== after.digest);
}

/** Asks the planner about both sides of every change; what it refuses in head is a finding, in base it is just unknown. */
export async function explainChanges(
  changes: readonly Change[],
  planner: () => Promise<Planner>,
): Promise<{ readonly changes: readonly Change[]; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const explain = async (job: Job | null, keep: boolean): Promise<Explanation | null> => {
    if (job === null) return null;
    const { explain, tables } = await planner();
    const answer = await explain(job);
    if (keep) findings.push(...("severity" in answer ? [answer] : []), ...(await tables(job)));
    return "severity" in answer ? null : answer;
  };
  const explained = await Promise.all(
    changes.map(async (change) => {
      if (!asksPlanner(change)) return change;
      const [before, after] = await Promise.all([
        explain(change.kind === "remove" ? null : change.before, false),
        explain(change.after, true),
      ]);
      return withExplanations(change, before, after);
    }),
  );
  return { changes: explained, findings };
}
