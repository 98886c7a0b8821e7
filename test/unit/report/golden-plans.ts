import { diffJobs } from "../../../src/plan/diff.ts";
import { makePlan, type PlanParts, withExplanations } from "../../../src/plan/make-plan.ts";
import type { Explanation, Plan } from "../../../src/plan/plan.ts";
import type { Finding, Job } from "../../../src/project/job.ts";
import type { CommentContext } from "../../../src/report/comment.ts";
import { job, orders, view } from "../plan/jobs.ts";

/** Plans of a small shop, whose comments are compared with those in test/fixtures/comments. */
export const context: CommentContext = {
  files: { server: "https://github.example", repository: "acme/shop", commit: "b".repeat(40), folder: "streaming" },
  runUrl: "https://github.example/acme/shop/actions/runs/17",
  planUrl: "https://github.example/acme/shop/actions/runs/17/artifacts/4",
  fork: null,
};

/** An aggregate whose view lets fewer orders through, and counts something else. */
export function oneJob(): Plan {
  return planOf([perCustomer(0, "min(id)")], [perCustomer(10, "max(id)")]);
}

/** All that can happen to a job, to a few of each. */
export function twentyJobs(): Plan {
  const same = names(6, "same");
  const base = [
    ...same.map((name) => job(name)),
    ...names(6, "revenue").map((name) => reading(name, 0)),
    reading("lookup", 0),
    job("paused", {}, { desiredState: "suspended" }),
    job("waiting", {}, { desiredState: "suspended" }),
    job("resting"),
    job("gone"),
    batch("export", 1),
  ];
  const head = [
    ...same.map((name) => job(name)),
    ...names(6, "revenue").map((name) => reading(name, 10)),
    { ...reading("lookup", 10), upgradeMode: "stateless" as const },
    job("paused"),
    job("waiting", { insert: "INSERT INTO waiting SELECT id + 1 FROM orders" }, { desiredState: "suspended" }),
    job("resting", {}, { desiredState: "suspended" }),
    batch("export", 2),
    job("order_log"),
    job("not_yet", {}, { desiredState: "suspended" }),
  ];
  return planOf(base, head, { findings: [jarUnknown] });
}

/** A view that 500 jobs read. */
export function fiveHundredJobs(): Plan {
  const all = (limit: number) => names(500, "revenue_per_country").map((name) => reading(name, limit));
  return planOf(all(0), all(10));
}

/** One query of more than 1 MB, beside a job that is as short as any. */
export function longSql(): Plan {
  const columns = (last: string) => [...names(24_000, "a_column_with_quite_a_long_name_so_that_it_adds_up"), last];
  const wide = (last: string) =>
    job("wide", { insert: `INSERT INTO wide SELECT\n${columns(last).join(",\n")}\nFROM orders` });
  return planOf([wide("a"), reading("revenue", 0)], [wide("b"), reading("revenue", 10)]);
}

/** Everything that a project can put into a text, trying to be more than text: a job of each. */
export function hostileTexts(): Plan {
  const evil = (text: string, query: string): Job => {
    const origin = { nodeId: `model.shop.${text}`, file: `models/${text}.sql` };
    return job(
      text,
      { setup: [{ ...view(text, query), origin }], executionConfig: { [text]: query, "s3.secret-key": "hunter2" } },
      { name: text, origin },
    );
  };
  const says = (text: string): Finding => ({
    severity: "warning",
    code: "model-invalid",
    message: `\`${text}\` ${text}`,
    job: text,
    file: `models/${text}.sql`,
    line: 4,
  });
  const hostile = hostileStrings.join(" ");
  const node = {
    id: 1,
    inputs: [],
    parallelism: 1,
    label: `Calc ${hostile}`,
    description: `Calc(select=[${hostile}])`,
  };
  const explained = (sql: string): Explanation => ({
    plan: sql,
    advice: `[ADVICE] ${sql}`,
    graph: [{ ...node, description: `Calc(${sql})` }],
    compiledPlan: null,
  });
  return planOf(
    hostileStrings.map((text) => evil(text, "SELECT 1")),
    hostileStrings.map((text) => evil(text, `SELECT '${text}' FROM orders`)),
    {
      findings: hostileStrings.map(says),
      unrecorded: hostileStrings,
      environment: hostileStrings.slice(0, 5).join(" "),
    },
    explained,
  );
}

/** Nothing is deployed yet. */
export function firstDeployment(): Plan {
  return planOf([], [perCustomer(0, "min(id)"), job("order_log")], { base: "deployed" });
}

export function nothingChanged(): Plan {
  const jobs = [...names(3, "revenue").map((name) => job(name)), job("paused", {}, { desiredState: "suspended" })];
  return planOf(jobs, jobs, { unrecorded: ["order_log"] });
}

/** Nothing changes, and yet it cannot be deployed. */
export function findingsOnly(): Plan {
  const refused: Finding = {
    severity: "error",
    code: "model-invalid",
    message: "Column 'no_such_column' not found in any table (line 3 of the compiled SQL: no_such_column)",
    job: "revenue",
    file: "models/revenue.sql",
    line: 9,
  };
  const alike = job("order_log");
  return planOf([alike], [alike], { findings: [jarUnknown, refused, { ...refused, job: "revenue_per_day" }] });
}

/** They try Markdown, HTML, code, commands, mentions, references, links, pictures, formulas, directions, hidden signs. */
export const hostileStrings: readonly string[] = [
  "](javascript:alert(1)) **b** _i_ ~~s~~ ![x](https://evil.example/x.png) <https://evil.example> www.evil.example [x][y]",
  "</details></summary><img src=x onerror=alert(1)><script>alert(1)</script><!-- --> &lt;b&gt; <!-- flink-dbt-deploy:x:y -->",
  "` `` ``` ```` | a \\| b \\",
  "\n::set-output name=x::y\n##[add-mask]x\n# heading\n- [ ] item\n1. one\n> [!NOTE]\n| - |\n```\n~~~\n---\n===\n",
  "@octocat @acme/team #123 GH-4 acme/shop#5 acme/shop@1234567 me@evil.example [^1] [x]: https://evil.example :shipit: $x$",
  "'password' = 'hunter2' \u202eright\u202c \u2066isolated\u2069 \u200f\u200b\u00ad\ufeff \u0007 🦄👩‍👩‍👧 e\u0301 %%{init: {}}%% click n1 href",
  "# heading",
  "- item",
  "12. item",
  "../../../settings/x",
];

const jarUnknown: Finding = {
  severity: "warning",
  code: "left-alone",
  message: "Seeds are dbt's: run `dbt seed` where they change.",
  job: null,
  file: "seeds/countries.csv",
  line: null,
};

export function planOf(
  base: readonly Job[],
  head: readonly Job[],
  more: Partial<PlanParts> = {},
  explained: (sql: string) => Explanation = explanationOf,
): Plan {
  const changes = diffJobs({ base, head, renames: {} }).map((change) => {
    const { kind, before, after } = change;
    return kind === "none"
      ? change
      : withExplanations(change, before && explained(sqlOf(before)), after && explained(sqlOf(after)));
  });
  return makePlan({
    project: "shop",
    environment: "production",
    base: "a".repeat(40),
    head: "b".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "dbt-flink-adapter==1.3.11",
    flinkVersion: "1.20.3",
    changes,
    unrecorded: [],
    findings: [],
    ...more,
  });
}

export function names(number: number, name: string): readonly string[] {
  return Array.from({ length: number }, (_, index) => `${name}_${index + 1}`);
}

const orderView = (limit: number) =>
  view("order_view", `SELECT id, customer, amount\nFROM orders\nWHERE amount > ${limit}`);

function reading(name: string, limit: number): Job {
  return job(name, { setup: [orders, orderView(limit)], insert: `INSERT INTO ${name} SELECT id FROM order_view` });
}

function perCustomer(limit: number, newest: string): Job {
  const insert = `INSERT INTO per_customer\nSELECT customer, COUNT(*) AS n, SUM(amount) AS total, ${newest} AS newest\nFROM order_view\nGROUP BY customer`;
  return job("per_customer", { setup: [orders, orderView(limit)], insert });
}

function batch(name: string, value: number): Job {
  return job(name, { runtimeMode: "batch", insert: `INSERT INTO ${name} SELECT ${value}` });
}

function sqlOf({ program }: Job): string {
  return [...program.setup.map(({ sql }) => sql), program.insert].join("\n");
}

/** As Flink would say it, for SQL of the shapes above. */
function explanationOf(sql: string): Explanation {
  const limit = /amount > (\d+)/.exec(sql)?.[1] ?? "0";
  const newest = /(?:MIN|MAX)\(id\)/i.exec(sql)?.[0].toUpperCase() ?? null;
  const where = `where=[>(amount, ${limit})]`;
  const select = `groupBy=[customer], select=[customer, COUNT(*) AS n, SUM(amount) AS total, ${newest} AS newest]`;
  const aggregate = newest === null ? [] : [`GroupAggregate(${select})`, "Exchange(distribution=[hash[customer]])"];
  const lines = [
    "Sink(table=[sink])",
    ...aggregate,
    `Calc(select=[id, customer, amount], ${where})`,
    "TableSourceScan(table=[orders])",
  ];
  const nodes = lines.toReversed().map((description, index) => ({
    id: index + 1,
    label: description.startsWith("TableSourceScan") ? "Source: orders" : (/^\w+/.exec(description)?.[0] ?? ""),
    description,
    inputs: index === 0 ? [] : [index],
    parallelism: 2,
  }));
  const plan = lines.map((line, index) => `${index === 0 ? "" : `${"   ".repeat(index - 1)}+- `}${line}`).join("\n");
  return { plan, advice: null, graph: nodes, compiledPlan: null };
}
