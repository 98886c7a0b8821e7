import { DeployError } from "../errors.ts";
import type { Cluster, FlinkState, StopRequest, StopStatus } from "./cluster.ts";
import type { ClusterOptions } from "./jobmanager-cluster.ts";
import { prepareProgram } from "./prepare.ts";

/** STOP JOB blocks for `client.timeout`, and past it the job still stops while the path is lost (facts 2). */
const stopLimitMs = 15 * 60_000;

/** The cluster through SHOW JOBS and STOP JOB of the gateway: states and savepoint paths, nothing else. */
export function gatewayCluster(options: ClusterOptions): Cluster {
  const stops = new Map<string, StopStatus>();
  const inSession = async (properties: Record<string, string>, sql: string, timeoutMs?: number) => {
    await using session = await options.gateway.openSession({ name: "flink-dbt-deploy", properties });
    return await session.execute(sql, { signal: options.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  };
  return {
    through: "gateway",
    async jobs() {
      const { rows } = await inSession({}, "SHOW JOBS");
      return rows.map(([id, name, state]) => ({
        id: String(id),
        name: String(name),
        state: String(state) as FlinkState,
      }));
    },
    progress: async () => null,
    async stop(request: StopRequest) {
      stops.set(request.triggerId, { kind: "in-progress" });
      const folder = request.savepointFolder ?? "";
      const properties = {
        "client.timeout": `${stopLimitMs / 1000} s`,
        "state.savepoints.dir": folder,
        "execution.checkpointing.savepoint-dir": folder,
      };
      void inSession(properties, `STOP JOB '${request.jobId}' WITH SAVEPOINT`, stopLimitMs).then(
        ({ rows }) => {
          const path = rows[0]?.[0];
          stops.set(request.triggerId, { kind: "completed", savepoint: typeof path === "string" ? path : null });
        },
        (error: unknown) => {
          const cause = error instanceof DeployError ? error.message : String(error);
          stops.set(request.triggerId, { kind: "failed", cause });
        },
      );
    },
    stopStatus: async (request) => stops.get(request.triggerId) ?? { kind: "unknown" },
    lastSavepoint: async () => null,
    async cancel(jobId) {
      await inSession({}, `STOP JOB '${jobId}'`);
    },
    prepare: (program) => prepareProgram(program, options),
  };
}
