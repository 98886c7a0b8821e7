import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, test } from "vitest";

const src = join(import.meta.dirname, "..", "..", "src");

/** The way of the data: a folder imports from itself and from those before it (docs/decisions/0001). */
const way = [
  "inputs",
  "project",
  "planner",
  "state",
  "github",
  "gitlab",
  "ledger",
  "plan",
  "deploy",
  "report",
  "commands",
];
const everywhere = ["errors.ts", "known-secrets.ts", "secrets.ts", "version.ts"];
/** Folders whose files never touch time, environment, files or network. */
const pure = ["state", "plan", "report"];
const pureFiles = [
  "deploy/at-rest.ts",
  "deploy/begin.ts",
  "deploy/ids.ts",
  "deploy/next-step.ts",
  "deploy/rollback-plan.ts",
  "deploy/stopping.ts",
  "deploy/submission.ts",
  "deploy/suspension-age.ts",
  "deploy/verify.ts",
  "deploy/waves.ts",
  "ledger/fold.ts",
  "ledger/history.ts",
  "ledger/rests.ts",
  "ledger/retention.ts",
  "project/jobs.ts",
];
const impure = /^node:(fs|net|http|https|child_process|os|process|timers|dns|tls)\b|^undici$|^@actions\//;

interface Import {
  readonly from: string;
  readonly specifier: string;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(sep).join("/"));
const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(src, from), "utf8");
  const found = text.matchAll(/^(?:import|export)\b[^"']*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']/gm);
  return [...found].map((match) => ({ from, specifier: match[1] ?? match[2] ?? "" }));
});
const folderOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : file);

function isAllowed(from: string, to: string): boolean {
  const here = folderOf(from);
  const there = folderOf(to);
  if (here === "action.ts" || here === "cli.ts" || everywhere.includes(to) || here === there) return true;
  if (here === "flink") return false;
  return there === "flink" || (way.includes(there) && way.indexOf(there) < way.indexOf(here));
}

describe("the structure", () => {
  test("every file lies on the way", () => {
    const known = new Set([...way, "flink", ...everywhere, "action.ts", "cli.ts"]);
    expect(files.filter((file) => !known.has(folderOf(file)))).toEqual([]);
  });

  test("data flows one way", () => {
    const wrong = imports.flatMap(({ from, specifier }) => {
      if (!specifier.startsWith(".")) return [];
      const to = relative(src, resolve(src, dirname(from), specifier))
        .split(sep)
        .join("/");
      return isAllowed(from, to) ? [] : [`${from} → ${to}`];
    });
    expect(wrong).toEqual([]);
  });

  test("what decides touches nothing", () => {
    const wrong = imports.filter(
      ({ from, specifier }) => (pure.includes(folderOf(from)) || pureFiles.includes(from)) && impure.test(specifier),
    );
    expect(wrong).toEqual([]);
  });

  test("what decides asks neither the clock nor the environment", () => {
    const wrong = files.filter(
      (file) =>
        (pure.includes(folderOf(file)) || pureFiles.includes(file)) &&
        /\bDate\.now\(|\bnew Date\(\)|\bprocess\.|\bMath\.random\(|\bperformance\./.test(
          readFileSync(join(src, file), "utf8"),
        ),
    );
    expect(wrong).toEqual([]);
  });
});
