import { previousOf, settle } from "../deploy/deployment.ts";
import { deploymentId } from "../deploy/ids.ts";
import type { Desired, Settings } from "../deploy/next-step.ts";
import type { JobOutcome, JobTask, RunContext } from "../deploy/run-job.ts";
import { DeployError } from "../errors.ts";
import type { ResumeInputs, SuspendInputs } from "../inputs/inputs.ts";
import { type Ledger, openLedger } from "../ledger/ledger.ts";
import { loadJob, type Secrets } from "../ledger/stored-job.ts";
import type { Program } from "../project/job.ts";
import { openCluster, verifyLimits } from "./cluster.ts";
import { report } from "./deploy.ts";
import { openStore } from "./deployed-jobs.ts";
import { matchingNames } from "./names.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { readInitSql } from "./workbench.ts";

/** Nothing is verified when a job is only stopped. */
const noLimits: Settings["verify"] = { timeoutMs: 0, batchTimeoutMs: 0, checkpoints: 0, steadyMs: 0 };

/** Stops the jobs with a savepoint that the ledger keeps; a suspended one keeps the savepoint that it has. */
export async function suspend(inputs: SuspendInputs, shell: Shell): Promise<CommandResult> {
  return await operate(inputs, noLimits, shell, async () => ({
    desired: { kind: "suspended", by: "command", reference: null, upgradeMode: "savepoint", startFrom: null },
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
    const reference = recorded.settled?.reference ?? null;
    if (reference === null) {
      throw new DeployError(
        "needs-operator",
        `the ledger does not know the program of ${name}; run \`deploy\` instead`,
      );
    }
    const { job } = await loadJob(context.ledger.store, reference);
    let { program } = await previousOf(recorded, new Map(), context);
    if (program === null) {
      secrets ??= secretsOfProject();
      ({ program } = await previousOf(recorded, await secrets, context));
    }
    const { upgradeMode, startFrom } = job;
    const { runtimeMode } = job.program;
    return { desired: { kind: "running", reference, upgradeMode, startFrom, runtimeMode }, program };
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
  const { cluster } = await openCluster(inputs, await readInitSql(inputs.initSql, shell.cwd), shell);
  const store = openStore(inputs, shell.cwd);
  const { environment, command } = inputs;
  const entries = await store.entries();
  // The newest entry makes each use of the button a deployment of its own.
  const deployment = deploymentId(environment, command, entries.at(-1)?.id ?? "");
  const ledger = await openLedger(store, {
    environment,
    deployment,
    commit: null,
    now: () => shell.now().toISOString(),
  });
  const context: RunContext = {
    cluster,
    ledger,
    log: (job, line) => shell.log(`${job}: ${line}`),
    clock: shell.clock,
    signal: shell.signal,
  };
  const settings = { environment, deployment, savepointDirectory: inputs.savepointDir, verify, canPutBack: false };
  const outcomes: JobOutcome[] = [];
  for (const name of matchingNames(operable(ledger), inputs.jobs)) {
    const { desired, program } = await aimOf(name, context);
    const { mode } = await previousOf(ledger.job(name), new Map(), context);
    const task: JobTask = { name, desired, program, previous: null, settings: { ...settings, settledMode: mode } };
    outcomes.push(await settle(task, context));
  }
  return await report({ environment, deployment, jobs: outcomes }, shell, { plan: null });
}

function operable(ledger: Ledger): readonly string[] {
  return [...ledger.deployed().values()]
    .filter(({ settled, attempt }) => attempt !== null || (settled !== null && settled.kind !== "removed"))
    .map(({ name }) => name)
    .sort();
}
