import { DeployError } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";

/** Who holds a lock. `process` says where and as what it runs, so that its end can be proven from there. */
export interface Holder {
  /** Random, of this run of the program. */
  readonly id: string;
  /** For people: `deploy by ana on build-7`. */
  readonly name: string;
  /** Where the run can be seen; null where it is no workflow's. */
  readonly run: string | null;
  readonly process: ProcessIdentity | null;
  readonly workflow: WorkflowIdentity | null;
}

export interface ProcessIdentity {
  /** The machine, its boot and its process namespace: equal only where a pid means the same. */
  readonly machine: string;
  readonly pid: number;
}

/** A job of a workflow run: only one attempt at it lives at a time. */
export interface WorkflowIdentity {
  readonly job: string;
  readonly attempt: number;
}

/** The state of an environment's lock. Every change has the next version, which is what compare-and-set compares. */
export interface Lock {
  readonly version: number;
  /** Null: it is free. */
  readonly holder: Holder | null;
  readonly leaseMs: number;
  /** ISO 8601, UTC, by the holder's clock. */
  readonly renewedAt: string;
}

/** Clocks of two machines are taken to agree to within this. */
const clockSkewMs = 5 * 60_000;

/** What one contender sees of a lock: since when, by its own clock, nothing has changed about it. */
export interface Sighting {
  readonly lock: Lock;
  readonly unchangedMs: number;
  /** UTC, by the contender's clock. */
  readonly now: Date;
  readonly self: Holder;
  /** Whether a process of this very machine runs. */
  readonly isAlive: (pid: number) => boolean;
}

/**
 * Why a holder cannot come back, or null. It was not seen to renew for a whole lease, or its clock and ours leave no
 * doubt; or its process has ended, or its workflow job is in a later attempt, which we are. Pure.
 */
export function reasonToTakeOver({ lock, unchangedMs, now, self, isAlive }: Sighting): string | null {
  const { holder, leaseMs, renewedAt } = lock;
  if (holder === null) return "it is free";
  const { process, workflow } = holder;
  if (process !== null && process.machine === self.process?.machine && !isAlive(process.pid)) {
    return `its process ${process.pid} has ended`;
  }
  if (workflow !== null && workflow.job === self.workflow?.job && workflow.attempt < self.workflow.attempt) {
    return `this is attempt ${self.workflow.attempt} of the same workflow job`;
  }
  if (unchangedMs > leaseMs) return `it was not renewed for ${Math.round(unchangedMs / 1000)} s`;
  const age = now.getTime() - Date.parse(renewedAt);
  return age > leaseMs + clockSkewMs ? `it was last renewed ${Math.round(age / 60_000)} min ago` : null;
}

/** `deploy by ana on build-7 (https://...), renewed 2026-01-01T00:00:00Z`. */
export function describeHolder({ holder, renewedAt }: Lock): string {
  if (holder === null) return "nobody";
  return `${holder.name}${holder.run === null ? "" : ` (${holder.run})`}, renewed ${renewedAt}`;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

/** Reads a lock, or throws `ledger-unreadable` naming `where`. */
export function decodeLock(json: string, where: string): Lock {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (cause) {
    throw new DeployError("ledger-unreadable", `the lock ${where} is not JSON`, { cause });
  }
  if (!isLock(value)) throw new DeployError("ledger-unreadable", `the lock ${where} cannot be read: ${json}`);
  return value;
}

function isLock(value: unknown): value is Lock {
  if (!isRecord(value) || !isCount(value.version) || !isCount(value.leaseMs)) return false;
  if (typeof value.renewedAt !== "string" || Number.isNaN(Date.parse(value.renewedAt))) return false;
  return value.holder === null || isHolder(value.holder);
}

function isHolder(value: unknown): value is Holder {
  if (!isRecord(value) || typeof value.id !== "string" || typeof value.name !== "string") return false;
  if (value.run !== null && typeof value.run !== "string") return false;
  const { process, workflow } = value;
  const isProcess =
    process === null || (isRecord(process) && typeof process.machine === "string" && isCount(process.pid));
  const isWorkflow =
    workflow === null || (isRecord(workflow) && typeof workflow.job === "string" && isCount(workflow.attempt));
  return isProcess && isWorkflow;
}
