import { setTimeout as sleep } from "node:timers/promises";
import { DeployError, describeError, type ErrorCode } from "../errors.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Program } from "../project/job.ts";
import type { Cluster, PreparedProgram, StopRequest } from "./cluster.ts";
import { type Desired, type Ending, nextStep, type Observed, type Settings, type Step } from "./next-step.ts";

export interface JobTask {
  readonly name: string;
  readonly desired: Desired;
  /** What to submit; null where nothing is to run. */
  readonly program: Program | null;
  /** What runs now, to be put back; null where it is unknown or its secrets are not at hand. */
  readonly previous: Program | null;
  readonly settings: Settings;
}

export interface JobOutcome {
  readonly job: string;
  readonly ending: Ending | "refused" | "skipped";
  readonly code: ErrorCode | null;
  readonly message: string | null;
  readonly jobId: string | null;
  readonly savepoint: string | null;
  readonly restored: string | null;
  /** Wall time in ms; the interruption is from the old job's end to the new job's verified RUNNING. */
  readonly durationMs: number;
  readonly interruptionMs: number | null;
  readonly notes: readonly string[];
}

export interface RunContext {
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly log: (job: string, line: string) => void;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
}

/** Looks, decides, acts, records, and looks again, until the job rests or nobody but a person can decide. */
export async function runJob(task: JobTask, context: RunContext): Promise<JobOutcome> {
  const run = new JobRun(task, context);
  try {
    return await run.toItsEnd();
  } finally {
    await run.close();
  }
}

const shortestPauseMs = 20;
const longestPauseMs = 250;

class JobRun {
  readonly #task: JobTask;
  readonly #context: RunContext;
  readonly #startedAt: number;
  readonly #notes: string[] = [];
  readonly #prepared = new Map<Program, Promise<PreparedProgram>>();
  #submittedAt: number | null = null;
  #steadySince: number | null = null;
  #stoppedAt: number | null = null;
  #pauseMs = shortestPauseMs;
  #lastLine = "";

  constructor(task: JobTask, context: RunContext) {
    this.#task = task;
    this.#context = context;
    this.#startedAt = context.clock();
  }

  async toItsEnd(): Promise<JobOutcome> {
    const { ledger, signal } = this.#context;
    for (;;) {
      if (signal.aborted)
        throw new DeployError("interrupted", `${this.#task.name} was interrupted; the ledger tells how far it came`);
      const recorded = ledger.job(this.#task.name);
      const observed = await this.#observe(recorded);
      const step = nextStep(this.#task.name, this.#task.desired, recorded, observed, this.#task.settings);
      const outcome = await this.#take(step, recorded);
      if (outcome !== null) return outcome;
    }
  }

  async close(): Promise<void> {
    for (const prepared of this.#prepared.values()) {
      await prepared.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined);
    }
  }

  async #observe(recorded: RecordedJob): Promise<Observed> {
    const { cluster, clock } = this.#context;
    const jobs = await cluster.jobs();
    const attempt = recorded.attempt;
    const submission = attempt?.submissions.at(-1) ?? null;
    const stopping = attempt !== null && attempt.stop !== null && attempt.stopped === null ? attempt.stop : null;
    const inHand = submission !== null && submission.failure === null ? submission : null;
    const present = inHand === null ? undefined : jobs.find((job) => job.id === inHand.jobId);
    if (present !== undefined) {
      this.#submittedAt ??= clock();
      if (present.state !== "RUNNING") this.#steadySince = null;
      else this.#steadySince ??= clock();
    } else {
      this.#submittedAt = null;
      this.#steadySince = null;
    }
    const progress = present === undefined ? null : await cluster.progress(present.id);
    if (progress?.allTasksRunning === false) this.#steadySince = null;
    const stop = stopping?.withSavepoint ? await cluster.stopStatus(stopping) : ({ kind: "unknown" } as const);
    const ended = stopping !== null && !jobs.some((job) => job.id === stopping.jobId && !endedStates.has(job.state));
    const lastSavepoint =
      stopping?.withSavepoint && ended && stop.kind !== "completed"
        ? await cluster.lastSavepoint(stopping.jobId)
        : null;
    if (ended) this.#stoppedAt ??= clock();
    return {
      jobs,
      progress,
      waitedMs: this.#submittedAt === null ? 0 : clock() - this.#submittedAt,
      steadyMs: this.#steadySince === null ? 0 : clock() - this.#steadySince,
      stop,
      lastSavepoint,
    };
  }

  async #take(step: Step, recorded: RecordedJob): Promise<JobOutcome | null> {
    switch (step.do) {
      case "record":
        return await this.#record(step, recorded);
      case "stop":
        await this.#stop(recorded);
        return null;
      case "cancel":
        this.#say(`cancelling ${step.jobId}`);
        await this.#context.cluster.cancel(step.jobId);
        await this.#pause();
        return null;
      case "submit":
        await this.#submit(step);
        return null;
      case "wait":
        this.#say(`waiting for ${step.for}`);
        await this.#pause();
        return null;
      case "end":
        return this.#outcome(step.ending, null, null);
      case "refuse":
        return this.#outcome("refused", step.code, step.message);
    }
  }

  async #record(step: Extract<Step, { do: "record" }>, recorded: RecordedJob): Promise<JobOutcome | null> {
    const { fact } = step;
    if (step.note !== undefined) {
      this.#notes.push(step.note);
      this.#say(step.note);
    }
    if (fact.kind === "stop-intended") await this.#prepareBoth();
    await this.#context.ledger.append(this.#task.name, fact);
    this.#pauseMs = shortestPauseMs;
    switch (fact.kind) {
      case "stopped":
        this.#say(
          fact.savepoint === null ? `stopped ${fact.jobId}` : `stopped ${fact.jobId} with savepoint ${fact.savepoint}`,
        );
        break;
      case "running":
        this.#say(`${fact.jobId} holds`);
        break;
      case "submit-failed":
        this.#say(`${fact.jobId} failed: ${fact.cause}`);
        break;
      default:
        break;
    }
    if (step.ends === undefined) return null;
    if (step.ends === "failed") {
      const code = fact.kind === "stop-failed" ? "savepoint-failed" : "job-down";
      return this.#outcome("failed", code, step.cause ?? null);
    }
    if (step.ends === "rolled-back") {
      const cause = recorded.attempt?.submissions.findLast((one) => one.failure !== null)?.failure ?? null;
      return this.#outcome("rolled-back", cause?.includes("no free task slot") ? "no-slots" : "rolled-back", cause);
    }
    return this.#outcome(step.ends, null, null);
  }

  /** Before anything is stopped: the new program's tables exist in a session, so only the INSERT is left to send. */
  async #prepareBoth(): Promise<void> {
    if (this.#task.program !== null && this.#task.desired.kind === "running") await this.#prepare(this.#task.program);
  }

  #prepare(program: Program): Promise<PreparedProgram> {
    const known = this.#prepared.get(program);
    if (known !== undefined) return known;
    const prepared = this.#context.cluster.prepare(program);
    this.#prepared.set(program, prepared);
    return prepared;
  }

  async #stop(recorded: RecordedJob): Promise<void> {
    const stop: StopRequest | null = recorded.attempt?.stop ?? null;
    if (stop === null) throw new Error(`nothing is to be stopped for ${this.#task.name}`);
    this.#say(`stopping ${stop.jobId} with a savepoint into ${stop.savepointFolder}`);
    await this.#context.cluster.stop(stop);
  }

  async #submit(step: Extract<Step, { do: "submit" }>): Promise<void> {
    const { submission } = step;
    const program = submission.role === "put-back" ? this.#task.previous : this.#task.program;
    const { cluster, ledger } = this.#context;
    if (program === null) {
      const cause = "its program cannot be sent again: it is not known, or a secret in it is not at hand";
      await ledger.append(this.#task.name, { kind: "submit-failed", jobId: submission.jobId, cause });
      return;
    }
    this.#say(`submitting ${submission.jobId}${submission.restore === null ? "" : ` from ${submission.restore}`}`);
    try {
      const prepared = await this.#prepare(program);
      await prepared.submit({ jobId: submission.jobId, name: this.#task.name, restore: submission.restore });
    } catch (error) {
      this.#prepared.delete(program);
      if (!(error instanceof DeployError) || (error.code !== "statement-failed" && error.code !== "session-expired"))
        throw error;
      if ((await cluster.jobs()).some((job) => job.id === submission.jobId)) return;
      if (error.code === "session-expired") return await this.#pause();
      await ledger.append(this.#task.name, {
        kind: "submit-failed",
        jobId: submission.jobId,
        cause: describeShort(error),
      });
    }
  }

  async #pause(): Promise<void> {
    await sleep(this.#pauseMs, undefined, { signal: this.#context.signal }).catch(() => undefined);
    this.#pauseMs = Math.min(this.#pauseMs * 1.3, longestPauseMs);
  }

  #say(line: string): void {
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    this.#context.log(this.#task.name, line);
  }

  #outcome(ending: JobOutcome["ending"], code: ErrorCode | null, message: string | null): JobOutcome {
    const { settled, attempt } = this.#context.ledger.job(this.#task.name);
    const now = this.#context.clock();
    const runs = settled?.kind === "running" || settled?.kind === "finished";
    const again = runs && this.#stoppedAt !== null;
    return {
      job: this.#task.name,
      ending,
      code,
      message,
      jobId: runs ? settled.jobId : null,
      savepoint: settled !== null && !runs ? settled.savepoint : (attempt?.stopped?.savepoint ?? null),
      restored: settled?.kind === "running" && ending !== "unchanged" ? settled.restored : null,
      durationMs: now - this.#startedAt,
      interruptionMs: again && this.#stoppedAt !== null ? (this.#steadySince ?? now) - this.#stoppedAt : null,
      notes: this.#notes,
    };
  }
}

const endedStates: ReadonlySet<string> = new Set(["FAILED", "CANCELED", "FINISHED"]);

function describeShort(error: Error): string {
  return error.cause === undefined ? error.message : error.message || describeError(error);
}
