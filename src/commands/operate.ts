import { previousOf, settle, subjectOf } from "../deploy/deployment.ts";
import { deploymentId } from "../deploy/ids.ts";
import { inParallel } from "../deploy/in-parallel.ts";
import type { Desired, Settings } from "../deploy/step.ts";
import type { JobTask, RunContext } from "../deploy/task.ts";
import { DeployError } from "../errors.ts";
import type { ResumeInputs, SuspendInputs } from "../inputs/inputs.ts";
import { loadJob, type Secrets, unsealProgram } from "../ledger/stored-job.ts";
import type { Program } from "../project/job.ts";
import { verifyLimits } from "./cluster.ts";
import { consentOf } from "./consent.ts";
import { namedPath } from "./named-path.ts";
import { matchingNames, operable } from "./names.ts";
import { operateOn } from "./operation.ts";
import { report } from "./report.ts";
import type { CommandResult, Shell } from "./shell.ts";

/** For a submission that a broken-off deployment left: it is to run, no more, before it is stopped. */
const beforeStop: Settings["verify"] = { timeoutMs: 180_000, batchTimeoutMs: 3_600_000, checkpoints: 0, steadyMs: 0 };

const noPath = { startFrom: null, answer: null, rewind: null };

/** Stops the jobs with a savepoint that the ledger keeps; a suspended one keeps the savepoint that it has. */
export async function suspend(inputs: SuspendInputs, shell: Shell): Promise<CommandResult> {
  return await operate(inputs, beforeStop, shell, async () => ({
    desired: { kind: "suspended", by: "command", reference: null, upgradeMode: "savepoint", ...noPath },
    program: null,
  }));
}

/** Starts suspended jobs from their savepoints with the program that the ledger keeps; a running one is left alone. */
export async function resume(
  inputs: ResumeInputs,
  secretsOfProject: () => Promise<Secrets>,
  shell: Shell,
): Promise<CommandResult> {
  let secrets: Promise<Secrets> | null = null;
  return await operate(inputs, verifyLimits(inputs), shell, async (name, context) => {
    const recorded = context.ledger.job(name);
    const begun = recorded.attempt?.submissions.findLast(({ role }) => role === "new");
    const reference = begun?.reference ?? recorded.settled?.reference ?? null;
    if (reference === null) {
      throw new DeployError(
        "needs-operator",
        `the ledger does not know the program of ${name}; run \`deploy\` instead`,
      );
    }
    const { job } = await loadJob(context.ledger, reference);
    let program = unsealProgram(job.program, new Map());
    if (program === null) {
      secrets ??= secretsOfProject();
      program = unsealProgram(job.program, await secrets);
    }
    const { upgradeMode } = job;
    const { runtimeMode } = job.program;
    const consent = consentOf(inputs)(name);
    const path = inputs.fromSavepoint;
    const paths = path === null ? noPath : namedPath(recorded, { path, consent, jobs: await context.cluster.jobs() });
    return { desired: { kind: "running", reference, upgradeMode, runtimeMode, consent, ...paths }, program };
  });
}

interface Aim {
  readonly desired: Desired;
  readonly program: Program | null;
}

async function operate(
  inputs: SuspendInputs | ResumeInputs,
  verify: Settings["verify"],
  shell: Shell,
  aimOf: (name: string, context: RunContext) => Promise<Aim>,
): Promise<CommandResult> {
  const { environment, command } = inputs;
  const outcome = await operateOn(inputs, shell, async (context) => {
    const { ledger } = context;
    const before = ledger.deployed();
    // The newest entry makes each use of the button a deployment of its own.
    const deployment = deploymentId(environment, command, ledger.entries().at(-1)?.id ?? "");
    ledger.begin(deployment);
    const settings = { environment, deployment, savepointDirectory: inputs.savepointDir, verify, canPutBack: false };
    const taskOf = async (name: string): Promise<JobTask> => {
      const { desired, program } = await aimOf(name, context);
      const previous = await previousOf(ledger.job(name), new Map(), context);
      const subject = subjectOf(desired, program, previous);
      return { name, desired, program, previous: null, settings: { ...settings, settledMode: previous.mode }, subject };
    };
    const names = matchingNames(operable(ledger.deployed()), inputs.jobs);
    const jobs = await inParallel(names, inputs.parallelJobs, (name) =>
      settle({ name, task: () => taskOf(name) }, context),
    );
    return { environment, deployment, before, jobs };
  });
  return await report(outcome, shell, { plan: null });
}
