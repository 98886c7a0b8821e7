import { crashPoints, pointNames } from "./crash-points.ts";
import { faultNames, faults } from "./faults.ts";
import { idOf } from "./points.ts";
import type { RaceResult } from "./race.ts";
import type { PointResult } from "./run-point.ts";
import { scenarios } from "./scenarios.ts";
import type { SequenceResult } from "./sequence.ts";

export interface MatrixReport {
  readonly flinkVersion: string;
  readonly points: readonly PointResult[];
  readonly races: readonly RaceResult[];
  readonly sequences: readonly SequenceResult[];
  /** What was left on the cluster when all was done. */
  readonly orphans: readonly string[];
  /** Faults that cannot be made here, with the reason. */
  readonly leftOut: readonly string[];
}

/** How many of the report's points did not end as promised. */
export function failuresIn({ points, races, sequences, orphans }: MatrixReport): number {
  const failed = points.filter(({ verdict }) => verdict === "failed").length;
  return failed + [...races, ...sequences].filter(({ problems }) => problems.length > 0).length + orphans.length;
}

type Row = readonly [title: string, detail: string, results: readonly PointResult[]];

/** Both tables, and what failed with the command that tries it again; Markdown that reads well on a terminal. */
export function renderReport(report: MatrixReport): string {
  const { points, races, sequences } = report;
  const byFault: readonly Row[] = Object.entries(scenarios).flatMap(([name, { title }]) =>
    faultNames.map((fault): Row => {
      const found = points.filter(({ point }) => point.scenario === name && point.fault === fault);
      return [title, faults[fault].title, found];
    }),
  );
  const byPoint: readonly Row[] = pointNames.map((name) => [
    name,
    crashPoints[name].point,
    points.filter(({ at }) => at === name),
  ]);
  const notReached: Row = ["", "the run had ended before", points.filter(({ at }) => at === null)];
  const passed = points.filter(({ verdict }) => verdict === "passed").length;
  const passedOf = (rounds: readonly { readonly problems: readonly string[] }[]): string =>
    `${rounds.length} rounds, ${rounds.filter(({ problems }) => problems.length === 0).length} passed`;
  return [
    table(["Command", "Fault"], byFault),
    table(["Point", "It dies, or the fault comes, while"], [...byPoint, notReached]),
    ...(races.length === 0 ? [] : [`Two deployments at once: ${passedOf(races)}.`]),
    ...(sequences.length === 0 ? [] : [`Random sequences: ${passedOf(sequences)}.`]),
    ...report.leftOut.map((why) => `Left out: ${why}.`),
    `Flink ${report.flinkVersion}: ${points.length} points tried, ${passed} passed, ${failuresIn(report)} failures.`,
    ...failures(report),
  ].join("\n\n");
}

function table(heads: readonly [string, string], rows: readonly Row[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const count = (results: readonly PointResult[], verdict: PointResult["verdict"]): number =>
    results.filter((result) => result.verdict === verdict).length;
  return [
    line([...heads, "Tried", "Passed", "Failed"]),
    line(["---", "---", "---", "---", "---"]),
    ...rows
      .filter(([, , results]) => results.length > 0)
      .map(([title, detail, results]) =>
        line([title, detail, results.length, count(results, "passed"), count(results, "failed")]),
      ),
  ].join("\n");
}

function failures({ points, races, sequences, orphans }: MatrixReport): readonly string[] {
  const failed = [
    ...points
      .filter(({ verdict }) => verdict === "failed")
      .map(({ point, problems, log }) => ({ only: idOf(point), problems, log })),
    ...races
      .filter(({ problems }) => problems.length > 0)
      .map(({ round, problems, log }) => ({ only: `race:${round}`, problems, log })),
    ...sequences
      .filter(({ problems }) => problems.length > 0)
      .map(({ round, problems, log }) => ({ only: `sequence:${round}`, problems, log })),
  ];
  return [
    ...failed.map(
      ({ only, problems, log }) =>
        `npm run matrix -- --only '${only}'\n\n${problems.map((problem) => `- ${problem}`).join("\n")}\n\n\`\`\`\n${log}\`\`\``,
    ),
    ...orphans.map((orphan) => `Left on the cluster: ${orphan}`),
  ];
}
