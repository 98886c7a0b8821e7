import { DeployError, type ErrorCode } from "../errors.ts";
import type { JobReference } from "../ledger/entry.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import { loadJob, type Secrets, storeJob, unsealProgram } from "../ledger/stored-job.ts";
import type { Job, Program } from "../project/job.ts";
import type { Desired, Settings } from "./next-step.ts";
import { type JobOutcome, type JobTask, type RunContext, runJob } from "./run-job.ts";
import { wavesOf } from "./waves.ts";

/** What a deployment is to bring about: these jobs, and of the others what `removedJobs` says. */
export interface DeploymentRequest {
  readonly jobs: readonly Job[];
  /** By job name: null for a batch job. */
  readonly compiledPlans: ReadonlyMap<string, string | null>;
  readonly flinkVersion: string;
  readonly removedJobs: "stop" | "keep";
  /** Old name → new name. */
  readonly renames: Readonly<Record<string, string>>;
  readonly parallelJobs: number;
  readonly settings: Omit<Settings, "canPutBack" | "settledMode">;
  readonly secrets: Secrets;
}

export interface Outcome {
  readonly environment: string;
  readonly deployment: string;
  readonly jobs: readonly JobOutcome[];
}

/** Brings the environment to the request, wave by wave; the first failure stops further waves, not running ones. */
export async function deploy(request: DeploymentRequest, context: RunContext): Promise<Outcome> {
  await recordRenames(request, context);
  const removed = await removals(request, context);
  const outcomes: JobOutcome[] = [...removed.kept];
  const waves = [
    removed.tasks,
    ...wavesOf(request.jobs).map((wave) => wave.map((job) => () => taskOf(job, request, context))),
  ];
  let stopped = false;
  for (const wave of waves) {
    if (stopped) {
      for (const make of wave) outcomes.push(skipped((await make()).name));
      continue;
    }
    const results = await inParallel(wave, request.parallelJobs, async (make) => await settle(await make(), context));
    outcomes.push(...results);
    stopped = results.some((outcome) => outcome.code !== null);
  }
  return { environment: request.settings.environment, deployment: request.settings.deployment, jobs: outcomes };
}

/** Runs one job's task to its end; an error becomes its outcome, so that the other jobs of the wave go on. */
export async function settle(task: JobTask, context: RunContext): Promise<JobOutcome> {
  const startedAt = context.clock();
  try {
    return await runJob(task, context);
  } catch (error) {
    const code: ErrorCode = error instanceof DeployError ? error.code : "internal";
    const message = error instanceof Error ? error.message : String(error);
    const { settled, attempt } = context.ledger.job(task.name);
    return {
      job: task.name,
      ending: "refused",
      code: code === "statement-failed" ? "model-invalid" : code,
      message,
      jobId: settled?.kind === "running" ? settled.jobId : null,
      savepoint: attempt?.stopped?.savepoint ?? (settled !== null && "savepoint" in settled ? settled.savepoint : null),
      restored: null,
      durationMs: context.clock() - startedAt,
      interruptionMs: null,
      notes: [],
    };
  }
}

async function recordRenames(request: DeploymentRequest, { ledger }: RunContext): Promise<void> {
  const names = new Set(request.jobs.map((job) => job.name));
  for (const [from, to] of Object.entries(request.renames)) {
    if (!names.has(to) || names.has(from)) continue;
    if (ledger.job(to).settled !== null || ledger.job(from).settled === null) continue;
    await ledger.append(to, { kind: "renamed", from });
  }
}

async function taskOf(job: Job, request: DeploymentRequest, context: RunContext): Promise<JobTask> {
  const { ledger } = context;
  const recorded = ledger.job(job.name);
  const reference = await referenceOf(job, recorded, request, context);
  const { upgradeMode, startFrom } = job;
  const resting = recorded.settled?.kind === "suspended" && recorded.settled.by === "command";
  const desired: Desired =
    job.desiredState === "suspended"
      ? { kind: "suspended", by: "model", reference, upgradeMode, startFrom }
      : resting
        ? { kind: "suspended", by: "command", reference, upgradeMode, startFrom }
        : { kind: "running", reference, upgradeMode, startFrom, runtimeMode: job.program.runtimeMode };
  const previous = await previousOf(recorded, request.secrets, context);
  return {
    name: job.name,
    desired,
    program: job.program,
    previous: previous.program,
    settings: { ...request.settings, canPutBack: previous.program !== null, settledMode: previous.mode },
  };
}

/** An unchanged program keeps the compiled plan that it was deployed with, and so its reference. */
async function referenceOf(
  job: Job,
  recorded: RecordedJob,
  request: DeploymentRequest,
  { ledger }: RunContext,
): Promise<JobReference> {
  const known = recorded.settled?.reference ?? null;
  if (known !== null && known.digest === job.digest) {
    const { compiledPlan, flinkVersion } = await loadJob(ledger.store, known);
    return await storeJob(ledger.store, job, compiledPlan, flinkVersion);
  }
  return await storeJob(ledger.store, job, request.compiledPlans.get(job.name) ?? null, request.flinkVersion);
}

interface Previous {
  readonly program: Program | null;
  readonly mode: Program["runtimeMode"] | null;
}

/** The program that the ledger says is deployed, with the secrets that are at hand put back into it. */
export async function previousOf(recorded: RecordedJob, secrets: Secrets, { ledger }: RunContext): Promise<Previous> {
  const reference = recorded.settled?.reference ?? null;
  if (reference === null) return { program: null, mode: null };
  const { job } = await loadJob(ledger.store, reference);
  return { program: unsealProgram(job.program, secrets), mode: job.program.runtimeMode };
}

async function removals(
  request: DeploymentRequest,
  context: RunContext,
): Promise<{ readonly tasks: readonly (() => Promise<JobTask>)[]; readonly kept: readonly JobOutcome[] }> {
  const names = new Set(request.jobs.map((job) => job.name));
  const gone = [...context.ledger.deployed().values()].filter(
    (recorded) =>
      !names.has(recorded.name) &&
      (recorded.attempt !== null || (recorded.settled !== null && recorded.settled.kind !== "removed")),
  );
  if (request.removedJobs === "keep") {
    const note = "no model defines it any more; it is kept (`removed-jobs: keep`)";
    return {
      tasks: [],
      kept: gone.map((recorded) => ({
        ...skipped(recorded.name),
        ending: "unchanged",
        code: null,
        message: null,
        notes: [note],
      })),
    };
  }
  const tasks = gone.map((recorded) => async (): Promise<JobTask> => {
    const { mode } = await previousOf(recorded, request.secrets, context);
    return {
      name: recorded.name,
      desired: { kind: "removed" },
      program: null,
      previous: null,
      settings: { ...request.settings, canPutBack: false, settledMode: mode },
    };
  });
  return { tasks, kept: [] };
}

function skipped(job: string): JobOutcome {
  return {
    job,
    ending: "skipped",
    code: null,
    message: "not begun, because an earlier job failed",
    jobId: null,
    savepoint: null,
    restored: null,
    durationMs: 0,
    interruptionMs: null,
    notes: [],
  };
}

/** Runs `work` over the items, at most `limit` at a time; results are in the items' order. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results.set(next[0], await work(next[1]));
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return items.map((_item, index) => {
    const result = results.get(index);
    if (result === undefined) throw new Error("a job ended without an outcome");
    return result;
  });
}
