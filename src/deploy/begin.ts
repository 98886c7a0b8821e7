import type { Settled } from "../ledger/fold.ts";
import { beginAtRest, restBack, submitNew } from "./at-rest.ts";
import { type ClusterJob, hasEnded } from "./cluster.ts";
import { savepointFolder, triggerId } from "./ids.ts";
import { type Desired, mayStartEmpty, nameAPath, refuse, type Situation, type Step, stopMode } from "./step.ts";
import { vanished } from "./vanished.ts";

type Running = Extract<Settled, { kind: "running" }>;

/** The first step for a job that rests as the ledger says, with nothing begun. Pure. */
export function begin(situation: Situation): Step {
  const { name, settled, observed } = situation;
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
  switch (settled?.kind) {
    case undefined:
      return beginFresh(situation);
    case "running":
      return beginRunning(situation, settled);
    case "finished":
      return beginFinished(situation, settled);
    case "suspended":
    case "removed":
    case "down":
      return beginAtRest(situation, settled);
  }
}

function strangersMessage(name: string, known: string | null, strangers: readonly ClusterJob[]): string {
  const ids = strangers.map((job) => `${job.id} (${job.state})`).join(", ");
  const ours = known === null ? "the ledger expects none" : `the ledger expects ${known}`;
  return `the cluster runs ${ids} under the name ${name}, but ${ours}; stop what does not belong there, with \`STOP JOB '<id>' WITH SAVEPOINT\`, then deploy again`;
}

function beginFresh({ desired, key }: Situation): Step {
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

function beginRunning(situation: Situation, settled: Running): Step {
  const { desired, observed } = situation;
  const job = observed.jobs.find((one) => one.id === settled.jobId);
  if (job === undefined || hasEnded(job.state)) return endedByItself(situation, settled, job);
  if (desired.kind !== "running" || desired.reference.digest !== settled.reference?.digest) {
    return intendStop(situation, job.id);
  }
  if (settled.reference.value === desired.reference.value) return { do: "end", ending: "unchanged" };
  return {
    do: "record",
    fact: { kind: "running", jobId: job.id, reference: desired.reference, restored: settled.restored },
    ends: "unchanged",
    note: "only what does not reach Flink changed (its upgrade mode, its file); the job is left alone",
  };
}

function intendStop(situation: Situation, jobId: string): Step {
  const { name, desired, settings, key } = situation;
  const keepsState = desired.kind !== "running" || stopMode(desired) !== "stateless";
  const hasState = keepsState && settings.settledMode !== "batch";
  const keepsCheckpoint = hasState && goesOnFromCheckpoint(situation);
  const withSavepoint = hasState && !keepsCheckpoint;
  if (withSavepoint && settings.savepointDirectory === null) {
    return refuse(
      "savepoint-dir-missing",
      `${name} must be stopped with a savepoint, and \`savepoint-dir\` is not set`,
    );
  }
  const fact = {
    kind: "stop-intended",
    purpose: desired.kind === "running" ? "upgrade" : desired.kind === "suspended" ? "suspend" : "remove",
    jobId,
    triggerId: triggerId(key),
    withSavepoint,
    ...(keepsCheckpoint ? { keepsCheckpoint } : {}),
    savepointFolder:
      withSavepoint && settings.savepointDirectory !== null ? savepointFolder(settings.savepointDirectory, key) : null,
  } as const;
  const notes = desired.kind === "running" ? notesOfUpgrade(situation, desired) : [];
  return { do: "record", fact, ...(notes.length === 0 ? {} : { note: notes.join("; ") }) };
}

/** Under `last_state`, where a checkpoint is there that outlives the job's cancellation. */
function goesOnFromCheckpoint({ desired, observed }: Situation): boolean {
  if (desired.kind !== "running" || stopMode(desired) !== "last_state" || observed.retention === null) return false;
  return observed.retention.survivesCancel && observed.retention.hasCheckpoint;
}

/** What a person should know of an upgrade before the old job is stopped. */
function notesOfUpgrade(
  { settled, settings, observed }: Situation,
  desired: Extract<Desired, { kind: "running" }>,
): readonly string[] {
  const { startFrom, upgradeMode } = desired;
  const path =
    startFrom === null
      ? []
      : upgradeMode === "stateless"
        ? [`the new job starts from ${startFrom}, which its execution_config names, without the running job's state`]
        : [`${startFrom} in its execution_config is not used: the running job has its state`];
  const { retention } = observed;
  const isTransient = stopMode(desired) === "last_state" && retention !== null && !retention.survivesCancel;
  const transient =
    "its checkpoints do not outlive a cancellation (execution.checkpointing.externalized-checkpoint-retention is not RETAIN_ON_CANCELLATION), so it is stopped with a savepoint";
  const isSealed = !settings.canPutBack && settled?.kind === "running" && settled.reference !== null;
  const sealed = "should the new job not hold, the old one cannot be put back: a secret of its program is not at hand";
  return [...path, ...(isTransient ? [transient] : []), ...(isSealed ? [sealed] : [])];
}

/** A job of ours that does not run any more: never started again on its own, where its state is not proven. */
function endedByItself(situation: Situation, settled: Running, job: ClusterJob | undefined): Step {
  const { desired, observed, key } = situation;
  if (desired.kind === "removed") {
    const { lastSavepoint: last, retained } = observed;
    const left = retained.kind === "found" ? retained.path : null;
    const savepoint = last.kind === "known" && last.isNewest ? last.path : left;
    return { do: "record", fact: { kind: "removed", reference: settled.reference, savepoint }, ends: "removed" };
  }
  if (desired.startFrom !== null) {
    if (desired.kind === "running") return submitNew(desired, desired.startFrom, key, 1);
    const { by, reference, startFrom } = desired;
    return {
      do: "record",
      fact: { kind: "suspended", by, reference: reference ?? settled.reference, savepoint: startFrom },
      ends: "suspended",
    };
  }
  if (desired.kind === "running" && desired.rewind !== null) return goneBefore(situation, settled, job);
  const isRestart = mayStartEmpty(desired);
  const isUntold = observed.lastSavepoint.kind === "unknown" && situation.settings.settledMode !== "batch";
  const isChanged = desired.kind === "running" && desired.reference.digest !== settled.reference?.digest;
  if (job?.state === "FINISHED" && !(isUntold && isRestart && isChanged)) {
    return isUntold ? finishedUntold(situation, job.id) : finishedByItself(situation, settled, job.id);
  }
  return vanished(situation, settled, job);
}

/** What it left is kept, as if it had been stopped now; where nothing tells that, there is no way forward to it again. */
function goneBefore({ desired, observed }: Situation, settled: Running, job: ClusterJob | undefined): Step {
  if (desired.kind !== "running" || desired.rewind === null) throw new Error("nothing is gone back to");
  const { lastSavepoint: last, retained } = observed;
  const newest = last.kind === "known" && last.isNewest ? last.path : null;
  const savepoint = newest ?? (retained.kind === "found" ? retained.path : null);
  const how = job === undefined ? "the cluster does not know it any more" : `it is ${job.state}`;
  if (savepoint !== null) {
    const note = `job ${settled.jobId} runs no more (${how}); it left ${savepoint}`;
    return { do: "record", fact: { kind: "stopped", jobId: settled.jobId, savepoint }, note };
  }
  if (job !== undefined && observed.endedMs < observed.lagMs) return { do: "wait", for: `the last word on ${job.id}` };
  return restBack(desired, desired.rewind, `job ${settled.jobId} runs no more (${how}), and nothing tells its state`);
}

/** A job that was stopped with a savepoint is FINISHED like one that read its sources to their end. */
function finishedUntold({ name, observed }: Situation, jobId: string): Step {
  if (observed.endedMs < observed.lagMs) return { do: "wait", for: `the last word on ${jobId}` };
  const whoTells = observed.seesProgress ? "the JobManager does not tell" : "only `jobmanager-url` can tell";
  return refuse(
    "needs-operator",
    `job ${jobId} of ${name} should run, but it is FINISHED, and ${whoTells} whether it read its sources to their end or someone stopped it with a savepoint; to start from that one, ${nameAPath}`,
  );
}

/** Either it read its sources to their end, or someone stopped it: then its newest snapshot is a savepoint. */
function finishedByItself({ name, desired, observed }: Situation, settled: Running, jobId: string): Step {
  const { lastSavepoint: last } = observed;
  if (last.kind === "known" && last.isNewest) {
    if (observed.endedMs < observed.lagMs) return { do: "wait", for: `the last word on ${jobId}` };
    return refuse(
      "needs-operator",
      `job ${jobId} of ${name} should run, but someone stopped it, with savepoint ${last.path}; to start from there, ${nameAPath}`,
    );
  }
  // Only a known program can have finished; one that was taken over is recorded as the one that is wanted.
  const reference = settled.reference ?? (desired.kind === "running" ? desired.reference : null);
  if (reference === null) {
    return refuse("needs-operator", `job ${jobId} of ${name} has finished, and the ledger does not know its program`);
  }
  const fact = { kind: "finished", jobId, reference } as const;
  const isWanted = desired.kind === "running" && desired.reference.digest === reference.digest;
  return isWanted
    ? { do: "record", fact, ends: "finished" }
    : { do: "record", fact, note: `job ${jobId} has finished` };
}

function beginFinished({ desired, key }: Situation, settled: Extract<Settled, { kind: "finished" }>): Step {
  if (desired.kind === "removed") {
    return { do: "record", fact: { kind: "removed", reference: settled.reference, savepoint: null }, ends: "removed" };
  }
  if (desired.kind === "suspended" || desired.reference.digest === settled.reference.digest) {
    return { do: "end", ending: "unchanged" };
  }
  if (desired.rewind !== null && desired.runtimeMode !== "batch") {
    return restBack(desired, desired.rewind, `job ${settled.jobId} read its sources to their end`);
  }
  if (desired.runtimeMode === "batch" || mayStartEmpty(desired) || desired.startFrom !== null) {
    return submitNew(desired, desired.startFrom, key, 1);
  }
  return refuse(
    "needs-operator",
    `job ${settled.jobId} read its sources to their end and left no savepoint, so the changed job would read everything again; set \`allow-fresh-start\`, or execution.savepoint.path in the model's execution_config, if that is meant`,
  );
}
