import { DeployError } from "../errors.ts";
import type { GatewaySession, ResultSet } from "../flink/gateway.ts";
import { savepointIn, traceOf } from "../flink/java-trace.ts";
import type { Cluster, FlinkState, StopRequest, StopStatus } from "./cluster.ts";
import { fence } from "./fence.ts";
import type { ClusterOptions } from "./jobmanager-cluster.ts";
import { prepareProgram } from "./prepare.ts";

/** STOP JOB blocks for `client.timeout`, and past it the job still stops while the path is lost (facts 2). */
const stopLimitMs = 15 * 60_000;

/** The cluster through SHOW JOBS and STOP JOB of the gateway: states and savepoint paths, nothing else. */
export function gatewayCluster(options: ClusterOptions): Cluster {
  const stops = new Map<string, StopStatus>();
  const asking = new AskingSession(options);
  return {
    through: "gateway",
    async jobs() {
      const { rows } = await asking.execute("SHOW JOBS");
      return rows.map(([id, name, state]) => ({
        id: String(id),
        name: String(name),
        state: String(state) as FlinkState,
        allTasksRunning: null,
      }));
    },
    progress: async () => null,
    lagMs: async () => 0,
    async stop(request) {
      stops.set(request.triggerId, { kind: "in-progress" });
      void stopJob(request, options).then((status) => stops.set(request.triggerId, status));
    },
    stopStatus: async (request) => stops.get(request.triggerId) ?? { kind: "unknown" },
    async takeSavepoint({ jobId }) {
      throw new DeployError(
        "savepoint-failed",
        `the gateway alone takes a savepoint of ${jobId} only by stopping it; give \`jobmanager-url\``,
      );
    },
    savepointStatus: async () => ({ kind: "unknown" }),
    lastSavepoint: async () => ({ kind: "unknown" }),
    retainedCheckpoint: async () => ({ kind: "unknown" }),
    retention: async () => null,
    health: async () => null,
    async checkpointDirectory() {
      // The gateway's own configuration, which is the cluster's where both are started from one folder.
      const { rows } = await asking.execute("SET");
      const config = new Map(rows.map(([key, value]) => [String(key), String(value)]));
      return config.get("execution.checkpointing.dir") ?? config.get("state.checkpoints.dir") ?? null;
    },
    async cancel(jobId) {
      try {
        await asking.execute(`STOP JOB '${jobId}'`);
      } catch (error) {
        // Refused: it has ended by itself, or it will be asked again.
        if (!(error instanceof DeployError) || error.code !== "statement-failed") throw error;
      }
    },
    checkpoint: async () => false,
    fence: (jobId) => fence(jobId, options),
    dispose: async () => "cannot",
    prepare: (program) => prepareProgram(program, options),
    [Symbol.asyncDispose]: () => asking.close(),
  };
}

/** In a session of its own, since it keeps the session busy for as long as the savepoint takes. */
async function stopJob({ jobId, savepointFolder }: StopRequest, options: ClusterOptions): Promise<StopStatus> {
  const folder = savepointFolder ?? "";
  const properties = {
    "client.timeout": `${stopLimitMs / 1000} s`,
    "state.savepoints.dir": folder,
    "execution.checkpointing.savepoint-dir": folder,
  };
  try {
    await using session = await options.gateway.openSession({ name: "flink-dbt-deploy", properties });
    const statement = `STOP JOB '${jobId}' WITH SAVEPOINT`;
    const { rows } = await session.execute(statement, { signal: options.signal, timeoutMs: stopLimitMs });
    const path = rows[0]?.[0];
    return typeof path === "string" ? { kind: "completed", savepoint: path } : { kind: "untold" };
  } catch (error) {
    const isRefusal = error instanceof DeployError && error.code === "statement-failed";
    // The gateway waits no longer while the job goes on stopping; there is no field for it.
    if (!isRefusal || /TimeoutException|timed out/i.test(error.message)) return { kind: "untold" };
    return { kind: "failed", cause: error.message, savepoint: savepointIn(`${error.message}\n${traceOf(error)}`) };
  }
}

/** One session for every look, opened when it is needed and again when it has expired. */
class AskingSession {
  readonly #options: ClusterOptions;
  #session: Promise<GatewaySession> | null = null;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  async execute(sql: string): Promise<ResultSet> {
    const session = this.#opened();
    try {
      return await (await session).execute(sql, { signal: this.#options.signal });
    } catch (error) {
      if (this.#session === session) this.#session = null;
      if (!(error instanceof DeployError) || error.code !== "session-expired") {
        await session.then((one) => one.close()).catch(() => undefined);
        throw error;
      }
      return await (await this.#opened()).execute(sql, { signal: this.#options.signal });
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    // One that could not be opened needs no closing.
    await session?.then((one) => one.close()).catch(() => undefined);
  }

  #opened(): Promise<GatewaySession> {
    this.#session ??= this.#options.gateway.openSession({ name: "flink-dbt-deploy" });
    return this.#session;
  }
}
