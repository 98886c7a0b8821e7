import type { Fact } from "../ledger/entry.ts";
import type { Attempt, Settled, Submission } from "../ledger/fold.ts";
import { afterStop, submitNew, submitRewound } from "./at-rest.ts";
import { type ClusterJob, hasEnded, type Retained } from "./cluster.ts";
import { fenceName, jobId } from "./ids.ts";
import {
  type Desired,
  type Ending,
  mayStartEmpty,
  nameAPath,
  refuse,
  rewindOf,
  type Situation,
  type Step,
} from "./step.ts";
import { livesAgain, stopOnceMore } from "./stopping.ts";
import { isRestoredFromItself, type Verification, verify } from "./verify.ts";

/** The next step of an attempt whose newest submission is this one. Pure. */
export function afterSubmission(situation: Situation, attempt: Attempt, submission: Submission): Step {
  const { observed } = situation;
  const find = (id: string) => observed.jobs.find((one) => one.id === id);
  const returned = livesAgain(attempt, observed.jobs);
  const isUnsent = attempt.submissions.length === 1 && !submission.accepted && find(submission.jobId) === undefined;
  if (returned !== null && isUnsent) return stopOnceMore(returned.id);
  const leftover =
    returned ??
    attempt.submissions
      .filter((one) => one.failure !== null)
      .map((one) => find(one.jobId))
      .find((job) => job !== undefined && !hasEnded(job.state));
  if (leftover !== undefined) {
    if (leftover.state === "CANCELLING") return { do: "wait", for: `${leftover.id} to end` };
    return { do: "cancel", jobId: leftover.id };
  }
  const found = find(submission.jobId);
  const isFence = found?.name === fenceName(submission.jobId);
  if (isFence && submission.failure === null) return failed(submission, "another change came before it was submitted");
  const job = isFence ? undefined : found;
  if (submission.failure !== null) return afterFailure(situation, attempt, submission, submission.failure, job);
  // What it let out since is processed again in any case: it is not waited for.
  const isOvertaken = rewindOf(situation.desired) !== null && !isWanted(situation, attempt, submission);
  if (isOvertaken && submission.accepted) {
    return failed(submission, "the job went back to an earlier program before it was seen to hold");
  }
  if (job === undefined) {
    if (submission.accepted) return lost(situation, attempt, submission);
    if (isWanted(situation, attempt, submission)) return { do: "submit", submission };
    // It may still be on its way, from a run that is thought dead: Flink refuses it once its id is used up.
    return { do: "fence", jobId: submission.jobId };
  }
  if (!submission.accepted) return { do: "record", fact: { kind: "submitted", jobId: job.id } };
  return judged(situation, attempt, submission, job);
}

/** A put-back serves those who want the program that failed: they learn why. Whoever wants another is not kept waiting. */
function isWanted({ desired }: Situation, attempt: Attempt, submission: Submission): boolean {
  if (desired.kind !== "running") return false;
  if (attempt.stop === null && unspentAnswer(desired, attempt) !== null) return false;
  const { digest } = desired.reference;
  return digest === submission.reference.digest || (submission.role === "put-back" && digest === refused(attempt));
}

/** What a person names for the attempt in hand, unless it was submitted from there already. */
function unspentAnswer(desired: Desired, attempt: Attempt): string | null {
  if (desired.kind !== "running") return null;
  const { answer, reference } = desired;
  const isSpent = attempt.submissions.some((one) => one.reference.value === reference.value && one.restore === answer);
  return isSpent ? null : answer;
}

/** The digest of the newest program that did not hold. */
function refused(attempt: Attempt): string | null {
  return attempt.submissions.findLast((one) => one.role === "new")?.reference.digest ?? null;
}

/** It was on the cluster and is not: between the two it may have let records out. */
function lost({ name, desired, observed }: Situation, attempt: Attempt, submission: Submission): Step {
  const from = submission.restore === null ? "" : ` from ${submission.restore}`;
  const how = `job ${submission.jobId} of ${name} was submitted${from}, and the cluster does not know it any more`;
  const isAnswered = desired.kind === "removed" || unspentAnswer(desired, attempt) !== null;
  if (isAnswered || isTold(observed.retained) || mayStartEmpty(desired)) return failed(submission, how);
  return refuse(
    "needs-operator",
    `${how}, so whether it let records out is unknown; find its newest checkpoint, ${nameAPath}, or name the path it was submitted from (or set upgrade_mode to stateless) where records may come twice`,
  );
}

function judged(situation: Situation, attempt: Attempt, submission: Submission, job: ClusterJob): Step {
  const { observed, settings } = situation;
  const verdict = verify(job, submission.restore, modeOf(situation, submission), observed, settings.verify);
  switch (verdict.kind) {
    case "wait":
      return { do: "wait", for: verdict.for };
    case "checkpoint":
      return { do: "checkpoint", jobId: job.id };
    case "fails":
      return mayHaveLetOut(situation, submission)
        ? stuck(situation, attempt, submission, verdict.cause)
        : failed(submission, verdict.cause);
    case "finished":
    case "holds":
      return settle(situation, attempt, submission, verdict);
  }
}

function modeOf({ desired, settings }: Situation, submission: Submission): "streaming" | "batch" {
  if (submission.role === "put-back") return settings.settledMode ?? "streaming";
  const isDesired = desired.kind === "running" && desired.reference.digest === submission.reference.digest;
  return isDesired ? desired.runtimeMode : "streaming";
}

/** The attempt ends; where something else is wanted by now, that is begun next. */
function settle(
  { desired, settled, observed }: Situation,
  attempt: Attempt,
  submission: Submission,
  verdict: Extract<Verification, { kind: "finished" | "holds" }>,
): Step {
  const isDesired = desired.kind === "running" && desired.reference.digest === submission.reference.digest;
  const wasRefused = desired.kind === "running" && submission.role === "put-back" && !isDesired;
  const reference = isDesired ? desired.reference : submission.reference;
  const fact =
    verdict.kind === "finished"
      ? ({ kind: "finished", jobId: submission.jobId, reference } as const)
      : ({ kind: "running", jobId: submission.jobId, reference, restored: submission.restore } as const);
  const ending = verdict.kind === "finished" ? "finished" : endingOf(settled);
  const ends: { readonly ends?: Ending } = isDesired
    ? { ends: ending }
    : wasRefused && desired.reference.digest === refused(attempt)
      ? { ends: "rolled-back" }
      : {};
  const note = verdict.kind === "holds" && verdict.note !== null ? { note: verdict.note } : {};
  const path = observed.progress?.newestCheckpoint ?? null;
  const also: { readonly also?: readonly Fact[] } =
    path === null ? {} : { also: [{ kind: "checkpointed", jobId: submission.jobId, path }] };
  return { do: "record", fact, ...also, ...ends, ...note };
}

function endingOf(settled: Settled | null): Ending {
  if (settled === null || settled.kind === "removed" || settled.reference === null) return "created";
  return settled.kind === "suspended" ? "resumed" : "upgraded";
}

function failed(submission: Submission, cause: string): Step {
  return { do: "record", fact: { kind: "submit-failed", jobId: submission.jobId, cause } };
}

/**
 * A completed checkpoint has committed what came after the savepoint: that savepoint would send it twice. Through the
 * gateway alone no checkpoint is seen, so only what Flink refused is known to have sent nothing.
 */
function mayHaveLetOut({ desired, observed }: Situation, submission: Submission): boolean {
  // To begin again from nothing is what was agreed to.
  if (submission.restore === null && mayStartEmpty(desired)) return false;
  if (observed.seesProgress) {
    // Under high availability the count begins anew with a new JobManager; where the job was restored from tells.
    const { progress } = observed;
    return progress !== null && (progress.completedCheckpoints > 0 || isRestoredFromItself(submission.jobId, progress));
  }
  return submission.restore !== null && !observed.wasRefused;
}

function stuck(situation: Situation, attempt: Attempt, submission: Submission, cause: string): Step {
  const { name, desired, observed } = situation;
  if (submission.failure === null && (desired.kind === "removed" || unspentAnswer(desired, attempt) !== null)) {
    return failed(submission, cause);
  }
  const { jobId } = submission;
  const restore = submission.restore ?? "its start";
  const job = observed.jobs.find((one) => one.id === jobId);
  const why =
    job === undefined
      ? `the cluster does not know it any more, so whether it let out records after ${restore} is unknown: the old job would send them again from there`
      : observed.seesProgress
        ? `it has completed a checkpoint, so records after ${restore} are already out: starting again from there would send them twice`
        : `without \`jobmanager-url\` nobody can tell whether it let out records after ${restore}, which the old job would send again from there`;
  const isAlive = job !== undefined && !hasEnded(job.state);
  const goes = `${isAlive ? "it is cancelled then, and " : ""}Flink deletes a job's checkpoints at its end unless execution.checkpointing.externalized-checkpoint-retention is RETAIN_ON_CANCELLATION, so name one that is kept`;
  return refuse(
    "needs-operator",
    `job ${jobId} of ${name} does not hold (${cause}), and ${why}. Mend the cause and deploy again; or choose a state, ${nameAPath} (${goes})${submission.restore === null ? "; or set `allow-fresh-start`" : ""}`,
  );
}

/** Put the old job back from the same savepoint; where there is none to put back, rest where the job rested before. */
function afterFailure(
  situation: Situation,
  attempt: Attempt,
  submission: Submission,
  cause: string,
  job: ClusterJob | undefined,
): Step {
  const { desired, observed, key } = situation;
  const number = attempt.submissions.length + 1;
  const hadState = submission.restore !== null;
  if (job !== undefined && (hadState || !mayStartEmpty(desired)) && observed.seesProgress && !observed.isFinal) {
    return { do: "wait", for: `the last word on ${job.id}` };
  }
  const isStuck = job === undefined ? hadState && submission.accepted : mayHaveLetOut(situation, submission);
  const answer = unspentAnswer(desired, attempt);
  const isTried =
    desired.kind === "running" && attempt.submissions.some((one) => one.reference.digest === desired.reference.digest);
  if (desired.kind === "running" && desired.rewind !== null && !isTried) {
    return submitRewound(desired, desired.rewind, key, number);
  }
  if (desired.kind === "running" && answer !== null && (isStuck || attempt.stop === null)) {
    return submitNew(desired, answer, key, number);
  }
  if (job === undefined && submission.accepted && isTold(observed.retained)) {
    return again(situation, attempt, submission);
  }
  if (isStuck && desired.kind === "removed") return removeStuck(situation, submission);
  if (isStuck && job === undefined && desired.kind === "running" && mayStartEmpty(desired)) {
    return submitNew(desired, null, key, number);
  }
  if (isStuck) return stuck(situation, attempt, submission, cause);
  const savepoint = provenState(situation, attempt, submission);
  if (desired.kind !== "running") return afterStop(situation, savepoint, number);
  const older = olderState(situation, attempt, submission);
  if (older !== null) return submitNew(desired, older, key, number);
  if (!isTried) return submitNew(desired, submission.rewinds ? savepoint : submission.restore, key, number);
  return putBack(situation, attempt, submission, { cause, savepoint });
}

const isTold = (retained: Retained): boolean => retained.kind !== "unknown";

/**
 * The cluster came back without it. What it let out is what its newest checkpoint says, or nothing where it has none: so
 * the same program goes on from there, under an id of its own.
 */
function again({ observed, key, desired }: Situation, attempt: Attempt, submission: Submission): Step {
  const { retained } = observed;
  const restore = retained.kind === "found" ? retained.path : submission.restore;
  const { role, reference } = submission;
  if (desired.kind !== "running") {
    const savepoint = restore;
    const fact =
      desired.kind === "removed"
        ? ({ kind: "removed", reference, savepoint } as const)
        : ({
            kind: "suspended",
            by: desired.by,
            reference: desired.reference ?? reference,
            savepoint,
            of: reference,
          } as const);
    return { do: "record", fact, ends: desired.kind === "removed" ? "removed" : "suspended" };
  }
  const id = jobId(key, attempt.submissions.length + 1);
  const note = `job ${submission.jobId} is gone from the cluster; it goes on from ${restore ?? "its beginning, having let nothing out"}`;
  const rewinds = submission.rewinds ? ({ rewinds: true } as const) : {};
  return { do: "record", fact: { kind: "submit-intended", role, jobId: id, reference, restore, ...rewinds }, note };
}

/** The model is gone, so nobody is to decide; what would send records twice is not kept for its return. */
function removeStuck({ settled }: Situation, { jobId, restore }: Submission): Step {
  const note = `job ${jobId} may have let out records after ${restore}, so that savepoint is not kept for the job: should its model come back, it needs a path to start from`;
  const fact = { kind: "removed", reference: settled?.reference ?? null, savepoint: null } as const;
  return { do: "record", fact, ends: "removed", note };
}

/** Flink may have deleted the checkpoint that was noted, of a job that the cluster forgot, for a newer one. */
function olderState({ desired, settled, noted }: Situation, attempt: Attempt, submission: Submission): string | null {
  if (attempt.stop !== null || settled?.kind !== "running" || desired.kind !== "running") return null;
  const isNoted = submission.restore !== null && submission.restore === noted;
  return isNoted && desired.consent.toReplay ? settled.restored : null;
}

/** From where whatever comes next sends no record twice, where the newest submission has sent none. */
function provenState({ settled }: Situation, attempt: Attempt, submission: Submission): string | null {
  if (hasGoneOn(attempt)) return submission.restore;
  if (attempt.stopped !== null) return attempt.stopped.savepoint;
  // What was gone back to is the state of another program.
  const { restore } = (submission.rewinds ? attempt.submissions[0] : null) ?? submission;
  return restore ?? (settled !== null && "savepoint" in settled ? settled.savepoint : null);
}

/**
 * An earlier submission may have let records out, and another state was named: what the attempt began with would send
 * them again. One that was replaced from the same state had let nothing out, or a person chose that.
 */
function hasGoneOn({ submissions }: Attempt): boolean {
  return submissions.some((one, index) => {
    const next = submissions[index + 1];
    return one.accepted && one.restore !== null && next?.role === "new" && next.restore !== one.restore;
  });
}

function putBack(
  { settled, settings, key }: Situation,
  attempt: Attempt,
  submission: Submission,
  { cause, savepoint }: { readonly cause: string; readonly savepoint: string | null },
): Step {
  const goneOn = hasGoneOn(attempt);
  const isReplaceable = submission.role === "new" && settings.canPutBack && !goneOn;
  if (isReplaceable && settled?.kind === "running" && settled.reference !== null) {
    const id = jobId(key, attempt.submissions.length + 1);
    const { reference } = settled;
    return {
      do: "record",
      fact: { kind: "submit-intended", role: "put-back", jobId: id, reference, restore: savepoint },
      note: `the new job does not hold: ${cause}; putting the old one back`,
    };
  }
  if (settled?.kind === "suspended") {
    const fact = goneOn ? { ...settled, savepoint, of: null } : settled;
    return { do: "record", fact, ends: "failed", cause: `${cause}; the job stays suspended with its savepoint` };
  }
  if (goneOn && submission.rewinds) {
    const { reference, restore } = submission;
    const why = `${cause}; another job of this attempt may have let records out, so none is put back`;
    return {
      do: "record",
      fact: { kind: "down", reference, savepoint: restore, cause: why },
      ends: "failed",
      cause: why,
    };
  }
  const why = goneOn
    ? `${cause}; an earlier job of this attempt may have let records out, so the old one is not put back: the next deployment starts from ${savepoint} again, or from another path that the model's execution_config names`
    : cause;
  const fact = { kind: "down", reference: settled?.reference ?? null, savepoint, cause: why } as const;
  return { do: "record", fact, ends: "failed", cause: why };
}
