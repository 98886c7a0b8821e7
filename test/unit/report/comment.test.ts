import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { type CommentContext, longestComment, renderComment } from "../../../src/report/comment.ts";
import { commentMarker } from "../../../src/report/comment-marker.ts";
import { decodeTrailer, trailerOf } from "../../../src/report/comment-trailer.ts";
import { job } from "../plan/jobs.ts";
import { githubPage, type Page } from "./github-page.ts";
import * as plans from "./golden-plans.ts";

const { context } = plans;
const fork = { ...context, fork: "mallory/shop", planUrl: null };
const comments: Readonly<Record<string, string>> = {
  "one-job": renderComment(plans.oneJob(), context),
  "twenty-jobs": renderComment(plans.twentyJobs(), context),
  "five-hundred-jobs": renderComment(plans.fiveHundredJobs(), context),
  "long-sql": renderComment(plans.longSql(), context),
  "hostile-texts": renderComment(plans.hostileTexts(), context),
  fork: renderComment(plans.oneJob(), fork),
  "first-deployment": renderComment(plans.firstDeployment(), context),
  "nothing-changed": renderComment(plans.nothingChanged(), context),
  "findings-only": renderComment(plans.findingsOnly(), context),
};
const comment = (name: string): string => comments[name] ?? "";

describe("the golden comments", () => {
  test.each(Object.keys(comments))("%s", async (name) => {
    const file = join(import.meta.dirname, "..", "..", "fixtures", "comments", `${name}.md`);
    await expect(legible(comment(name))).toMatchFileSnapshot(file);
  });

  test.each(Object.entries(comments))("%s fits into a comment of GitHub's", (_name, text) => {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(60_000);
  });

  test.each<[string, Partial<Page>]>([
    ["one-job", { tables: 1, rows: 1, folds: 1 }],
    ["twenty-jobs", { tables: 1, rows: 14, folds: 15 }],
    ["five-hundred-jobs", { tables: 1, rows: 5, folds: 5 }],
    ["long-sql", { tables: 1, rows: 2, folds: 2 }],
    ["hostile-texts", { tables: 1, rows: 10, folds: 11 }],
    ["fork", { tables: 1, rows: 1, folds: 1 }],
    ["first-deployment", { tables: 1, rows: 2, folds: 2 }],
    ["nothing-changed", { tables: 0, rows: 0, folds: 1 }],
    ["findings-only", { tables: 0, rows: 0, folds: 1 }],
  ])("%s is laid out as it was meant", (name, expected) => {
    const page = githubPage(comment(name));
    expect(page).toMatchObject(expected);
    expect(page.headings.slice(1)).toEqual(comment(name).includes("\n### Findings") ? ["Findings"] : []);
    expectOnlyOurs(page);
  });
});

describe("a comment", () => {
  test("begins with its marker and ends with what its plan would do", () => {
    expect(comment("one-job")).toMatch(/^<!-- flink-dbt-deploy:shop:production -->\n/);
    expect(decodeTrailer(comment("one-job"))).toEqual(trailerOf(plans.oneJob()));
    expect(decodeTrailer(comment("hostile-texts"))).toEqual(trailerOf(plans.hostileTexts()));
  });

  test("names each of 500 jobs that change, and tells a later run of each", () => {
    const text = comment("five-hundred-jobs");
    for (const name of plans.names(500, "revenue_per_country")) expect(text).toContain(`\`${name}\``);
    expect(decodeTrailer(text)?.jobs).toHaveLength(500);
  });

  test("of more jobs than it can tell of does not tell a later run of any, only the plan's digest", () => {
    const plan = plans.planOf(
      [],
      plans.names(1_500, "job").map((name) => job(name)),
    );
    const text = renderComment(plan, context);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(60_000);
    expect(decodeTrailer(text)).toEqual({ ...trailerOf(plan), jobs: null });
  });

  test("of a fork says so, and holds nothing for a later run to trust", () => {
    expect(comment("fork")).toContain("From the fork `mallory/shop`");
    expect(decodeTrailer(comment("fork"))).toBeNull();
  });

  test("links a model to its file at the head of the plan, and to no other place", () => {
    const files = "https://github.example/acme/shop/blob/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/streaming";
    expect(githubPage(comment("findings-only")).links).toContain(`${files}/models/revenue.sql#L9`);
    expect(githubPage(renderComment(plans.findingsOnly(), { ...context, files: null })).links).toHaveLength(2);
    expect(comment("hostile-texts")).not.toContain("(https://github.example/acme/shop/blob/b/streaming/models/..");
  });

  test("has no link to what there is not", () => {
    const nowhere: CommentContext = { files: null, runUrl: null, planUrl: "javascript:alert(1)", fork: null };
    expect(githubPage(renderComment(plans.oneJob(), nowhere)).links).toEqual([]);
  });

  test("shows no secret, no sign of direction and no command of a workflow", () => {
    const text = comment("hostile-texts");
    expect(text).not.toContain("hunter2");
    expect(text).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069\u200f\u00ad]/u);
    expect(text).not.toMatch(/^\s*::/m);
  });

  test("whatever the project's texts are, keeps its size, its shape and its verdict", () => {
    const text = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...plans.hostileStrings) },
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(..."`<>&|\\[]()_*~#@:!-\n\"'$^{} a1"), maxLength: 60 }),
      fc.constantFrom("x".repeat(70_000), "🦄`".repeat(9_000), "\u200b&".repeat(2_000)),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 3, maxLength: 3 }), (texts) => {
        const rendered = renderComment(planWith(texts), context);
        expect(Buffer.byteLength(rendered)).toBeLessThanOrEqual(longestComment);
        expect(rendered).toContain("⛔ **This plan cannot be deployed: 1 error, see below.**");
        const page = githubPage(rendered);
        expect(page).toMatchObject({ tables: 1, rows: 1 });
        expectOnlyOurs(page);
      }),
      { numRuns: 40 },
    );
  });
});

test("a marker is one line that no name ends early, and no two places have the same", () => {
  expect(commentMarker("plan", { project: "shop", environment: "production" })).toBe(
    "<!-- flink-dbt-deploy:shop:production -->",
  );
  expect(commentMarker("outcome", { project: "a:b", environment: "-->\n<b>--" })).toBe(
    "<!-- flink-dbt-deploy-outcome:a%3Ab:%2D-%3E%0A%3Cb%3E%2D%2D -->",
  );
  const name = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."-:>!%<a\n") }));
  fc.assert(
    fc.property(name, name, name, name, (a, b, c, d) => {
      const [one, other] = [
        commentMarker("plan", { project: a, environment: b }),
        commentMarker("plan", { project: c, environment: d }),
      ];
      expect(one).toMatch(/^<!-- [^<>\n]* -->$/);
      expect(one.slice(4, -3)).not.toContain("--");
      expect(one === other).toBe(a === c && b === d);
    }),
  );
});

const ours = [
  ...["h2", "h3", "p", "strong", "em", "b", "sub", "code", "pre", "br", "a"],
  ...["ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"],
];

/** No element, address, mention, reference or emoji that the renderer did not mean. */
function expectOnlyOurs(page: Page): void {
  expect([...page.elements].filter((name) => !ours.includes(name))).toEqual([]);
  const addresses =
    /^https:\/\/github\.example\/acme\/shop\/(?:actions\/runs\/17(?:\/artifacts\/4)?$|blob\/b{40}\/streaming\/)/;
  for (const address of page.links) {
    expect(address).toMatch(addresses);
    expect(new URL(address).href).toBe(address);
  }
  for (const text of page.prose) {
    expect(text).not.toMatch(/[@#][\p{L}\p{N}]|\bGH-\d|:\/\/|\bwww\.\S|:[\w+-]+:/iu);
  }
}

function planWith([name = "", sql = "", message = ""]: readonly string[]): Plan {
  const origin = { nodeId: `model.shop.${name}`, file: `models/${name}.sql` };
  const one = (query: string) =>
    job(name, { insert: query, preHooks: [query], executionConfig: { [sql]: name } }, { name, origin });
  const explained = (text: string) => ({
    plan: text,
    advice: message,
    graph: [{ id: 1, inputs: [], parallelism: 1, label: name, description: `Calc(${text})` }],
    compiledPlan: null,
  });
  const finding = { severity: "error", code: "model-invalid", message, job: name, file: sql, line: 1 } as const;
  const more = { findings: [finding], unrecorded: [message], project: sql, environment: message, adapterVersion: name };
  return plans.planOf([one("SELECT 1")], [one(`SELECT '${sql}'`)], more, explained);
}

/** The comment with its trailer as it reads; of a long one the beginning and the end. */
function legible(text: string): string {
  const trailer = decodeTrailer(text);
  const lines = text.split("\n");
  if (trailer !== null) {
    const { jobs, ...plan } = trailer;
    const each = jobs?.map((one) => `  ${JSON.stringify(one)}`) ?? [];
    const shown = each.length <= 30 ? each : [...each.slice(0, 3), `  … ${each.length - 6} more …`, ...each.slice(-3)];
    lines.splice(-2, 1, `trailer: ${JSON.stringify(plan)}`, ...shown);
  }
  const short =
    lines.length <= 700 ? lines : [...lines.slice(0, 40), `… ${lines.length - 80} lines …`, ...lines.slice(-40)];
  return short.map((line) => (line.length <= 2_000 ? line : `${line.slice(0, 2_000)}…`)).join("\n");
}
