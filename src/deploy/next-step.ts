import type { RecordedJob } from "../ledger/fold.ts";
import { afterStop } from "./at-rest.ts";
import { begin } from "./begin.ts";
import type { Desired, Observed, Settings, Situation, Step } from "./step.ts";
import { livesAgain, stopOnceMore, whileStopping } from "./stopping.ts";
import { afterSubmission } from "./submission.ts";

/**
 * What to do next for one job: from what is wanted, what the ledger records and what the cluster shows.
 * Recovery after a crash is this same function on what is found. Pure.
 */
export function nextStep(
  name: string,
  desired: Desired,
  recorded: RecordedJob,
  observed: Observed,
  settings: Settings,
): Step {
  const { settled, attempt } = recorded;
  const key = {
    environment: settings.environment,
    deployment: attempt?.deployment ?? settings.deployment,
    job: name,
    since: recorded.since,
  };
  const noted = settled?.kind === "running" && settled.jobId === recorded.noted?.jobId ? recorded.noted.path : null;
  const situation: Situation = { name, desired, settled, noted, observed, settings, key };
  if (attempt === null) return begin(situation);
  const submission = attempt.submissions.at(-1);
  if (submission !== undefined) return afterSubmission(situation, attempt, submission);
  if (attempt.stopped !== null && livesAgain(attempt, observed.jobs)) return stopOnceMore(attempt.stopped.jobId);
  if (attempt.stopped !== null) return afterStop(situation, attempt.stopped.savepoint, 1);
  return whileStopping(situation, attempt);
}
