import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { PlanInputs } from "../inputs/inputs.ts";
import { fold } from "../ledger/fold.ts";
import { readEntries } from "../ledger/ledger.ts";
import { sealJob } from "../ledger/stored-job.ts";
import { diffJobs } from "../plan/diff.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { encodePlan } from "../plan/plan-file.ts";
import type { Finding } from "../project/job.ts";
import { annotationsOf } from "../report/annotations.ts";
import { renderPlan } from "../report/markdown.ts";
import { type Checkout, findCheckout, makeScratch, openRevision, type Revision, renamedSince } from "./checkout.ts";
import { commitsOfRemoved, deployedJobs } from "./deployed-jobs.ts";
import { explainChanges, explainUnchanged } from "./explain-changes.ts";
import { initSqlFindings } from "./init-sql.ts";
import { writeOutput } from "./output-file.ts";
import { tellMergeRequest } from "./post-note.ts";
import { postPlan } from "./post-plan.ts";
import { allOrFirstError, type RecordedJobs, recordAll, recordBoth, refusalOf, refuseEmpty } from "./recorded-jobs.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { emptyLedger, openStore } from "./stores.ts";
import { defaultFlinkVersion, openWorkbench, type Workbench } from "./workbench.ts";

/** Stays below what GitHub takes for a job summary (1 MiB a step). */
const largestMarkdown = 1_000_000;

/** Shows what a change does to the jobs, on its pull request too: no cluster is asked, and nothing is kept but the plan. */
export async function plan(inputs: PlanInputs, shell: Shell): Promise<CommandResult> {
  try {
    return await planAndTell(inputs, shell);
  } catch (error) {
    await postPlan({ kind: "failed", error }, inputs, shell);
    throw error;
  }
}

async function planAndTell(inputs: PlanInputs, shell: Shell): Promise<CommandResult> {
  await using scratch = await makeScratch();
  const checkout = await findCheckout(shell.cwd, inputs.projectDir);
  const flinkVersion = inputs.flinkVersion ?? defaultFlinkVersion;
  await using workbench = await openWorkbench({ inputs, flinkVersion, folder: scratch.folder, shell });
  const made = await makePlanOf(inputs, shell, checkout, workbench, { folder: scratch.folder, flinkVersion });
  const planFile = resolve(shell.cwd, inputs.planFile);
  const markdown = renderPlan(made, { maxBytes: largestMarkdown });
  const { cwd } = shell;
  await writeOutput({ input: "plan-file", file: inputs.planFile, cwd }, encodePlan(made));
  if (inputs.markdownFile !== null) {
    await writeOutput({ input: "markdown-file", file: inputs.markdownFile, cwd }, markdown);
  }
  await shell.print(markdown);
  shell.annotate(annotationsOf(made.findings, checkout.project));
  await postPlan({ kind: "made", plan: made, folder: checkout.project }, inputs, shell);
  await tellMergeRequest(made, inputs, shell);
  const changes = made.changes.filter((change) => change.kind !== "none");
  const outputs = {
    "has-changes": String(changes.length > 0),
    jobs: JSON.stringify(made.changes.map(({ job, kind, state }) => ({ job, change: kind, state: state.kind }))),
    "plan-file": planFile,
    "plan-digest": made.digest,
  };
  const refusal = refusalOf(made.findings);
  return { reason: refusal?.code ?? "ok", message: refusal?.message ?? null, outputs };
}

interface Place {
  readonly folder: string;
  readonly flinkVersion: string;
}

async function makePlanOf(
  inputs: PlanInputs,
  shell: Shell,
  checkout: Checkout,
  workbench: Workbench,
  { folder, flinkVersion }: Place,
): Promise<Plan> {
  const base = inputs.base ?? shell.eventBase ?? "deployed";
  await using headRevision = await openRevision(checkout, inputs.head, join(folder, "head-tree"));
  const { commit, uncommitted } = headRevision;
  const headName = uncommitted.length === 0 ? commit : `${commit} with changes not committed`;
  const finish = async (
    baseName: string,
    head: RecordedJobs,
    parts: Pick<Plan, "changes" | "findings">,
  ): Promise<Plan> => {
    const { planner } = workbench;
    const explained = await explainChanges(parts.changes, planner);
    const { recording } = head;
    return makePlan({
      project: recording.project,
      environment: inputs.environment,
      base: baseName,
      head: headName,
      dbtVersion: recording.dbtVersion,
      adapterVersion: recording.adapterVersion,
      flinkVersion,
      changes: explained.changes,
      unrecorded: head.unrecorded,
      findings: [...parts.findings, ...explained.findings],
    });
  };

  if (base === "deployed") {
    const store = await openStore(inputs, shell);
    const head = await recordAll(await workbench.openSide("head", headRevision), workbench.planner, shell.log);
    refuseEmpty(head);
    const entries = await readEntries(store);
    if (entries.length === 0) shell.log(emptyLedger(store));
    const recorded = fold(entries);
    const { project } = head.recording;
    const deployed = await deployedJobs(store, recorded, { project, flinkVersion });
    const changes = diffJobs({
      base: deployed.jobs,
      head: head.jobs.map(sealJob),
      suspendedInBase: deployed.suspended,
      held: deployed.held,
      past: deployed.past,
      lost: deployed.lost,
      keepRemoved: inputs.removedJobs === "keep",
      invalid: { base: new Set(), head: head.refused },
      renames: inputs.renames,
      renamedFiles: await renamedSince(commitsOfRemoved(recorded, deployed, head.jobs), headRevision, checkout),
    });
    const unchanged =
      inputs.initSql === null ? [] : await explainUnchanged(changes, deployed.compiledPlans, workbench.planner);
    return await finish("deployed", head, { changes, findings: [...head.findings, ...unchanged] });
  }

  await using baseRevision = await openRevision(checkout, base, join(folder, "base-tree"));
  if (!(await hasProject(baseRevision))) {
    const head = await recordAll(await workbench.openSide("head", headRevision), workbench.planner, shell.log);
    refuseEmpty(head);
    const changes = diffJobs({
      base: [],
      head: head.jobs,
      invalid: { base: new Set(), head: head.refused },
      renames: inputs.renames,
    });
    const findings = [...head.findings, noteOfNewProject(base, checkout)];
    return await finish(baseRevision.commit, head, { changes, findings });
  }
  // Both have ended when one fails: the folders that dbt works in are removed next.
  const [baseSide, headSide] = await allOrFirstError([
    workbench.openSide("base", baseRevision),
    workbench.openSide("head", headRevision),
  ]);
  const both = await recordBoth(baseSide, headSide, workbench.planner, shell.log);
  refuseEmpty(both.head);
  const changes = diffJobs({
    base: both.base.jobs,
    head: both.head.jobs,
    keepRemoved: inputs.removedJobs === "keep",
    invalid: { base: both.base.refused, head: both.head.refused },
    renames: inputs.renames,
    renamedFiles: await renamedSince([baseRevision.commit], headRevision, checkout),
  });
  const findings = [
    ...both.head.findings,
    ...(await initSqlFindings(inputs.initSql, shell.cwd, {
      base: baseRevision.commit,
      repository: checkout.repository,
    })),
  ];
  return await finish(baseRevision.commit, both.head, { changes, findings });
}

function hasProject({ projectFolder }: Revision): Promise<boolean> {
  return access(join(projectFolder, "dbt_project.yml")).then(
    () => true,
    () => false,
  );
}

/** A change that adds the project: its base is no mistake, and a cluster has none of its jobs. */
function noteOfNewProject(base: string, { project }: Checkout): Finding {
  const where = project === "" ? "no dbt_project.yml" : `no ${project}/dbt_project.yml`;
  const message = `The base ${base} has ${where}, so every job is new.`;
  return { severity: "note", code: "unknown", message, job: null, file: null, line: null };
}
