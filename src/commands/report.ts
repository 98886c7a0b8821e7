import type { Outcome } from "../deploy/deployment.ts";
import type { Plan } from "../plan/plan.ts";
import { renderOutcome } from "../report/outcome.ts";
import type { CommandResult, Shell } from "./shell.ts";

/** Prints an outcome and makes the command's result of it: the first job's code that is one. */
export async function report(
  outcome: Outcome,
  shell: Shell,
  { plan, about = null }: { readonly plan: Plan | null; readonly about?: string | null },
): Promise<CommandResult> {
  await shell.print(renderOutcome(outcome, plan, about));
  const failed = outcome.jobs.filter((job) => job.code !== null);
  const [first] = failed;
  return {
    reason: first?.code ?? "ok",
    message: first === undefined ? null : failed.map((job) => `${job.job}: ${job.message ?? job.ending}`).join("\n"),
    outputs: {
      "has-changes": String(outcome.jobs.some(({ ending }) => ending !== "unchanged" && ending !== "saved")),
      jobs: JSON.stringify(
        outcome.jobs.map(({ job, ending, jobId, savepoint, code }) => ({
          job,
          ending,
          jobId,
          savepoint,
          reason: code ?? "ok",
        })),
      ),
      // What is not known to be anywhere is left out.
      savepoints: JSON.stringify(
        Object.fromEntries(
          outcome.jobs.flatMap(({ job, savepoint, restored }) => {
            const path = savepoint ?? restored;
            return path === null ? [] : [[job, path] as const];
          }),
        ),
      ),
      deployment: outcome.deployment,
      ...(plan === null ? {} : { "plan-digest": plan.digest }),
    },
  };
}
