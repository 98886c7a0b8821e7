import { expect, test } from "vitest";
import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan, type PlanParts, withExplanations } from "../../../src/plan/make-plan.ts";
import type { Finding, Job } from "../../../src/project/job.ts";
import { renderPlan } from "../../../src/report/markdown.ts";
import { job, view } from "../plan/jobs.ts";

const explained = (limit: number) => ({
  plan: `Sink(t)\n+- Calc(where=[id > ${limit}])`,
  advice: limit === 2 ? "[ADVICE] use mini-batch" : null,
  graph: [{ id: 1, label: "Calc", description: `Calc(where=[id > ${limit}])`, inputs: [], parallelism: 1 }],
  compiledPlan: null,
});
const reading = (limit: number) => ({ setup: [view("v", `SELECT *\nFROM orders\nWHERE id > ${limit}`)] });

function render(base: readonly Job[], head: readonly Job[], more: Partial<PlanParts> = {}, maxBytes?: number): string {
  const changes = diffJobs({ base, head, renames: {} }).map((change) =>
    change.kind === "none"
      ? change
      : withExplanations(change, change.before && explained(1), change.after && explained(2)),
  );
  const plan = makePlan({
    project: "shop",
    environment: "production",
    base: "a".repeat(40),
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes,
    unrecorded: [],
    findings: [],
    ...more,
  });
  return renderPlan(plan, maxBytes === undefined ? {} : { maxBytes });
}

const many = (count: number, limit: number) =>
  Array.from({ length: count }, (_, index) => job(`job_${index}`, reading(limit)));
const refused = (name: string): Finding => ({
  severity: "error",
  code: "model-invalid",
  message: "Object 'x' not found",
  job: name,
  file: "models/v.sql",
  line: 4,
});

test("the verdict comes first, then a row per job that changes; the others are counted", () => {
  const text = render(
    [...many(499, 1), job("m", reading(1)), job("old")],
    [...many(499, 1), job("m", reading(2)), job("new", { insert: "INSERT INTO new SELECT 1" })],
  );
  expect(text.split("\n\n").slice(0, 4).join("\n\n")).toBe(
    `## Plan for \`shop\` on \`production\`

**3 jobs will change: 1 to create, 1 to upgrade, 1 to remove.**

| Job | Change | Why | State | Deployment |
| --- | --- | --- | --- | --- |
| \`m\` | upgrade | view v changed | Flink decides at the restore | restart from savepoint |
| \`new\` | create | new in the project | starts empty | start |
| \`old\` | remove | removed from the project | kept | stop with savepoint |

499 jobs stay as they are.`,
  );
  expect(text.length).toBeLessThan(5000);
});

test("each changed job has its diff, plan, advice and graph folded away", () => {
  const text = render([job("m", reading(1))], [job("m", reading(2))]);
  expect(text).toContain("<details><summary><b>m</b>: upgrade</summary>");
  expect(text).toContain(" FROM orders\n-WHERE id > 1\n+WHERE id > 2");
  expect(text).toContain("-+- Calc(where=[id > 1])\n++- Calc(where=[id > 2])");
  expect(text).toContain("- use mini-batch");
  expect(text).toContain("```mermaid\nflowchart LR");
  expect(text).toContain("**Deployment:** The job is stopped with a savepoint and the new program is started from it");
});

test("nothing to do is said in one line; few unchanged jobs are listed, folded", () => {
  expect(render(many(21, 1), many(21, 1))).toContain("✅ **No job changes.**\n\n21 jobs stay as they are.\n");
  expect(render(many(2, 1), many(2, 1), { unrecorded: ["x"] })).toContain(
    "✅ **No job changes.**\n\n<details><summary>3 jobs stay as they are.</summary>\n\n`job_0`, `job_1`, `x`\n\n</details>",
  );
});

test("a suspended job that stays so is said, whether its program changes or not", () => {
  const suspended = (name: string, limit: number) => job(name, reading(limit), { desiredState: "suspended" });
  const text = render([suspended("a", 1), suspended("b", 1)], [suspended("a", 1), suspended("b", 2)]);
  expect(text).toContain("| `b` | none | view v changed | kept | nothing: it stays suspended |");
  expect(text).toContain("<summary>1 job stays as it is, suspended.</summary>\n\n`a` (suspended)");
});

test("a job whose state nobody knows stands in the verdict and in its row, and is not said to start", () => {
  const changes = diffJobs({ base: [], head: [job("m")], renames: {}, lost: new Map([["m", job("m")]]) });
  const text = render([], [], { changes });
  expect(text).toContain(
    "**1 job will change: 1 to create.** ⚠️ **1 job will be refused, since the state is not known.**",
  );
  expect(text).toMatch(/^\| `m` \| create \| back in the project.* \| ⚠️ \*\*not known\*\* \| refuse \|$/m);
  expect(text).toContain("**Deployment:** The job is refused with `needs-operator` until one of the two is done.");
});

test("dropped state stands in the verdict and in the row", () => {
  const text = render([job("m", reading(1))], [job("m", reading(2), { upgradeMode: "stateless" })]);
  expect(text).toContain("**1 job will change: 1 to upgrade.** ⚠️ **1 job will lose all state.**");
  expect(text).toMatch(/\| `m` \| upgrade \| .* \| ⚠️ \*\*dropped\*\* \|/);
});

test("an error blocks the plan, and jobs with the same problem share a line", () => {
  const text = render([], [], { findings: [refused("a"), refused("b")] });
  expect(text).toContain("⛔ **This plan cannot be deployed: 2 errors, see below.**");
  expect(text).toContain("- ⛔ `models/v.sql:4`: Object 'x' not found (jobs `a`, `b`)");
});

test("text of the project can break neither table nor page", () => {
  const name = "x | y\n</details> @octocat `";
  const text = render([], [job(name, {}, { name })]);
  expect(text).toContain("| x \\| y &lt;/details&gt; @\u200boctocat \\` | create |");
  const outsideCode = text.replace(/^(`{3,})\w+\n[\s\S]*?^\1$/gm, "");
  expect(outsideCode.match(/<\/?details>/g)).toEqual(["<details>", "</details>"]);
});

test("what is dropped for length goes in order: graphs, plans, unchanged lines, diffs, details; never a row", () => {
  const [base, head] = [many(40, 1), many(40, 2)];
  const signs = ["flowchart", "optimized execution plan", " FROM orders", "-WHERE id", "<b>job"];
  const whole = render(base, head);
  const numbers = (text: string) => signs.map((sign) => text.split(sign).length - 1);
  expect(numbers(whole)).toEqual([40, 40, 40, 40, 40]);
  const seen = new Set<number>();
  for (let limit = Buffer.byteLength(whole) - 1; limit > 5_000; limit -= 2_000) {
    const text = render(base, head, {}, limit);
    const shown = numbers(text);
    const first = shown.findIndex((number) => number > 0);
    if (first !== -1) expect(shown.slice(first + 1)).toEqual(shown.slice(first + 1).map(() => 40));
    expect(text.match(/^\| `job_\d+` \| upgrade \|/gm)).toHaveLength(40);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
    seen.add(first);
  }
  expect([...seen]).toEqual([0, 1, 2, 3, -1]);
});

test("what is left out is said, in the fold that lacks it and at the end", () => {
  const sides = [many(9, 1), many(9, 2)] as const;
  const text = render(...sides, {}, Buffer.byteLength(render(...sides)) - 1);
  expect(text).toContain("_Left out for length: graph._\n\n</details>");
  const folds = text.split("_Left out for length: graph._").length - 1;
  expect(folds).toBeLessThan(9);
  expect(text).toContain(`_Left out for length: graphs of ${folds} jobs. The plan file has everything._`);
});

test("SQL that fits nowhere goes before the graphs and plans of the others", () => {
  const long = (limit: number) =>
    job("long", { insert: `INSERT INTO long SELECT ${`'${limit} ${"x".repeat(90)}',\n`.repeat(1_000)} 1` });
  const text = render([long(1), job("m", reading(1))], [long(2), job("m", reading(2))], {}, 60_000);
  expect(text).toContain("_Left out for length: SQL._");
  expect(text.split("flowchart")).toHaveLength(3);
});

test("where rows are too many, jobs share them; where even so, those stay that a reviewer must not miss", () => {
  const [base, head] = [[...many(300, 1), job("gone")], many(300, 2)];
  head[299] = job("job_299", reading(2), { upgradeMode: "stateless" });
  const shared = render(base, head, {}, 9_000);
  for (const { name } of head) expect(shared).toContain(`\`${name}\``);
  expect(shared).toMatch(
    /^\| <details><summary>99 jobs<\/summary> `job_200`, .*`job_298`<\/details> \| upgrade \| view v changed \| Flink decides/m,
  );

  const text = render(base, head, {}, 3_000);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_000);
  expect(text).toContain("**301 jobs will change: 300 to upgrade, 1 to remove.** ⚠️ **1 job will lose all state.**");
  expect(text).toMatch(/^\| `job_299` \| upgrade \| .* ⚠️ \*\*dropped\*\* \|/m);
  expect(text).toMatch(/^\| `gone` \| remove \|/m);
  const shown = text.match(/`job_\d+`/g)?.length ?? 0;
  expect(shown).toBeGreaterThan(50);
  const more = 300 - shown;
  expect(text).toContain(`**${more} more jobs not shown here: ${more} to upgrade.** The plan file has everything.`);
});

test("500 changed jobs fit into a comment", () => {
  expect(Buffer.byteLength(render(many(500, 1), many(500, 2), {}, 60_000))).toBeLessThanOrEqual(60_000);
}, 30_000);

test("no secret of the project is shown", () => {
  const secret = (value: string) => ({
    setup: [view("v", `SELECT * FROM orders /*+ OPTIONS('password' = '${value}') */`)],
    executionConfig: { "pipeline.name": "m", "s3.secret-key": value },
  });
  const text = render([job("m", secret("hunter2"))], [job("m", secret("hunter3"))]);
  expect(text).not.toMatch(/hunter/);
});

test("signs that a reader would not see, or a terminal would obey, are shown", () => {
  const hidden = job("m", { setup: [view("v", "SELECT '\u001b[2J', 'a\u202eb'\r\nFROM orders")] });
  const text = render([], [hidden]);
  expect(text).toContain("SELECT '⟨U+001B⟩[2J', 'a⟨U+202E⟩b'\nFROM orders");
});
