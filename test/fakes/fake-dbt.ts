import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A dbt for tests that are not about dbt: compiling writes the project's own manifest.json as it is. It fails where the
 * project has a file `dbt-fails`, with that file's text. Nothing is ever sent, so no model may differ between the sides.
 */
const given = process.argv.slice(2);
const flag = (name: string): string => given[given.indexOf(name) + 1] ?? "";

if (given.includes("--version")) {
  console.log("  - flink: 1.3.11");
} else {
  const project = flag("--project-dir");
  const failure = join(project, "dbt-fails");
  if (existsSync(failure)) {
    console.log(JSON.stringify({ level: "error", msg: readFileSync(failure, "utf8").trim() }));
    process.exit(1);
  }
  const target = flag("--target-path");
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "manifest.json"), readFileSync(join(project, "manifest.json")));
}
