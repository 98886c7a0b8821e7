import type { ErrorCode } from "../errors.ts";
import { normalisePath } from "../flink/paths.ts";
import type { Fact, JobReference } from "../ledger/entry.ts";
import type { Attempt, RecordedJob, Settled, Submission } from "../ledger/fold.ts";
import type { RuntimeMode, UpgradeMode } from "../project/job.ts";
import { type ClusterJob, hasEnded, type Progress, type StopStatus } from "./cluster.ts";
import { type AttemptKey, jobId, savepointFolder, triggerId } from "./ids.ts";
import { type VerifyLimits, verify } from "./verify.ts";

export type Desired =
  | {
      readonly kind: "running";
      readonly reference: JobReference;
      readonly upgradeMode: UpgradeMode;
      readonly runtimeMode: RuntimeMode;
      /** A savepoint path in the model's own config: for a job that has no state yet. */
      readonly startFrom: string | null;
    }
  | {
      readonly kind: "suspended";
      readonly by: "model" | "command";
      /** What to start when it is resumed; null leaves that as it is. */
      readonly reference: JobReference | null;
      readonly upgradeMode: UpgradeMode;
      readonly startFrom: string | null;
    }
  | { readonly kind: "removed" };

export interface Observed {
  /** Every job that the cluster knows, ended ones too. */
  readonly jobs: readonly ClusterJob[];
  /** Of the submission in hand. */
  readonly progress: Progress | null;
  readonly waitedMs: number;
  /** Since the submission in hand was first seen RUNNING without a break. */
  readonly steadyMs: number;
  /** Of the stop in hand. */
  readonly stop: StopStatus;
  /** What the stopped job's own record names. */
  readonly lastSavepoint: string | null;
}

export interface Settings {
  readonly environment: string;
  readonly deployment: string;
  readonly savepointDirectory: string | null;
  readonly verify: VerifyLimits;
  /** Whether the program that runs now can be sent again: its secrets are at hand. */
  readonly canPutBack: boolean;
  /** Of the program that runs now; null where the ledger does not know it. A batch job has no savepoint. */
  readonly settledMode: RuntimeMode | null;
}

export type Ending =
  | "unchanged"
  | "created"
  | "upgraded"
  | "resumed"
  | "suspended"
  | "removed"
  | "finished"
  | "rolled-back"
  | "failed";

/** One step; after each, everything is looked at again. `record` writes a fact and does nothing else. */
export type Step =
  | {
      readonly do: "record";
      readonly fact: Fact;
      readonly note?: string;
      readonly ends?: Ending;
      readonly cause?: string;
    }
  | { readonly do: "stop"; readonly jobId: string }
  | { readonly do: "cancel"; readonly jobId: string }
  | { readonly do: "submit"; readonly submission: Submission }
  | { readonly do: "wait"; readonly for: string }
  | { readonly do: "end"; readonly ending: Ending }
  | { readonly do: "refuse"; readonly code: ErrorCode; readonly message: string };

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
  const key: AttemptKey = {
    environment: settings.environment,
    deployment: attempt?.deployment ?? settings.deployment,
    job: name,
    since: settled?.entry ?? "",
  };
  if (attempt === null) return begin(name, desired, settled, observed, settings, key);
  const submission = attempt.submissions.at(-1);
  if (submission !== undefined)
    return afterSubmission(name, desired, settled, attempt, submission, observed, settings, key);
  if (attempt.stopped !== null) return afterStop(desired, settled, attempt.stopped.savepoint, key, 1);
  return whileStopping(name, attempt, observed);
}

const refuse = (code: ErrorCode, message: string): Step => ({ do: "refuse", code, message });

function begin(
  name: string,
  desired: Desired,
  settled: Settled | null,
  observed: Observed,
  settings: Settings,
  key: AttemptKey,
): Step {
  const known = settled !== null && (settled.kind === "running" || settled.kind === "finished") ? settled.jobId : null;
  const strangers = observed.jobs.filter((job) => job.name === name && !hasEnded(job.state) && job.id !== known);
  if (strangers.length > 1 || (strangers.length === 1 && settled !== null && settled.kind !== "removed")) {
    return refuse("needs-operator", strangersMessage(name, known, strangers));
  }
  const [stranger] = strangers;
  if (stranger !== undefined) {
    const note = `job ${stranger.id} runs under this name and is not in the ledger: taken over`;
    return { do: "record", fact: { kind: "adopted", jobId: stranger.id }, note };
  }
  if (settled === null) return beginFresh(desired, key);
  switch (settled.kind) {
    case "running":
      return beginRunning(name, desired, settled, observed, settings, key);
    case "finished":
      return beginFinished(desired, settled, key);
    case "suspended":
    case "removed":
    case "down":
      return beginAtRest(desired, settled, key);
  }
}

function strangersMessage(name: string, known: string | null, strangers: readonly ClusterJob[]): string {
  const ids = strangers.map((job) => `${job.id} (${job.state})`).join(", ");
  const ours = known === null ? "the ledger expects none" : `the ledger expects ${known}`;
  return `the cluster runs ${ids} under the name ${name}, but ${ours}; stop what does not belong there, with \`STOP JOB '<id>' WITH SAVEPOINT\`, then deploy again`;
}

function beginFresh(desired: Desired, key: AttemptKey): Step {
  switch (desired.kind) {
    case "running":
      return submitNew(desired, desired.startFrom, key, 1);
    case "suspended": {
      const { by, reference, startFrom } = desired;
      return { do: "record", fact: { kind: "suspended", by, reference, savepoint: startFrom }, ends: "suspended" };
    }
    case "removed":
      return { do: "end", ending: "unchanged" };
  }
}

function beginRunning(
  name: string,
  desired: Desired,
  settled: Extract<Settled, { kind: "running" }>,
  observed: Observed,
  settings: Settings,
  key: AttemptKey,
): Step {
  const job = observed.jobs.find((one) => one.id === settled.jobId);
  const unchanged = desired.kind === "running" && desired.reference.digest === settled.reference?.digest;
  if (job === undefined || hasEnded(job.state)) {
    if (job?.state === "FINISHED" && desired.kind === "running" && unchanged) {
      return {
        do: "record",
        fact: { kind: "finished", jobId: job.id, reference: desired.reference },
        ends: "finished",
      };
    }
    return vanished(name, desired, settled, job, key);
  }
  if (unchanged) {
    if (settled.reference?.value === desired.reference.value) return { do: "end", ending: "unchanged" };
    const fact = { kind: "running", jobId: job.id, reference: desired.reference, restored: null } as const;
    return {
      do: "record",
      fact,
      ends: "unchanged",
      note: "only its upgrade mode or its file changed; the job is left alone",
    };
  }
  const keepsState = desired.kind !== "running" || desired.upgradeMode !== "stateless";
  const withSavepoint = keepsState && settings.settledMode !== "batch";
  if (withSavepoint && settings.savepointDirectory === null) {
    return refuse(
      "savepoint-dir-missing",
      `${name} must be stopped with a savepoint, and \`savepoint-dir\` is not set`,
    );
  }
  return {
    do: "record",
    fact: {
      kind: "stop-intended",
      purpose: desired.kind === "running" ? "upgrade" : desired.kind === "suspended" ? "suspend" : "remove",
      jobId: job.id,
      triggerId: triggerId(key),
      withSavepoint,
      savepointFolder:
        withSavepoint && settings.savepointDirectory !== null
          ? savepointFolder(settings.savepointDirectory, key)
          : null,
    },
  };
}

/** A job of ours that is not there any more: never started again on its own, for nobody knows what state it left. */
function vanished(
  name: string,
  desired: Desired,
  settled: Extract<Settled, { kind: "running" }>,
  job: ClusterJob | undefined,
  key: AttemptKey,
): Step {
  const how = job === undefined ? "the cluster does not know it any more" : `it is ${job.state}`;
  if (desired.kind === "removed") {
    return { do: "record", fact: { kind: "removed", reference: settled.reference, savepoint: null }, ends: "removed" };
  }
  if (desired.kind === "running" && desired.startFrom !== null) return submitNew(desired, desired.startFrom, key, 1);
  if (desired.kind === "running" && desired.upgradeMode === "stateless") return submitNew(desired, null, key, 1);
  return refuse(
    "needs-operator",
    `job ${settled.jobId} of ${name} should run, but ${how}; find its newest savepoint or checkpoint, put its path into the model's execution_config as execution.savepoint.path, and deploy again`,
  );
}

function beginFinished(desired: Desired, settled: Extract<Settled, { kind: "finished" }>, key: AttemptKey): Step {
  if (desired.kind === "removed") {
    return { do: "record", fact: { kind: "removed", reference: settled.reference, savepoint: null }, ends: "removed" };
  }
  if (desired.kind === "suspended" || desired.reference.digest === settled.reference.digest) {
    return { do: "end", ending: "unchanged" };
  }
  if (desired.runtimeMode === "batch" || desired.upgradeMode === "stateless" || desired.startFrom !== null) {
    return submitNew(desired, desired.startFrom, key, 1);
  }
  return refuse(
    "needs-operator",
    `job ${settled.jobId} read its sources to their end and left no savepoint, so the changed job would read everything again; set upgrade_mode to stateless, or execution.savepoint.path in the model's execution_config, if that is meant`,
  );
}

function beginAtRest(desired: Desired, settled: Exclude<Settled, { jobId: string }>, key: AttemptKey): Step {
  switch (desired.kind) {
    case "suspended":
      return suspendAtRest(desired, settled);
    case "removed":
      if (settled.kind === "removed") return { do: "end", ending: "unchanged" };
      return {
        do: "record",
        fact: { kind: "removed", reference: settled.reference, savepoint: settled.savepoint },
        ends: "removed",
      };
    case "running":
      return submitNew(desired, restoreAtRest(desired, settled), key, 1);
  }
}

/** It stays suspended; a changed program takes effect when it is resumed. */
function suspendAtRest(
  desired: Extract<Desired, { kind: "suspended" }>,
  settled: Exclude<Settled, { jobId: string }>,
): Step {
  const reference = desired.reference ?? settled.reference;
  const sameProgram = reference?.value === settled.reference?.value;
  if (settled.kind === "suspended" && sameProgram && settled.by === desired.by)
    return { do: "end", ending: "unchanged" };
  const leftBehind = desired.upgradeMode === "stateless" && reference?.digest !== settled.reference?.digest;
  return {
    do: "record",
    fact: {
      kind: "suspended",
      by: desired.by,
      reference,
      savepoint: leftBehind ? desired.startFrom : settled.savepoint,
    },
    ends: settled.kind === "suspended" ? "unchanged" : "suspended",
    ...(sameProgram ? {} : { note: "it stays suspended; the change takes effect when it is resumed" }),
  };
}

/** A job at rest starts again with its state; only a changed job under `stateless` leaves it behind. */
function restoreAtRest(
  desired: Extract<Desired, { kind: "running" }>,
  settled: Exclude<Settled, { jobId: string }>,
): string | null {
  const changed = settled.reference?.digest !== desired.reference.digest;
  if (changed && desired.upgradeMode === "stateless") return desired.startFrom;
  return settled.savepoint ?? desired.startFrom;
}

function submitNew(
  desired: Extract<Desired, { kind: "running" }>,
  restore: string | null,
  key: AttemptKey,
  number: number,
): Step {
  return {
    do: "record",
    fact: { kind: "submit-intended", role: "new", jobId: jobId(key, number), reference: desired.reference, restore },
  };
}

function whileStopping(name: string, attempt: Attempt, observed: Observed): Step {
  const stop = attempt.stop;
  if (stop === null) throw new Error(`the attempt at ${name} has neither a stop nor a submission`);
  const job = observed.jobs.find((one) => one.id === stop.jobId);
  const ended = job === undefined || hasEnded(job.state);
  if (!stop.withSavepoint) {
    if (ended) return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: null } };
    return job.state === "CANCELLING"
      ? { do: "wait", for: `${stop.jobId} to end` }
      : { do: "cancel", jobId: stop.jobId };
  }
  switch (observed.stop.kind) {
    case "completed":
      if (!ended) return { do: "wait", for: `${stop.jobId} to end` };
      if (observed.stop.savepoint === null) break;
      return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: observed.stop.savepoint } };
    case "in-progress":
      return { do: "wait", for: `the savepoint of ${stop.jobId}` };
    case "failed":
      if (ended) break;
      return {
        do: "record",
        fact: { kind: "stop-failed", jobId: stop.jobId, cause: observed.stop.cause },
        ends: "failed",
        cause: observed.stop.cause,
      };
    case "unknown":
      if (!ended) return { do: "stop", jobId: stop.jobId };
      break;
  }
  if (observed.lastSavepoint !== null && isInside(observed.lastSavepoint, stop.savepointFolder)) {
    return { do: "record", fact: { kind: "stopped", jobId: stop.jobId, savepoint: observed.lastSavepoint } };
  }
  const why = observed.stop.kind === "failed" ? `: ${observed.stop.cause}` : "";
  return refuse(
    "needs-operator",
    `job ${stop.jobId} of ${name} has ended (${job?.state ?? "the cluster does not know it any more"}) and nothing tells its savepoint${why}; it lies under ${stop.savepointFolder} if it was completed: put the path into the model's execution_config as execution.savepoint.path and deploy again`,
  );
}

function isInside(path: string, folder: string | null): boolean {
  return folder !== null && normalisePath(path).startsWith(`${normalisePath(folder)}/`);
}

function afterStop(
  desired: Desired,
  settled: Settled | null,
  savepoint: string | null,
  key: AttemptKey,
  number: number,
): Step {
  const reference = settled !== null ? settled.reference : null;
  switch (desired.kind) {
    case "suspended":
      return { do: "record", fact: { kind: "suspended", by: desired.by, reference, savepoint }, ends: "suspended" };
    case "removed":
      return { do: "record", fact: { kind: "removed", reference, savepoint }, ends: "removed" };
    case "running":
      return submitNew(desired, desired.upgradeMode === "stateless" ? null : savepoint, key, number);
  }
}

function afterSubmission(
  name: string,
  desired: Desired,
  settled: Settled | null,
  attempt: Attempt,
  submission: Submission,
  observed: Observed,
  settings: Settings,
  key: AttemptKey,
): Step {
  const job = observed.jobs.find((one) => one.id === submission.jobId);
  if (submission.failure !== null) {
    if (job !== undefined && !hasEnded(job.state)) {
      return job.state === "CANCELLING" ? { do: "wait", for: `${job.id} to end` } : { do: "cancel", jobId: job.id };
    }
    return afterFailure(desired, settled, attempt, submission, settings, key);
  }
  const wanted =
    submission.role === "put-back" ||
    (desired.kind === "running" && desired.reference.value === submission.reference.value);
  if (job === undefined) {
    if (wanted && observed.progress === null) return { do: "submit", submission };
    return failed(submission, "another change came before it was submitted");
  }
  const verdict = verify(
    job,
    submission.restore,
    desired.kind === "running" ? desired.runtimeMode : "streaming",
    observed,
    settings.verify,
  );
  switch (verdict.kind) {
    case "wait":
      return { do: "wait", for: verdict.for };
    case "finished":
      return {
        do: "record",
        fact: { kind: "finished", jobId: job.id, reference: submission.reference },
        ends: submission.role === "put-back" ? "rolled-back" : "finished",
      };
    case "holds": {
      const fact = {
        kind: "running",
        jobId: job.id,
        reference: submission.reference,
        restored: submission.restore,
      } as const;
      const ends = submission.role === "put-back" ? "rolled-back" : endingOf(settled);
      return verdict.note === null ? { do: "record", fact, ends } : { do: "record", fact, ends, note: verdict.note };
    }
    case "fails":
      if (submission.restore !== null && (observed.progress?.completedCheckpoints ?? 0) > 0) {
        return refuse(
          "needs-operator",
          `job ${job.id} of ${name} does not hold (${verdict.cause}), but it has completed a checkpoint, so records after ${submission.restore} are already out: starting the old job from that savepoint would send them twice. Mend the cause and deploy again, or choose a path and set execution.savepoint.path in the model's execution_config`,
        );
      }
      return failed(submission, verdict.cause);
  }
}

function endingOf(settled: Settled | null): Ending {
  if (settled === null || settled.kind === "removed") return "created";
  return settled.kind === "suspended" ? "resumed" : "upgraded";
}

function failed(submission: Submission, cause: string): Step {
  return { do: "record", fact: { kind: "submit-failed", jobId: submission.jobId, cause } };
}

/** Put the old job back from the same savepoint; where there is none to put back, rest where the job rested before. */
function afterFailure(
  desired: Desired,
  settled: Settled | null,
  attempt: Attempt,
  submission: Submission,
  settings: Settings,
  key: AttemptKey,
): Step {
  const cause = submission.failure ?? "";
  const number = attempt.submissions.length + 1;
  const savepoint = attempt.stopped?.savepoint ?? submission.restore;
  const superseded =
    submission.role === "new" && desired.kind === "running" && desired.reference.value !== submission.reference.value;
  if (superseded) return submitNew(desired, submission.restore, key, number);
  if (desired.kind !== "running") return afterStop(desired, settled, savepoint, key, number);
  if (submission.role === "new" && settled?.kind === "running" && settled.reference !== null && settings.canPutBack) {
    return {
      do: "record",
      fact: {
        kind: "submit-intended",
        role: "put-back",
        jobId: jobId(key, number),
        reference: settled.reference,
        restore: savepoint,
      },
      note: `the new job does not hold: ${cause}; putting the old one back`,
    };
  }
  if (settled?.kind === "suspended") {
    return {
      do: "record",
      fact: { kind: "suspended", by: settled.by, reference: settled.reference, savepoint: settled.savepoint },
      ends: "failed",
      cause: `${cause}; the job stays suspended with its savepoint`,
    };
  }
  const fact = { kind: "down", reference: settled?.reference ?? null, savepoint, cause } as const;
  return { do: "record", fact, ends: "failed", cause };
}
