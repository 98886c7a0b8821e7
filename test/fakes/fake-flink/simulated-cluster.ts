import {
  checkpointError,
  duplicateJob,
  type JavaError,
  jobError,
  noSavepointAt,
  plainValidationError,
  submissionError,
  unknownJob,
} from "./java-error.ts";
import { type Behaviour, notRunning, SimulatedJob, type Snapshot, type Transaction } from "./simulated-job.ts";

export interface Submission {
  readonly sink: string;
  readonly config: Readonly<Record<string, string>>;
}

export type Submitted =
  | { readonly kind: "job"; readonly id: string }
  | { readonly kind: "refused"; readonly error: JavaError };

export interface SavepointRequest {
  readonly jobId: string;
  readonly triggerId: string;
  readonly folder: string;
  readonly stopsJob: boolean;
}

export type SavepointOutcome =
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed"; readonly path: string }
  | { readonly kind: "failed"; readonly error: JavaError };

/** One line of a sink: who emitted what. */
export interface Emitted {
  readonly jobId: string;
  readonly job: string;
  readonly number: number;
}

const epoch = 1_700_000_000_000;

/** Jobs, savepoints and sinks of one session cluster. Nothing moves but by `step`; the knobs are plain fields. */
export class SimulatedCluster {
  version = "1.20.3";
  slots = 8;
  savepointFolder: string | null = null;
  checkpointFolder: string | null = null;
  startupSteps = 2;
  checkpointSteps = 2;
  savepointSteps = 1;
  numbersPerStep = 3;
  /** Only the answer to a stop that failed tells of its savepoint, not the job's statistics. */
  forgetSavepointsOfFailedStops = false;
  readonly jobs = new Map<string, SimulatedJob>();
  readonly sinks = new Map<string, Emitted[]>();
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #nextBehaviours: Behaviour[] = [];
  readonly #refusals: JavaError[] = [];
  readonly #savepointFailures: string[] = [];
  readonly #stopFailures: string[] = [];
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #operations = new Map<string, { readonly request: SavepointRequest; stepsLeft: number }>();
  readonly #outcomes = new Map<string, SavepointOutcome>();
  readonly #disposalFailures: string[] = [];
  readonly #disposals = new Map<string, { readonly outcome: SavepointOutcome; isSeen: boolean }>();
  readonly #checkpointTriggers = new Set<string>();
  readonly #checkpointFolders = new Set<string>();
  #steps = 0;
  #serial = 0;

  get now(): number {
    return epoch + this.#steps * 1000;
  }

  step(count = 1): void {
    for (let done = 0; done < count; done += 1) {
      this.#steps += 1;
      for (const job of this.jobs.values()) job.step();
      for (const [key, operation] of this.#operations) this.#advance(key, operation);
    }
  }

  behave(jobName: string, behaviour: Behaviour): void {
    this.#behaviours.set(jobName, behaviour);
  }

  behaveNext(...behaviours: readonly Behaviour[]): void {
    this.#nextBehaviours.push(...behaviours);
  }

  refuseNext(message: string): void {
    this.#refusals.push(plainValidationError(message));
  }

  failNextSavepoint(message: string): void {
    this.#savepointFailures.push(message);
  }

  failNextStop(message: string): void {
    this.#stopFailures.push(message);
  }

  failNextDisposal(message: string): void {
    this.#disposalFailures.push(message);
  }

  forgetOutcomes(): void {
    this.#outcomes.clear();
  }

  submit({ sink, config }: Submission): Submitted {
    const name = config["pipeline.name"] ?? `insert-into_default_catalog.default_database.${sink}`;
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) return { kind: "refused", error: refusal };
    const id = config["$internal.pipeline.job-id"] ?? this.newId();
    if (this.jobs.has(id)) return { kind: "refused", error: submissionError(name, duplicateJob(this.version)) };
    const path = config["execution.state-recovery.path"] ?? config["execution.savepoint.path"] ?? "";
    const restoreFrom = path === "" ? null : this.#snapshotAt(path);
    const job = this.#created(id, name, sink, config, restoreFrom ?? null, path);
    this.jobs.set(id, job);
    const { checkpointFolder } = job.settings;
    if (checkpointFolder !== null) this.#checkpointFolders.add(`${checkpointFolder}/${id}`);
    if (restoreFrom !== undefined) return { kind: "job", id };
    // Flink keeps a job whose start failed, and its id stays used.
    job.fail(noSavepointAt(path));
    return { kind: "refused", error: submissionError(name, noSavepointAt(path)) };
  }

  /** Idempotent by trigger id, as Flink is; the outcome is asked for by `savepoint`. */
  requestSavepoint(request: SavepointRequest): void {
    const key = `${request.jobId}/${request.triggerId}`;
    if (this.#operations.has(key) || this.#outcomes.has(key)) return;
    const job = this.jobs.get(request.jobId);
    const refusal = this.#savepointRefusal(job, request);
    if (refusal !== null || job === undefined) {
      this.#outcomes.set(key, { kind: "failed", error: refusal ?? unknownJob(request.jobId) });
      return;
    }
    if (request.stopsJob) job.isStopping = true;
    const operation = { request, stepsLeft: this.savepointSteps };
    this.#operations.set(key, operation);
    if (operation.stepsLeft === 0) this.#advance(key, operation);
  }

  savepoint(jobId: string, triggerId: string): SavepointOutcome | null {
    const key = `${jobId}/${triggerId}`;
    return this.#operations.has(key) ? { kind: "in-progress" } : (this.#outcomes.get(key) ?? null);
  }

  /** Idempotent by trigger id; without effect where the job's tasks do not all run. */
  requestCheckpoint(jobId: string, triggerId: string): void {
    const key = `${jobId}/${triggerId}`;
    if (this.#checkpointTriggers.has(key)) return;
    this.#checkpointTriggers.add(key);
    const job = this.jobs.get(jobId);
    if (job?.areTasksRunning) job.checkpoint();
  }

  dispose(path: string): string {
    const id = this.newId();
    this.#disposals.set(id, { outcome: this.#disposed(path), isSeen: false });
    return id;
  }

  /** In progress at the first look, as it mostly is on real Flink. */
  disposal(id: string): SavepointOutcome | null {
    const disposal = this.#disposals.get(id);
    if (disposal === undefined) return null;
    if (disposal.isSeen) return disposal.outcome;
    disposal.isSeen = true;
    return { kind: "in-progress" };
  }

  /** The paths of all that were made and not disposed of, oldest first. */
  savepoints(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  hasSavepoint(path: string): boolean {
    return this.#snapshotAt(path) !== undefined;
  }

  cancel(id: string): "canceled" | "ended" | "unknown" {
    const job = this.jobs.get(id);
    if (job === undefined) return "unknown";
    if (job.hasEnded) return "ended";
    job.cancel();
    return "canceled";
  }

  /** The newest complete state whose path begins so: what lies in a folder. */
  stateBelow(folder: string): string | null {
    const place = `${printedPath(folder)}/`;
    return [...this.#snapshots.keys()].findLast((path) => path.startsWith(place)) ?? null;
  }

  /** Whether Flink made this checkpoint folder, which it does when a job starts. */
  hasFolder(folder: string): boolean {
    return this.#checkpointFolders.has(printedPath(folder));
  }

  /** The JobManager came back without its jobs; savepoints and retained checkpoints are files, and stay. */
  loseJobs(): void {
    for (const job of this.jobs.values()) {
      const checkpoint = newestCheckpoint(job);
      if (typeof checkpoint?.path === "string") this.#snapshots.set(printedPath(checkpoint.path), checkpoint);
    }
    this.jobs.clear();
    this.#operations.clear();
    this.#outcomes.clear();
    this.#disposals.clear();
  }

  newId(): string {
    this.#serial += 1;
    return this.#serial.toString(16).padStart(32, "f");
  }

  #disposed(path: string): SavepointOutcome {
    const failure = this.#disposalFailures.shift();
    if (failure !== undefined) return { kind: "failed", error: [["java.io.IOException", failure]] };
    if (this.#snapshots.delete(printedPath(path))) return { kind: "completed", path };
    return { kind: "failed", error: noSavepointAt(path).slice(1) };
  }

  #created(
    id: string,
    name: string,
    sink: string,
    config: Readonly<Record<string, string>>,
    restoreFrom: Snapshot | null,
    path: string,
  ): SimulatedJob {
    const folder = config["execution.checkpointing.dir"] ?? config["state.checkpoints.dir"] ?? this.checkpointFolder;
    return new SimulatedJob({
      id,
      name,
      sink,
      config,
      isBatch: config["execution.runtime-mode"]?.toLowerCase() === "batch",
      parallelism: Number(config["parallelism.default"] ?? 1),
      behaviour: this.#nextBehaviours.shift() ?? this.#behaviours.get(name) ?? { kind: "healthy" },
      startupSteps: this.startupSteps,
      checkpointSteps: this.checkpointSteps,
      numbersPerStep: this.numbersPerStep,
      checkpointFolder: folder === null ? null : printedPath(folder),
      restoreFrom: restoreFrom === null ? null : { ...restoreFrom, path: printedPath(path) },
      now: () => this.now,
      commit: (to, transactions) => this.#commit(to, transactions),
      slotsFor: (job) => this.#slotsFor(job),
    });
  }

  /** First come, first served. */
  #slotsFor(asking: SimulatedJob): number {
    let free = this.slots;
    for (const job of this.jobs.values()) {
      if (job === asking) return free;
      if (!job.hasEnded) free -= job.settings.parallelism;
    }
    return free;
  }

  #commit(sink: string, transactions: readonly Transaction[]): void {
    const lines = this.sinks.get(sink) ?? [];
    this.sinks.set(sink, lines);
    for (const { jobId, number } of transactions) {
      if (lines.some((line) => line.jobId === jobId && line.number === number)) continue;
      lines.push({ jobId, number, job: this.jobs.get(jobId)?.settings.name ?? "" });
    }
  }

  #savepointRefusal(job: SimulatedJob | undefined, { jobId, folder }: SavepointRequest): JavaError | null {
    if (job === undefined || job.hasEnded) return unknownJob(jobId);
    if (!job.areTasksRunning) return notRunning(jobId);
    // The one place that is read-only on a real machine too.
    if (folder.startsWith("/proc/")) return checkpointError(`Failed to create savepoint directory at ${folder}`);
    const message = this.#savepointFailures.shift();
    return message === undefined ? null : checkpointError(message);
  }

  #advance(key: string, operation: { readonly request: SavepointRequest; stepsLeft: number }): void {
    operation.stepsLeft -= 1;
    if (operation.stepsLeft > 0) return;
    this.#operations.delete(key);
    this.#outcomes.set(key, this.#taken(operation.request));
  }

  #taken({ jobId, folder, stopsJob }: SavepointRequest): SavepointOutcome {
    const job = this.jobs.get(jobId);
    if (job === undefined || job.hasEnded) return { kind: "failed", error: unknownJob(jobId) };
    this.#serial += 1;
    const name = `savepoint-${jobId.slice(0, 6)}-${this.#serial.toString(16).padStart(12, "0")}`;
    const path = `${printedPath(folder)}/${name}`;
    const snapshot = job.snapshot(path, true);
    this.#snapshots.set(printedPath(path), snapshot);
    const failure = stopsJob ? this.#stopFailures.shift() : undefined;
    if (failure === undefined || !this.forgetSavepointsOfFailedStops) job.completed.push(snapshot);
    if (!stopsJob) return { kind: "completed", path };
    if (failure === undefined) {
      job.finish();
      return { kind: "completed", path };
    }
    const text = `A savepoint has been created at: ${path}, but the corresponding job ${jobId} failed during stopping.`;
    const error: JavaError = [
      ["org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException", text],
      ...jobError(failure),
    ];
    job.fail(error);
    return { kind: "failed", error };
  }

  /** Savepoints, and the newest checkpoint of each job as long as Flink keeps its files. */
  #snapshotAt(path: string): Snapshot | undefined {
    const place = printedPath(path);
    const checkpoints = [...this.jobs.values()].filter(keepsCheckpoint).map(newestCheckpoint);
    return this.#snapshots.get(place) ?? checkpoints.find((checkpoint) => checkpoint?.path === place);
  }
}

function keepsCheckpoint(job: SimulatedJob): boolean {
  const retention = job.settings.config["execution.checkpointing.externalized-checkpoint-retention"];
  if (!job.hasEnded || retention === "RETAIN_ON_CANCELLATION") return true;
  return job.state === "FAILED" && retention === "DELETE_ON_CANCELLATION";
}

function newestCheckpoint(job: SimulatedJob): Snapshot | undefined {
  return job.completed.findLast(({ isSavepoint }) => !isSavepoint);
}

/** Flink prints local paths as `file:/a`, whatever was given. */
function printedPath(path: string): string {
  const local = path.replace(/^file:(?:\/\/)?/, "").replace(/\/+$/, "");
  return local.startsWith("/") ? `file:${local}` : local;
}
