import { join } from "node:path";
import { type Outcome, deploy as runDeployment } from "../deploy/deployment.ts";
import { guardedCluster } from "../deploy/guarded-cluster.ts";
import { deploymentId } from "../deploy/ids.ts";
import { listedStorage } from "../deploy/state-storage.ts";
import { DeployError } from "../errors.ts";
import type { DeployInputs } from "../inputs/inputs.ts";
import { openLedger } from "../ledger/ledger.ts";
import { sealJob, secretsOf } from "../ledger/stored-job.ts";
import { diffJobs } from "../plan/diff.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { renderOutcome } from "../report/outcome.ts";
import { findCheckout, makeScratch, openRevision } from "./checkout.ts";
import { openCluster, verifyLimits } from "./cluster.ts";
import { consentOf } from "./consent.ts";
import { deployedJobs } from "./deployed-jobs.ts";
import { explainChanges } from "./explain-changes.ts";
import { recordAll, refuseEmpty, refuseErrors } from "./recorded-jobs.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { emptyLedger, lockEnvironment, openStore } from "./stores.ts";
import { openWorkbench, readInitSql } from "./workbench.ts";

/** Brings the cluster's jobs to the project's state. Nothing is touched before every changed job is known to compile. */
export async function deploy(inputs: DeployInputs, shell: Shell): Promise<CommandResult> {
  await using scratch = await makeScratch();
  const checkout = await findCheckout(shell.cwd, inputs.projectDir);
  const initSql = await readInitSql(inputs.initSql, shell.cwd);
  const { cluster: opened, flinkVersion } = await openCluster(inputs, initSql, shell);
  await using cluster = opened;
  if (inputs.flinkVersion !== null && inputs.flinkVersion !== flinkVersion) {
    throw new DeployError(
      "version-mismatch",
      `flink-version is ${inputs.flinkVersion}, but the cluster at ${inputs.gatewayUrl} runs ${flinkVersion}`,
    );
  }
  await using revision = await openRevision(checkout, inputs.head, join(scratch.folder, "head-tree"));
  if (revision.dirty) {
    throw new DeployError(
      "worktree-dirty",
      `${inputs.projectDir} has changes that are in no commit: commit them, or name a \`head\` to deploy`,
    );
  }
  const store = openStore(inputs, shell);
  await using workbench = await openWorkbench({ inputs, flinkVersion, folder: scratch.folder, shell });
  const head = await recordAll(await workbench.openSide("head", revision), workbench.planner, shell.log);
  refuseErrors(head.findings);
  refuseEmpty(head);

  await using lock = await lockEnvironment(store, inputs, shell);
  const ledger = await openLedger(store, {
    environment: inputs.environment,
    project: head.recording.project,
    commit: revision.commit,
    now: () => shell.now().toISOString(),
    confirmLock: lock.confirm,
  });
  if (ledger.entries().length === 0) shell.log(emptyLedger(store));
  const { jobs, suspended, held, past } = await deployedJobs(ledger, ledger.deployed(), head.recording.project);
  const changes = diffJobs({
    base: jobs,
    head: head.jobs.map(sealJob),
    suspendedInBase: suspended,
    held,
    past,
    keepRemoved: inputs.removedJobs === "keep",
    renames: inputs.renames,
  });
  const explained = await explainChanges(changes, workbench.planner);
  refuseErrors(explained.findings);
  const { recording } = head;
  const plan = makePlan({
    project: recording.project,
    environment: inputs.environment,
    base: "deployed",
    head: revision.commit,
    dbtVersion: recording.dbtVersion,
    adapterVersion: recording.adapterVersion,
    flinkVersion,
    changes: explained.changes,
    unrecorded: [],
    findings: [...head.findings, ...explained.findings],
  });
  const deployment = deploymentId(inputs.environment, revision.commit, plan.digest);
  const outcome = await runDeployment(
    {
      jobs: head.jobs,
      compiledPlans: new Map(
        plan.changes.map(({ job, explainedAfter }) => [job, explainedAfter?.compiledPlan ?? null]),
      ),
      flinkVersion,
      removedJobs: inputs.removedJobs,
      renames: inputs.renames,
      parallelJobs: inputs.parallelJobs,
      settings: {
        environment: inputs.environment,
        deployment,
        savepointDirectory: inputs.savepointDir,
        verify: verifyLimits(inputs),
      },
      consentOf: consentOf(inputs),
      secrets: secretsOf(head.jobs.map((job) => job.program)),
    },
    {
      cluster: guardedCluster(cluster, lock.confirm),
      ledger,
      log: (job, line) => shell.log(`${job}: ${line}`),
      storage: listedStorage({ ...inputs, ...shell, signal: shell.deadline }),
      clock: shell.clock,
      signal: shell.signal,
      deadline: shell.deadline,
    },
  );
  return await report(outcome, shell, { plan });
}

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
      "has-changes": String(outcome.jobs.some((job) => job.ending !== "unchanged")),
      jobs: JSON.stringify(
        outcome.jobs.map(({ job, ending, jobId, savepoint, code }) => ({
          job,
          ending,
          jobId,
          savepoint,
          reason: code ?? "ok",
        })),
      ),
      deployment: outcome.deployment,
      ...(plan === null ? {} : { "plan-digest": plan.digest }),
    },
  };
}
