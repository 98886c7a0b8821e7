import type { Reply } from "./gateway-answers.ts";
import { type JavaError, noFolder, printed, unknownJob } from "./java-error.ts";
import type { SavepointOutcome, SimulatedCluster } from "./simulated-cluster.ts";
import type { SimulatedJob, Snapshot } from "./simulated-job.ts";

/** The JobManager REST of the simulated cluster. */
export class JobManagerAnswers {
  version = "1.20.3";
  /** Steps for which `/jobs/:id` and what is below it are answered from memory, as Flink does for 3 s. */
  cacheSteps = 0;
  /** What it says of that cache. */
  refreshIntervalMs = 3000;
  /** Whether a checkpoint can be asked for, as from Flink 1.17 on. */
  takesCheckpoints = true;
  readonly #cache = new Map<string, { readonly until: number; readonly reply: Reply }>();
  readonly #cluster: SimulatedCluster;
  readonly #observe: () => void;

  constructor(cluster: SimulatedCluster, observe: () => void) {
    this.#cluster = cluster;
    this.#observe = observe;
  }

  reply(method: string, path: string, body: unknown): Reply {
    const [, id, below, trigger] =
      /^\/jobs\/([0-9a-f]{32})(?:\/([a-z]+)(?:\/([0-9a-f]{32}|config))?)?$/.exec(path) ?? [];
    if (id !== undefined) return this.#job(method, id, below ?? "", trigger ?? "", fieldsOf(body));
    if (method === "GET" && path === "/config")
      return found({ "refresh-interval": this.refreshIntervalMs, "flink-version": this.version });
    if (method === "GET" && path === "/jobmanager/config") {
      const folder = this.#cluster.checkpointFolder;
      return found(folder === null ? [] : [{ key: "state.checkpoints.dir", value: folder }]);
    }
    if (method === "GET" && path === "/overview") return found(this.#overview());
    if (method === "GET" && path === "/jobs/overview") {
      this.#observe();
      return found({
        jobs: [...this.#cluster.jobs.values()].map((job) => ({ ...summary(job), tasks: taskTotals(job) })),
      });
    }
    if (method === "POST" && path === "/savepoint-disposal")
      return accepted(this.#cluster.dispose(String(fieldsOf(body)["savepoint-path"])));
    const disposal = /^\/savepoint-disposal\/([0-9a-f]{32})$/.exec(path)?.[1];
    if (method === "GET" && disposal !== undefined)
      return operation(this.#cluster.disposal(disposal), `Operation not found under key: ${disposal}`);
    return { status: 404, body: { errors: [`Unable to load requested file ${path}.`] } };
  }

  #job(method: string, id: string, below: string, trigger: string, body: Readonly<Record<string, unknown>>): Reply {
    if (method === "POST") return this.#triggered(id, below, body);
    if (method === "PATCH") return this.#canceled(id);
    this.#observe();
    if (below === "savepoints")
      return operation(
        this.#cluster.savepoint(id, trigger),
        `There is no savepoint operation with triggerId=${trigger} for job ${id}.`,
      );
    const key = trigger === "" ? `${id}/${below}` : `${id}/${below}/${trigger}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined && this.#cluster.now < cached.until) return cached.reply;
    const reply = this.#read(id, trigger === "" ? below : `${below}/${trigger}`);
    this.#cache.set(key, { until: this.#cluster.now + this.cacheSteps * 1000, reply });
    return reply;
  }

  #read(id: string, below: string): Reply {
    const job = this.#cluster.jobs.get(id);
    if (job === undefined) return denied([["org.apache.flink.runtime.rest.NotFoundException", `Job ${id} not found`]]);
    if (below === "") return found(details(job));
    if (below.startsWith("checkpoints") && job.settings.isBatch)
      return denied([
        ["org.apache.flink.runtime.rest.handler.RestHandlerException", "Checkpointing has not been enabled."],
      ]);
    if (below === "checkpoints") return found(checkpoints(job));
    if (below === "checkpoints/config") return found(checkpointConfig(job));
    if (below === "exceptions") return found(exceptions(job, this.version));
    if (below === "plan") return found({ plan: { jid: id, name: job.settings.name, type: "STREAMING", nodes: [] } });
    return { status: 404, body: { errors: [`Unable to load requested file /jobs/${id}/${below}.`] } };
  }

  #triggered(jobId: string, below: string, body: Readonly<Record<string, unknown>>): Reply {
    if (below === "checkpoints") return this.#checkpointed(jobId, body);
    const stopsJob = below === "stop";
    const property = stopsJob ? "targetDirectory" : "target-directory";
    const folder = body[property] ?? this.#cluster.savepointFolder;
    if (folder === null) return { status: 400, body: { errors: [printed(noFolder(property))] } };
    const triggerId = String(body.triggerId ?? this.#cluster.newId());
    this.#cluster.requestSavepoint({ jobId, triggerId, folder: String(folder), stopsJob });
    return accepted(triggerId);
  }

  #checkpointed(jobId: string, body: Readonly<Record<string, unknown>>): Reply {
    if (!this.takesCheckpoints) return { status: 404, body: { errors: [`Not found: /jobs/${jobId}/checkpoints`] } };
    const triggerId = String(body.triggerId ?? this.#cluster.newId());
    this.#cluster.requestCheckpoint(jobId, triggerId);
    return accepted(triggerId);
  }

  #canceled(id: string): Reply {
    switch (this.#cluster.cancel(id)) {
      case "canceled":
        return { status: 202, body: {} };
      case "unknown":
        return denied(unknownJob(id));
      case "ended":
        return {
          status: 409,
          body: { errors: ["Job cancellation failed because the job has already reached another terminal state."] },
        };
    }
  }

  #overview(): unknown {
    // A job that waits for more keeps those that it has.
    const living = [...this.#cluster.jobs.values()].filter((job) => !job.hasEnded);
    const used = living.reduce((sum, job) => sum + job.tasksRunning, 0);
    return {
      taskmanagers: this.#cluster.slots > 0 ? 1 : 0,
      "slots-total": this.#cluster.slots,
      "slots-available": this.#cluster.slots - used,
    };
  }
}

function summary(job: SimulatedJob): Readonly<Record<string, unknown>> {
  const { id, name } = job.settings;
  return { jid: id, name, state: job.state, "start-time": job.startTime, "end-time": job.endTime ?? -1 };
}

function details(job: SimulatedJob): unknown {
  const { parallelism, sink } = job.settings;
  const { status, running } = vertexStatus(job);
  const waiting = parallelism - running;
  const tasks = { ...noTasks, [status]: waiting, ...(running > 0 ? { RUNNING: running, SCHEDULED: waiting } : {}) };
  const names = ["Source: source[1]", `${sink}[2]: Writer`];
  return {
    ...summary(job),
    timestamps: { CREATED: 0, RUNNING: 0, RESTARTING: 0, FINISHED: 0, ...job.timestamps },
    vertices: names.map((name) => ({ name, parallelism, status, tasks })),
  };
}

/** As `/jobs/overview` has them: of all vertices, by state in lower case. */
function taskTotals(job: SimulatedJob): Readonly<Record<string, number>> {
  const { status, running } = vertexStatus(job);
  const total = 2 * job.settings.parallelism;
  const lower = Object.fromEntries(Object.keys(noTasks).map((state) => [state.toLowerCase(), 0]));
  const waiting = total - 2 * running;
  const others = running > 0 ? { scheduled: waiting } : { [status.toLowerCase()]: waiting };
  return { ...lower, ...others, running: 2 * running, total };
}

const noTasks = {
  CREATED: 0,
  SCHEDULED: 0,
  DEPLOYING: 0,
  INITIALIZING: 0,
  RUNNING: 0,
  FINISHED: 0,
  CANCELED: 0,
  FAILED: 0,
};

/** As in Flink, one running task makes its vertex RUNNING; and the job is RUNNING while its tasks wait for slots. */
function vertexStatus(job: SimulatedJob): { readonly status: string; readonly running: number } {
  if (job.hasEnded) return { status: job.state, running: 0 };
  if (job.tasksRunning > 0) return { status: "RUNNING", running: job.tasksRunning };
  return { status: job.state === "RUNNING" ? "SCHEDULED" : "CREATED", running: 0 };
}

/** In ms; Flink gives the largest long for a job that takes none, which is what JSON makes of it here. */
function checkpointInterval(job: SimulatedJob): number {
  const [, count, unit] =
    /^(\d+) *(ms|s|min)?/.exec(job.settings.config["execution.checkpointing.interval"] ?? "") ?? [];
  if (count === undefined) return 9223372036854776000;
  return Number(count) * (unit === "s" ? 1000 : unit === "min" ? 60_000 : 1);
}

function checkpointConfig(job: SimulatedJob): unknown {
  const retention = job.settings.config["execution.checkpointing.externalized-checkpoint-retention"];
  const enabled = retention === "RETAIN_ON_CANCELLATION" || retention === "DELETE_ON_CANCELLATION";
  return {
    interval: checkpointInterval(job),
    externalization: { enabled, delete_on_cancellation: retention !== "RETAIN_ON_CANCELLATION" },
  };
}

function checkpoints(job: SimulatedJob): unknown {
  const { completed, failedCheckpoint, restored } = job;
  const written = (snapshot: Snapshot | null | undefined): unknown =>
    snapshot === null || snapshot === undefined
      ? null
      : {
          id: snapshot.id,
          status: "COMPLETED",
          is_savepoint: snapshot.isSavepoint,
          trigger_timestamp: snapshot.triggerTime,
          state_size: 1024 * snapshot.position,
          external_path: snapshot.path ?? "<checkpoint-not-externally-addressable>",
        };
  return {
    counts: {
      restored: job.restores,
      total: completed.length + job.failedCheckpoints,
      in_progress: 0,
      completed: completed.length,
      failed: job.failedCheckpoints,
    },
    latest: {
      completed: written(completed.findLast(({ isSavepoint }) => !isSavepoint)),
      savepoint: written(completed.findLast(({ isSavepoint }) => isSavepoint)),
      failed: failedCheckpoint === null ? null : { id: failedCheckpoint.id, failure_message: failedCheckpoint.message },
      restored: written(restored),
    },
  };
}

function exceptions(job: SimulatedJob, version: string): unknown {
  const entries = job.exceptions
    .map(({ timestamp, trace }) => ({ timestamp, stacktrace: trace, taskName: null }))
    .reverse();
  const history = { exceptionHistory: { entries, truncated: false } };
  if (!version.startsWith("1.")) return history;
  const [newest] = entries;
  return { "root-exception": newest?.stacktrace ?? null, timestamp: newest?.timestamp ?? null, ...history };
}

function operation(outcome: SavepointOutcome | null, denial: string): Reply {
  if (outcome === null) return denied([["org.apache.flink.runtime.rest.handler.RestHandlerException", denial]]);
  if (outcome.kind === "in-progress") return found({ status: { id: "IN_PROGRESS" } });
  const { className, trace } = failureOf(outcome);
  // A failure is COMPLETED too; only the operation tells.
  const result =
    outcome.kind === "completed"
      ? { location: outcome.path }
      : { "failure-cause": { class: className, "stack-trace": trace } };
  return found({ status: { id: "COMPLETED" }, operation: result });
}

function failureOf(outcome: SavepointOutcome): { className: string; trace: string } {
  if (outcome.kind !== "failed") return { className: "", trace: "" };
  return { className: outcome.error[0]?.[0] ?? "", trace: printed(outcome.error) };
}

const found = (body: unknown): Reply => ({ status: 200, body });
const accepted = (id: string): Reply => ({ status: 202, body: { "request-id": id } });
const denied = (error: JavaError): Reply => ({ status: 404, body: { errors: [printed(error)] } });

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
