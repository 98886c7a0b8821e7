import { expect, test } from "vitest";
import { causeInLog } from "../../../src/flink/log-cause.ts";

test("the cause of a failed start is the last exception's, without frames and later log lines", () => {
  const log = `2026-01-01 10:00:00,000 INFO  org.apache.flink.Thing - Starting
2026-01-01 10:00:01,000 ERROR org.apache.flink.Runner - Terminating
org.apache.flink.util.FlinkException: Failed to start.
\tat org.apache.flink.Runner.run(Runner.java:1)
Caused by: org.apache.flink.util.BindException: Could not start rest endpoint on any port in port range 1
\tat org.apache.flink.Endpoint.start(Endpoint.java:2)
2026-01-01 10:00:02,000 INFO  org.apache.flink.Thing - Shutting down
`;
  expect(causeInLog(log)).toBe("Could not start rest endpoint on any port in port range 1");
});

test("an uncaught exception counts, and of several the last", () => {
  const log = `java.io.IOException: harmless
Exception in thread "main" org.apache.flink.table.api.ValidationException: Could not find any factory
\tat a.b.C.d(C.java:1)
`;
  expect(causeInLog(log)).toBe("Could not find any factory");
});

test("a cause without a message is named by its class", () => {
  const log = `org.apache.flink.util.FlinkException: Failed to start the TaskManagerRunner.
Caused by: java.lang.IllegalArgumentException
\tat a.b.C.d(C.java:1)
`;
  expect(causeInLog(log)).toBe("Failed to start the TaskManagerRunner. (java.lang.IllegalArgumentException)");
});

test("without an exception it is what the JVM said last", () => {
  const log = "Error occurred during initialization of VM\nToo small maximum heap\n\n";
  expect(causeInLog(log)).toBe("Error occurred during initialization of VM\nToo small maximum heap");
});

test("secrets are masked", () => {
  expect(causeInLog("starting with s3.secret-key=abcdef")).not.toContain("abcdef");
});

test("an empty log has no cause", () => {
  expect(causeInLog("")).toBe("");
});
