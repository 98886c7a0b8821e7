import { expect, test } from "vitest";
import { nextSavingStep, type SavingSeen, type SavingStep } from "../../../src/deploy/saving.ts";
import { nothing, type RecordedJob, type Settled } from "../../../src/ledger/fold.ts";

const reference = { digest: "d1", value: "v1" };
const running: Settled = { kind: "running", jobId: "j1", reference, restored: null };
const suspended: Settled = { kind: "suspended", by: "command", reference, savepoint: "file:/s/savepoint-1" };
const taking = { kind: "savepoint-intended", jobId: "j1", triggerId: "t1", savepointFolder: "file:///s/f" } as const;
const recorded = (settled: Settled | null, more: Partial<RecordedJob> = {}): RecordedJob => ({
  ...nothing("totals"),
  settled,
  since: "e1",
  ...more,
});
const inHand = recorded(running, { taking });
const path = "file:/s/f/savepoint-abc";

const alive = { id: "j1", name: "totals", state: "RUNNING", allTasksRunning: true } as const;
const seen = (more: Partial<SavingSeen> = {}): SavingSeen => ({
  jobs: [alive],
  status: { kind: "unknown" },
  stored: { kind: "unknown" },
  waitedMs: 0,
  ...more,
});
const key = { environment: "test", deployment: "d1", job: "totals", since: "e1" };

interface Row {
  readonly given: string;
  readonly recorded: RecordedJob;
  readonly seen?: Partial<SavingSeen>;
  readonly mode?: "batch";
  readonly expected: { readonly do: SavingStep["do"] } & Readonly<Record<string, unknown>>;
}

test.each<Row>([
  {
    given: "a running job: the intent goes first",
    recorded: recorded(running),
    expected: { do: "record", fact: { kind: "savepoint-intended", jobId: "j1" }, isEnd: false },
  },
  {
    given: "an intent of which Flink knows nothing: it is asked, under the trigger id that is written down",
    recorded: inHand,
    expected: { do: "ask", request: { jobId: "j1", triggerId: "t1", savepointFolder: "file:///s/f" } },
  },
  {
    given: "tasks that do not all run yet: they are waited for",
    recorded: inHand,
    seen: { jobs: [{ ...alive, allTasksRunning: false }] },
    expected: { do: "wait", for: "the tasks of j1 to run" },
  },
  {
    given: "tasks that never run: Flink is asked all the same, and will say why not",
    recorded: inHand,
    seen: { jobs: [{ ...alive, allTasksRunning: false }], waitedMs: 30_000 },
    expected: { do: "ask" },
  },
  {
    given: "a savepoint under way",
    recorded: inHand,
    seen: { status: { kind: "in-progress" } },
    expected: { do: "wait" },
  },
  {
    given: "a savepoint that is done and there",
    recorded: inHand,
    seen: { status: { kind: "completed", savepoint: path }, stored: { kind: "found", path } },
    expected: { do: "record", fact: { kind: "savepoint-taken", jobId: "j1", path }, isEnd: true },
  },
  {
    given: "a savepoint that is done, in a folder that cannot be listed from here",
    recorded: inHand,
    seen: { status: { kind: "completed", savepoint: path } },
    expected: { do: "record", fact: { kind: "savepoint-taken", path }, isEnd: true },
  },
  {
    given: "a savepoint that Flink calls done and that is not there",
    recorded: inHand,
    seen: { status: { kind: "completed", savepoint: path }, stored: { kind: "none" } },
    expected: {
      do: "record",
      fact: {
        kind: "savepoint-missed",
        jobId: "j1",
        cause: `flink says that it is at ${path}, and no savepoint is there`,
      },
      isEnd: true,
    },
  },
  {
    given: "a savepoint that failed",
    recorded: inHand,
    seen: { status: { kind: "failed", cause: "disk full", savepoint: null } },
    expected: { do: "record", fact: { kind: "savepoint-missed", jobId: "j1", cause: "disk full" }, isEnd: true },
  },
  {
    given: "one of an earlier run that Flink forgot and the folder shows: it is noted, and a new one is taken",
    recorded: inHand,
    seen: { stored: { kind: "found", path } },
    expected: { do: "record", fact: { kind: "savepoint-taken", path }, isEnd: false },
  },
  {
    given: "one of an earlier run whose job has ended: it is noted as missed, and the job that runs now has its turn",
    recorded: recorded({ ...running, jobId: "j2" }, { taking }),
    seen: {
      jobs: [
        { ...alive, state: "FINISHED" },
        { ...alive, id: "j2" },
      ],
    },
    expected: { do: "record", fact: { kind: "savepoint-missed", jobId: "j1" }, isEnd: false },
  },
  {
    given: "a job that is gone",
    recorded: recorded(running),
    seen: { jobs: [] },
    expected: {
      do: "refuse",
      code: "job-down",
      message:
        "job j1 should run, but it is not known to the cluster any more; run `deploy`, which starts it again or says which path it needs",
    },
  },
  {
    given: "a suspended job: it has its savepoint",
    recorded: recorded(suspended),
    expected: {
      do: "leave",
      note: "it does not run (suspended), so there is nothing to take a savepoint of; it rests with file:/s/savepoint-1",
    },
  },
  {
    given: "a batch job",
    recorded: recorded(running),
    mode: "batch",
    expected: { do: "leave", note: "a batch job has no savepoint" },
  },
  {
    given: "a deployment in hand",
    recorded: recorded(running, { attempt: { deployment: "d", stop: null, stopped: null, submissions: [] } }),
    expected: { do: "refuse", code: "needs-operator" },
  },
])("$given", ({ recorded: job, seen: more, mode = null, expected }) => {
  expect(nextSavingStep(job, seen(more), { directory: "file:///s", key, mode })).toMatchObject(expected);
});
