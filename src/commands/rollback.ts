import { rollBack } from "../deploy/rollback.ts";
import { shown } from "../deploy/rollback-plan.ts";
import type { RollbackInputs } from "../inputs/inputs.ts";
import { historyOf, inUtc } from "../ledger/history.ts";
import type { Secrets } from "../ledger/stored-job.ts";
import { verifyLimits } from "./cluster.ts";
import { consentOf } from "./consent.ts";
import { matchingNames } from "./names.ts";
import { operateOn } from "./operation.ts";
import { report } from "./report.ts";
import type { CommandResult, Shell } from "./shell.ts";

/** Brings the jobs' programs back to what a deployment had left; what is stopped for it keeps a savepoint. */
export async function rollback(
  inputs: RollbackInputs,
  secretsOfProject: () => Promise<Secrets>,
  shell: Shell,
): Promise<CommandResult> {
  const outcome = await operateOn(inputs, shell, async (context) => {
    const known = [...historyOf(context.ledger.entries()).rests.keys()].sort();
    return await rollBack(
      {
        to: inputs.to,
        jobs: inputs.jobs.length === 0 ? known : matchingNames(known, inputs.jobs),
        keepsProgress: inputs.keepProgress,
        parallelJobs: inputs.parallelJobs,
        settings: {
          environment: inputs.environment,
          savepointDirectory: inputs.savepointDir,
          verify: verifyLimits(inputs),
        },
        consentOf: consentOf(inputs),
        secrets: secretsOfProject,
      },
      context,
    );
  });
  const { target } = outcome;
  return await report(outcome, shell, { plan: null, about: `Back to ${shown(target)}, of ${inUtc(target.at)}.` });
}
