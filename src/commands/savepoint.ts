import { type Outcome, previousOf, unchanged } from "../deploy/deployment.ts";
import { deploymentId } from "../deploy/ids.ts";
import { inParallel } from "../deploy/in-parallel.ts";
import { takeSavepoint } from "../deploy/take-savepoint.ts";
import type { JobOutcome, RunContext } from "../deploy/task.ts";
import { DeployError } from "../errors.ts";
import type { SavepointInputs } from "../inputs/inputs.ts";
import { maskSecrets } from "../secrets.ts";
import { matchingNames, operable } from "./names.ts";
import { operateOn } from "./operation.ts";
import { report } from "./report.ts";
import type { CommandResult, Shell } from "./shell.ts";

/** Takes a savepoint of each of the jobs that run, which go on running; the ledger keeps its path. */
export async function savepoint(inputs: SavepointInputs, shell: Shell): Promise<CommandResult> {
  const { environment, command, savepointDir: directory, parallelJobs } = inputs;
  const outcome = await operateOn(inputs, shell, async (context): Promise<Outcome> => {
    const { ledger } = context;
    // The newest entry makes each use of the button one of its own; one that was cut off is found by its intent.
    const deployment = deploymentId(environment, command, ledger.entries().at(-1)?.id ?? "");
    ledger.begin(deployment);
    const names = matchingNames(operable(ledger.deployed()), inputs.jobs);
    const jobs = await inParallel(names, parallelJobs, (name) =>
      settled(name, context, async () => {
        const { mode } = await previousOf(ledger.job(name), new Map(), context);
        return await takeSavepoint(name, { environment, deployment, directory, mode }, context);
      }),
    );
    return { environment, deployment, jobs };
  });
  return await report(outcome, shell, { plan: null });
}

/** An error becomes the job's outcome, so that the others go on. */
async function settled(name: string, context: RunContext, work: () => Promise<JobOutcome>): Promise<JobOutcome> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof DeployError ? error.code : "internal";
    const message = maskSecrets(error instanceof Error ? error.message : String(error));
    return { ...unchanged(context.ledger.job(name)), ending: "refused", code, message };
  }
}
