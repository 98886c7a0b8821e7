import { expect, test } from "vitest";
import { runMatrix } from "../matrix/matrix.ts";
import { failuresIn, renderReport } from "../matrix/report.ts";

test("a sample of the crash matrix, two deployments at once, and a random sequence: every number once, and one job of each name", async () => {
  const report = await runMatrix({
    flinkVersion: "1.20.3",
    only: null,
    sampleSize: 12,
    // A cluster of its own, with ZooKeeper.
    without: ["jobmanager-ha"],
    raceRounds: 1,
    sequenceRounds: 1,
    parallel: 2,
    log: (line) => console.log(line),
  });
  expect(report.points).toHaveLength(12);
  expect(report.races).toHaveLength(1);
  expect(report.sequences).toHaveLength(1);
  expect(failuresIn(report), renderReport(report)).toBe(0);
}, 600_000);
