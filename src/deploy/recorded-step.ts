import type { ErrorCode } from "../errors.ts";
import type { Fact } from "../ledger/entry.ts";
import type { RecordedJob } from "../ledger/fold.ts";
import type { Ending, Step } from "./step.ts";
import { noSlots } from "./verify.ts";

/** Flink has no field for it; these are its words from 1.17 to 2.3. */
const flinkHasNoSlots = /Could not acquire the minimum required resources|NoResourceAvailableException/;

export interface End {
  readonly ending: Ending;
  readonly code: ErrorCode | null;
  readonly message: string | null;
}

/** How a job's part of the deployment ends with what was recorded just now; null where it goes on. Pure. */
export function endOf(step: Extract<Step, { do: "record" }>, recorded: RecordedJob): End | null {
  const { fact, ends, cause = null } = step;
  switch (ends) {
    case undefined:
      return null;
    case "failed": {
      const code = fact.kind === "stop-failed" ? "savepoint-failed" : codeOf(cause, "job-down");
      return { ending: ends, code, message: cause };
    }
    case "rolled-back": {
      const why = recorded.attempt?.submissions.findLast((one) => one.failure !== null)?.failure ?? null;
      return { ending: ends, code: codeOf(why, "rolled-back"), message: why };
    }
    default:
      return { ending: ends, code: null, message: null };
  }
}

function codeOf(cause: string | null, otherwise: ErrorCode): ErrorCode {
  return cause !== null && (cause.includes(noSlots) || flinkHasNoSlots.test(cause)) ? "no-slots" : otherwise;
}

/** What the log says of a fact; null where the step itself was logged, or will be. */
export function lineOf(fact: Fact): string | null {
  switch (fact.kind) {
    case "stopped":
      return fact.savepoint === null
        ? `stopped ${fact.jobId}`
        : `stopped ${fact.jobId} with savepoint ${fact.savepoint}`;
    case "running":
      return `${fact.jobId} holds`;
    case "submit-failed":
      return `${fact.jobId} failed: ${fact.cause}`;
    default:
      return null;
  }
}
