import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCodes } from "../../src/errors.ts";
import { type Ended, Folders, filesWith, runCli } from "../process/harness.ts";
import {
  environment,
  type Files,
  largeOrders,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  type Repository,
  seedAndTwoModels,
  shopProject,
  tableModel,
} from "./projects.ts";

const folders = new Folders();
beforeAll(async () => {
  await provideAll();
});
afterAll(() => folders[Symbol.asyncDispose]());

const schemaFile = join(import.meta.dirname, "..", "..", "schemas", "plan.schema.json");
const isPlan = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, "utf8")) as object);

interface PlanFile {
  readonly changes: readonly {
    readonly job: string;
    readonly kind: string;
    readonly reasons: readonly { readonly text: string }[];
    readonly explainedAfter: { readonly plan: string } | null;
  }[];
  readonly findings: readonly {
    readonly code: string;
    readonly job: string | null;
    readonly file: string | null;
    readonly line: number | null;
    readonly message: string;
  }[];
  readonly unrecorded: readonly string[];
}

const plan = (repository: Repository, ...flags: readonly string[]): Promise<Ended> =>
  runCli(["plan", ...flags], { cwd: repository.folder, environment });

function planFile(repository: Repository): PlanFile {
  const value: unknown = JSON.parse(readFileSync(join(repository.folder, ".flink-dbt-deploy", "plan.json"), "utf8"));
  expect(isPlan(value) ? [] : isPlan.errors).toEqual([]);
  return value as PlanFile;
}
const kinds = ({ changes }: PlanFile) => Object.fromEntries(changes.map(({ job, kind }) => [job, kind]));

test("a seed and two models, with nothing deployed: a first deployment, planned with no gateway anywhere", async () => {
  const repository = await openRepository(folders, seedAndTwoModels);
  const { code, stdout, stderr } = await plan(repository);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain("**2 jobs will change: 2 to create.**");
  expect(stdout).toContain("left to `dbt seed`");
  const made = planFile(repository);
  expect(kinds(made)).toEqual({ first_model: "create", second_model: "create" });
  expect(made.changes[0]?.explainedAfter?.plan).toContain("words");
  expect(repository.git("status", "--porcelain")).toBe("");
});

const secret = "hunter2";
const shop: Files = {
  "profiles.yml": profiles,
  "dbt_project.yml": shopProject,
  "models/sources.yml": ordersSource(10),
  "models/large_orders.sql": largeOrders(10),
  "models/totals.sql": tableModel({
    name: "totals",
    query: "select amount, count(*) as n from {{ ref('large_orders') }} group by amount",
  }),
  "models/copies.sql": tableModel({
    name: "copies",
    query: "select order_number from {{ ref('large_orders') }}",
    connector: { connector: "print", "print-identifier": `https://me:${secret}@host/` },
    execution: { "s3.secret-key": secret },
  }),
  "models/log.sql": tableModel({ name: "log", query: "select order_number from {{ source('raw', 'orders') }}" }),
  "models/gone.sql": tableModel({ name: "gone", query: "select amount from {{ source('raw', 'orders') }}" }),
};

describe("a project whose sources a hook makes", () => {
  let repository: Repository;
  beforeAll(async () => {
    repository = await openRepository(folders, shop);
  });

  test("shows no change where there is none", async () => {
    const { code, stdout } = await plan(repository, "--base", "main");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("✅ **No job changes.**") });
    expect(stdout).toContain("4 jobs stay as they are.");
    expect(Object.keys(kinds(planFile(repository)))).toEqual([]);
  });

  test("shows what a branch does to every job, and that one model is wrong, in which file and line", async () => {
    repository.git("switch", "--quiet", "--create", "branch");
    await repository.commit({
      "models/large_orders.sql": largeOrders(20),
      "models/gone.sql": null,
      "models/broken.sql": tableModel({
        name: "broken",
        query: "select\n    order_number,\n    no_such_column\nfrom {{ source('raw', 'orders') }}",
      }),
    });
    const { code, stdout, stderr } = await plan(repository, "--base", "main", "--markdown-file", "out/plan.md");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /\nmodels\/broken.sql:9: Column 'no_such_column' not found in any table.*\nmodel-invalid: .*\n$/,
    );
    const made = planFile(repository);
    expect(kinds(made)).toEqual({ totals: "upgrade", copies: "upgrade", gone: "remove" });
    expect(made.changes.find(({ job }) => job === "totals")?.reasons.map(({ text }) => text)).toEqual([
      "view large_orders changed",
    ]);
    expect(made.findings).toMatchObject([{ code: "model-invalid", job: "broken", file: "models/broken.sql", line: 9 }]);
    expect(made.findings[0]?.message).toContain("Column 'no_such_column' not found in any table");
    expect(stdout).toContain("models/broken.sql:9");
    expect(stdout).toContain("+where amount >= 20".replace("+", ""));
    expect(stdout).toContain("GroupAggregate");
    expect(stdout).not.toContain("no_such_column not found\n\tat");
    expect(readFileSync(join(repository.folder, "out", "plan.md"), "utf8")).toBe(stdout);

    expect(`${stdout}${stderr}`).not.toContain(secret);
    const outputs = [".flink-dbt-deploy", "out"].map((name) => join(repository.folder, name));
    expect(outputs.flatMap((folder) => filesWith(secret, folder))).toEqual([]);
  });

  test("finds two jobs of one name, also where only one of them was changed", async () => {
    repository.git("switch", "--quiet", "--create", "twins", "main");
    await repository.commit({
      "models/gone.sql": tableModel({ name: "log", query: "select amount from {{ source('raw', 'orders') }}" }),
    });
    const { code, stderr, stdout } = await plan(repository, "--base", "main");
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(`duplicate-job-name: ${errorCodes["duplicate-job-name"]}`);
    expect(stdout).toMatch(/models\/gone\.sql.*models\/log\.sql/);
    expect(planFile(repository).findings.map(({ code }) => code)).toEqual(["duplicate-job-name"]);
  });

  test("has every job as new where the base has no project yet, and says so", async () => {
    const added = await openRepository(folders, { "README.md": "jobs\n" });
    await added.commit(Object.fromEntries(Object.entries(shop).map(([name, text]) => [`jobs/${name}`, text])));
    const { code, stderr } = await plan(added, "--base", "HEAD~1", "--project-dir", "jobs");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const made = planFile(added);
    expect(kinds(made)).toEqual({ copies: "create", gone: "create", log: "create", totals: "create" });
    expect(made.findings.map(({ message }) => message)).toEqual([
      "The base HEAD~1 has no jobs/dbt_project.yml, so every job is new.",
    ]);
  });

  test("leaves a job alone that another one no longer reads", async () => {
    const reader = (table: string) => ({
      "models/reader.sql": tableModel({ name: "reader", query: `select amount from ${table}` }),
    });
    repository.git("switch", "--quiet", "--create", "reading", "main");
    const amounts = tableModel({
      name: "amounts",
      query: "select amount from {{ ref('large_orders') }}",
      connector: { connector: "filesystem", path: "/tmp/amounts", format: "csv" },
    });
    await repository.commit({ "models/amounts.sql": amounts, ...reader("{{ ref('amounts') }}") });
    await repository.commit(reader("{{ source('raw', 'orders') }}"));
    expect((await plan(repository, "--base", "HEAD~1")).code).toBe(0);
    expect(kinds(planFile(repository))).toEqual({ reader: "upgrade" });
  });
});
