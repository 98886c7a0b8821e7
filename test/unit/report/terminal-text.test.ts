import fc from "fast-check";
import { expect, test } from "vitest";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan, withExplanations } from "../../../src/plan/make-plan.ts";
import { renderPlan } from "../../../src/report/markdown.ts";
import { code, fenced, htmlText, plainText, withVisibleSigns } from "../../../src/report/markdown-text.ts";
import { renderOutcome } from "../../../src/report/outcome.ts";
import { renderStatus } from "../../../src/report/status.ts";
import { terminalText } from "../../../src/report/terminal-text.ts";
import { job, view } from "../plan/jobs.ts";

const show = (markdown: string, width = 100, colors = false) => terminalText(markdown, { width, colors });
const explained = (limit: number) => ({
  plan: `Sink(t)\n+- Calc(where=[id > ${limit}])`,
  advice: null,
  graph: [{ id: 1, label: "Calc", description: `Calc(where=[id > ${limit}])`, inputs: [], parallelism: 1 }],
  compiledPlan: null,
});
const reading = (limit: number) =>
  job("order_log", { setup: [view("v", `SELECT *\nFROM orders\nWHERE id > ${limit}`)] });
const planMarkdown = renderPlan(
  makePlan({
    project: "shop",
    environment: "default",
    base: "a".repeat(40),
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "dbt-flink-adapter==1.3.11",
    flinkVersion: "1.20.3",
    changes: diffJobs({ base: [reading(1)], head: [reading(2)], renames: {} }).map((change) =>
      withExplanations(change, explained(1), explained(2)),
    ),
    unrecorded: [],
    findings: [
      {
        severity: "warning",
        code: "unknown",
        message: "<b> is *not* known",
        job: "a_b",
        file: "models/x.sql",
        line: 4,
      },
    ],
  }),
);

test("a plan is plain text: columns, headings, the diffs, and where its graphs are", () => {
  const digest = /plan `([0-9a-f]{12})`/.exec(planMarkdown)?.[1];
  expect(show(planMarkdown)).toBe(`Plan for shop on default
════════════════════════

1 job will change: 1 to upgrade. ⚠ 1 warning, see below.

Findings
────────

- ⚠ models/x.sql:4: <b> is *not* known (job a_b)

Job        Change   Why             State                         Deployment
─────────  ───────  ──────────────  ────────────────────────────  ──────────────────────
order_log  upgrade  view v changed  Flink decides at the restore  restart from savepoint

order_log: upgrade
──────────────────

- view v changed
- State: Restored from a savepoint; Flink decides at the restore which operators take their state
  over.
- Deployment: The job is stopped with a savepoint and the new program is started from it; it
  processes nothing in between. If the new program does not come to run and complete a checkpoint,
  the old one is put back.

Compiled SQL

@@ view v (models/v.sql) @@
 CREATE VIEW v AS SELECT *
 FROM orders
-WHERE id > 1
+WHERE id > 2

Execution plan

@@ optimized execution plan @@
 Sink(t)
-+- Calc(where=[id > 1])
++- Calc(where=[id > 2])

aaaaaaaaaa → bbbbbbbbbb · Flink 1.20.3 · dbt 1.3.8 · dbt-flink-adapter 1.3.11 · plan ${digest}

Graphs of the operators are in the Markdown, which --markdown-file writes.
`);
});

const outcome = {
  job: "order_log",
  ending: "upgraded",
  code: null,
  message: null,
  jobId: "1".repeat(32),
  savepoint: null,
  restored: "file:///savepoints/savepoint-1",
  durationMs: 2345,
  interruptionMs: 1234,
  notes: ["its post-hook failed"],
} as const;

test("a deployment's result has a column for each of its columns, and its notes below", () => {
  const markdown = renderOutcome({ environment: "default", deployment: "d".repeat(32), jobs: [outcome] }, null);
  expect(show(markdown, 130)).toBe(`default: 1 of 1 jobs changed, all of them hold
══════════════════════════════════════════════

Deployment dddddddddddd. 0 of 1 jobs unchanged.

Job        Result       Job id                            State                                Interruption  Time
─────────  ───────────  ────────────────────────────────  ───────────────────────────────────  ────────────  ─────
order_log  🟢 upgraded  11111111111111111111111111111111  from file:///savepoints/savepoint-1  1.2 s         2.3 s

- order_log: its post-hook failed
`);
});

test("where the terminal is too narrow for the words, a row is a block, and a path stays in one piece", () => {
  const unknown = { uptimeMs: null, lastCheckpoint: null, stateSize: null, warning: null } as const;
  const row = { commit: "c".repeat(40), since: null, clusterState: null, problem: "is down", ...unknown } as const;
  const path = `s3://bucket/${"s".repeat(70)}`;
  const rows = [
    {
      job: "a_b",
      recorded: "down",
      jobId: "1".repeat(32),
      savepoint: path,
      startsFrom: { kind: "savepoint", path },
      ...row,
    },
    { job: "c", recorded: "down", jobId: null, savepoint: null, startsFrom: null, ...row },
  ] as const;
  expect(show(renderStatus({ environment: "default", flinkVersion: "1.20.3", rows }), 70)).toBe(
    `Status of default: 2 of 2 jobs need a look
══════════════════════════════════════════

Flink 1.20.3, 2 jobs.

- 🔴 a_b: is down
- 🔴 c: is down

a_b
  Ledger      down
  Job id      11111111111111111111111111111111
  Commit      cccccccccc

c
  Ledger      down
  Commit      cccccccccc

Where each would start from now:

- a_b: savepoint
  ${path}
`,
  );
});

test("a cell with several reasons has a line for each, and long ones are broken between words", () => {
  const table = "| Job | Why |\n| --- | --- |\n| a | one two three four five six seven<br>eight |";
  expect(show(table, 30)).toBe(
    "Job  Why\n───  ─────────────────────────\na    one two three four five\n     six seven\n     eight\n",
  );
});

test("wide signs do not push their columns out of line", () => {
  const lines = show("| A | B |\n| --- | --- |\n| 🟢 | x |\n| 注文 | y |\n| ⏸️ | z |").split("\n");
  expect(lines.slice(2, 5)).toEqual(["🟢    x", "注文  y", "⏸     z"]);
});

test("only where colours are wanted, a diff's lines have them, and headings are bold", () => {
  const text = show(planMarkdown, 100, true);
  expect(text).toContain("\u001b[31m-WHERE id > 1\u001b[39m\n\u001b[32m+WHERE id > 2\u001b[39m");
  expect(text).toContain("\u001b[1mPlan for shop on default\u001b[22m");
  expect(show(planMarkdown)).not.toContain("\u001b");
});

test("whatever the texts of others, they come out as they are and stay in their place", () => {
  const oneLine = (text: string) =>
    withVisibleSigns(
      text
        .replace(/\u200b|\ufe0f/g, "")
        .replace(/\s+/g, " ")
        .trim(),
    );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
      const shown = oneLine(text);
      const markdown = `| A | B |\n| --- | --- |\n| ${plainText(text)} | x |\n\n- ${plainText(text)}\n\n### ${htmlText(text)}`;
      const lines = show(markdown, 10_000).split("\n");
      expect(lines[2]?.replace(/ +x$/, "")).toBe(shown);
      expect(lines[4]).toBe(`- ${shown}`);
      expect(lines[6]).toBe(shown);
    }),
  );
  expect(show(`${code("a b")} ${code("c`d")}`)).toBe("`a b` c`d\n");
  expect(show(fenced("diff", "````\n| a | **b** |\n</details>"))).toBe("````\n| a | **b** |\n</details>\n");
});
