import { describe, expect, test } from "vitest";
import {
  checkpointStatistics,
  jobDetails,
  operationResult,
  recordedExceptions,
  resultPage,
} from "../../../src/flink/wire.ts";

describe("recorded exceptions", () => {
  const older = { exceptionName: "java.lang.Error", stacktrace: "java.lang.Error: a", timestamp: 1 };
  const newer = { exceptionName: "java.lang.Error", stacktrace: "java.lang.Error: b", timestamp: 2 };

  test("come newest first, whatever the order in the answer", () => {
    const answer = { exceptionHistory: { entries: [older, newer], truncated: false } };
    expect(recordedExceptions(answer, "").map(({ timestamp }) => timestamp)).toEqual([2, 1]);
  });

  test("are the root exception where no history is kept", () => {
    const answer = { "root-exception": "java.lang.Error: c", timestamp: 3, exceptionHistory: { entries: [] } };
    expect(recordedExceptions(answer, "")).toEqual([{ timestamp: 3, stackTrace: "java.lang.Error: c" }]);
  });

  test("are none for a job that never failed, in the form of 1.x and of 2.x", () => {
    const history = { exceptionHistory: { entries: [], truncated: false } };
    expect(
      recordedExceptions({ "root-exception": null, timestamp: null, "all-exceptions": [], ...history }, ""),
    ).toEqual([]);
    expect(recordedExceptions(history, "")).toEqual([]);
  });
});

describe("an operation's result", () => {
  test("that is COMPLETED may have failed", () => {
    const failure = { "failure-cause": { class: "java.lang.Error", "stack-trace": "java.lang.Error: no" } };
    const answer = { status: { id: "COMPLETED" }, operation: failure };
    expect(operationResult(answer, "")).toEqual({ kind: "failed", stackTrace: "java.lang.Error: no" });
  });

  test("is a location where it succeeded, or none for a disposal", () => {
    const status = { id: "COMPLETED" };
    expect(operationResult({ status, operation: { location: "file:/a" } }, "")).toEqual({
      kind: "completed",
      location: "file:/a",
    });
    expect(operationResult({ status, operation: {} }, "")).toEqual({ kind: "completed", location: null });
    expect(operationResult({ status, operation: null }, "")).toEqual({ kind: "completed", location: null });
  });

  test("is in progress until then", () => {
    expect(operationResult({ status: { id: "IN_PROGRESS" }, operation: null }, "")).toEqual({ kind: "in-progress" });
  });
});

describe("checkpoint statistics", () => {
  const counts = { restored: 0, total: 1, in_progress: 0, completed: 1, failed: 0 };
  const completed = { id: 7, is_savepoint: false, trigger_timestamp: 5 };

  test("have no path for a checkpoint that only the JobManager can read", () => {
    const latest = { completed: { ...completed, external_path: "<checkpoint-not-externally-addressable>" } };
    expect(checkpointStatistics({ counts, latest }, "").latestCompleted).toEqual({
      id: 7,
      path: null,
      isSavepoint: false,
      triggerTime: 5,
      stateSize: null,
    });
  });

  test("have the size of the whole state, where Flink tells it", () => {
    const latest = { completed: { ...completed, external_path: "file:/c/chk-7", state_size: 2048 } };
    expect(checkpointStatistics({ counts, latest }, "").latestCompleted).toMatchObject({ stateSize: 2048 });
  });

  test("are refused with the place of what is wrong", () => {
    const latest = { completed: { ...completed, id: "seven" } };
    expect(() => checkpointStatistics({ counts, latest }, "")).toThrow('latest.completed.id is "seven", not a number');
  });
});

test("a running job has no end", () => {
  const job = { jid: "a", name: "b", state: "RUNNING", "start-time": 1, "end-time": -1, timestamps: {}, vertices: [] };
  expect(jobDetails(job, "").endTime).toBeNull();
});

test("of the next page's address only the token counts, since a gateway behind a proxy does not know its own", () => {
  const page = {
    resultType: "PAYLOAD",
    nextResultUri: "http://inside:1/v1/sessions/s/operations/o/result/12?rowFormat=JSON",
  };
  expect(resultPage(page, "").nextToken).toBe("12");
});
