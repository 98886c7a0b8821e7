import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/inputs/table.ts";
import { type Door, Folders, run } from "./harness.ts";

const folders = new Folders();
let cwd: string;
beforeAll(async () => {
  cwd = await folders.make();
});
afterAll(() => folders[Symbol.asyncDispose]());

const reached = { "gateway-url": "http://127.0.0.1:1" };
const one = { ...reached, jobs: "orders" };

/** Each kind of input once, by what is wrong with it. */
const wrong: readonly (readonly [string, string, Readonly<Record<string, string>>, string])[] = [
  ["a required input is missing", "deploy", {}, "gateway-url: is required and was not given"],
  ["no jobs are named", "suspend", reached, "jobs: is required; `*` means every job"],
  ["a list of nothing but commas", "resume", { ...reached, jobs: " , ," }, "jobs: is required"],
  ["a URL without a scheme", "status", { "gateway-url": "flink:8083" }, 'gateway-url: "flink:8083" must be a URL'],
  ["a URL of another scheme", "status", { "gateway-url": "ftp://flink" }, "must be a URL that begins with http"],
  [
    "an optional URL",
    "status",
    { ...reached, "jobmanager-url": "8081" },
    'jobmanager-url: "8081" must be a URL that begins with http:// or https://',
  ],
  [
    "a path where a URI is asked for",
    "suspend",
    { ...one, "savepoint-dir": "/savepoints" },
    'savepoint-dir: "/savepoints" must be a URI with its scheme',
  ],
  [
    "a password in a URI",
    "suspend",
    { ...one, "savepoint-dir": "s3://key:geheim@bucket/savepoints" },
    'savepoint-dir: "s3://******@bucket/savepoints" must hold no password',
  ],
  ["no choice of the store", "plan", { store: "s3" }, 'store: "s3" must be one or more of git, file, cache, artifact'],
  ["a store twice", "plan", { store: "git, git" }, 'store: "git, git" names one of them twice'],
  ["a short name of a ref", "plan", { "ledger-ref": "ledger" }, 'ledger-ref: "ledger" must be the full name of a ref'],
  ["a name that no ref has", "plan", { "ledger-ref": "refs/heads/a..b" }, "must be the full name of a ref"],
  ["a ledger without a file", "ledger-export", {}, "ledger-file: is required"],
  ["a file that is not there to import", "ledger-import", { "ledger-file": "gone.json" }, "gone.json cannot be read"],
  ["no repository for git", "ledger-export", { "ledger-file": "x", store: "git" }, "ledger-git: is required, since"],
  [
    "a repository that is no place",
    "ledger-export",
    { "ledger-file": "x", store: "git", "ledger-git": "ftp://git.example/ledger" },
    "ledger-git: ftp://git.example/ledger must be https://",
  ],
  [
    "a helper of git's in the place of a repository",
    "ledger-export",
    { "ledger-file": "x", store: "git", "ledger-git": "ext::sh -c true" },
    "ledger-git: ext::sh -c true must be https://",
  ],
  [
    "an environment that no ref can be named after",
    "ledger-export",
    { "ledger-file": "x", store: "git", environment: "a.lock" },
    "environment: git has no ref of the name a.lock; give ledger-ref",
  ],
  [
    "more days than GitHub keeps an artifact",
    "suspend",
    { ...one, "artifact-retention-days": "401" },
    'artifact-retention-days: "401" must be a whole number from 1 to 400',
  ],
  [
    "a yes where true is meant",
    "deploy",
    { ...reached, "first-deployment": "yes" },
    'first-deployment: "yes" must be one of true, false',
  ],
  ["no choice of removed-jobs", "plan", { "removed-jobs": "Stop" }, 'removed-jobs: "Stop" must be one of stop, keep'],
  ["a name with a slash", "plan", { environment: "a/b" }, 'environment: "a/b" must be letters'],
  ["a name that leaves its folder", "plan", { environment: "a..b" }, 'environment: "a..b" must be letters'],
  ["a rename without a new name", "plan", { renames: "orders" }, 'renames: "orders" must be written `old=new`'],
  ["two renames to one name", "plan", { renames: "a=c, b=c" }, "names c twice"],
  ["a version that is none", "plan", { "flink-version": "1.20" }, 'flink-version: "1.20" must be a version such as'],
  ["a count of zero", "suspend", { ...one, "parallel-jobs": "0" }, "must be a whole number from 1 to 1000"],
  ["a count that is none", "deploy", { ...reached, "parallel-jobs": "many" }, 'parallel-jobs: "many" must be a whole'],
  ["seconds with a unit", "resume", { ...one, "verify-timeout": "3m" }, 'verify-timeout: "3m" must be a whole number'],
  ["negative seconds", "deploy", { ...reached, "steady-time": "-1" }, 'steady-time: "-1" must be a whole number'],
  [
    "no savepoint that stays",
    "deploy",
    { ...reached, "keep-savepoints": "0" },
    "must be a whole number from 1 to 1000",
  ],
  [
    "an age of savepoints without a count",
    "deploy",
    { ...reached, "keep-savepoints-days": "7" },
    "keep-savepoints-days: says nothing without `keep-savepoints`",
  ],
  ["days with a unit", "status", { ...reached, "warn-suspended-days": "7d" }, 'warn-suspended-days: "7d" must be'],
  ["too little of an id", "rollback", { ...reached, to: "3f2a9" }, 'to: "3f2a9" must be at least 6 signs of an id'],
  ["an answer that is none", "rollback", { ...reached, "keep-progress": "yes" }, "must be one of true, false"],
  ["a file that is not there", "suspend", { ...one, "init-sql": "gone.sql" }, "init-sql: gone.sql cannot be read"],
];

describe.each(["command", "action"] as const)("through the %s", (door: Door) => {
  test.each(wrong)("%s (%s)", async (_name, command, inputs, said) => {
    const result = await run(door, command, inputs, { cwd });
    expect(result).toMatchObject({ code: door === "command" ? 2 : 1, reason: "inputs-invalid" });
    expect(result.message).toContain(said);
    expect(result.message.split("\n")).toHaveLength(2);
    expect(result.everything).not.toMatch(/^\s+at /m);
  });

  test("a value is shown shortened, and what looks secret in it is not shown", async () => {
    const long = await run(door, "plan", { "flink-version": "x".repeat(5000) }, { cwd });
    expect(long.everything.length).toBeLessThan(1000);
    for (const url of ["ftp://me:hunter2@flink:8083", "me:hunter2@flink:8083", "//me:hunter2@flink"]) {
      const { reason, everything } = await run(door, "status", { "gateway-url": url }, { cwd });
      expect({ reason, told: everything.includes("hunter2") }).toEqual({ reason: "inputs-invalid", told: false });
    }
  });
});

test("the action without a command, or with one that is none, names them all", async () => {
  for (const command of ["", "destroy"]) {
    const { code, reason, message } = await run("action", command, {}, { cwd });
    expect({ code, reason }).toEqual({ code: 1, reason: "inputs-invalid" });
    expect(message).toContain(`command: "${command}" is none of ${Object.keys(commands).join(", ")}`);
  }
});
