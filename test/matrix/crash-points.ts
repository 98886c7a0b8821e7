/** One moment of a command, as a person reads of it: docs/recovery.md is generated from these, and the matrix runs them. */
export interface CrashPoint {
  /** Goes on from "it dies while". */
  readonly point: string;
  /** What of it can be found afterwards, in the ledger and on the cluster. */
  readonly known: string;
  /** What the same command does when it is run again. */
  readonly next: string;
}

/** In the order of a deployment. `stop` and `submit` are Flink's; what is written goes to the ledger. */
export const crashPoints = {
  reach: {
    point: "asking the gateway and the JobManager for their versions",
    known: "Nothing was done.",
    next: "Begins anew.",
  },
  lock: {
    point: "taking the lock",
    known: "The lock may name the run that died. Nothing else was done.",
    next: "Takes the lock over: at once where it can be proven that the holder has ended (its process on this machine, an earlier attempt of the same workflow job), else once its lease has run out. So it does in every row below.",
  },
  look: {
    point: "looking at the cluster, with nothing begun",
    known: "The jobs run, or rest, as before.",
    next: "Begins anew.",
  },
  "begin-rollback": {
    point: "writing `rollback-begun`, of all jobs at once",
    known: "The jobs run, or rest, as before. The entries are there, or they are not.",
    next: "Begins anew: the same command finds the same deployment to go back to, and the same savepoints.",
  },
  prepare: {
    point: "preparing the new program: session, DDL, EXPLAIN",
    known:
      "The jobs run as before; nothing is written. The gateway keeps the session until its idle timeout. Pre-hooks may have run.",
    next: "Prepares the program anew, in a session of its own. Pre-hooks run again.",
  },
  "intend-stop": {
    point: "writing `stop-intended`",
    known:
      "The old job runs. The entry is there, with the job's id, a trigger id and the folder for the savepoint, or it is not.",
    next: "Without the entry: begins anew. With it: learns under the trigger id that nothing was asked for, and asks for the stop.",
  },
  stop: {
    point: "asking Flink to stop the old job with a savepoint",
    known: "`stop-intended`. The old job runs, or stops, or has ended with a savepoint in the intended folder.",
    next: "Asks what became of that trigger id. Where the job runs and nothing is known of it, asks for the stop again under the same id: Flink takes one savepoint for it, however often it is asked.",
  },
  cancel: {
    point: "asking Flink to cancel the old job (`stateless`, batch), or a submission that does not hold",
    known: "The intent. The job runs, or is being cancelled, or has ended.",
    next: "Cancels it where it lives, and goes on.",
  },
  "stop-status": {
    point: "waiting for the savepoint and for the old job's end",
    known: "`stop-intended`. The old job stops by itself.",
    next: "Goes on waiting under the same trigger id. When the JobManager has forgotten the answer (after five minutes), takes the savepoint in the intended folder that the ended job's own record names, or that lies there complete; where there is no such record and the folder cannot be listed, it ends with `needs-operator` and names the folder.",
  },
  "record-stop": {
    point:
      "writing `stopped` and, in the same write, what follows from it (`submit-intended`, or that it is suspended)",
    known: "The old job has ended. The savepoint's path is in the ledger, or is found as in the row above.",
    next: "Without the entries: learns the path and writes them. With them: submits, or has nothing left to do.",
  },
  "record-failure": {
    point: "writing `stop-failed` or `submit-failed`",
    known: "What Flink answered can be asked again; a job that failed shows that it did.",
    next: "Comes to the same answer, and writes it.",
  },
  "intend-submit": {
    point: "writing `submit-intended`",
    known:
      "No job of that name runs. The entry is there, with the new job's id, its program and the path to start from, or it is not.",
    next: "Without the entry: decides the same, with the same id, and writes it. With it: looks for that id, finds none, and submits.",
  },
  submit: {
    point: "submitting: sending the INSERT, or waiting for its answer",
    known: "`submit-intended`. Flink has the job, or will have it in a moment, or never got it.",
    next: "Looks for a job of that id. It is there: verifies it. It is not: prepares the program and submits it under the same id. Should the first INSERT arrive after all, Flink refuses one of the two. Putting the old job back is a submission like any other.",
  },
  "record-submitted": {
    point: "writing `submitted`",
    known: "The new job is on the cluster.",
    next: "Sees it there, writes `submitted` and verifies it.",
  },
  checkpoint: {
    point: "asking the new job for a checkpoint, where the next one would come too late",
    known: "`submitted`. The new job runs. One checkpoint more does no harm.",
    next: "Verifies it, and asks again where that is needed.",
  },
  verify: {
    point: "verifying the new job",
    known: "`submitted`. The new job runs, or fails.",
    next: "Verifies it, with the whole of its time limit. If it does not hold, the old job is put back from the same savepoint, unless the new one has completed a checkpoint.",
  },
  "record-running": {
    point: "writing that the new job holds (or has finished, or that nothing runs)",
    known: "The new job runs and holds.",
    next: "Without the entry: verifies it and writes it. With it: has nothing left to do.",
  },
  tidy: {
    point: "letting go of a statement or a session on the gateway",
    known: "As before it. The gateway lets go by itself after its idle timeout.",
    next: "As if it had been answered.",
  },
  unlock: {
    point: "releasing the lock",
    known: "Everything is done and written.",
    next: "Has nothing left to do.",
  },
} as const satisfies Readonly<Record<string, CrashPoint>>;

export type PointName = keyof typeof crashPoints;

export const pointNames = Object.keys(crashPoints) as readonly PointName[];

/** What else may break, with the command alive; in the order in which the matrix has them. */
export interface OtherFault {
  readonly fault: string;
  readonly during: string;
  readonly next: string;
}

export const otherFaults: readonly OtherFault[] = [
  {
    fault: "The network: connections are reset, answers are lost, cut off or never come, a proxy answers 500",
    during:
      "What can be looked up or is idempotent is asked again for 30 seconds; an INSERT whose answer is lost is looked for before it is sent again.",
    next: "Longer than that: `gateway-unreachable` or `jobmanager-unreachable`. The next run goes on as after a crash at that point.",
  },
  {
    fault: "The gateway dies and comes back",
    during:
      "Its sessions are gone: the program is prepared anew where it is still to be submitted. Running jobs do not notice.",
    next: "As above.",
  },
  {
    fault: "A TaskManager dies and another comes",
    during:
      "Flink restarts its jobs from their last checkpoint. A stop in that moment may fail: `savepoint-failed`, and the old job runs. A new job is watched until it holds.",
    next: "Begins anew, under a new trigger id.",
  },
  {
    fault: "The JobManager dies and comes back with its memory (high availability)",
    during: "Flink restarts its jobs from their last checkpoint; what became of a stop is forgotten.",
    next: "Asks for the stop again, as after a crash at that point. A job that had ended in that very moment may come back: it is stopped once more, or cancelled where the new one runs already. Such a JobManager takes the id of an ended job again, so a submission that was given up is not fenced off there.",
  },
  {
    fault: "The JobManager dies and comes back without its memory",
    during: "What ran is gone. A job that was stopped before is submitted to the new JobManager.",
    next: "A job that should run is not known: it goes on from the newest checkpoint in its folder (of this machine, or as `list-command` lists it). Where that cannot be listed: `needs-operator`, with what is known of its state.",
  },
  {
    fault: "The store does not confirm, or the disk is full",
    during: "An intent that is not confirmed has no effect. An outcome is written again for 30 seconds.",
    next: "`store-unconfirmed`. Goes on from what the ledger says, once it can be written again.",
  },
];
