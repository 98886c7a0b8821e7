import type { ErrorCode } from "../errors.ts";
import type { Fact } from "../ledger/entry.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import type { RuntimeMode } from "../project/job.ts";
import { type ClusterJob, hasEnded, type Retained, type SavepointRequest, type StopStatus } from "./cluster.ts";
import { type AttemptKey, savepointFolder, triggerId } from "./ids.ts";

/** What is seen before each step of taking a savepoint of a running job. */
export interface SavingSeen {
  readonly jobs: readonly ClusterJob[];
  /** Of the savepoint in hand. */
  readonly status: StopStatus;
  /** What the folder of the savepoint in hand shows, once it is not under way. */
  readonly stored: Retained;
  /** Since this run began with the job, in ms. */
  readonly waitedMs: number;
}

export interface SavingSettings {
  readonly directory: string;
  readonly key: AttemptKey;
  /** Of the program that runs; null where the ledger does not know it. */
  readonly mode: RuntimeMode | null;
}

/** `isEnd`: with this fact the command is done with the job. */
export type SavingStep =
  | { readonly do: "record"; readonly fact: Fact; readonly isEnd: boolean }
  | { readonly do: "ask"; readonly request: SavepointRequest }
  | { readonly do: "wait"; readonly for: string }
  | { readonly do: "leave"; readonly note: string }
  | { readonly do: "refuse"; readonly code: ErrorCode; readonly message: string };

/** Flink takes a savepoint only while every task runs; a job may take this long until they do. */
const tasksMs = 30_000;

/**
 * What to do next to have a savepoint of a job that goes on running. A run that died left its intent, with the trigger id
 * under which Flink makes no second one; what became of that is found out first. Pure.
 */
export function nextSavingStep(recorded: RecordedJob, seen: SavingSeen, settings: SavingSettings): SavingStep {
  if (recorded.attempt !== null) {
    const message = `a deployment of ${recorded.name} did not end; run that command again first`;
    return { do: "refuse", code: "needs-operator", message };
  }
  const { taking, settled } = recorded;
  if (taking !== null) return whileTaking(taking, recorded, seen);
  if (settled?.kind !== "running") {
    const kept = settled !== null && "savepoint" in settled ? settled.savepoint : null;
    const note = `it does not run (${settled?.kind ?? "unknown"}), so there is nothing to take a savepoint of`;
    return { do: "leave", note: kept === null ? note : `${note}; it rests with ${kept}` };
  }
  if (settings.mode === "batch") return { do: "leave", note: "a batch job has no savepoint" };
  const { jobId } = settled;
  const job = seen.jobs.find(({ id }) => id === jobId);
  if (job === undefined || hasEnded(job.state)) {
    const how = job === undefined ? "is not known to the cluster any more" : `is ${job.state}`;
    const message = `job ${jobId} should run, but it ${how}; run \`deploy\`, which starts it again or says which path it needs`;
    return { do: "refuse", code: "job-down", message };
  }
  const { directory, key } = settings;
  const fact = {
    kind: "savepoint-intended",
    jobId,
    triggerId: triggerId(key),
    savepointFolder: savepointFolder(directory, key),
  } as const;
  return { do: "record", fact, isEnd: false };
}

function whileTaking(
  taking: NonNullable<RecordedJob["taking"]>,
  { settled }: RecordedJob,
  { jobs, status, stored, waitedMs }: SavingSeen,
): SavingStep {
  const { jobId, triggerId, savepointFolder } = taking;
  const isCurrent = settled?.kind === "running" && settled.jobId === jobId;
  const taken = (path: string, isEnd: boolean): SavingStep => ({
    do: "record",
    fact: { kind: "savepoint-taken", jobId, path },
    isEnd,
  });
  const missed = (cause: string): SavingStep => ({
    do: "record",
    fact: { kind: "savepoint-missed", jobId, cause },
    isEnd: isCurrent,
  });
  const job = jobs.find(({ id }) => id === jobId);
  const isAlive = job !== undefined && !hasEnded(job.state);
  switch (status.kind) {
    case "in-progress":
    case "untold":
      return { do: "wait", for: `the savepoint of ${jobId}` };
    case "completed":
      return stored.kind === "none"
        ? missed(`flink says that it is at ${status.savepoint}, and no savepoint is there`)
        : taken(status.savepoint, isCurrent);
    case "failed":
      return missed(status.cause);
    case "unknown":
      // An earlier run's, and the JobManager has forgotten about it: how old it is, nobody can tell, so one is taken anew.
      if (stored.kind === "found") return taken(stored.path, false);
      if (!isAlive) return missed(`job ${jobId} has ended, and nothing tells of its savepoint`);
      if (job.allTasksRunning === false && waitedMs < tasksMs) {
        return { do: "wait", for: `the tasks of ${jobId} to run` };
      }
      return { do: "ask", request: { jobId, triggerId, savepointFolder } };
  }
}
