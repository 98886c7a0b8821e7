import type { ErrorCode } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Program } from "../project/job.ts";
import type { Cluster, StateStorage } from "./cluster.ts";
import type { Subject } from "./observe.ts";
import type { Desired, Ending, Settings } from "./step.ts";

/** One job's part of a deployment. */
export interface JobTask {
  readonly name: string;
  readonly desired: Desired;
  /** What to submit; null where nothing is to run. */
  readonly program: Program | null;
  /** What runs now, to be put back; null where it is unknown or its secrets are not at hand. */
  readonly previous: Program | null;
  readonly settings: Settings;
  readonly subject: Subject;
}

export interface JobOutcome {
  readonly job: string;
  readonly ending: Ending | "refused" | "skipped";
  readonly code: ErrorCode | null;
  readonly message: string | null;
  readonly jobId: string | null;
  readonly savepoint: string | null;
  readonly restored: string | null;
  readonly durationMs: number;
  /** From the old job's end to RUNNING of all the new one's tasks, both as first seen; null where not both were. */
  readonly interruptionMs: number | null;
  readonly notes: readonly string[];
}

export interface RunContext {
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly storage: StateStorage;
  readonly log: (job: string, line: string) => void;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Once aborted, nothing new is begun, and what is in hand goes on to where records are processed again. */
  readonly signal: AbortSignal;
  /** Once aborted, everything ends as it stands. */
  readonly deadline: AbortSignal;
  /** Ends early, and without an error, when the signal is aborted; real time unless given. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** How long a cluster or a store that does not answer is asked again; 30 s unless given. */
  readonly patienceMs?: number;
}
