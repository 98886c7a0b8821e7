import { DeployError, type ErrorCode } from "../errors.ts";
import type { JobReference } from "../ledger/entry.ts";
import type { Attempt, Deployed, RecordedJob } from "../ledger/fold.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { keepJob, loadJob, type Secrets, unsealProgram } from "../ledger/stored-job.ts";
import type { Job, Program } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { inParallel } from "./in-parallel.ts";
import type { Subject } from "./observe.ts";
import { runJob } from "./run-job.ts";
import { type Consent, type Desired, type Settings, stopMode } from "./step.ts";
import type { JobOutcome, JobTask, RunContext } from "./task.ts";
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
  /** Deployed jobs that are neither looked at nor removed: by name a note why. None unless given. */
  readonly leftAlone?: ReadonlyMap<string, string>;
  readonly parallelJobs: number;
  readonly settings: Omit<Settings, "canPutBack" | "settledMode">;
  /** By job name. */
  readonly consentOf: (job: string) => Consent;
  readonly secrets: Secrets;
}

export interface Outcome {
  readonly environment: string;
  readonly deployment: string;
  readonly jobs: readonly JobOutcome[];
  /** What the ledger said before, for people. */
  readonly before?: Deployed;
}

/** Brings the environment to the request. */
export async function deploy(request: DeploymentRequest, context: RunContext): Promise<Outcome> {
  const before = context.ledger.deployed();
  context.ledger.begin(request.settings.deployment);
  await recordRenames(request, context);
  const removed = await removals(request, context);
  const waves: readonly (readonly Work[])[] = [
    removed.tasks,
    ...wavesOf(request.jobs).map((wave) =>
      wave.map((job) => ({ name: job.name, task: () => taskOf(job, request, context) })),
    ),
  ];
  const { environment, deployment } = request.settings;
  const untouched = [...(request.leftAlone ?? [])].map(([name, note]) => ({
    ...unchanged(context.ledger.job(name)),
    notes: [note],
  }));
  return {
    environment,
    deployment,
    before,
    jobs: [...removed.kept, ...untouched, ...(await settleAll(waves, request, context))],
  };
}

/** Wave by wave; the first failure stops further waves, not running ones. */
export async function settleAll(
  waves: readonly (readonly Work[])[],
  { parallelJobs }: { readonly parallelJobs: number },
  context: RunContext,
): Promise<readonly JobOutcome[]> {
  const outcomes: JobOutcome[] = [];
  let stopped = false;
  for (const wave of waves) {
    if (stopped || context.signal.aborted) {
      for (const { name } of wave) outcomes.push(context.signal.aborted ? notBegun(name) : skipped(name));
      continue;
    }
    const results = await inParallel(wave, parallelJobs, (work) => settle(work, context));
    outcomes.push(...results);
    stopped = results.some((outcome) => outcome.code !== null);
  }
  return outcomes;
}

/** One job's task, which is made when its turn comes: it depends on what the ledger says then. */
export interface Work {
  readonly name: string;
  readonly task: () => Promise<JobTask>;
}

/** Runs one job's task to its end; an error becomes its outcome, so that the other jobs of the wave go on. */
export async function settle({ name, task }: Work, context: RunContext): Promise<JobOutcome> {
  const startedAt = context.clock();
  try {
    return await runJob(await task(), context);
  } catch (error) {
    // At once: there may be no time for the outcome, or for closing what is open.
    const { attempt: left } = context.ledger.job(name);
    if (context.deadline.aborted && left !== null) context.log(name, `ended as it stands${standing(left)}`);
    const code: ErrorCode = error instanceof DeployError ? error.code : "internal";
    const message = maskSecrets(error instanceof Error ? error.message : String(error));
    const { settled, attempt } = context.ledger.job(name);
    return {
      job: name,
      ending: "refused",
      code: code === "statement-failed" ? "model-invalid" : code,
      message: `${message}${standing(attempt)}`,
      jobId: settled?.kind === "running" ? settled.jobId : null,
      savepoint: attempt?.stopped?.savepoint ?? (settled !== null && "savepoint" in settled ? settled.savepoint : null),
      restored: null,
      durationMs: context.clock() - startedAt,
      interruptionMs: null,
      notes: [],
    };
  }
}

/** An attempt that an error broke off may have left the job stopped: that is worth more than the error. */
function standing(attempt: Attempt | null): string {
  if (attempt === null || attempt.stop === null) return "";
  const { stop, stopped } = attempt;
  if (stopped === null) return `; ${stop.jobId} was to be stopped: run the same command again to finish it`;
  const kept = stopped.savepoint === null ? "" : `, its savepoint is ${stopped.savepoint}`;
  return `; ${stop.jobId} is stopped${kept}: run the same command again to finish it`;
}

async function recordRenames(request: DeploymentRequest, { ledger }: RunContext): Promise<void> {
  const names = new Set(request.jobs.map((job) => job.name));
  for (const [from, to] of Object.entries(request.renames)) {
    if (!names.has(to) || names.has(from)) continue;
    while (!isKnown(ledger.job(to)) && isKnown(ledger.job(from))) {
      if (await ledger.append(to, { kind: "renamed", from })) break;
    }
  }
}

/** Whether a job of that name is deployed: one that was removed is not, though its savepoint is kept. */
function isKnown({ settled, attempt }: RecordedJob): boolean {
  return attempt !== null || (settled !== null && settled.kind !== "removed");
}

/** Another project's job of the same name is never taken for this one's. */
function refuseForeign(recorded: RecordedJob, project: string | null): void {
  if (!isKnown(recorded) || recorded.project === null || project === null || recorded.project === project) return;
  throw new DeployError(
    "duplicate-job-name",
    `${recorded.name} is a job of project ${recorded.project} in this environment; give the model a pipeline.name of its own`,
  );
}

async function taskOf(job: Job, request: DeploymentRequest, context: RunContext): Promise<JobTask> {
  const { ledger } = context;
  const recorded = ledger.job(job.name);
  refuseForeign(recorded, ledger.project);
  const reference = await referenceOf(job, recorded, request, context);
  const { settled, attempt } = recorded;
  const named = await newPath(job, recorded, ledger);
  const wish = {
    upgradeMode: job.upgradeMode,
    rewind: null,
    startFrom: attempt === null ? named : null,
    answer: attempt === null ? null : named,
  };
  // With an attempt in hand, a `resume` had begun.
  const rests = settled?.kind === "suspended" && settled.by === "command" && attempt === null;
  const desired: Desired =
    job.desiredState === "suspended"
      ? { kind: "suspended", by: "model", reference, ...wish }
      : rests
        ? { kind: "suspended", by: "command", reference, ...wish }
        : {
            kind: "running",
            reference,
            runtimeMode: job.program.runtimeMode,
            consent: request.consentOf(job.name),
            ...wish,
          };
  const previous = await previousOf(recorded, request.secrets, context);
  return {
    name: job.name,
    desired,
    program: job.program,
    previous: previous.program,
    settings: { ...request.settings, canPutBack: previous.program !== null, settledMode: previous.mode },
    subject: subjectOf(desired, job.program, previous),
  };
}

/** What is to be found out about a job with this program, which is to replace that one. */
export function subjectOf(desired: Desired, program: Program | null, previous: Previous): Subject {
  return {
    checkpointDirectories: { previous: previous.checkpointDirectory, next: checkpointDirectoryOf(program) },
    isLastState: desired.kind === "running" && stopMode(desired) === "last_state",
  };
}

function checkpointDirectoryOf(program: Program | null): string | null {
  const { executionConfig = {} } = program ?? {};
  return executionConfig["execution.checkpointing.dir"] ?? executionConfig["state.checkpoints.dir"] ?? null;
}

/** The savepoint path in the model's config, where no deployment has seen it there before. */
async function newPath(job: Job, { settled, attempt }: RecordedJob, ledger: Ledger): Promise<string | null> {
  const submitted = attempt?.submissions.map((one) => one.reference) ?? [];
  for (const reference of [...submitted, settled?.reference ?? null]) {
    if (reference !== null && (await loadJob(ledger, reference)).job.startFrom === job.startFrom) return null;
  }
  return job.startFrom;
}

/** An unchanged program keeps the compiled plan that it was deployed with, and so its reference. */
async function referenceOf(
  job: Job,
  { settled, attempt }: RecordedJob,
  request: DeploymentRequest,
  { ledger }: RunContext,
): Promise<JobReference> {
  const references = [...(attempt?.submissions.map((one) => one.reference) ?? []), settled?.reference ?? null];
  const known = references.findLast((one) => one?.digest === job.digest) ?? null;
  if (known !== null) {
    const { compiledPlan, flinkVersion } = await loadJob(ledger, known);
    return keepJob(ledger, job, compiledPlan, flinkVersion);
  }
  return keepJob(ledger, job, request.compiledPlans.get(job.name) ?? null, request.flinkVersion);
}

interface Previous {
  readonly program: Program | null;
  readonly mode: Program["runtimeMode"] | null;
  readonly checkpointDirectory: string | null;
}

/** The program that the ledger says is deployed, with the secrets that are at hand put back into it. */
export async function previousOf(recorded: RecordedJob, secrets: Secrets, { ledger }: RunContext): Promise<Previous> {
  const reference = recorded.settled?.reference ?? null;
  if (reference === null) return { program: null, mode: null, checkpointDirectory: null };
  const { job } = await loadJob(ledger, reference);
  return {
    program: unsealProgram(job.program, secrets),
    mode: job.program.runtimeMode,
    checkpointDirectory: checkpointDirectoryOf(job.program),
  };
}

async function removals(
  request: DeploymentRequest,
  context: RunContext,
): Promise<{ readonly tasks: readonly Work[]; readonly kept: readonly JobOutcome[] }> {
  const names = new Set(request.jobs.map((job) => job.name));
  const { project } = context.ledger;
  const gone = [...context.ledger.deployed().values()].filter(
    (recorded) =>
      !names.has(recorded.name) &&
      !request.leftAlone?.has(recorded.name) &&
      isKnown(recorded) &&
      (recorded.project === null || project === null || recorded.project === project),
  );
  if (request.removedJobs === "keep") {
    const note = "no model defines it any more; it is kept (`removed-jobs: keep`)";
    return {
      tasks: [],
      kept: gone.map((recorded) => ({
        ...unchanged(recorded),
        notes: recorded.attempt === null ? [note] : [`${note}, and an earlier deployment of it did not end`],
      })),
    };
  }
  const removal = async (recorded: RecordedJob): Promise<JobTask> => {
    const previous = await previousOf(recorded, request.secrets, context);
    const desired = { kind: "removed" } as const;
    return {
      name: recorded.name,
      desired,
      program: null,
      previous: null,
      settings: { ...request.settings, canPutBack: false, settledMode: previous.mode },
      subject: subjectOf(desired, null, previous),
    };
  };
  return { tasks: gone.map((recorded) => ({ name: recorded.name, task: () => removal(recorded) })), kept: [] };
}

/** What is left as it is, without a look at it. */
export function unchanged({ name, settled }: RecordedJob): JobOutcome {
  const jobId = settled !== null && "jobId" in settled ? settled.jobId : null;
  const savepoint = settled !== null && "savepoint" in settled ? settled.savepoint : null;
  return { ...skipped(name), ending: "unchanged", message: null, jobId, savepoint };
}

/** A run that was interrupted has not done what was asked, though nothing failed. */
function notBegun(job: string): JobOutcome {
  return { ...skipped(job), code: "interrupted", message: "not begun, because the run was interrupted" };
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
