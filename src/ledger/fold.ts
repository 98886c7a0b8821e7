import { byOrder, type Entry, type Fact, type JobReference } from "./entry.ts";

/** Where a job rests between deployments; `entry` is the id of the entry that says so. */
export type Settled =
  | {
      readonly kind: "running";
      readonly jobId: string;
      readonly reference: JobReference | null;
      /** The savepoint it was started from; null where it started empty or was taken over. */
      readonly restored: string | null;
      readonly entry: string;
    }
  | { readonly kind: "finished"; readonly jobId: string; readonly reference: JobReference; readonly entry: string }
  | {
      readonly kind: "suspended";
      readonly by: "model" | "command";
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
      readonly entry: string;
    }
  | {
      readonly kind: "removed" | "down";
      readonly reference: JobReference | null;
      readonly savepoint: string | null;
      readonly entry: string;
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
  readonly failure: string | null;
}

export interface RecordedJob {
  readonly name: string;
  readonly settled: Settled | null;
  readonly attempt: Attempt | null;
  /** The name this job's state moved to by a rename, if it did. */
  readonly movedTo: string | null;
  /** The commit and time of the entry that settled it, for people. */
  readonly commit: string | null;
  readonly at: string | null;
}

export type Deployed = ReadonlyMap<string, RecordedJob>;

const nothing = (name: string): RecordedJob => ({
  name,
  settled: null,
  attempt: null,
  movedTo: null,
  commit: null,
  at: null,
});

/** What an environment's entries say is deployed. Pure; entries may come in any order and more than once. */
export function fold(entries: readonly Entry[]): Deployed {
  const deployed = new Map<string, RecordedJob>();
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
    movedTo: null,
    commit: entry.commit,
    at: entry.at,
  });
  const attempt = recorded.attempt ?? { deployment: entry.deployment, stop: null, stopped: null, submissions: [] };
  const go = (next: Partial<Attempt>): RecordedJob => ({
    ...recorded,
    movedTo: null,
    attempt: { ...attempt, ...next },
  });
  switch (fact.kind) {
    case "adopted":
      return settle({ kind: "running", jobId: fact.jobId, reference: null, restored: null, entry: entry.id });
    case "running":
      return settle({
        kind: "running",
        jobId: fact.jobId,
        reference: fact.reference,
        restored: fact.restored,
        entry: entry.id,
      });
    case "finished":
      return settle({ kind: "finished", jobId: fact.jobId, reference: fact.reference, entry: entry.id });
    case "suspended":
      return settle({
        kind: "suspended",
        by: fact.by,
        reference: fact.reference,
        savepoint: fact.savepoint,
        entry: entry.id,
      });
    case "removed":
    case "down":
      return settle({ kind: fact.kind, reference: fact.reference, savepoint: fact.savepoint, entry: entry.id });
    case "stop-intended":
      return go({ deployment: entry.deployment, stop: fact, stopped: null, submissions: [] });
    case "stop-failed":
      return { ...recorded, attempt: null };
    case "stopped":
      return go({ stopped: fact });
    case "submit-intended":
      return go({ submissions: [...attempt.submissions, { ...fact, failure: null }] });
    case "submit-failed":
      return go({
        submissions: attempt.submissions.map((submission) =>
          submission.jobId === fact.jobId ? { ...submission, failure: fact.cause } : submission,
        ),
      });
  }
}
