import { isInside } from "../flink/paths.ts";
import type { Attempt } from "../ledger/fold.ts";
import { restBack } from "./at-rest.ts";
import { type ClusterJob, hasEnded } from "./cluster.ts";
import { nameAPath, refuse, rewindOf, type Situation, type Step, stopMode } from "./step.ts";

type Stop = NonNullable<Attempt["stop"]>;

/** How long a job may take to have all its tasks running before it is asked to stop all the same. */
const tasksMs = 30_000;
/** How long a stop whose answer was lost may take to show before it is asked for again. */
const untoldMs = 60_000;

/**
 * A JobManager with high availability that dies in the moment in which a job ends may not know of it, and starts the job
 * again. With nothing submitted yet it is stopped once more, in an attempt of its own. Pure.
 */
export function stopOnceMore(jobId: string): Step {
  const cause = "it came back after its end, since the JobManager died before it knew of it";
  return {
    do: "record",
    fact: { kind: "stop-failed", jobId, cause },
    note: `job ${jobId} is stopped once more: ${cause}`,
  };
}

/** Whether the job that was stopped in this attempt lives again. */
export function livesAgain(attempt: Attempt, jobs: readonly ClusterJob[]): ClusterJob | null {
  const job = jobs.find(({ id }) => id === attempt.stopped?.jobId);
  return job === undefined || hasEnded(job.state) ? null : job;
}

/** The next step of an attempt that is to stop the old job. Pure. */
export function whileStopping(situation: Situation, attempt: Attempt): Step {
  const { name, observed } = situation;
  const { stop } = attempt;
  if (stop === null) throw new Error(`the attempt at ${name} has neither a stop nor a submission`);
  const job = observed.jobs.find((one) => one.id === stop.jobId);
  const living = job === undefined || hasEnded(job.state) ? null : job;
  if (!stop.withSavepoint) return cancelled(situation, stop, living, job);
  if (observed.stop.kind === "in-progress") return { do: "wait", for: `the savepoint of ${stop.jobId}` };
  if (observed.stop.kind === "completed") {
    if (living !== null) return { do: "wait", for: `${stop.jobId} to end` };
    return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: observed.stop.savepoint } };
  }
  return living === null ? endedUntold(situation, stop, job) : stillRunning(situation, stop, living);
}

/** Without a savepoint: its state is not wanted, or is in its newest checkpoint. */
function cancelled(situation: Situation, stop: Stop, living: ClusterJob | null, job: ClusterJob | undefined): Step {
  if (living === null) {
    return stop.keepsCheckpoint
      ? endedWithCheckpoint(situation, stop, job)
      : { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: null } };
  }
  if (living.state === "CANCELLING") return { do: "wait", for: `${stop.jobId} to end` };
  return { do: "cancel", jobId: stop.jobId };
}

function endedWithCheckpoint(situation: Situation, stop: Stop, job: ClusterJob | undefined): Step {
  const { name, desired, observed } = situation;
  const { retained } = observed;
  if (job !== undefined && observed.endedMs < observed.lagMs)
    return { do: "wait", for: `the last word on ${stop.jobId}` };
  if (retained.kind === "found") {
    return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: retained.path } };
  }
  return (
    readToTheEnd(situation, stop, job) ??
    goesOnFromAnswer(desired, stop) ??
    goesBack(desired, `job ${stop.jobId} was cancelled, and nothing tells its newest checkpoint`) ??
    refuse(
      "needs-operator",
      `job ${stop.jobId} of ${name} was cancelled to go on from its newest checkpoint, and nothing tells which that is: find it and ${nameAPath}`,
    )
  );
}

/** It ended well by itself before it could be stopped, and left nothing to go on from. */
function readToTheEnd({ settled }: Situation, stop: Stop, job: ClusterJob | undefined): Step | null {
  if (job?.state !== "FINISHED" || settled?.kind !== "running" || settled.reference === null) return null;
  const note = `job ${stop.jobId} read its sources to their end before it could be stopped`;
  return { do: "record", fact: { kind: "finished", jobId: stop.jobId, reference: settled.reference }, note };
}

function goesOnFromAnswer(desired: Situation["desired"], stop: Stop): Step | null {
  if (desired.kind === "removed" || desired.answer === null) return null;
  const note = `going on from ${desired.answer}, which the model's execution_config names`;
  return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: desired.answer, named: true }, note };
}

/** A rollback needs the state of what it replaces only for the way forward. */
function goesBack(desired: Situation["desired"], why: string): Step | null {
  if (desired.kind !== "running" || desired.rewind === null) return null;
  return restBack(desired, desired.rewind, why);
}

/** No savepoint can be taken of a job that does not run, which may be why it is rolled back. */
function cancelInstead({ desired }: Situation, stop: Stop, cause: string): Step | null {
  if (desired.kind !== "running" || desired.rewind === null || !desired.consent.toReplay) return null;
  const note = `no savepoint can be taken of ${stop.jobId} (${cause}), so it is cancelled, as was agreed: what it processed since its newest retained checkpoint is lost to its program`;
  return {
    do: "record",
    fact: { ...stop, withSavepoint: false, keepsCheckpoint: true, savepointFolder: null },
    note,
  };
}

function stillRunning(situation: Situation, stop: Stop, job: ClusterJob): Step {
  const { desired, observed } = situation;
  // It is about to end; whether its savepoint was made is known only then.
  if (job.state === "FAILING" || job.state === "CANCELLING") return { do: "wait", for: `${job.id} to end` };
  switch (observed.stop.kind) {
    case "failed": {
      const { cause: told } = observed.stop;
      const instead = cancelInstead(situation, stop, told);
      if (instead !== null) return instead;
      const hint = "; set `allow-replay` to go back all the same, without a way forward to what this job has now";
      const cause = rewindOf(desired) === null ? told : `${told}${hint}`;
      return { do: "record", fact: { kind: "stop-failed", jobId: job.id, cause }, ends: "failed", cause };
    }
    case "untold":
      if (observed.waitedMs < untoldMs) return { do: "wait", for: `${job.id} to end` };
      return { do: "stop", jobId: job.id };
    default:
      // Flink takes a savepoint only while every task runs.
      if (job.allTasksRunning === false && observed.waitedMs < tasksMs) {
        return { do: "wait", for: `the tasks of ${job.id} to run` };
      }
      return { do: "stop", jobId: job.id };
  }
}

/** The job has ended and the stop's own answer does not name a savepoint: its record may. */
function endedUntold(situation: Situation, stop: Stop, job: ClusterJob | undefined): Step {
  const { name, desired, settled, observed } = situation;
  const { lastSavepoint: last, stranded } = observed;
  const found =
    last.kind === "known" && stop.savepointFolder !== null && isInside(last.path, stop.savepointFolder)
      ? last.path
      : savepointOf(observed);
  if (found !== null) return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: found } };
  if (observed.endedMs < observed.lagMs) return { do: "wait", for: `the last word on ${stop.jobId}` };
  // The newest of all, in a folder that is not ours: someone else stopped it.
  const foreign = last.kind === "known" && last.isNewest && job?.state === "FINISHED" ? last.path : null;
  const finished = last.kind === "unknown" || foreign !== null ? null : readToTheEnd(situation, stop, job);
  if (finished !== null) return finished;
  const checkpoint = checkpointOf(situation, job);
  if (checkpoint !== null) {
    const note = `job ${stop.jobId} ended before its savepoint was made; going on from its newest checkpoint`;
    return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: checkpoint }, note };
  }
  const where =
    foreign === null
      ? stranded.kind === "none"
        ? `there is none in ${stop.savepointFolder}`
        : `it lies under ${stop.savepointFolder} if it was completed`
      : `someone else stopped it, with savepoint ${foreign}`;
  if (desired.kind === "removed") {
    const fact = { kind: "removed", reference: settled?.reference ?? null, savepoint: null } as const;
    return { do: "record", fact, ends: "removed", note: `nothing tells the savepoint of ${stop.jobId}; ${where}` };
  }
  const answered = goesOnFromAnswer(desired, stop);
  if (answered !== null) return answered;
  if (foreign !== null && rewindOf(desired) !== null) {
    return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: foreign } };
  }
  const back = goesBack(desired, `job ${stop.jobId} has ended and nothing tells its savepoint; ${where}`);
  if (back !== null) return back;
  const why = observed.stop.kind === "failed" ? ` (${observed.stop.cause})` : "";
  return refuse(
    "needs-operator",
    `job ${stop.jobId} of ${name} has ended (${job?.state ?? "the cluster does not know it any more"}) and nothing tells its savepoint${why}; ${where}: ${nameAPath}`,
  );
}

/** By its own answer though the job then failed (facts 3), or by what lies in the folder that was named beforehand. */
function savepointOf({ stop, stranded }: Situation["observed"]): string | null {
  if (stop.kind === "failed" && stop.savepoint !== null) return stop.savepoint;
  return stranded.kind === "found" ? stranded.path : null;
}

/**
 * The newest state of a job that the cluster forgot while it was to be stopped, or, under `last_state`, that failed then:
 * only where it is known that no savepoint came after it.
 */
function checkpointOf({ desired, observed }: Situation, job: ClusterJob | undefined): string | null {
  const { retained, stranded, stop } = observed;
  if (retained.kind !== "found") return null;
  if (job === undefined) return stranded.kind === "none" ? retained.path : null;
  const isLastState = desired.kind === "running" && stopMode(desired) === "last_state";
  return isLastState && job.state !== "FINISHED" && stop.kind === "failed" ? retained.path : null;
}
