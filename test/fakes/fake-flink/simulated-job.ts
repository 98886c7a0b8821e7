import { checkpointError, type JavaError, jobError, printed } from "./java-error.ts";

/** What becomes of a job; times are in steps since its start. */
export type Behaviour =
  | { readonly kind: "healthy" }
  /** The job is RUNNING, and all its tasks stay SCHEDULED. */
  | { readonly kind: "never-running" }
  /** Fails and restarts for ever, `afterSteps` steps after each start. */
  | { readonly kind: "restart-loop"; readonly message: string; readonly afterSteps?: number }
  | { readonly kind: "fails"; readonly message: string; readonly afterSteps: number }
  /** A bounded source: commits what it emitted and ends. */
  | { readonly kind: "finishes"; readonly afterSteps: number }
  /** Runs, but no checkpoint completes. */
  | { readonly kind: "no-checkpoints"; readonly message: string }
  /** Starts from nothing in spite of its restore path. */
  | { readonly kind: "ignores-restore" };

export type JobState = "INITIALIZING" | "CREATED" | "RUNNING" | "RESTARTING" | "FAILED" | "CANCELED" | "FINISHED";

/** What a savepoint or checkpoint holds: how far the source was, and what the sink had not committed. */
export interface Snapshot {
  readonly id: number;
  readonly path: string | null;
  readonly isSavepoint: boolean;
  readonly triggerTime: number;
  readonly position: number;
  readonly pending: readonly Transaction[];
}

/** One number that a job put into its sink; committing it twice has no effect, as with a transactional sink. */
export interface Transaction {
  readonly jobId: string;
  readonly number: number;
}

export interface JobSettings {
  readonly id: string;
  readonly name: string;
  readonly sink: string;
  readonly isBatch: boolean;
  readonly parallelism: number;
  readonly config: Readonly<Record<string, string>>;
  readonly behaviour: Behaviour;
  readonly startupSteps: number;
  readonly checkpointSteps: number;
  readonly numbersPerStep: number;
  readonly checkpointFolder: string | null;
  readonly restoreFrom: Snapshot | null;
  readonly now: () => number;
  readonly commit: (sink: string, transactions: readonly Transaction[]) => void;
  /** How many slots there are for the job. */
  readonly slotsFor: (job: SimulatedJob) => number;
}

/** One job as a state machine that moves by steps only. */
export class SimulatedJob {
  readonly settings: JobSettings;
  readonly startTime: number;
  readonly timestamps: Record<string, number> = {};
  readonly exceptions: { readonly timestamp: number; readonly trace: string }[] = [];
  readonly completed: Snapshot[] = [];
  state: JobState = "INITIALIZING";
  endTime: number | null = null;
  failedCheckpoint: { readonly id: number; readonly message: string } | null = null;
  failedCheckpoints = 0;
  restored: Snapshot | null = null;
  restores = 0;
  /** The last number that the source emitted. */
  position = 0;
  pending: readonly Transaction[] = [];
  isStopping = false;
  #age = 0;
  #nextCheckpoint: number;
  readonly #start: Snapshot | null;
  #behaviour: Behaviour;

  constructor(settings: JobSettings) {
    this.settings = settings;
    this.#behaviour = settings.behaviour;
    this.#start = settings.behaviour.kind === "ignores-restore" ? null : settings.restoreFrom;
    this.#nextCheckpoint = (this.#start?.id ?? 0) + 1;
    this.startTime = settings.now();
    this.#enter("INITIALIZING");
    this.#enter("CREATED");
    this.#recover();
  }

  get hasEnded(): boolean {
    return this.endTime !== null;
  }

  /** True when every task runs: only then can a checkpoint or savepoint be taken. */
  get areTasksRunning(): boolean {
    return this.state === "RUNNING" && this.#age >= this.settings.startupSteps && !this.#isWaiting;
  }

  /** Of each vertex; without enough slots some tasks run while others wait, as in Flink. */
  get tasksRunning(): number {
    if (this.state !== "RUNNING" || this.settings.behaviour.kind === "never-running") return 0;
    if (this.#isWaiting) return Math.max(this.settings.slotsFor(this), 0);
    return this.areTasksRunning ? this.settings.parallelism : 0;
  }

  get #isWaiting(): boolean {
    const { behaviour, parallelism, slotsFor } = this.settings;
    return behaviour.kind === "never-running" || slotsFor(this) < parallelism;
  }

  step(): void {
    if (this.hasEnded) return;
    if (this.state !== "RUNNING") {
      this.#enter("RUNNING");
      return;
    }
    if (this.#isWaiting) return;
    this.#age += 1;
    if (!this.areTasksRunning || this.isStopping) return;
    this.#emit();
    if (this.#meetsItsFate()) return;
    if (this.#age % this.settings.checkpointSteps === 0) this.checkpoint();
  }

  /** What a savepoint taken now would hold. */
  snapshot(path: string | null, isSavepoint: boolean): Snapshot {
    const id = this.#nextCheckpoint;
    this.#nextCheckpoint += 1;
    const { position, pending } = this;
    return { id, path, isSavepoint, triggerTime: this.settings.now(), position, pending };
  }

  /** Ends the job as stop-with-savepoint does: everything up to the savepoint is committed. */
  finish(): void {
    this.#commit();
    this.#end("FINISHED");
  }

  /** What was not committed is gone, as an aborted transaction. */
  cancel(): void {
    this.pending = [];
    this.#end("CANCELED");
  }

  /** From now on it fails and restarts for ever, as after a fault outside of it. */
  restartFromNowOn(message: string): void {
    this.#behaviour = { kind: "restart-loop", message };
    this.#restart(message);
  }

  fail(error: JavaError): void {
    this.#record(error);
    this.pending = [];
    this.#end("FAILED");
  }

  #emit(): void {
    for (let count = 0; count < this.settings.numbersPerStep; count += 1) {
      this.position += 1;
      this.pending = [...this.pending, { jobId: this.settings.id, number: this.position }];
    }
  }

  #meetsItsFate(): boolean {
    const { isBatch, startupSteps } = this.settings;
    const behaviour = this.#behaviour;
    const running = this.#age - startupSteps;
    if (behaviour.kind === "fails" && running >= behaviour.afterSteps) this.fail(jobError(behaviour.message));
    else if (behaviour.kind === "finishes" && running >= behaviour.afterSteps) this.finish();
    else if (isBatch && running >= 1) this.finish();
    else if (behaviour.kind === "restart-loop" && running >= (behaviour.afterSteps ?? 0))
      this.#restart(behaviour.message);
    else return false;
    return true;
  }

  #restart(message: string): void {
    this.#record(jobError(message));
    this.#enter("RESTARTING");
    this.#age = 0;
    this.#recover();
  }

  /** From the newest checkpoint of its own, else from where it started. */
  #recover(): void {
    const from = this.completed.at(-1) ?? this.#start;
    this.position = from?.position ?? 0;
    this.pending = from?.pending ?? [];
    if (from === null || from === undefined) return;
    this.restored = from;
    this.restores += 1;
    this.#commit();
  }

  checkpoint(): void {
    const { behaviour, config, isBatch, checkpointFolder, id } = this.settings;
    if (isBatch || config["execution.checkpointing.interval"] === undefined) return;
    if (behaviour.kind === "no-checkpoints") {
      this.failedCheckpoint = { id: this.snapshot(null, false).id, message: behaviour.message };
      this.failedCheckpoints += 1;
      return;
    }
    const path = checkpointFolder === null ? null : `${checkpointFolder}/${id}/chk-${this.#nextCheckpoint}`;
    this.completed.push(this.snapshot(path, false));
    this.#commit();
  }

  #commit(): void {
    this.settings.commit(this.settings.sink, this.pending);
    this.pending = [];
  }

  #record(error: JavaError): void {
    this.exceptions.push({ timestamp: this.settings.now(), trace: printed(error) });
  }

  #enter(state: JobState): void {
    this.state = state;
    this.timestamps[state] = this.settings.now();
  }

  #end(state: JobState): void {
    this.#enter(state);
    this.endTime = this.settings.now();
  }
}

export const notRunning = (id: string): JavaError =>
  checkpointError(
    `Checkpoint triggering task Source: orders (1/1) of job ${id} is not being executed at the moment. ` +
      "Aborting checkpoint. Failure reason: Not all required tasks are currently running.",
  );
