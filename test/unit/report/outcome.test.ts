import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/deploy/deployment.ts";
import type { JobOutcome } from "../../../src/deploy/task.ts";
import { nothing, type RecordedJob } from "../../../src/ledger/fold.ts";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { longestComment } from "../../../src/report/comment.ts";
import { commentMarker } from "../../../src/report/comment-marker.ts";
import { renderOutcome } from "../../../src/report/outcome.ts";
import { renderBaseChanged, renderOutcomeComment, renderRefusedComment } from "../../../src/report/outcome-comment.ts";
import { renderDifferences } from "../../../src/report/review.ts";
import { job } from "../plan/jobs.ts";

const outcome = (name: string, more: Partial<JobOutcome> = {}): JobOutcome => ({
  job: name,
  ending: "upgraded",
  code: null,
  message: null,
  jobId: "1".repeat(32),
  savepoint: null,
  restored: "file:///s/savepoint-1",
  durationMs: 2345,
  interruptionMs: 1234,
  notes: [],
  ...more,
});
const recorded = (name: string, more: Partial<RecordedJob>): [string, RecordedJob] => [
  name,
  { ...nothing(name), ...more },
];
const ended = (jobs: readonly JobOutcome[], before: Outcome["before"] = new Map()): Outcome => ({
  environment: "production",
  deployment: "d".repeat(32),
  before,
  jobs,
});
const plan = makePlan({
  project: "shop",
  environment: "production",
  base: "deployed",
  head: "b".repeat(40),
  dbtVersion: "1.3.8",
  adapterVersion: "1.3.11",
  flinkVersion: "1.20.3",
  changes: diffJobs({ base: [job("old")], head: [job("new")], renames: { old: "new" } }),
  unrecorded: [],
  findings: [],
});
const runUrl = "https://github.com/acme/shop/actions/runs/7";

describe("an outcome says of each job what the ledger said before", () => {
  const reference = { digest: "x", value: "y" };
  const commit = "c".repeat(40);
  const running = { kind: "running", jobId: "5".repeat(32), reference, restored: null } as const;
  const before = new Map([
    recorded("runs", { settled: running, commit }),
    recorded("rests", { settled: { kind: "suspended", by: "command", reference, savepoint: null }, commit: null }),
    recorded("old", { settled: running, commit }),
    recorded("cut", { attempt: { deployment: "d", stop: null, stopped: null, submissions: [] } }),
  ]);
  const cells = (name: string): string => {
    const text = renderOutcome(ended([outcome(name)], before), plan);
    return text.split("\n").find((line) => line.startsWith(`| **${name}**`)) ?? "";
  };

  test.each([
    ["runs", "running `55555555` of commit `cccccccccc`"],
    ["rests", "suspended"],
    ["new", "running `55555555` as old of commit `cccccccccc`"],
    ["cut", "a deployment that did not end"],
    ["unheard", "not there"],
  ])("%s", (name, said) => {
    expect(cells(name)).toBe(
      `| **${name}** | 🟢 upgraded | \`${"1".repeat(32)}\` | from \`file:///s/savepoint-1\` | ${said} | 1.2 s | 2.3 s |`,
    );
  });

  test("and nothing where it was not asked", () => {
    const { before: _before, ...without } = ended([outcome("runs")]);
    expect(renderOutcome(without, null)).toContain("| Job | Result | Job id | State | Interruption | Time |");
  });
});

describe("on the pull request", () => {
  test("it is a comment of its own marker, with a link to the run", () => {
    const text = renderOutcomeComment(ended([outcome("new")]), plan, { runUrl });
    expect(text.startsWith(`${commentMarker("outcome", plan)}\n## production: 1 of 1 jobs changed`)).toBe(true);
    expect(text).toContain(`<sub>[run](${runUrl})</sub>`);
  });

  test("of very many jobs it is the verdict, and where the rest is", () => {
    const jobs = Array.from({ length: 900 }, (_, index) => outcome(`job_${index}`, { notes: ["n".repeat(60)] }));
    const text = renderOutcomeComment(ended(jobs), plan, { runUrl });
    expect(Buffer.byteLength(text)).toBeLessThan(longestComment);
    expect(text).toContain("production: 900 of 900 jobs changed");
    expect(text).toContain(`[run's summary](${runUrl})`);
  });

  test("a base that changed is one line that stays true", () => {
    const at = "2026-01-02T03:04:05.678Z";
    const text = renderBaseChanged({ project: "shop", environment: "production", commit: "a".repeat(40), runUrl, at });
    expect(text.trimEnd().split("\n")).toEqual([
      commentMarker("base-changed", plan),
      `ℹ️ \`shop\` on \`production\` is [deployed from aaaaaaaaaa](${runUrl}) since 2026-01-02 03:04 UTC: a plan made before compares with what ran before. Push, or run the plan again, for a new one.`,
    ]);
  });

  const hostile = "a|b<img>@mona `x`\n#7";
  const differences = [
    { kind: "other-effect", job: hostile, reviewed: "upgrade, 1", planned: "no such job" },
    { kind: "other-flink", job: null, reviewed: "Flink 1.20.3", planned: "Flink 2.0.0" },
  ] as const;
  const told = { pullRequest: 7, source: "comment", differences, isRefused: true };

  test("differences are a table, and a name is no markup in it", () => {
    const rows = renderDifferences(told).split("\n").slice(4);
    expect(rows).toEqual([
      "| Job | Reviewed | To be deployed | |",
      "| --- | --- | --- | --- |",
      "| **a\\|b&lt;img&gt;@\u200bmona \\`x\\` #\u200b7** | upgrade, 1 | no such job | not the program or the mode that was reviewed |",
      "| all | Flink 1.20.3 | Flink 2.0.0 | another version of Flink plans in another way |",
      "",
    ]);
    expect(renderDifferences(told)).toContain("### ⛔ 2 differences from what was reviewed");
    expect(renderDifferences({ ...told, isRefused: false })).toContain("deployed all the same");
  });

  test("a refusal stands in the place of the outcome, within a comment's length", () => {
    const text = renderRefusedComment(told, plan, { runUrl });
    expect(text.startsWith(`${commentMarker("outcome", plan)}\n## \`production\`: not deployed`)).toBe(true);
    const many = { ...told, differences: Array.from({ length: 2_000 }, () => differences[0]) };
    const short = renderRefusedComment(many, plan, { runUrl });
    expect(Buffer.byteLength(short)).toBeLessThan(longestComment);
    expect(short).toContain("It is not what was reviewed");
  });
});
