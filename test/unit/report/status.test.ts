import { describe, expect, test } from "vitest";
import type { ClusterJob, Health } from "../../../src/deploy/cluster.ts";
import type { Fact } from "../../../src/ledger/entry.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { renderStatus } from "../../../src/report/status.ts";
import { type StatusRow, statusRow } from "../../../src/report/status-row.ts";
import { entry, reference } from "../ledger/entries.ts";

const jobId = "1".repeat(32);
const now = Date.parse("2026-01-10T12:00:00.000Z");
const ago = (seconds: number) => now - seconds * 1_000;
const checkpoint = "file:/c/1/chk-7";
const savepoint = "file:/s/totals/1/savepoint-1";

const runs: Fact = { kind: "running", jobId, reference, restored: savepoint };
const alive: ClusterJob = { id: jobId, name: "totals", state: "RUNNING", allTasksRunning: true };
const healthy: Health = {
  now,
  startedAt: ago(3 * 24 * 3600 + 4 * 3600),
  newestCheckpoint: { path: checkpoint, at: ago(12), stateSize: 1_234_567 },
  checkpointIntervalMs: 10_000,
  failuresSince: 0,
  lastFailure: null,
};

interface Seen {
  readonly facts?: readonly Fact[];
  readonly jobs?: readonly ClusterJob[];
  readonly health?: Health | null;
  readonly warning?: string;
}

function row({ facts = [runs], jobs = [alive], health = healthy, warning }: Seen = {}): StatusRow {
  const entries = facts.map((fact, at) => entry(fact, { sequence: at + 1, commit: "c".repeat(40) }));
  const recorded = fold(entries).get("totals") ?? null;
  return statusRow({ name: "totals", recorded, jobs, health, warning: warning ?? null });
}

describe("of a job that runs, its row tells", () => {
  test("since when it is up, its newest checkpoint with age, path and size, and where it would start from", () => {
    expect(row()).toMatchObject({
      recorded: "running",
      clusterState: "RUNNING",
      uptimeMs: 76 * 3_600_000,
      lastCheckpoint: { at: "2026-01-10T11:59:48.000Z", ageMs: 12_000, path: checkpoint },
      stateSize: 1_234_567,
      startsFrom: { kind: "checkpoint", path: checkpoint },
      problem: null,
    });
  });

  const noted: Fact = { kind: "checkpointed", jobId, path: "file:/c/1/chk-5" };
  const unseen = { ...healthy, newestCheckpoint: null };
  test.each<readonly [string, Seen, StatusRow["startsFrom"]]>([
    [
      "the noted checkpoint, where none is seen",
      { facts: [runs, noted], health: null },
      { kind: "checkpoint", path: "file:/c/1/chk-5" },
    ],
    ["its savepoint, where none was noted", { health: unseen }, { kind: "savepoint", path: savepoint }],
    [
      "its savepoint, where the noted one is of another job",
      { facts: [{ ...noted, jobId: "2".repeat(32) }, runs], health: null },
      { kind: "savepoint", path: savepoint },
    ],
    ["nowhere, where it started empty", { facts: [{ ...runs, restored: null }], health: unseen }, null],
  ])("that it would start from %s", (_name, seen, expected) => {
    expect(row(seen).startsFrom).toEqual(expected);
  });

  test("nothing of its health through the gateway alone", () => {
    const all = { uptimeMs: null, lastCheckpoint: null, stateSize: null, problem: null };
    expect(row({ health: null })).toMatchObject(all);
  });
});

test("a job that rests would start from what it rests with", () => {
  const facts: readonly Fact[] = [{ kind: "suspended", by: "model", reference, savepoint }];
  expect(row({ facts, jobs: [], health: null })).toMatchObject({
    recorded: "suspended",
    savepoint,
    startsFrom: { kind: "savepoint", path: savepoint },
    problem: null,
  });
});

describe("it is a problem that a job", () => {
  test.each<readonly [string, Partial<Health>, string]>([
    [
      "has completed no checkpoint for three intervals and a minute",
      { newestCheckpoint: { path: null, at: ago(91), stateSize: null } },
      "has completed no checkpoint for 1 min, though it is to take one every 10 s: should it fail, it processes all since then again",
    ],
    [
      "has completed none at all since it started",
      { newestCheckpoint: null, startedAt: ago(3_700), checkpointIntervalMs: 300 },
      "has completed no checkpoint for 1 h 1 min, though it is to take one every 300 ms",
    ],
    [
      "fails again and again between two checkpoints",
      { failuresSince: 4, lastFailure: "the disk is full" },
      "restarts again and again, 4 times since its last checkpoint: the disk is full",
    ],
    [
      "fails again and again without a checkpoint",
      { failuresSince: 4, newestCheckpoint: null },
      "restarts again and again, 4 times since its start",
    ],
  ])("%s", (_name, health, said) => {
    expect(row({ health: { ...healthy, ...health } }).problem).toContain(`job ${jobId} ${said}`);
  });

  test.each<readonly [string, Partial<Health>]>([
    ["is late by no more than that", { newestCheckpoint: { path: null, at: ago(90), stateSize: null } }],
    ["has started only now", { newestCheckpoint: null, startedAt: ago(89) }],
    [
      "was restored only now, from a checkpoint of long ago",
      { newestCheckpoint: { path: null, at: ago(9_000), stateSize: null }, startedAt: ago(89) },
    ],
    ["takes no checkpoints", { newestCheckpoint: null, checkpointIntervalMs: null }],
    ["failed three times and goes on", { failuresSince: 3, lastFailure: "the disk is full" }],
  ])("but none that it %s", (_name, health) => {
    expect(row({ health: { ...healthy, ...health } }).problem).toBeNull();
  });

  test.each<readonly [string, Seen, string]>([
    ["is RESTARTING", { jobs: [{ ...alive, state: "RESTARTING" }] }, "is RESTARTING"],
    ["is gone", { jobs: [], health: null }, "is not known to the cluster any more"],
    ["runs twice", { jobs: [alive, { ...alive, id: "2".repeat(32) }] }, `also runs as ${"2".repeat(32)}`],
    ["is not in the ledger", { facts: [] }, "runs and is not in the ledger"],
  ])("%s, whatever its health", (_name, seen, said) => {
    const health = seen.health === null ? null : { ...healthy, failuresSince: 9 };
    expect(row({ ...seen, health }).problem).toContain(said);
  });
});

describe("the report", () => {
  const render = (...rows: readonly StatusRow[]) =>
    renderStatus({ environment: "default", flinkVersion: "1.20.3", rows });
  const other = (name: string, more: Partial<StatusRow>): StatusRow => ({
    ...row(),
    job: name,
    startsFrom: null,
    ...more,
  });

  test("has what needs a look first, then a row for each job, then from where each would start", () => {
    const rows = [
      row(),
      other("orders", { problem: "is down", recorded: "down", uptimeMs: null, lastCheckpoint: null, stateSize: null }),
      other("customers", { warning: "suspended for 9 days", startsFrom: { kind: "savepoint", path: savepoint } }),
    ];
    const short = (text: string) => text.replaceAll(jobId, "<id>").replaceAll("c".repeat(10), "<commit>");
    expect(short(render(...rows))).toBe(`## Status of default: 1 of 3 jobs need a look; 1 warning

Flink 1.20.3, 3 jobs.

- 🔴 **orders**: is down
- ⚠️ **customers**: suspended for 9 days

| Job | Ledger | Cluster | Job id | Up for | Checkpoint | State | Commit |
| --- | --- | --- | --- | --- | --- | --- | --- |
| **totals** | running | RUNNING | \`<id>\` | 3 d 4 h | 12 s ago | 1.2 MB | \`<commit>\` |
| **orders** | down | RUNNING | \`<id>\` | — | — | — | \`<commit>\` |
| **customers** | running | RUNNING | \`<id>\` | 3 d 4 h | 12 s ago | 1.2 MB | \`<commit>\` |

Where each would start from now:

- **totals**: checkpoint \`${checkpoint}\`
- **customers**: savepoint \`${savepoint}\`
`);
  });

  test("of no jobs is short", () => {
    expect(render()).toBe("## Status of default: the ledger and the cluster agree\n\nFlink 1.20.3, 0 jobs.\n");
  });

  test("has no markup of others in it", () => {
    expect(render(other("a|b", { problem: "<b> @someone" }))).toContain("**a\\|b**: &lt;b&gt; @\u200bsomeone");
  });
});
