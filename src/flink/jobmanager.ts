import { DeployError } from "../errors.ts";
import { type Decoder, fields, number, string } from "./decode.ts";
import { type Answer, HttpClient, type HttpOptions } from "./http.ts";
import { JavaTrace, lastCause, savepointIn } from "./java-trace.ts";
import {
  type CheckpointConfig,
  type CheckpointStatistics,
  checkpointConfig,
  checkpointStatistics,
  errorsIn,
  type JobDetails,
  type JobVertex,
  jobDetails,
  jobOverviews,
  keyValues,
  type ListedJob,
  operationResult,
  recordedExceptions,
} from "./wire.ts";

export type {
  CheckpointConfig,
  CheckpointStatistics,
  CompletedCheckpoint,
  JobDetails,
  JobOverview,
  JobVertex,
  ListedJob,
} from "./wire.ts";

export type JobManagerOptions = HttpOptions;

export interface SavepointOptions {
  /** Null for the cluster's own savepoint folder. */
  readonly targetDirectory: string | null;
  /** 32 hex digits; the same id never makes a second savepoint, so the call may be repeated. */
  readonly triggerId?: string | undefined;
  readonly formatType?: "CANONICAL" | "NATIVE" | undefined;
}

export type SavepointStatus =
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed"; readonly path: string }
  /** `savepoint`: it was made, and then the job failed instead of ending well. */
  | { readonly kind: "failed"; readonly cause: string; readonly savepoint: string | null }
  /** Never triggered, or forgotten: Flink keeps the answer for five minutes. */
  | { readonly kind: "unknown" };

export type DisposalStatus =
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed" }
  | { readonly kind: "failed"; readonly cause: string }
  | { readonly kind: "unknown" };

/** `text` is Flink's last cause; `trace` is the whole of it, which may name a savepoint. */
export interface JobException {
  readonly timestamp: number;
  readonly text: string;
  readonly trace: string;
}

const service = {
  name: "flink jobmanager",
  unreachable: "jobmanager-unreachable",
  misplaced: "jobmanager-unreachable",
  input: "jobmanager-url",
} as const;

/**
 * A client of one JobManager's REST. What answers null or `unknown` was denied by Flink itself; everything else that
 * goes wrong throws `jobmanager-unreachable`, so an outage never looks like a missing job.
 */
export class JobManager {
  readonly #http: HttpClient;

  constructor(options: JobManagerOptions) {
    this.#http = new HttpClient(options, service);
  }

  /** `refreshIntervalMs`: how old answers about one job may be (`web.refresh-interval`). */
  async config(): Promise<{ readonly version: string; readonly refreshIntervalMs: number }> {
    return await this.#get(
      "/config",
      fields((it) => ({
        version: it.get("flink-version", string),
        refreshIntervalMs: it.get("refresh-interval", number),
      })),
    );
  }

  async overview(): Promise<{
    readonly taskManagers: number;
    readonly slotsTotal: number;
    readonly slotsAvailable: number;
  }> {
    return await this.#get(
      "/overview",
      fields((it) => ({
        taskManagers: it.get("taskmanagers", number),
        slotsTotal: it.get("slots-total", number),
        slotsAvailable: it.get("slots-available", number),
      })),
    );
  }

  /** Every job that the JobManager remembers, ended ones too; never from Flink's cache. */
  async jobs(): Promise<readonly ListedJob[]> {
    return await this.#get("/jobs/overview", jobOverviews);
  }

  /** Null when the JobManager knows no such job. Flink may answer from a cache of up to `web.refresh-interval`. */
  async job(id: string): Promise<JobDetails | null> {
    return await this.#find(`/jobs/${hexId(id)}`, jobDetails);
  }

  /** Null when the JobManager knows no such job, or one of batch mode. From Flink's cache as `job` is. */
  async checkpoints(id: string): Promise<CheckpointStatistics | null> {
    return await this.#find(`/jobs/${hexId(id)}/checkpoints`, checkpointStatistics);
  }

  /** Null when the JobManager knows no such job, or one that takes no checkpoints at all. */
  async checkpointConfig(id: string): Promise<CheckpointConfig | null> {
    return await this.#find(`/jobs/${hexId(id)}/checkpoints/config`, checkpointConfig);
  }

  /** The configuration that the JobManager runs with; Flink hides the values of secrets itself. */
  async clusterConfig(): Promise<Readonly<Record<string, string>>> {
    return await this.#get("/jobmanager/config", keyValues);
  }

  /** Newest first; empty too when the JobManager knows no such job. */
  async exceptions(id: string): Promise<readonly JobException[]> {
    const found = await this.#find(`/jobs/${hexId(id)}/exceptions`, recordedExceptions);
    return (found ?? []).map(({ timestamp, stackTrace }) => ({
      timestamp,
      text: lastCause(stackTrace),
      trace: stackTrace,
    }));
  }

  /** The job graph as Flink's dashboard draws it. */
  async plan(id: string): Promise<unknown> {
    return await this.#get(
      `/jobs/${hexId(id)}/plan`,
      fields((it) => it.get("plan", (value) => value)),
    );
  }

  /** Returns the trigger id to ask `savepointStatus` with. */
  async triggerSavepoint(id: string, options: SavepointOptions): Promise<string> {
    const { targetDirectory, triggerId, formatType } = options;
    return await this.#trigger(`/jobs/${hexId(id)}/savepoints`, {
      ...(targetDirectory === null ? {} : { "target-directory": targetDirectory }),
      ...(triggerId === undefined ? {} : { triggerId }),
      "cancel-job": false,
      formatType: formatType ?? "CANONICAL",
    });
  }

  /** Without drain, which would fire windows that nothing can take back. Returns the trigger id. */
  async stopWithSavepoint(id: string, options: SavepointOptions): Promise<string> {
    const { targetDirectory, triggerId, formatType } = options;
    return await this.#trigger(`/jobs/${hexId(id)}/stop`, {
      ...(targetDirectory === null ? {} : { targetDirectory }),
      ...(triggerId === undefined ? {} : { triggerId }),
      drain: false,
      formatType: formatType ?? "CANONICAL",
    });
  }

  async savepointStatus(id: string, triggerId: string): Promise<SavepointStatus> {
    const found = await this.#find(`/jobs/${hexId(id)}/savepoints/${hexId(triggerId)}`, operationResult);
    if (found === null) return { kind: "unknown" };
    if (found.kind === "failed") {
      return { kind: "failed", cause: lastCause(found.stackTrace), savepoint: savepointIn(found.stackTrace) };
    }
    if (found.kind === "in-progress") return found;
    // Never seen, and never to be taken for success.
    const cause = "flink reports a savepoint without a location";
    if (found.location === null) return { kind: "failed", cause, savepoint: null };
    return { kind: "completed", path: found.location };
  }

  /** Asks for a checkpoint besides those that come by themselves; false where Flink (before 1.17) cannot, or will not. */
  async triggerCheckpoint(id: string, triggerId: string): Promise<boolean> {
    const body = { checkpointType: "CONFIGURED", triggerId };
    const answer = await this.#http.send("POST", `/jobs/${hexId(id)}/checkpoints`, { body });
    return answer.status === 202 || answer.status === 200;
  }

  /** Also when the job has ended already. */
  async cancel(id: string): Promise<void> {
    const answer = await this.#http.send("PATCH", `/jobs/${hexId(id)}?mode=cancel`);
    if (answer.status !== 202 && answer.status !== 200 && answer.status !== 409) throw this.#refusal(answer);
  }

  /** Returns the trigger id to ask `disposalStatus` with. */
  async disposeSavepoint(path: string): Promise<string> {
    return await this.#trigger("/savepoint-disposal", { "savepoint-path": path });
  }

  async disposalStatus(triggerId: string): Promise<DisposalStatus> {
    const found = await this.#find(`/savepoint-disposal/${hexId(triggerId)}`, operationResult);
    if (found === null) return { kind: "unknown" };
    if (found.kind === "failed") return { kind: "failed", cause: lastCause(found.stackTrace) };
    return { kind: found.kind };
  }

  async #trigger(path: string, body: unknown): Promise<string> {
    const answer = await this.#http.send("POST", path, { body });
    if (answer.status !== 202 && answer.status !== 200) throw this.#refusal(answer);
    return this.#http.decoded(
      answer,
      fields((it) => it.get("request-id", string)),
    );
  }

  async #get<T>(path: string, decoder: Decoder<T>): Promise<T> {
    const answer = await this.#http.send("GET", path);
    if (answer.status !== 200) throw this.#refusal(answer);
    return this.#http.decoded(answer, decoder);
  }

  /** Null when Flink says that it knows nothing of the sort; a 404 of anyone else throws. */
  async #find<T>(path: string, decoder: Decoder<T>): Promise<T | null> {
    const answer = await this.#http.send("GET", path);
    if (answer.status === 200) return this.#http.decoded(answer, decoder);
    if (answer.status === 404 && isDenial(errorsIn(answer.json))) return null;
    throw this.#refusal(answer);
  }

  #refusal(answer: Answer): DeployError {
    const { request, status } = answer;
    const errors = errorsIn(answer.json);
    if (errors === null) return this.#http.misplaced(request, `status ${status}`);
    const trace = errors.join("\n");
    const text = lastCause(trace);
    const cause = new JavaTrace(trace);
    if (isDenial(errors)) return new DeployError("unknown-job", `${request}: ${text}`, { cause });
    // The option's old name and its name from 1.20 on.
    if (/savepoints?[.-]dir\]? is not set/.test(text))
      return new DeployError("savepoint-dir-missing", `${request}: ${text}`, { cause });
    if (request.startsWith("POST ")) return new DeployError("savepoint-failed", `${request}: ${text}`, { cause });
    return this.#http.unreachable(request, `status ${status}, ${text}`, cause);
  }
}

// A batch job has no checkpoints to ask about, which Flink tells by 404 too.
const denials = [
  /Job [0-9a-f]{32} not found/,
  /Could not find Flink job/,
  /There is no savepoint operation/,
  /Operation not found under key/,
  /Checkpointing (?:is not|has not been) enabled/,
];

/** Flink's 404s have text only; `Unable to load requested file` is one too, but for a path that does not exist. */
function isDenial(errors: readonly string[] | null): boolean {
  const text = errors?.join("\n") ?? "";
  return denials.some((denial) => denial.test(text));
}

/**
 * Every task of every vertex runs or has ended well. A vertex is RUNNING as soon as one of its tasks is, even where the
 * others wait for slots for ever, and so is the job: neither's status will do.
 */
export function isWhollyRunning({ state, vertices }: JobDetails): boolean {
  const runs = ({ parallelism, taskCounts }: JobVertex): boolean =>
    (taskCounts.RUNNING ?? 0) + (taskCounts.FINISHED ?? 0) === parallelism;
  return state === "RUNNING" && vertices.length > 0 && vertices.every(runs);
}

/** Ids go into paths, so they are checked: a wrong one must not ask about something else. */
function hexId(id: string): string {
  if (!/^[0-9a-f]{32}$/i.test(id)) throw new DeployError("unknown-job", `${id} is not an id of 32 hex digits`);
  return id;
}
