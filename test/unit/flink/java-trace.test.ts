import { describe, expect, test } from "vitest";
import { DeployError, describeError } from "../../../src/errors.ts";
import { JavaTrace, lastCause } from "../../../src/flink/java-trace.ts";

const wrapper = "org.apache.flink.table.gateway.api.utils.SqlGatewayException";

/** As the gateway sends it: two errors, the second a Java trace within marks. */
function trace(...causes: readonly string[]): string {
  const outer = [
    `${wrapper}: ${wrapper}: Failed to fetchResults.`,
    `${wrapper}: Failed to fetchResults.`,
    "org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute the operation 4dd460eb-01e9-481c-9a88-fba514877783.",
  ];
  const frames =
    "\tat org.apache.flink.table.X$1.run(X.java:84)\n\tat java.base/java.lang.Thread.run(Thread.java:840)\n\t... 48 more";
  const lines = [...outer, ...causes].map((cause, depth) => `${depth === 0 ? "" : "Caused by: "}${cause}\n${frames}`);
  return `Internal server error.\n<Exception on server side:\n${lines.join("\n")}\n\nEnd of exception on server side>`;
}

describe("the last cause of a trace", () => {
  test("is the one that says where, when the last only says what", () => {
    const text = trace(
      "org.apache.flink.table.api.ValidationException: SQL validation failed. From line 1, column 15 to line 1, column 21: Object 'nothere' not found",
      "org.apache.calcite.runtime.CalciteContextException: From line 1, column 15 to line 1, column 21: Object 'nothere' not found",
      "org.apache.calcite.sql.validate.SqlValidatorException: Object 'nothere' not found",
    );
    expect(lastCause(text)).toBe("From line 1, column 15 to line 1, column 21: Object 'nothere' not found");
  });

  test("keeps its further lines, without the empty ones", () => {
    const text = trace(
      "org.apache.flink.table.api.ValidationException: Unable to create a source for reading table 't'.\n\nTable options are:\n\n'connector'='kafkaa'",
      "org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'kafkaa'.\n\nAvailable factory identifiers are:\n\nblackhole\ndatagen",
    );
    expect(lastCause(text)).toBe(
      "Could not find any factory for identifier 'kafkaa'.\nAvailable factory identifiers are:\nblackhole\ndatagen",
    );
  });

  test("leaves out what the parser would have liked to read", () => {
    const expected = Array.from({ length: 150 }, (_, index) => `    "TOKEN_${index}" ...`).join("\n");
    const text = trace(
      `org.apache.flink.table.api.SqlParserException: SQL parse failed. Incorrect syntax near the keyword 'FROM' at line 1, column 8.\nWas expecting one of:\n${expected}\n    `,
      `org.apache.flink.sql.parser.impl.ParseException: Incorrect syntax near the keyword 'FROM' at line 1, column 8.\nWas expecting one of:\n${expected}\n    `,
    );
    expect(lastCause(text)).toBe("SQL parse failed. Incorrect syntax near the keyword 'FROM' at line 1, column 8.");
  });

  test("is found in the trace of another server within", () => {
    const text = trace(
      "org.apache.flink.util.FlinkException: Failed to execute job 'first'.",
      "org.apache.flink.runtime.rest.util.RestClientException: [Internal server error., <Exception on server side:\norg.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.\n\tat org.apache.flink.X.of(X.java:31)\n\nEnd of exception on server side>]",
    );
    expect(lastCause(text)).toBe("Job has already been submitted.");
  });

  test("is without the class names that Java puts before a cause's text", () => {
    const text = trace(
      "java.util.concurrent.CompletionException: java.lang.RuntimeException: java.io.FileNotFoundException: Cannot find '/nope'.",
      "java.io.FileNotFoundException: java.io.FileNotFoundException: Cannot find '/nope'.",
    );
    expect(lastCause(text)).toBe("Cannot find '/nope'.");
  });

  test("has the exception around it where it means nothing alone", () => {
    const text = trace(
      "org.apache.flink.runtime.client.JobSubmissionException: Failed to submit JobGraph.",
      "java.net.ConnectException: Connection refused",
    );
    expect(lastCause(text)).toBe("Failed to submit JobGraph: Connection refused");
  });

  test("passes over an exception without a text", () => {
    expect(lastCause(trace("org.apache.flink.util.FlinkException: No plan.", "java.lang.NullPointerException"))).toBe(
      "No plan.",
    );
  });

  test("is an exception's name where none of them has a text, and never a piece of the trace", () => {
    expect(lastCause(trace("java.lang.NullPointerException"))).toBe("java.lang.NullPointerException");
    expect(lastCause("\tat org.apache.flink.X.of(X.java:31)\nbroken pipe\n\t... 48 more")).toBe("broken pipe");
  });

  test("is shortened", () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");
    expect(lastCause(trace(`org.apache.flink.util.FlinkException: ${lines}`)).split("\n")).toHaveLength(13);
    expect(lastCause(trace(`org.apache.flink.util.FlinkException: ${"x".repeat(5000)}`))).toHaveLength(801);
  });

  test("is masked", () => {
    const text = trace("org.apache.flink.util.FlinkException: bad option 'password'='hunter2'");
    expect(lastCause(text)).not.toContain("hunter2");
  });

  test("is the text itself where there is no trace", () => {
    expect(lastCause("Not found: /nothing")).toBe("Not found: /nothing");
  });
});

test("a trace as a cause is whole in the stack and one line in a message", () => {
  const cause = new JavaTrace(trace("java.lang.Error: deep\n'password'='hunter2'"));
  expect(cause.stack).toContain("\tat org.apache.flink.table.X$1.run(X.java:84)");
  expect(cause.stack).not.toContain("hunter2");
  expect(describeError(new DeployError("statement-failed", "deep", { cause }))).toMatch(
    /^deep: java trace of \d+ lines$/,
  );
});
