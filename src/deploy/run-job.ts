import { DeployError, type ErrorCode } from "../errors.ts";
import type { Fact } from "../ledger/entry.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import { maskSecrets } from "../secrets.ts";
import type { Cluster, ClusterJob } from "./cluster.ts";
import { checkpointId } from "./ids.ts";
import { nextStep } from "./next-step.ts";
import { Observer } from "./observe.ts";
import { Pace } from "./pace.ts";
import { patientCluster } from "./patient-cluster.ts";
import { endOf, lineOf } from "./recorded-step.ts";
import type { Observed, Step } from "./step.ts";
import { Submitter } from "./submitter.ts";
import type { JobOutcome, JobTask, RunContext } from "./task.ts";

type RecordStep = Extract<Step, { do: "record" }>;

/** Looks, decides, acts, records, and looks again, until the job rests or nobody but a person can decide. */
export async function runJob(task: JobTask, context: RunContext): Promise<JobOutcome> {
  await using run = new JobRun(task, context);
  return await run.toItsEnd();
}

const defaultPatienceMs = 30_000;
/** A savepoint takes at most `execution.checkpointing.timeout`, 10 minutes unless set. */
const stopLimitMs = 20 * 60_000;
/** A savepoint that takes longer than this is looked at less often. */
const soonMs = 10_000;

/**
 * Where an interrupted run leaves a job: before its attempt has touched it, or once its newest submission runs. In between
 * nobody processes records, so the attempt goes on as long as there is time.
 */
function mayEndHere(step: Step, { attempt }: RecordedJob, isUp: boolean): boolean {
  if (attempt === null) return step.do !== "end" && step.do !== "refuse";
  if (attempt.stopped === null && attempt.submissions.length === 0) return step.do === "stop" || step.do === "cancel";
  return step.do === "wait" && attempt.submissions.at(-1)?.accepted === true && isUp;
}

class JobRun implements AsyncDisposable {
  readonly #task: JobTask;
  readonly #context: RunContext;
  readonly #cluster: Cluster;
  readonly #observer: Observer;
  readonly #submitter: Submitter;
  readonly #pace: Pace;
  readonly #startedAt: number;
  readonly #patienceMs: number;
  readonly #notes: string[] = [];
  #stoppingSince: number | null = null;
  #lastLine = "";

  constructor(task: JobTask, context: RunContext) {
    const { clock, deadline } = context;
    this.#task = task;
    this.#context = context;
    this.#startedAt = clock();
    this.#patienceMs = context.patienceMs ?? defaultPatienceMs;
    this.#pace = new Pace(deadline, context.sleep);
    this.#cluster = patientCluster(context.cluster, {
      limitMs: this.#patienceMs,
      clock,
      sleep: async (ms) => {
        await this.#pace.sleep(ms);
        if (deadline.aborted) throw this.#interruption();
      },
      log: (line) => this.#say(line),
    });
    this.#observer = new Observer(this.#cluster, context.storage, task.subject, clock);
    this.#submitter = new Submitter(this.#cluster, clock, this.#patienceMs);
  }

  async toItsEnd(): Promise<JobOutcome> {
    const { name, desired, settings } = this.#task;
    let known: readonly ClusterJob[] | null = null;
    for (;;) {
      if (this.#context.deadline.aborted) throw this.#interruption();
      const recorded = this.#context.ledger.job(name);
      const observed = await this.#observer.look(recorded, known);
      const step = nextStep(name, desired, recorded, observed, settings);
      if (this.#context.signal.aborted && mayEndHere(step, recorded, this.#observer.isUp)) throw this.#interruption();
      const outcome = await this.#take(step, recorded, observed);
      if (outcome !== null) return outcome;
      // What was only written down changes nothing on the cluster.
      known = step.do === "record" ? observed.jobs : null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#submitter[Symbol.asyncDispose]();
  }

  async #take(step: Step, recorded: RecordedJob, observed: Observed): Promise<JobOutcome | null> {
    if (step.do !== "wait") this.#pace.reset();
    switch (step.do) {
      case "record":
        return await this.#record(step, recorded, observed);
      case "stop":
        await this.#prepareNew(recorded);
        await this.#stop(recorded);
        return null;
      case "cancel":
        await this.#prepareNew(recorded);
        this.#say(`cancelling ${step.jobId}`);
        await this.#cluster.cancel(step.jobId);
        await this.#pace.pause(true);
        return null;
      case "submit":
        await this.#submit(step);
        return null;
      case "fence":
        this.#say(`using up the id ${step.jobId}, which an earlier run may still submit`);
        await this.#cluster.fence(step.jobId);
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

  async #record(step: RecordStep, recorded: RecordedJob, observed: Observed): Promise<JobOutcome | null> {
    const { fact } = step;
    if (step.note !== undefined) this.#note(step.note);
    if (fact.kind === "stop-intended" || (fact.kind === "submit-intended" && fact.role === "new")) {
      await this.#prepareNew(recorded);
    }
    const line = lineOf(fact);
    if (line !== null) this.#say(line);
    const next = this.#foreseen(fact, recorded, observed);
    if (next?.note !== undefined) this.#note(next.note);
    const facts = [fact, ...(step.also ?? []), ...(next === null ? [] : [next.fact])];
    const isStored = await this.#append(recorded, ...facts);
    // Someone else wrote to the ledger: what is there now decides.
    if (!isStored) return null;
    const end = endOf(next ?? step, recorded);
    return end === null ? null : this.#outcome(end.ending, end.code, end.message);
  }

  /**
   * What follows from a stop needs no further look, so both are written as one: nobody processes records meanwhile.
   */
  #foreseen(fact: Fact, recorded: RecordedJob, observed: Observed): RecordStep | null {
    if (fact.kind !== "stopped") return null;
    const { name, desired, settings } = this.#task;
    const after = this.#context.ledger.foreseen(name, [fact]);
    const next = nextStep(name, desired, { ...after, since: recorded.since }, observed, settings);
    return next.do === "record" ? next : null;
  }

  /** Once something has been done, what became of it is worth trying to store again; an intent is not. */
  async #append(recorded: RecordedJob, ...facts: readonly Fact[]): Promise<boolean> {
    const { ledger, clock } = this.#context;
    const masked = facts.map((fact) => ("cause" in fact ? { ...fact, cause: maskSecrets(fact.cause) } : fact));
    const since = clock();
    for (;;) {
      try {
        return await ledger.append(this.#task.name, ...masked);
      } catch (error) {
        const isLate = clock() - since >= this.#patienceMs || this.#context.deadline.aborted;
        const isWorthIt = recorded.attempt !== null && error instanceof DeployError && error.code !== "lock-held";
        if (!isWorthIt || isLate) throw error;
        this.#say(`writing again: ${error.message}`);
        await this.#pace.pauseLong();
      }
    }
  }

  /** Before anything is stopped: the new program's tables exist in a session, so only the INSERT is left to send. */
  async #prepareNew({ attempt }: RecordedJob): Promise<void> {
    const { program, desired } = this.#task;
    const isBegun = attempt !== null && (attempt.stopped !== null || attempt.submissions.length > 0);
    if (program === null || desired.kind !== "running" || isBegun) return;
    for (const note of await this.#submitter.prepareNew(program)) this.#note(note);
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
      return void (await this.#append(recorded, { kind: "submit-failed", jobId, cause }));
    }
    this.#say(`submitting ${jobId}${restore === null ? "" : ` from ${restore}`}`);
    const answer = await this.#submitter.submit(sent, { jobId, name, restore });
    switch (answer.kind) {
      case "accepted":
        for (const note of answer.notes) this.#note(note);
        return void (await this.#append(recorded, { kind: "submitted", jobId }));
      case "refused":
        return void (await this.#append(recorded, { kind: "submit-failed", jobId, cause: answer.cause }));
      case "unclear":
        if (answer.neverRan) this.#observer.noteFailedStart(jobId);
        this.#say(`looking for ${jobId}: ${answer.why}`);
        if (!answer.isRefusal) await this.#pace.pauseLong();
    }
  }

  async #wait(reason: string, { attempt }: RecordedJob): Promise<void> {
    this.#say(`waiting for ${reason}`);
    const stops = attempt !== null && attempt.submissions.length === 0;
    if (stops) {
      this.#stoppingSince ??= this.#context.clock();
      if (this.#stoppingMs > stopLimitMs) {
        throw new DeployError(
          "interrupted",
          `${this.#task.name}: still waiting for ${reason} after ${stopLimitMs / 60_000} min; run the same command again to go on waiting`,
        );
      }
    } else this.#stoppingSince = null;
    await this.#pace.pause(this.#observer.isInterrupted || (stops && this.#stoppingMs < soonMs));
  }

  get #stoppingMs(): number {
    return this.#stoppingSince === null ? 0 : this.#context.clock() - this.#stoppingSince;
  }

  #interruption(): DeployError {
    const { attempt } = this.#context.ledger.job(this.#task.name);
    const last = attempt?.submissions.at(-1);
    const how =
      attempt === null
        ? "was not begun, or is done; nothing is under way"
        : last === undefined
          ? "was interrupted"
          : `was interrupted before ${last.jobId}${last.restore === null ? "" : `, from ${last.restore},`} was seen to hold`;
    return new DeployError("interrupted", `${this.#task.name} ${how}`);
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
