import { byOrder, type Entry, type Fact, type JobReference } from "./entry.ts";

/** Where a job rests between deployments. */
export type Settled =
  | {
      readonly kind: "running";
      readonly jobId: string;
      readonly reference: JobReference | null;
      /** The savepoint it was started from; null where it started empty or was taken over. */
      readonly restored: string | null;
    }
  | { readonly kind: "finished"; readonly jobId: string; readonly reference: JobReference }
  | {
      readonly kind: "suspended";
      readonly by: "model" | "command";
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
      /** The program that took the savepoint, where that is not `reference`; null where a person named the path. */
      readonly of?: JobReference | null;
    }
  | {
      readonly kind: "removed" | "down";
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
    };

type Of<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

/** What was begun since the job last rested. Submissions are in order; the last one without a failure is in hand. */
export interface Attempt {
  readonly deployment: string;
  readonly stop: Of<"stop-intended"> | null;
  readonly stopped: Of<"stopped"> | null;
  readonly submissions: readonly Submission[];
}

export interface Submission extends Of<"submit-intended"> {
  /** The cluster was seen to have it. */
  readonly accepted: boolean;
  readonly failure: string | null;
}

export interface RecordedJob {
  readonly name: string;
  readonly settled: Settled | null;
  readonly attempt: Attempt | null;
  /** The entry that ended the last attempt, "" before the first: ids of the next one are derived from it. */
  readonly since: string;
  /** The newest checkpoint that was noted, of whichever job it was seen of. */
  readonly checkpoint: NotedState | null;
  /** The newest state that was noted: that checkpoint, or a savepoint that was taken of the running job since. */
  readonly noted: NotedState | null;
  /** A savepoint that was asked for while the job runs on, and of which nothing is known yet. */
  readonly taking: Of<"savepoint-intended"> | null;
  /** The name this job's state moved to by a rename, if it did. */
  readonly movedTo: string | null;
  /** The dbt project it belongs to; an environment may hold the jobs of several. */
  readonly project: string | null;
  /** The commit that its program came with, null where that is not known; and when it was settled. For people. */
  readonly commit: string | null;
  readonly at: string | null;
}

export interface NotedState {
  readonly jobId: string;
  readonly path: string;
  /** ISO 8601: when it was seen. */
  readonly at: string;
}

/** The program whose state a resting job's savepoint holds; null where it is not known or a person named the path. */
export function takenBy(settled: Exclude<Settled, { jobId: string }>): JobReference | null {
  return settled.kind === "suspended" && settled.of !== undefined ? settled.of : settled.reference;
}

export type Deployed = ReadonlyMap<string, RecordedJob>;

export const nothing = (name: string): RecordedJob => ({
  name,
  settled: null,
  attempt: null,
  since: "",
  checkpoint: null,
  noted: null,
  taking: null,
  movedTo: null,
  project: null,
  commit: null,
  at: null,
});

/**
 * What an environment's entries say is deployed; they may come in any order and more than once. `before` is what all
 * earlier ones said. Pure.
 */
export function fold(entries: readonly Entry[], before: Deployed = new Map()): Deployed {
  const deployed = new Map<string, RecordedJob>(before);
  const unique = new Map(entries.map((entry) => [entry.id, entry]));
  for (const entry of [...unique.values()].sort(byOrder)) {
    const recorded = deployed.get(entry.job) ?? nothing(entry.job);
    if (entry.fact.kind === "renamed") {
      const source = deployed.get(entry.fact.from) ?? nothing(entry.fact.from);
      deployed.set(entry.job, { ...source, name: entry.job, movedTo: null });
      deployed.set(entry.fact.from, { ...nothing(entry.fact.from), movedTo: entry.job });
    } else {
      deployed.set(entry.job, apply(recorded, entry, entry.fact));
    }
  }
  return deployed;
}

function apply(recorded: RecordedJob, entry: Entry, fact: Exclude<Fact, { kind: "renamed" }>): RecordedJob {
  const settle = (settled: Settled): RecordedJob => ({
    name: recorded.name,
    settled,
    attempt: null,
    since: entry.id,
    checkpoint: recorded.checkpoint,
    noted: recorded.noted,
    taking: recorded.taking,
    movedTo: null,
    // Suspending and resuming deploy no project and no commit.
    project: entry.project ?? recorded.project,
    commit: commitOf(recorded, entry, settled),
    at: entry.at,
  });
  const attempt = recorded.attempt ?? { deployment: entry.deployment, stop: null, stopped: null, submissions: [] };
  const go = (next: Partial<Attempt>): RecordedJob => ({
    ...recorded,
    project: entry.project ?? recorded.project,
    movedTo: null,
    attempt: { ...attempt, ...next },
  });
  switch (fact.kind) {
    case "adopted":
      return settle({ kind: "running", jobId: fact.jobId, reference: null, restored: null });
    case "running":
      return settle({
        kind: "running",
        jobId: fact.jobId,
        reference: fact.reference,
        restored: fact.restored,
      });
    case "checkpointed":
      return { ...recorded, checkpoint: notedIn(fact, entry), noted: notedIn(fact, entry) };
    case "savepoint-intended":
      return { ...recorded, taking: fact };
    case "savepoint-taken": {
      const isOfThis = recorded.settled?.kind === "running" && recorded.settled.jobId === fact.jobId;
      return { ...recorded, taking: null, ...(isOfThis ? { noted: notedIn(fact, entry) } : {}) };
    }
    case "savepoint-missed":
      return { ...recorded, taking: null };
    case "disposed":
      return recorded;
    case "finished":
      return settle({ kind: "finished", jobId: fact.jobId, reference: fact.reference });
    case "suspended":
      return settle({
        kind: "suspended",
        by: fact.by,
        reference: fact.reference,
        savepoint: fact.savepoint,
        ...(fact.of === undefined ? {} : { of: fact.of }),
      });
    case "removed":
    case "down":
      return settle({ kind: fact.kind, reference: fact.reference, savepoint: fact.savepoint });
    case "stop-intended":
      return go({ deployment: entry.deployment, stop: fact, stopped: null, submissions: [] });
    case "stop-failed":
      return { ...recorded, attempt: null, since: entry.id };
    case "stopped":
      return go({ stopped: fact });
    case "submit-intended":
      return go({ submissions: [...attempt.submissions, { ...fact, accepted: false, failure: null }] });
    case "submitted":
      return go({ submissions: changed(attempt.submissions, fact.jobId, { accepted: true }) });
    case "submit-failed":
      return go({ submissions: changed(attempt.submissions, fact.jobId, { failure: fact.cause }) });
    case "rollback-begun":
      return recorded;
  }
}

const notedIn = ({ jobId, path }: Of<"checkpointed" | "savepoint-taken">, { at }: Entry): NotedState => ({
  jobId,
  path,
  at,
});

/** A put-back brings the program of an earlier commit, and a job that was taken over one of no commit that is known. */
function commitOf(recorded: RecordedJob, entry: Entry, settled: Settled): string | null {
  const { settled: before, commit } = recorded;
  if (settled.reference === null) return null;
  const wasRemoved = before?.kind === "removed" || settled.kind === "removed";
  const isSameProgram = !wasRemoved && before?.reference?.value === settled.reference.value;
  return isSameProgram ? commit : (entry.commit ?? commit);
}

function changed(
  submissions: readonly Submission[],
  jobId: string,
  change: Partial<Pick<Submission, "accepted" | "failure">>,
): readonly Submission[] {
  return submissions.map((submission) => (submission.jobId === jobId ? { ...submission, ...change } : submission));
}
