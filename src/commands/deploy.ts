import { join } from "node:path";
import { type Outcome, deploy as runDeployment } from "../deploy/deployment.ts";
import { disposeOld } from "../deploy/dispose.ts";
import { guardedCluster } from "../deploy/guarded-cluster.ts";
import { deploymentId } from "../deploy/ids.ts";
import { listedStorage } from "../deploy/state-storage.ts";
import { withSuspensionWarnings } from "../deploy/suspension-age.ts";
import type { RunContext } from "../deploy/task.ts";
import { DeployError } from "../errors.ts";
import type { DeployInputs } from "../inputs/inputs.ts";
import { openLedger } from "../ledger/ledger.ts";
import { sealJob, secretsOf } from "../ledger/stored-job.ts";
import { diffJobs, renameReason } from "../plan/diff.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Change, Plan } from "../plan/plan.ts";
import { renderOutcome } from "../report/outcome.ts";
import { findCheckout, makeScratch, openRevision, refuseUncommitted, renamedSince } from "./checkout.ts";
import { openCluster, verifyLimits } from "./cluster.ts";
import { consentOf } from "./consent.ts";
import { commitsOfRemoved, deployedJobs } from "./deployed-jobs.ts";
import { explainChanges, explainUnchanged } from "./explain-changes.ts";
import { refuseLostLedger } from "./first-deployment.ts";
import { readInitSql } from "./init-sql.ts";
import { recordAll, refuseEmpty, refuseErrors } from "./recorded-jobs.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { emptyLedger, lockEnvironment, openStore } from "./stores.ts";
import { openWorkbench } from "./workbench.ts";

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
  refuseUncommitted(revision);
  const store = await openStore(inputs, shell);
  await using workbench = await openWorkbench({ inputs, flinkVersion, folder: scratch.folder, shell });
  const head = await recordAll(await workbench.openSide("head", revision), workbench.planner, shell.log);
  refuseErrors(head.findings);
  refuseEmpty(head);

  await using lock = await lockEnvironment(store, inputs, shell);
  const { project } = head.recording;
  const ledger = await openLedger(store, {
    environment: inputs.environment,
    project,
    commit: revision.commit,
    now: () => shell.now().toISOString(),
    confirmLock: lock.confirm,
  });
  if (ledger.entries().length === 0) shell.log(emptyLedger(store));
  refuseLostLedger({
    keeps: store.keeps,
    isLedgerEmpty: ledger.entries().length === 0,
    isFirst: inputs.firstDeployment,
    names: [...head.jobs.map(({ name }) => name), ...Object.keys(inputs.renames)],
    onCluster: await cluster.jobs(),
  });
  const deployed = await deployedJobs(ledger, ledger.deployed(), { project, flinkVersion });
  const changes = diffJobs({
    base: deployed.jobs,
    head: head.jobs.map(sealJob),
    suspendedInBase: deployed.suspended,
    held: deployed.held,
    past: deployed.past,
    lost: deployed.lost,
    keepRemoved: inputs.removedJobs === "keep",
    renames: inputs.renames,
    renamedFiles: await renamedSince(commitsOfRemoved(ledger.deployed(), deployed, head.jobs), revision, checkout),
  });
  sayRenames(changes, shell.log);
  const explained = await explainChanges(changes, workbench.planner);
  refuseErrors(explained.findings);
  const unchanged =
    inputs.initSql === null ? [] : await explainUnchanged(changes, deployed.compiledPlans, workbench.planner);
  for (const { severity, job, message } of [...explained.findings, ...unchanged])
    if (severity === "warning") shell.log(`warning: ${job}: ${message}`);
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
    findings: [...head.findings, ...explained.findings, ...unchanged],
  });
  const deployment = deploymentId(inputs.environment, revision.commit, plan.digest);
  const context: RunContext = {
    cluster: guardedCluster(cluster, lock.confirm),
    ledger,
    log: (job, line) => shell.log(`${job}: ${line}`),
    storage: listedStorage({ ...inputs, ...shell, signal: shell.deadline }),
    clock: shell.clock,
    signal: shell.signal,
    deadline: shell.deadline,
  };
  const ended = await runDeployment(
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
    context,
  );
  const now = shell.now().getTime();
  const { keepSavepoints: policy, parallelJobs, warnSuspendedMs: limitMs } = inputs;
  const tidied =
    policy === null ? ended : await disposeOld(ended, { policy, jobs: head.jobs, parallelJobs, now }, context);
  const facts = { entries: ledger.entries(), deployed: ledger.deployed() };
  return await report(withSuspensionWarnings(tidied, facts, { now, limitMs }), shell, { plan });
}

/** Before a job is stopped for good that may only have another name. */
function sayRenames(changes: readonly Change[], log: (line: string) => void): void {
  for (const { job, kind, reasons } of changes)
    for (const { object, text } of reasons) if (kind === "create" && object === renameReason) log(`${job} ${text}`);
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
      deployment: outcome.deployment,
      ...(plan === null ? {} : { "plan-digest": plan.digest }),
    },
  };
}
