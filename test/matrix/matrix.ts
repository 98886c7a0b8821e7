import { inParallel } from "../../src/deploy/in-parallel.ts";
import { describeError } from "../../src/errors.ts";
import { Disk } from "./disk.ts";
import { type FaultName, faultNames, faults } from "./faults.ts";
import { Laboratory } from "./laboratory.ts";
import { allPoints, type Calm, exactPoint, idOf, isChosen, type Point, sample } from "./points.ts";
import { type RaceResult, runRace } from "./race.ts";
import type { MatrixReport } from "./report.ts";
import { calmRun, type PointResult, runPoint } from "./run-point.ts";
import { scenarios } from "./scenarios.ts";
import { runSequence, type SequenceResult } from "./sequence.ts";

export interface MatrixOptions {
  readonly flinkVersion: string;
  /** Points as `isChosen` has it, or `race`, or `race:3`; null for all. */
  readonly only: string | null;
  /** How many of them to try; null for all. */
  readonly sampleSize: number | null;
  /** Faults that are not tried. */
  readonly without: readonly FaultName[];
  readonly raceRounds: number;
  readonly sequenceRounds: number;
  /** How many points are tried at a time. */
  readonly parallel: number;
  readonly log: (line: string) => void;
}

/** A cluster that has run this many points is replaced. */
const pointsOfACluster = 150;

/** Tries the chosen points on a cluster of its own. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixReport> {
  const { only, log, flinkVersion } = options;
  const [usable, leftOut] = usableFaults(options.without);
  const run = new Run(options);
  const remembering: Point[] = [];
  {
    await using laboratory = await Laboratory.start({ flinkVersion, highAvailability: false, log });
    const exact = only === null ? null : exactPoint(only);
    const all =
      exact !== null
        ? [exact]
        : allPoints(await calmRuns(laboratory, options), usable).filter((one) => only === null || isChosen(only, one));
    const points = options.sampleSize === null ? all : sample(all, options.sampleSize);
    const rounds = roundsOf("race", options.raceRounds, only);
    const sequences = roundsOf("sequence", options.sequenceRounds, only);
    if (points.length + rounds.length + sequences.length === 0) throw new Error(`there is no point ${only}`);
    log(`${points.length} of ${all.length} points`);
    run.expect(points.length);
    await run.points(
      points.filter((point) => !isExclusive(point)),
      laboratory,
      options.parallel,
    );
    // The cluster is shared, so whoever breaks it is alone.
    await run.points(
      points.filter((point) => isExclusive(point) && !needsMemory(point)),
      laboratory,
      1,
    );
    await run.races(rounds, laboratory);
    await run.sequences(sequences, laboratory);
    remembering.push(...points.filter(needsMemory));
  }
  if (remembering.length > 0) {
    await using laboratory = await Laboratory.start({ flinkVersion, highAvailability: true, log });
    await run.points(remembering, laboratory, 1);
  }
  return {
    flinkVersion,
    points: run.results,
    races: run.raceResults,
    sequences: run.sequenceResults,
    orphans: run.orphans,
    leftOut,
  };
}

const isExclusive = ({ fault }: Point): boolean => faults[fault].group === "process";
const needsMemory = ({ fault }: Point): boolean => fault === "jobmanager-ha";

function usableFaults(without: readonly FaultName[]): readonly [readonly FaultName[], readonly string[]] {
  const leftOut = new Map(without.map((fault) => [fault, "as was asked"]));
  if (!Disk.isPossible()) leftOut.set("disk-full", "mounting a small disk needs root on Linux");
  return [
    faultNames.filter((fault) => !leftOut.has(fault)),
    [...leftOut].map(([fault, why]) => `${faults[fault].title} (${why})`),
  ];
}

function roundsOf(kind: "race" | "sequence", count: number, only: string | null): readonly number[] {
  const chosen = new RegExp(`^${kind}:(\\d+)$`).exec(only ?? "")?.[1];
  if (chosen !== undefined) return [Number(chosen)];
  return only === null || only === kind ? Array.from({ length: count }, (_, index) => index + 1) : [];
}

/** What a calm run of each chosen scenario makes. */
async function calmRuns(laboratory: Laboratory, { only, parallel, log }: MatrixOptions): Promise<Calm> {
  const wanted = new Set((only ?? "*").split(",").map((one) => one.split(":")[0]));
  const names = Object.keys(scenarios).filter((name) => wanted.has("*") || wanted.has(name));
  // A cluster's first jobs take their time, and whoever waits for them makes more requests than ever again.
  await calmRun("first", laboratory);
  const runs = await inParallel(names, parallel, async (name) => {
    const run = await calmRun(name, laboratory);
    const points = allPoints(new Map([[name, run]])).length;
    log(`${name}: ${run.requests.length} requests, ${run.writes.length} writes, ${points} points`);
    return [name, run] as const;
  });
  return new Map(runs);
}

class Run {
  readonly results: PointResult[] = [];
  readonly raceResults: RaceResult[] = [];
  readonly sequenceResults: SequenceResult[] = [];
  readonly orphans: string[] = [];
  readonly #log: (line: string) => void;
  #total = 0;

  constructor({ log }: MatrixOptions) {
    this.#log = log;
  }

  expect(total: number): void {
    this.#total = total;
  }

  async points(points: readonly Point[], laboratory: Laboratory, parallel: number): Promise<void> {
    for (let start = 0; start < points.length; start += pointsOfACluster) {
      if (start > 0) await laboratory.restart();
      const some = points.slice(start, start + pointsOfACluster);
      await inParallel(some, parallel, (point) => this.#point(point, laboratory));
      await this.#lookForOrphans(laboratory);
    }
  }

  async races(rounds: readonly number[], laboratory: Laboratory): Promise<void> {
    for (const round of rounds) {
      const result = await runRace(round, laboratory);
      this.#log(`race ${round}: ${result.problems.length === 0 ? "passed" : result.problems.join("; ")}`);
      this.raceResults.push(result);
    }
    await this.#lookForOrphans(laboratory);
  }

  async sequences(rounds: readonly number[], laboratory: Laboratory): Promise<void> {
    for (const round of rounds) {
      const result = await runSequence(round, laboratory);
      const how = result.problems.length === 0 ? "passed" : result.problems.join("; ");
      this.#log(`sequence ${round} (${result.steps.join("; ")}): ${how}`);
      this.sequenceResults.push(result);
    }
    await this.#lookForOrphans(laboratory);
  }

  async #point(point: Point, laboratory: Laboratory): Promise<PointResult> {
    const since = performance.now();
    const result = await runPoint(point, laboratory).catch(
      (error: unknown): PointResult => ({
        point,
        at: null,
        verdict: "failed",
        problems: [describeError(error)],
        log: "",
      }),
    );
    this.results.push(result);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    const how = [result.verdict, ...result.problems].join(": ");
    const at = result.at ?? "not reached";
    this.#log(`[${this.results.length}/${this.#total}] ${idOf(point)} (${at}) ${seconds} s ${how}`);
    return result;
  }

  async #lookForOrphans(laboratory: Laboratory): Promise<void> {
    const living = await laboratory.living("");
    this.orphans.push(...living.map(({ id, name, state }) => `${name} ${id} ${state}`));
    await laboratory.clear("");
  }
}
