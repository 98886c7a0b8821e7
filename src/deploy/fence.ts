import { isDuplicateSubmission } from "../flink/gateway.ts";
import { fenceName } from "./ids.ts";
import type { PrepareOptions } from "./prepare.ts";

const sink = "flink_dbt_deploy_fence";

/** Flink takes a job id once, also after that job's end (facts 2): so one row into nowhere uses it up. */
export async function fence(
  jobId: string,
  { gateway, signal }: Pick<PrepareOptions, "gateway" | "signal">,
): Promise<void> {
  await using session = await gateway.openSession({ name: "flink-dbt-deploy" });
  await session.execute(`CREATE TEMPORARY TABLE ${sink} (n INT) WITH ('connector' = 'blackhole')`, { signal });
  const executionConfig = {
    "pipeline.name": fenceName(jobId),
    "$internal.pipeline.job-id": jobId,
    "execution.runtime-mode": "batch",
    "parallelism.default": "1",
  };
  try {
    await session.execute(`INSERT INTO ${sink} VALUES (1)`, { executionConfig, signal });
  } catch (error) {
    if (!isDuplicateSubmission(error)) throw error;
  }
}
