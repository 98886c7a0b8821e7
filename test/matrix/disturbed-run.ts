import { Child, type Ended } from "./child.ts";
import type { CommandRequest } from "./command.ts";
import type { PointName } from "./crash-points.ts";
import { type FaultName, faults } from "./faults.ts";
import { FaultyNetwork, type Interference } from "./faulty-network.ts";
import type { Laboratory } from "./laboratory.ts";
import { RequestPoints } from "./request-points.ts";

/** A fault at the `number`-th request of a run, or the `number`-th write to its store. */
export interface Disturbance {
  readonly fault: FaultName;
  readonly number: number;
}

export type Limits = Pick<CommandRequest, "requestTimeoutMs" | "patienceMs">;
export const usualLimits: Limits = { requestTimeoutMs: 30_000, patienceMs: 30_000 };
/** By the fault's group. */
export const limitsOf = {
  crash: usualLimits,
  store: { ...usualLimits, patienceMs: 1_000 },
  disk: { ...usualLimits, patienceMs: 1_000 },
  network: { requestTimeoutMs: 3_000, patienceMs: 5_000 },
  process: { requestTimeoutMs: 5_000, patienceMs: 30_000 },
} as const satisfies Readonly<Record<string, Limits>>;

export interface DisturbedRun {
  readonly disturbance: Disturbance | null;
  /** Is filled with the point that each request belongs to. */
  readonly requests: PointName[];
}

/** One run of the program as a process of its own, with a faulty network between it and Flink. */
export async function runChild(
  laboratory: Laboratory,
  request: CommandRequest,
  { disturbance, requests }: DisturbedRun,
): Promise<{ readonly ended: Ended; readonly log: string }> {
  const points = new RequestPoints();
  let child: Child | undefined;
  const kill = async (): Promise<void> => {
    network.cut();
    child?.kill();
    await child?.ended;
  };
  await using network = await FaultyNetwork.start({
    gatewayUrl: request.gatewayUrl,
    jobmanagerUrl: request.jobmanagerUrl,
    interfere: (number, seen) => {
      requests[number - 1] = points.pointOf(seen);
      return disturbance === null ? null : interference(disturbance, number, { kill, laboratory });
    },
    answered: (number, body) => points.answered(requests[number - 1] ?? "look", body),
  });
  const { gatewayUrl, jobmanagerUrl } = network;
  const fault = disturbance === null ? null : faults[disturbance.fault];
  const storeFault = fault?.group === "store" ? { at: disturbance?.number ?? 0, kind: fault.store } : null;
  child = new Child({ ...request, gatewayUrl, jobmanagerUrl, storeFault });
  const ended = await child.ended;
  const how = ended.kind === "killed" ? "killed" : `${ended.reason} ${ended.message}`;
  return { ended, log: `${ended.log}-- ${how}, after ${network.count} requests\n` };
}

function interference(
  { number: at, fault }: Disturbance,
  number: number,
  { kill, laboratory }: { readonly kill: () => Promise<void>; readonly laboratory: Laboratory },
): Interference | null {
  switch (fault) {
    case "before":
    case "after-send":
    case "after-answer":
      return number === at ? { kind: "act", when: fault, act: kill } : null;
    case "reset":
    case "reset-answer":
    case "hang":
    case "half":
      return number === at ? { kind: fault } : null;
    case "status-500":
      return number >= at ? { kind: fault } : null;
    case "some-500":
      return number >= at && number < at + 3 ? { kind: "status-500" } : null;
    case "gateway":
    case "taskmanager":
    case "jobmanager":
    case "jobmanager-ha":
      return number === at ? { kind: "act", when: "before", act: () => laboratory.killAndStart(fault) } : null;
    default:
      return null;
  }
}

export const endedWell = (ended: Ended): boolean => ended.kind === "ended" && ended.reason === "ok";
