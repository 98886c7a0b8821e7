import { withExplanations } from "../plan/make-plan.ts";
import type { Change } from "../plan/plan.ts";
import type { Explanation } from "../planner/explanation.ts";
import type { Planner } from "../planner/planner.ts";
import type { Finding, Job } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";

/** A job that stays suspended does not run its changed program yet, and a deployment takes that program all the same. */
function asksPlanner({ kind, before, after }: Change): boolean {
  return kind !== "none" || (before !== null && after !== null && before.digest !== after.digest);
}

/**
 * Unchanged jobs that compile to another plan than the one they were deployed with, as warnings. What a program does not
 * hold has changed then: init SQL, or what a catalog keeps. `deployed` has compiled plans by job name.
 */
export async function explainUnchanged(
  changes: readonly Change[],
  deployed: ReadonlyMap<string, string>,
  planner: () => Promise<Planner>,
): Promise<readonly Finding[]> {
  const findings = changes.map(async (change): Promise<readonly Finding[]> => {
    const before = deployed.get(change.job);
    if (before === undefined || change.after === null || change.kind !== "none" || asksPlanner(change)) return [];
    const answer = await (await planner()).explain(change.after);
    const warning = { severity: "warning", job: change.job, file: change.after.origin.file, line: null } as const;
    if ("severity" in answer)
      return [{ ...answer, ...warning, message: `It would not start again: ${answer.message}` }];
    if (answer.compiledPlan === null || maskSecrets(answer.compiledPlan) === maskSecrets(before)) return [];
    // Iceberg makes up a key's name each time it is asked: such a plan is never the same, and tells nothing.
    const again = await (await planner()).explain(change.after);
    if ("severity" in again || again.compiledPlan !== answer.compiledPlan) return [];
    const message =
      "It compiles to another plan than the one it was deployed with, and its own program has not changed: `init-sql` has, or a table or function of a catalog. A deployment leaves it as it runs.";
    return [{ ...warning, code: "compiles-differently", message }];
  });
  return (await Promise.all(findings)).flat();
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
