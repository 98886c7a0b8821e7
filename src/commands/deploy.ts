import { join } from "node:path";
import type { DeployInputs } from "../inputs/inputs.ts";
import { sealJob } from "../ledger/stored-job.ts";
import { diffJobs, renameReason } from "../plan/diff.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Change } from "../plan/plan.ts";
import { carryOut, type Intent } from "./carry-out.ts";
import {
  type Checkout,
  findCheckout,
  makeScratch,
  openRevision,
  type Revision,
  refuseUncommitted,
  renamedSince,
} from "./checkout.ts";
import { commitsOfRemoved } from "./deployed-jobs.ts";
import { explainChanges, explainUnchanged } from "./explain-changes.ts";
import { intentOf, readPlanFile } from "./plan-from-file.ts";
import { type RecordedJobs, recordAll, refuseEmpty, refuseErrors } from "./recorded-jobs.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { openSite, type Site } from "./site.ts";
import { openWorkbench, type Workbench } from "./workbench.ts";

/**
 * Brings the cluster's jobs to the project's state, or to what a plan file says of it. Nothing is touched before every
 * changed job is known to compile.
 */
export async function deploy(inputs: DeployInputs, shell: Shell): Promise<CommandResult> {
  return inputs.planFile === null
    ? await deployProject(inputs, shell)
    : await deployPlanFile(inputs.planFile, inputs, shell);
}

/** Without dbt, git and a planner: only the cluster compiles the programs, each before its job is stopped. */
async function deployPlanFile(file: string, inputs: DeployInputs, shell: Shell): Promise<CommandResult> {
  const plan = await readPlanFile(file, shell.cwd);
  refuseErrors(plan.findings);
  await using site = await openSite(inputs, shell);
  return await carryOut(site, intentOf(plan, site));
}

async function deployProject(inputs: DeployInputs, shell: Shell): Promise<CommandResult> {
  await using scratch = await makeScratch();
  const checkout = await findCheckout(shell.cwd, inputs.projectDir);
  await using site = await openSite(inputs, shell);
  const { flinkVersion } = site;
  await using revision = await openRevision(checkout, inputs.head, join(scratch.folder, "head-tree"));
  refuseUncommitted(revision);
  await using workbench = await openWorkbench({ inputs, flinkVersion, folder: scratch.folder, shell });
  const head = await recordAll(await workbench.openSide("head", revision), workbench.planner, shell.log);
  refuseErrors(head.findings);
  refuseEmpty(head);
  return await carryOut(site, intentOfProject(head, { checkout, revision, workbench, site }));
}

interface Recorded {
  readonly checkout: Checkout;
  readonly revision: Revision;
  readonly workbench: Workbench;
  readonly site: Site;
}

function intentOfProject(head: RecordedJobs, { checkout, revision, workbench, site }: Recorded): Intent {
  const { inputs, shell, flinkVersion } = site;
  const { removedJobs, renames } = inputs;
  const { project, dbtVersion, adapterVersion } = head.recording;
  return {
    project,
    commit: revision.commit,
    reviewedCommit: revision.commit,
    names: [...head.jobs.map(({ name }) => name), ...Object.keys(renames)],
    async planOn(ledger, deployed) {
      const changes = diffJobs({
        base: deployed.jobs,
        head: head.jobs.map(sealJob),
        suspendedInBase: deployed.suspended,
        held: deployed.held,
        past: deployed.past,
        lost: deployed.lost,
        keepRemoved: removedJobs === "keep",
        renames,
        renamedFiles: await renamedSince(commitsOfRemoved(ledger.deployed(), deployed, head.jobs), revision, checkout),
      });
      sayRenames(changes, shell.log);
      const explained = await explainChanges(changes, workbench.planner);
      refuseErrors(explained.findings);
      const unchanged =
        inputs.initSql === null ? [] : await explainUnchanged(changes, deployed.compiledPlans, workbench.planner);
      for (const { severity, job, message } of [...explained.findings, ...unchanged])
        if (severity === "warning") shell.log(`warning: ${job}: ${message}`);
      const plan = makePlan({
        project,
        environment: inputs.environment,
        base: "deployed",
        head: revision.commit,
        dbtVersion,
        adapterVersion,
        flinkVersion,
        changes: explained.changes,
        unrecorded: [],
        findings: [...head.findings, ...explained.findings, ...unchanged],
      });
      return { plan, jobs: head.jobs, leftAlone: new Map(), removedJobs, renames };
    },
  };
}

/** Before a job is stopped for good that may only have another name. */
function sayRenames(changes: readonly Change[], log: (line: string) => void): void {
  for (const { job, kind, reasons } of changes)
    for (const { object, text } of reasons) if (kind === "create" && object === renameReason) log(`${job} ${text}`);
}
