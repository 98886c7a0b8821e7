import { expect, test } from "vitest";
import { failuresIn, type MatrixReport, renderReport } from "../../matrix/report.ts";
import type { PointResult } from "../../matrix/run-point.ts";

const result = (number: number, change: Partial<PointResult> = {}): PointResult => ({
  point: { scenario: "upgrade", number, fault: "before" },
  at: "stop",
  verdict: "passed",
  problems: [],
  log: "",
  ...change,
});

const report = (change: Partial<MatrixReport>): MatrixReport => ({
  flinkVersion: "1.20.3",
  points: [],
  races: [],
  sequences: [],
  orphans: [],
  leftOut: [],
  ...change,
});

test("points are counted by command and fault, and by what the command was at", () => {
  const text = renderReport(report({ points: [result(1), result(2, { at: "submit" })] }));
  expect(text).toContain("| upgrade | killed before the request is sent | 2 | 2 | 0 |");
  expect(text).toContain("| stop | asking Flink to stop the old job with a savepoint | 1 | 1 | 0 |");
  expect(text).toContain("2 points tried, 2 passed, 0 failures");
});

test("a failure comes with its problems, its log and the command that tries it again", () => {
  const failed = report({
    points: [result(3, { verdict: "failed", problems: ["7 is there twice"], log: "it ran\n" })],
  });
  expect(failuresIn(failed)).toBe(1);
  const text = renderReport(failed);
  expect(text).toContain("npm run matrix -- --only 'upgrade:3:before'\n\n- 7 is there twice\n\n```\nit ran\n```");
});

test("a race that went wrong and a job that was left over are failures", () => {
  const failed = report({ races: [{ round: 2, problems: ["both lost"], log: "" }], orphans: ["totals RUNNING"] });
  expect(failuresIn(failed)).toBe(2);
  expect(renderReport(failed)).toContain("npm run matrix -- --only 'race:2'");
});

test("a fault that could not be made is told", () => {
  expect(renderReport(report({ leftOut: ["the disk is full (needs root)"] }))).toContain("Left out: the disk is full");
});
