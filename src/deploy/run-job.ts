import { setTimeout as wait } from "node:timers/promises";
import { DeployError, type ErrorCode } from "../errors.ts";
import { isDuplicateSubmission } from "../flink/gateway.ts";
import type { Fact } from "../ledger/entry.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Program } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import type { Cluster, ClusterJob, PreparedProgram } from "./cluster.ts";
import { checkpointId } from "./ids.ts";
import { nextStep } from "./next-step.ts";
import { Observer } from "./observe.ts";
import { isUnreachable, patientCluster } from "./patient-cluster.ts";
import type { Desired, Ending, Settings, Step } from "./step.ts";
import { noSlots } from "./verify.ts";

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
  readonly durationMs: number;
  /** From the old job's end to RUNNING of all the new one's tasks, both as first seen; null where not both were. */
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
  /** Ends early, and without an error, when the signal is aborted; real time unless given. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** How long a cluster or a store that does not answer is asked again; 30 s unless given. */
  readonly patienceMs?: number;
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

const defaultPatienceMs = 30_000;
/** A savepoint takes at most `execution.checkpointing.timeout`, 10 minutes unless set. */
const stopLimitMs = 20 * 60_000;
const shortestPauseMs = 20;
/** While nobody processes records, or soon will, and otherwise. */
const longestPauseMs = { interrupted: 50, otherwise: 250 };
/** A savepoint that takes longer than this is looked at less often. */
const soonMs = 10_000;

const realSleep = async (ms: number, signal: AbortSignal): Promise<void> => {
  await wait(ms, undefined, { signal }).catch(() => undefined);
};

class JobRun {
  readonly #task: JobTask;
  readonly #context: RunContext;
  readonly #cluster: Cluster;
  readonly #observer: Observer;
  readonly #startedAt: number;
  readonly #patienceMs: number;
  readonly #notes: string[] = [];
  readonly #prepared = new Map<Program, Promise<PreparedProgram>>();
  /** The job id whose submission Flink refused once: a second refusal is final, a hiccup is not. */
  #refused: string | null = null;
  #stoppingSince: number | null = null;
  #troubleSince: number | null = null;
  #pauseMs = shortestPauseMs;
  #lastLine = "";

  constructor(task: JobTask, context: RunContext) {
    const { clock, signal } = context;
    this.#task = task;
    this.#context = context;
    this.#startedAt = clock();
    this.#patienceMs = context.patienceMs ?? defaultPatienceMs;
    this.#cluster = patientCluster(context.cluster, {
      limitMs: this.#patienceMs,
      clock,
      sleep: async (ms) => {
        await this.#sleep(ms);
        if (signal.aborted) throw this.#interruption();
      },
      log: (line) => this.#say(line),
    });
    this.#observer = new Observer(this.#cluster, clock);
  }

  async toItsEnd(): Promise<JobOutcome> {
    const { name, desired, settings } = this.#task;
    let known: readonly ClusterJob[] | null = null;
    for (;;) {
      if (this.#context.signal.aborted) throw this.#interruption();
      const recorded = this.#context.ledger.job(name);
      const observed = await this.#observer.look(recorded, known);
      const step = nextStep(name, desired, recorded, observed, settings);
      const outcome = await this.#take(step, recorded);
      if (outcome !== null) return outcome;
      // What was only written down changes nothing on the cluster.
      known = step.do === "record" ? observed.jobs : null;
    }
  }

  async close(): Promise<void> {
    for (const prepared of this.#prepared.values()) {
      await prepared.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined);
    }
  }

  async #take(step: Step, recorded: RecordedJob): Promise<JobOutcome | null> {
    if (step.do !== "wait") this.#pauseMs = shortestPauseMs;
    switch (step.do) {
      case "record":
        return await this.#record(step, recorded);
      case "stop":
        await this.#prepareNew(recorded);
        await this.#stop(recorded);
        return null;
      case "cancel":
        await this.#prepareNew(recorded);
        this.#say(`cancelling ${step.jobId}`);
        await this.#cluster.cancel(step.jobId);
        await this.#pause();
        return null;
      case "submit":
        await this.#submit(step);
        return null;
      case "checkpoint":
        this.#say(`asking ${step.jobId} for a checkpoint`);
        await this.#observer.askForCheckpoint(step.jobId, (number) => checkpointId(step.jobId, number));
        return null;
      case "wait":
        await this.#wait(step.for, recorded);
        return null;
      case "end":
        return this.#outcome(step.ending, null, null);
      case "refuse":
        return this.#outcome("refused", step.code, step.message);
    }
  }

  async #record(step: Extract<Step, { do: "record" }>, recorded: RecordedJob): Promise<JobOutcome | null> {
    const { fact } = step;
    if (step.note !== undefined) this.#note(step.note);
    if (fact.kind === "stop-intended" || (fact.kind === "submit-intended" && fact.role === "new")) {
      await this.#prepareNew(recorded);
    }
    const line = lineOf(fact);
    if (line !== null) this.#say(line);
    await this.#append(fact, recorded);
    if (step.ends === undefined) return null;
    if (step.ends === "failed") {
      const code = fact.kind === "stop-failed" ? "savepoint-failed" : codeOf(step.cause, "job-down");
      return this.#outcome("failed", code, step.cause ?? null);
    }
    if (step.ends === "rolled-back") {
      const cause = recorded.attempt?.submissions.findLast((one) => one.failure !== null)?.failure ?? null;
      return this.#outcome("rolled-back", codeOf(cause, "rolled-back"), cause);
    }
    return this.#outcome(step.ends, null, null);
  }

  /** Once something has been done, what became of it is worth trying to store again; an intent is not. */
  async #append(fact: Fact, recorded: RecordedJob): Promise<void> {
    const { ledger, clock } = this.#context;
    const masked = "cause" in fact ? { ...fact, cause: maskSecrets(fact.cause) } : fact;
    const since = clock();
    for (;;) {
      try {
        return await ledger.append(this.#task.name, masked);
      } catch (error) {
        const isLate = clock() - since >= this.#patienceMs || this.#context.signal.aborted;
        if (recorded.attempt === null || !(error instanceof DeployError) || isLate) throw error;
        this.#say(`writing again: ${error.message}`);
        await this.#sleep(longestPauseMs.otherwise);
      }
    }
  }

  /** Before anything is stopped: the new program's tables exist in a session, so only the INSERT is left to send. */
  async #prepareNew({ attempt }: RecordedJob): Promise<void> {
    const { program, desired } = this.#task;
    const isBegun = attempt !== null && (attempt.stopped !== null || attempt.submissions.length > 0);
    if (program !== null && desired.kind === "running" && !isBegun) await this.#prepare(program);
  }

  async #prepare(program: Program): Promise<PreparedProgram> {
    const known = this.#prepared.get(program);
    if (known !== undefined) return await known;
    const prepared = this.#cluster.prepare(program);
    this.#prepared.set(program, prepared);
    try {
      return await prepared;
    } catch (error) {
      this.#prepared.delete(program);
      throw error;
    }
  }

  async #stop({ attempt }: RecordedJob): Promise<void> {
    const stop = attempt?.stop ?? null;
    if (stop === null || attempt === null) throw new Error(`nothing is to be stopped for ${this.#task.name}`);
    this.#say(`stopping ${stop.jobId} with a savepoint into ${stop.savepointFolder}`);
    try {
      await this.#cluster.stop(stop);
    } catch (error) {
      if (!(error instanceof DeployError) || error.code !== "savepoint-failed") throw error;
      await this.#context.ledger.append(this.#task.name, {
        kind: "stop-failed",
        jobId: stop.jobId,
        cause: maskSecrets(error.message),
      });
      throw error;
    }
  }

  async #submit({ submission }: Extract<Step, { do: "submit" }>): Promise<void> {
    const { name, program, previous } = this.#task;
    const recorded = this.#context.ledger.job(name);
    const sent = submission.role === "put-back" ? previous : program;
    const { jobId, restore } = submission;
    if (sent === null) {
      const cause = "its program cannot be sent again: it is not known, or a secret in it is not at hand";
      return await this.#append({ kind: "submit-failed", jobId, cause }, recorded);
    }
    this.#say(`submitting ${jobId}${restore === null ? "" : ` from ${restore}`}`);
    try {
      const prepared = await this.#prepare(sent);
      for (const note of await prepared.submit({ jobId, name, restore })) this.#note(note);
    } catch (error) {
      return await this.#refusal(error, jobId, sent, recorded);
    }
    this.#troubleSince = null;
    await this.#append({ kind: "submitted", jobId }, recorded);
  }

  /**
   * Sending it again is safe: Flink takes a job id once. So is only what Flink refuses twice given up, and whatever
   * breaks on the way is tried again for a while. A job that the cluster has after all is found by the next look.
   */
  async #refusal(error: unknown, jobId: string, program: Program, recorded: RecordedJob): Promise<void> {
    const { clock } = this.#context;
    await this.#discard(program);
    if (isUnreachable(error) || (error instanceof DeployError && error.code === "session-expired")) {
      this.#troubleSince ??= clock();
      if (clock() - this.#troubleSince > this.#patienceMs) throw error;
      this.#say(`submitting again: ${error.message}`);
      return await this.#sleep(longestPauseMs.otherwise);
    }
    if (!(error instanceof DeployError) || error.code !== "statement-failed") throw error;
    this.#observer.noteRefusal(jobId);
    if ((await this.#cluster.jobs()).some((job) => job.id === jobId)) return;
    if (isDuplicateSubmission(error)) return await this.#append({ kind: "submitted", jobId }, recorded);
    if (this.#refused === jobId) {
      return await this.#append({ kind: "submit-failed", jobId, cause: error.message }, recorded);
    }
    this.#refused = jobId;
    this.#say(`submitting once more: ${maskSecrets(error.message)}`);
  }

  async #discard(program: Program): Promise<void> {
    const prepared = this.#prepared.get(program);
    this.#prepared.delete(program);
    await prepared?.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined);
  }

  async #wait(reason: string, { attempt }: RecordedJob): Promise<void> {
    this.#say(`waiting for ${reason}`);
    if (attempt !== null && attempt.submissions.length === 0) {
      const { clock } = this.#context;
      this.#stoppingSince ??= clock();
      if (clock() - this.#stoppingSince > stopLimitMs) {
        throw new DeployError(
          "interrupted",
          `${this.#task.name}: still waiting for ${reason} after ${stopLimitMs / 60_000} min; run the same command again to go on waiting`,
        );
      }
    } else this.#stoppingSince = null;
    await this.#pause();
  }

  async #pause(): Promise<void> {
    await this.#sleep(this.#pauseMs);
    const { clock } = this.#context;
    const stopsSoon = this.#stoppingSince !== null && clock() - this.#stoppingSince < soonMs;
    const isUrgent = this.#observer.isInterrupted || stopsSoon;
    const longest = isUrgent ? longestPauseMs.interrupted : longestPauseMs.otherwise;
    this.#pauseMs = Math.min(this.#pauseMs * 1.3, longest);
  }

  async #sleep(ms: number): Promise<void> {
    await (this.#context.sleep ?? realSleep)(ms, this.#context.signal);
  }

  #interruption(): DeployError {
    return new DeployError("interrupted", `${this.#task.name} was interrupted; the ledger tells how far it came`);
  }

  #note(text: string): void {
    const note = maskSecrets(text);
    this.#notes.push(note);
    this.#say(note);
  }

  #say(line: string): void {
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    this.#context.log(this.#task.name, maskSecrets(line));
  }

  #outcome(ending: JobOutcome["ending"], code: ErrorCode | null, message: string | null): JobOutcome {
    const { settled, attempt } = this.#context.ledger.job(this.#task.name);
    const runs = settled?.kind === "running" || settled?.kind === "finished";
    return {
      job: this.#task.name,
      ending,
      code,
      message: message === null ? null : maskSecrets(message),
      jobId: runs ? settled.jobId : null,
      savepoint: settled !== null && !runs ? settled.savepoint : (attempt?.stopped?.savepoint ?? null),
      restored: settled?.kind === "running" && ending !== "unchanged" ? settled.restored : null,
      durationMs: this.#context.clock() - this.#startedAt,
      interruptionMs: runs ? this.#observer.interruptionMs : null,
      notes: this.#notes,
    };
  }
}

function codeOf(cause: string | null | undefined, otherwise: ErrorCode): ErrorCode {
  return cause?.includes(noSlots) ? "no-slots" : otherwise;
}

function lineOf(fact: Fact): string | null {
  switch (fact.kind) {
    case "stopped":
      return fact.savepoint === null
        ? `stopped ${fact.jobId}`
        : `stopped ${fact.jobId} with savepoint ${fact.savepoint}`;
    case "running":
      return `${fact.jobId} holds`;
    case "submit-failed":
      return `${fact.jobId} failed: ${fact.cause}`;
    default:
      return null;
  }
}
