import { createHash } from "node:crypto";
import type { PointName } from "./crash-points.ts";
import { type FaultName, faultNames, faults } from "./faults.ts";
import { scenarios } from "./scenarios.ts";

/** One thing to try: this fault at the `number`-th request (or write) of the scenario's command. */
export interface Point {
  readonly scenario: string;
  readonly number: number;
  readonly fault: FaultName;
}

/** What a calm run of each scenario makes: the points of its requests and of its writes, in order. */
export type Calm = ReadonlyMap<string, CalmRun>;

export interface CalmRun {
  readonly requests: readonly PointName[];
  readonly writes: readonly PointName[];
}

/** `upgrade:17:after-answer`: what `--only` takes. */
export const idOf = ({ scenario, number, fault }: Point): string => `${scenario}:${number}:${fault}`;

/**
 * Every point there is, in order. An upgrade of one job is killed at every request; everything else comes at the requests
 * that differ in something.
 */
export function allPoints(calm: Calm, usable: readonly FaultName[] = faultNames): readonly Point[] {
  return [...calm].flatMap(([scenario, run]) =>
    usable.flatMap((fault) => {
      const { counts, group } = faults[fault];
      const numbers = run[counts].map((_, index) => index + 1);
      const isEach = group === "crash" && isWhole(scenario);
      const chosen = isEach || counts === "writes" ? numbers : numbersThatDiffer(run.requests);
      return chosen.map((number) => ({ scenario, number, fault }));
    }),
  );
}

const isWhole = (scenario: string): boolean => scenario === "upgrade";

/** Of requests that follow one another at the same point, which a command makes while it waits: first, middle and last. */
function numbersThatDiffer(requests: readonly PointName[]): readonly number[] {
  const starts = requests.flatMap((point, index) => (point === requests[index - 1] ? [] : [index + 1]));
  const numbers = starts.flatMap((first, index) => {
    const last = (starts[index + 1] ?? requests.length + 1) - 1;
    return [first, Math.floor((first + last) / 2), last];
  });
  return [...new Set(numbers)];
}

/** `upgrade`, `upgrade:17`, `upgrade:*:hang`: parts that are missing, or `*`, are any. Several are separated by commas. */
export function isChosen(only: string, point: Point): boolean {
  const parts = idOf(point).split(":");
  return only.split(",").some((one) => one.split(":").every((part, index) => part === "*" || part === parts[index]));
}

/** The point that `only` names in full; null where it names several. Throws where there is no such scenario or fault. */
export function exactPoint(only: string): Point | null {
  const [scenario = "", number = "", fault = ""] = only.split(":");
  if (only.includes(",")) return null;
  if (!/^[1-9]\d*$/.test(number) || fault === "" || fault === "*" || scenario === "*") return null;
  if (!Object.hasOwn(scenarios, scenario) || !Object.hasOwn(faults, fault))
    throw new Error(`there is no point ${only}`);
  return { scenario, number: Number(number), fault: fault as FaultName };
}

/** Half of a sample are crashes, the rest of everything in turn. */
const turns = ["crash", "network", "crash", "store", "crash", "process", "crash", "disk"] as const;

/** `size` of the points, the same ones every time, spread over faults and scenarios. */
export function sample(points: readonly Point[], size: number): readonly Point[] {
  const order = (point: Point): string => createHash("sha256").update(idOf(point)).digest("hex");
  const sorted = points
    .map((point) => ({ point, order: order(point) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1));
  const left = new Set(sorted.map(({ point }) => point));
  const chosen: Point[] = [];
  const seen = new Map<string, number>();
  const times = (key: string): number => seen.get(key) ?? 0;
  for (let turn = 0; chosen.length < Math.min(size, points.length); turn += 1) {
    const group = turns[turn % turns.length];
    const candidates = [...left].filter(({ fault }) => faults[fault].group === group);
    const rarity = ({ fault, scenario }: Point): number => times(fault) * 2 + times(scenario);
    const next = candidates.reduce<Point | undefined>(
      (best, point) => (best === undefined || rarity(point) < rarity(best) ? point : best),
      undefined,
    );
    if (next === undefined) continue;
    left.delete(next);
    chosen.push(next);
    for (const key of [next.fault, next.scenario]) seen.set(key, times(key) + 1);
  }
  return chosen;
}
