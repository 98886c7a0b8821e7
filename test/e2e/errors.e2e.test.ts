import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { type Ended, Folders, runCli, writeFiles } from "../process/harness.ts";
import {
  environment,
  openRepository,
  ordersSource,
  profiles,
  provideAll,
  type Repository,
  shopProject,
  tableModel,
} from "./projects.ts";

const folders = new Folders();
const query = "select amount from {{ source('raw', 'orders') }}";
const model = (name: string) => tableModel({ name, query });
const files = {
  "profiles.yml": profiles,
  "dbt_project.yml": shopProject,
  "models/sources.yml": ordersSource(10),
  "models/totals.sql": model("totals"),
};
let repository: Repository;
let fake: FakeFlink;
beforeAll(async () => {
  await provideAll();
  repository = await openRepository(folders, files);
  fake = await FakeFlink.start();
});
afterAll(async () => {
  await fake?.[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

const plan = (cwd: string, ...flags: readonly string[]): Promise<Ended> =>
  runCli(["plan", ...flags], { cwd, environment });
const deploy = (cwd: string, ...flags: readonly string[]): Promise<Ended> =>
  runCli(["deploy", "--gateway-url", fake.gatewayUrl, ...flags], { cwd, environment });

/** One clear message, its code and what to do; no result, no stack trace. */
function expectRefusal({ code, stdout, stderr }: Ended, reason: string, said: string | RegExp): void {
  expect({ code, stdout }, stderr).toEqual({ code: reason === "inputs-invalid" ? 2 : 1, stdout: "" });
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(new RegExp(`^${reason}: [A-Z\`]`));
  expect(stderr).toMatch(said);
  expect(stderr).not.toMatch(/^\s+at |Traceback|\.py"?, line \d/m);
}

describe("what is named and is not there", () => {
  test("a base that does not exist", async () => {
    expectRefusal(
      await plan(repository.folder, "--base", "mian"),
      "base-missing",
      /no commit "mian" in .*neither a branch/,
    );
  });

  test("a base beyond the depth of a shallow clone", async () => {
    const first = repository.git("rev-parse", "HEAD");
    await repository.commit({ "README.md": "more\n" });
    const clone = join(await folders.make(), "clone");
    execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${repository.folder}`, clone]);
    expectRefusal(await plan(clone, "--base", first), "base-missing", /the clone is shallow.*`fetch-depth: 0`/);
  });

  test("a folder outside of git, a folder that is none, a folder without a project", async () => {
    const bare = await folders.make(files);
    expectRefusal(await plan(bare), "base-missing", /not (in )?a git repository/);
    expectRefusal(
      await plan(repository.folder, "--project-dir", "shop"),
      "manifest-unreadable",
      /there is no folder shop/,
    );
    expectRefusal(
      await plan(repository.folder, "--project-dir", "models"),
      "manifest-unreadable",
      /no dbt_project\.yml in /,
    );
  });

  test("a profile", async () => {
    const other = await openRepository(folders, { "dbt_project.yml": shopProject, "models/a.sql": model("a") });
    expectRefusal(
      await plan(other.folder),
      "dbt-failed",
      /dbt needs a profiles\.yml and there is none in .*`profiles-dir`/,
    );
  });

  test("dbt, Java", async () => {
    expectRefusal(await plan(repository.folder, "--dbt-command", "no-such-dbt"), "dbt-missing", /no-such-dbt/);
    const path = await folders.make();
    const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    symlinkSync(git, join(path, "git"));
    const { FLINK_DBT_DEPLOY_CACHE = "" } = environment;
    const bare = { PATH: path, PYENV_ROOT: path, FLINK_DBT_DEPLOY_CACHE };
    const cwd = repository.folder;
    expectRefusal(await runCli(["plan"], { cwd, environment: bare }), "java-missing", /java/i);
  });
});

describe("what dbt refuses is shown in dbt's own words, with the file", () => {
  test("a model that does not compile, through both commands; a variable that it may not see", async () => {
    const broken = await openRepository(folders, {
      ...files,
      "models/daily.sql": "select * from {{ ref('nothing') }}",
    });
    const said =
      /Model 'model\.shop\.daily' \(models\/daily\.sql\) depends on a node named 'nothing' which was not found/;
    for (const ended of await Promise.all([plan(broken.folder), deploy(broken.folder)]))
      expectRefusal(ended, "dbt-failed", said);
    await broken.commit({ "models/daily.sql": "select '{{ env_var('BROKERS') }}' as b" });
    expectRefusal(await plan(broken.folder), "dbt-failed", /name BROKERS in `dbt-env` to pass it to dbt/);
  });

  test("a dbt that leaves no manifest", async () => {
    const idle = join(await folders.make(), "dbt");
    writeFileSync(idle, "#!/bin/sh\nexit 0\n");
    chmodSync(idle, 0o755);
    expectRefusal(await plan(repository.folder, "--dbt-command", idle), "manifest-unreadable", /manifest\.json/);
  });
});

describe("a project that is not in order is refused before the cluster is touched", () => {
  test("no job at all", async () => {
    const empty = await openRepository(folders, {
      ...files,
      "models/totals.sql": `{{ config(materialized='view') }} ${query}`,
    });
    const said = /project shop has no model with `materialized: table`/;
    for (const ended of await Promise.all([plan(empty.folder), deploy(empty.folder)]))
      expectRefusal(ended, "no-jobs", said);
  });

  test("a change that is in no commit", async () => {
    await writeFiles(repository.folder, { "models/totals.sql": `${model("totals")}-- later\n` });
    expectRefusal(
      await deploy(repository.folder),
      "worktree-dirty",
      /changes that are in no commit, in [\w/.]+: commit them.*`head`/,
    );
    repository.git("checkout", "--quiet", ".");
  });

  test("two jobs of one name; a value that the adapter cannot read", async () => {
    const twins = await openRepository(folders, { ...files, "models/copy.sql": model("totals") });
    expectRefusal(
      await deploy(twins.folder),
      "duplicate-job-name",
      /models\/copy\.sql and models\/totals\.sql|models\/totals\.sql and models\/copy\.sql/,
    );
    await twins.commit({
      "models/copy.sql": tableModel({ name: "copy", query, execution: { "pipeline.jars": "a;b" } }),
    });
    expectRefusal(await deploy(twins.folder), "hint-unsafe", /models\/copy\.sql: .*pipeline\.jars.*a;b/);
  });

  test("SQL that Flink refuses", async () => {
    const wrong = await openRepository(folders, {
      ...files,
      "models/totals.sql": tableModel({
        name: "totals",
        query: "select\n  amuont\nfrom {{ source('raw', 'orders') }}",
      }),
      "init.sql": "create catalog c with ('type' = 'no_such_type')",
    });
    const [deployed, planned] = await Promise.all([deploy(wrong.folder), plan(wrong.folder, "--init-sql", "init.sql")]);
    expectRefusal(deployed, "model-invalid", /^models\/totals\.sql:8: Column 'amuont' not found/m);
    expectRefusal(planned, "flink-start-failed", /init-sql: create catalog was refused: .*no_such_type/);
  });

  afterAll(() => {
    expect(fake.statements.filter(({ sql }) => /insert|create|stop/i.test(sql))).toEqual([]);
    expect(fake.cluster.jobs.size).toBe(0);
  });
});
