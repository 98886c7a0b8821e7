import { type History, historyOf, type PastDeployment } from "../ledger/history.ts";
import type { JobFacts } from "../ledger/ledger.ts";
import type { Secrets } from "../ledger/stored-job.ts";
import { type Outcome, previousOf, settleAll, subjectOf, unchanged, type Work } from "./deployment.ts";
import { deploymentId } from "./ids.ts";
import { type Aim, planRollback, type RollbackPlan, type RollbackRequest } from "./rollback-aims.ts";
import { shown } from "./rollback-plan.ts";
import type { Settings } from "./step.ts";
import type { JobOutcome, JobTask, RunContext } from "./task.ts";
import { wavesOf } from "./waves.ts";

/**
 * Brings the jobs' programs back to what a deployment had left. Nothing is kept of an unfinished one: the same request
 * finds the same target again, and what is there already is left alone.
 */
export async function rollBack(
  request: RollbackRequest,
  context: RunContext,
): Promise<Outcome & { readonly target: PastDeployment }> {
  const { ledger } = context;
  const { environment } = request.settings;
  const before = ledger.deployed();
  for (;;) {
    const plan = await planRollback(request, ledger);
    const { target, aims } = plan;
    const to = target.ids.at(-1) ?? "";
    const deployment = deploymentId(environment, "rollback", `${to} ${ledger.entries().at(-1)?.id ?? ""}`);
    ledger.begin(deployment, commitAt(historyOf(ledger.entries()), target));
    if (aims.length > 0 && !(await ledger.appendAll(aims.map((aim) => begun(aim, to, request))))) continue;
    for (const { job, note } of aims) {
      context.log(job, `going back to ${shown(target)}${note === null ? "" : `: ${note}`}`);
    }
    const done = await settleAll(wavesWith(plan, { ...request.settings, deployment }, context), request, context);
    const left = request.jobs.filter((job) => !aims.some((aim) => aim.job === job));
    const jobs = [...left.map((job) => unchanged(ledger.job(job))), ...done.map((outcome) => noted(outcome, aims))];
    return { environment, deployment, before, jobs, target };
  }
}

/** The newest commit that was deployed by then. */
function commitAt({ deployments }: History, { until }: PastDeployment): string | null {
  return deployments.findLast((one) => one.until <= until && one.commit !== null)?.commit ?? null;
}

function begun({ job, desired }: Aim, to: string, { keepsProgress }: RollbackRequest): JobFacts {
  const { reference, restore } =
    desired.kind === "removed"
      ? { reference: null, restore: null }
      : { reference: desired.reference, restore: desired.rewind?.path ?? null };
  return { job, facts: [{ kind: "rollback-begun", to, reference, restore, keepsProgress }] };
}

function noted(outcome: JobOutcome, aims: readonly Aim[]): JobOutcome {
  const note = aims.find(({ job }) => job === outcome.job)?.note ?? null;
  return note === null || outcome.code !== null ? outcome : { ...outcome, notes: [note, ...outcome.notes] };
}

/** As in a deployment: what is removed first, then along the graph. */
function wavesWith(
  { aims, secrets }: RollbackPlan,
  settings: Omit<Settings, "canPutBack" | "settledMode">,
  context: RunContext,
): readonly (readonly Work[])[] {
  const workOf = (aim: Aim): Work => ({ name: aim.job, task: () => taskOf(aim, secrets, settings, context) });
  const byName = new Map(aims.map((aim) => [aim.job, aim]));
  const waves = wavesOf(aims.flatMap(({ stored }) => (stored === null ? [] : [stored])));
  return [
    aims.filter(({ stored }) => stored === null).map(workOf),
    ...waves.map((wave) => wave.flatMap(({ name }) => byName.get(name) ?? []).map(workOf)),
  ];
}

async function taskOf(
  { job: name, desired, program }: Aim,
  secrets: Secrets,
  settings: Omit<Settings, "canPutBack" | "settledMode">,
  context: RunContext,
): Promise<JobTask> {
  const previous = await previousOf(context.ledger.job(name), secrets, context);
  const canPutBack = desired.kind === "running" && previous.program !== null;
  return {
    name,
    desired,
    program,
    previous: previous.program,
    settings: { ...settings, canPutBack, settledMode: previous.mode },
    subject: subjectOf(desired, program, previous),
  };
}
