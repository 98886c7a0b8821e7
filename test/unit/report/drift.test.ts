import { expect, test } from "vitest";
import type { Change } from "../../../src/plan/plan.ts";
import { renderDrift } from "../../../src/report/drift.ts";
import type { StatusRow } from "../../../src/report/status-row.ts";

const row = (job: string, more: Partial<StatusRow> = {}): StatusRow => ({
  job,
  recorded: "running",
  commit: null,
  since: null,
  jobId: null,
  clusterState: "RUNNING",
  savepoint: null,
  uptimeMs: null,
  lastCheckpoint: null,
  stateSize: null,
  startsFrom: null,
  problem: null,
  warning: null,
  ...more,
});
const change = (job: string, kind: Change["kind"]): Change => ({
  kind,
  job,
  renamedFrom: null,
  before: null,
  after: null,
  reasons: kind === "upgrade" ? [{ object: `model ${job}`, text: "SELECT changed" }] : [],
  state: { kind: "unknown", text: "" },
  explainedBefore: null,
  explainedAfter: null,
});
const head = "abcdef0123".padEnd(40, "0");

test("where all is well there is nothing to say, also of a plan that changes nothing", () => {
  expect(renderDrift({ environment: "production", rows: [row("orders")], planned: null })).toBeNull();
  const planned = { head, changes: [change("orders", "none")] };
  expect(renderDrift({ environment: "production", rows: [row("orders")], planned })).toBeNull();
});

test("problems come first, then warnings, then what the default branch would change, each with its job", () => {
  const drift = renderDrift({
    environment: "production",
    rows: [row("old", { warning: "suspended for 9 days" }), row("orders", { problem: "restarts again and again" })],
    planned: { head, changes: [change("customers", "upgrade"), change("fresh", "create"), change("orders", "none")] },
  });
  expect(drift?.title).toBe("production: 4 job remarks of 2 jobs");
  expect(drift?.body.split("\n")).toEqual([
    "The environment `production` is not what its ledger and the default branch say; the default branch is at `abcdef0123`.",
    "",
    "- 🔴 **orders**: restarts again and again",
    "- ⚠️ **old**: suspended for 9 days",
    "- ↔️ **customers**: runs another program than the default branch's (model customers: SELECT changed)",
    "- ↔️ **fresh**: the default branch has it, and it is not deployed",
    "",
    "This issue is brought up to date by the workflow that looks, and closed by it once all is well.",
    "",
  ]);
});

test("a name or an error mentions nobody and makes no markup", () => {
  const drift = renderDrift({
    environment: "production",
    rows: [row("<b>@team</b>", { problem: "fails: [x](https://evil.example) #1 ```" })],
    planned: null,
  });
  expect(drift?.body).not.toMatch(/<b>|@team|(?<!\\)\]\(|#1\b|(?<!\\)`{3}/);
});

test("500 jobs with long errors fit into an issue", () => {
  const rows = Array.from({ length: 500 }, (_, index) => row(`job_${index}`, { problem: "x".repeat(2_000) }));
  const drift = renderDrift({ environment: "production", rows, planned: null });
  expect(Buffer.byteLength(drift?.body ?? "")).toBeLessThan(60_000);
  expect(drift?.body).toContain("and 350 more");
});

test("a default branch that could not be planned is a remark, also where the jobs are well", () => {
  const remark =
    "- ⚠️ the default branch could not be planned, so whether another program runs is not known; the run's log says why";
  const well = renderDrift({ environment: "production", rows: [row("orders")], planned: "failed" });
  expect(well?.title).toBe("production: the default branch could not be planned");
  expect(well?.body.split("\n")).toContain(remark);
  const rows = [row("orders", { problem: "restarts again and again" })];
  const ill = renderDrift({ environment: "production", rows, planned: "failed" });
  expect(ill?.title).toBe("production: 1 job remark of 1 job");
  expect(ill?.body.split("\n").slice(2, 4)).toEqual([remark, "- 🔴 **orders**: restarts again and again"]);
});
