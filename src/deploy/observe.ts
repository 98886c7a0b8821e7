import type { RecordedJob } from "../ledger/fold.ts";
import {
  type Cluster,
  type ClusterJob,
  hasEnded,
  type LastSavepoint,
  type Progress,
  type Retained,
  type Retention,
  type StateStorage,
} from "./cluster.ts";
import type { Observed } from "./step.ts";

/** Statistics are asked for once the tasks run: an earlier answer would stay in the JobManager's cache. Not for ever. */
const patienceMs = 2_000;

/** What one run has seen of one job id. Milliseconds of the run's clock. */
class Watch {
  readonly jobId: string;
  firstSeen: number | null = null;
  steadySince: number | null = null;
  endedSince: number | null = null;
  hasRun = false;
  askedWhileAlive = false;
  checkpointsAsked: number | "refused" = 0;

  constructor(jobId: string) {
    this.jobId = jobId;
  }

  see(job: ClusterJob, now: number): void {
    this.firstSeen ??= now;
    const runs = job.state === "RUNNING" && job.allTasksRunning !== false;
    if (runs) this.hasRun = true;
    if (runs || job.state === "FINISHED") this.steadySince ??= now;
    else this.steadySince = null;
    if (hasEnded(job.state)) this.endedSince ??= now;
  }
}

/** What the observer is to find out about one job. */
export interface Subject {
  /** Where the job that runs and the one that is to run keep their checkpoints, by their own config; null: as the cluster. */
  readonly checkpointDirectories: { readonly previous: string | null; readonly next: string | null };
  /** Whether its upgrade goes on from a checkpoint. */
  readonly isLastState: boolean;
}

const unknown = { kind: "unknown" } as const;

/** Looks at the cluster for one job, and remembers since when things are as they are. */
export class Observer {
  readonly #cluster: Cluster;
  readonly #storage: StateStorage;
  readonly #subject: Subject;
  readonly #clock: () => number;
  #watch: Watch | null = null;
  #stoppedAt: number | null = null;
  #neverRan: string | null = null;

  constructor(cluster: Cluster, storage: StateStorage, subject: Subject, clock: () => number) {
    this.#cluster = cluster;
    this.#storage = storage;
    this.#subject = subject;
    this.#clock = clock;
  }

  /** `known` spares a request where nothing was done to the cluster since. */
  async look(recorded: RecordedJob, known: readonly ClusterJob[] | null): Promise<Observed> {
    const cluster = this.#cluster;
    const { settled, attempt } = recorded;
    const submission = attempt?.submissions.at(-1) ?? null;
    const stop = submission === null && attempt?.stopped === null ? attempt.stop : null;
    const [jobs, status] = await Promise.all([
      known ?? cluster.jobs(),
      stop?.withSavepoint ? cluster.stopStatus(stop) : ({ kind: "unknown" } as const),
    ]);
    const recordedId = attempt === null && settled?.kind === "running" ? settled.jobId : null;
    const id = submission?.jobId ?? stop?.jobId ?? recordedId;
    const watch = this.#watchOf(id);
    const job = jobs.find((one) => one.id === id);
    const now = this.#clock();
    if (job !== undefined) watch?.see(job, now);
    const isGone = id !== null && (job === undefined || hasEnded(job.state));
    if (isGone && watch !== null) watch.endedSince ??= now;
    if (isGone && stop !== null) this.#stoppedAt ??= now;
    const progress = submission === null || job === undefined ? null : await this.#progress(job, now);
    const needsRecord =
      isGone && (stop?.withSavepoint ? status.kind !== "completed" : recordedId !== null && job !== undefined);
    const lastSavepoint: LastSavepoint =
      needsRecord && id !== null ? await cluster.lastSavepoint(id) : { kind: "unknown" };
    const lagMs = await cluster.lagMs();
    const isLive = recordedId !== null && job !== undefined && !isGone;
    const since = (moment: number | null | undefined): number => (moment == null ? 0 : now - moment);
    const wasNeverAsked = watch !== null && !watch.hasRun && !watch.askedWhileAlive;
    return {
      jobs,
      seesProgress: cluster.through === "jobmanager",
      progress,
      isFinal: isGone && (wasNeverAsked || since(watch?.endedSince) >= lagMs),
      waitedMs: since(watch?.firstSeen),
      steadyMs: since(watch?.steadySince),
      endedMs: since(watch?.endedSince),
      stop: status,
      lastSavepoint,
      retained: isGone && id !== null ? await this.#retained(id, job, recorded) : unknown,
      stranded:
        isGone && stop?.savepointFolder && status.kind !== "completed" && lastSavepoint.kind !== "known"
          ? await this.#storage.savepoint(stop.savepointFolder)
          : unknown,
      retention: isLive && this.#subject.isLastState ? await this.#retention(recordedId) : null,
      wasRefused: id !== null && id === this.#neverRan,
      lagMs,
      checkpointsAsked: watch?.checkpointsAsked ?? 0,
    };
  }

  async askForCheckpoint(jobId: string, triggerId: (number: number) => string): Promise<void> {
    const watch = this.#watchOf(jobId);
    if (watch === null || watch.checkpointsAsked === "refused") return;
    const number = watch.checkpointsAsked + 1;
    watch.checkpointsAsked = (await this.#cluster.checkpoint(jobId, triggerId(number))) ? number : "refused";
  }

  /** Flink could not start it, which its id proves for good; nothing on the cluster tells afterwards. */
  noteFailedStart(jobId: string): void {
    this.#neverRan = jobId;
  }

  /** Between the old job's end and the newest submission's RUNNING: nobody processes records. */
  get isInterrupted(): boolean {
    return this.#stoppedAt !== null && (this.#watch?.steadySince ?? null) === null;
  }

  /** The newest submission runs, with all its tasks. */
  get isUp(): boolean {
    return (this.#watch?.steadySince ?? null) !== null;
  }

  /** From the old job's end to the moment since which the new one runs; null where this run did not see both. */
  get interruptionMs(): number | null {
    const steadySince = this.#watch?.steadySince ?? null;
    return this.#stoppedAt === null || steadySince === null ? null : steadySince - this.#stoppedAt;
  }

  async #retention(jobId: string): Promise<Retention | null> {
    return await this.#cluster.retention(jobId);
  }

  /** By Flink's own record while it has one, else by what lies in the job's checkpoint folder. */
  async #retained(id: string, job: ClusterJob | undefined, recorded: RecordedJob): Promise<Retained> {
    if (job !== undefined) return job.state === "FINISHED" ? unknown : await this.#cluster.retainedCheckpoint(id);
    const { checkpoint, attempt } = recorded;
    const { previous, next } = this.#subject.checkpointDirectories;
    const isNew = attempt?.submissions.at(-1)?.role === "new";
    const noted = checkpoint?.jobId === id ? checkpoint.path.replace(/\/[^/]+\/*$/, "") : null;
    if (noted !== null) return await this.#storage.newestCheckpoint(noted);
    const directory = (isNew ? next : previous) ?? (await this.#cluster.checkpointDirectory());
    return directory === null
      ? unknown
      : await this.#storage.newestCheckpoint(`${directory.replace(/\/+$/, "")}/${id}`);
  }

  #watchOf(id: string | null): Watch | null {
    if (id !== null && this.#watch?.jobId !== id) this.#watch = new Watch(id);
    return id === null ? null : this.#watch;
  }

  async #progress(job: ClusterJob, now: number): Promise<Progress | null> {
    const watch = this.#watchOf(job.id);
    const waited = now - (watch?.firstSeen ?? now);
    if (!hasEnded(job.state) && job.allTasksRunning !== true && waited < patienceMs) return null;
    if (watch !== null && !hasEnded(job.state)) watch.askedWhileAlive = true;
    return await this.#cluster.progress(job.id);
  }
}
