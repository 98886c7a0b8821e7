import { expect, test } from "vitest";
import { jobmanagerCluster } from "../../../src/deploy/jobmanager-cluster.ts";
import { patientCluster } from "../../../src/deploy/patient-cluster.ts";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { json, serve } from "../flink/stub-server.ts";

const frames = Array.from({ length: 30 }, (_, line) => `\tat org.apache.flink.runtime.X.run(X.java:${line})`).join(
  "\n",
);

test.each([
  [
    "org.apache.flink.util.FlinkException: The Dispatcher is closed.\nIt was suspended.",
    "The Dispatcher is closed. It was suspended.",
  ],
  ["java.util.concurrent.CancellationException", "java.util.concurrent.CancellationException"],
])("that it asks again is one line with Flink's last cause, however long the trace: %j", async (cause, told) => {
  const trace = `<Exception on server side:\n${cause}\n${frames}\nEnd of exception on server side>`;
  await using server = await serve(json({ errors: ["Internal server error.", trace] }, 500));
  const lines: string[] = [];
  let now = 0;
  const { signal } = new AbortController();
  const options = { gateway: new Gateway({ url: server.url }), initSql: [], signal };
  await using cluster = patientCluster(jobmanagerCluster(new JobManager({ url: server.url }), options), {
    limitMs: 300,
    clock: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    log: (line) => lines.push(line),
  });
  await expect(cluster.jobs()).rejects.toMatchObject({ code: "jobmanager-unreachable" });
  expect(lines).toEqual([
    `asking again: no flink jobmanager answers GET ${server.url}/jobs/overview: status 500, ${told}; check jobmanager-url`,
  ]);
});
