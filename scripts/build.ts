import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Builds dist/index.js (the action) and dist/cli.js (the command), each a file of its own, and dist/toolkit.js, which both
 * load when they write to GitHub's stores: it is larger than they are, and would cost every start. TypeScript first, then
 * ncc on its output: ncc on .ts does not work with TypeScript 7 (ncc#1336).
 */
const root = join(import.meta.dirname, "..");
const dist = process.argv[2] ?? join(root, "dist");
const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(join(root, "node_modules", ".bin", command), args, {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
};

rmSync(join(root, "lib"), { recursive: true, force: true });
rmSync(dist, { recursive: true, force: true });
run("tsc", "-p", "tsconfig.build.json");
for (const [entry, file] of [
  ["lib/action.js", "index.js"],
  ["lib/cli.js", "cli.js"],
  ["lib/ledger/stores/github/toolkit.js", "toolkit.js"],
] as const) {
  const out = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-build-"));
  run("ncc", "build", entry, "-o", out, "--minify", "--license", "licenses.txt", "--target", "es2022");
  const extra = readdirSync(out).filter((name) => !["index.js", "package.json", "licenses.txt"].includes(name));
  if (extra.length > 0) throw new Error(`${entry} is not one file: ${extra.join(", ")}`);
  cpSync(join(out, "index.js"), join(dist, file));
  const licenses = { "index.js": "licenses.txt", "toolkit.js": "toolkit.licenses.txt", "cli.js": null }[file];
  if (licenses !== null) cpSync(join(out, "licenses.txt"), join(dist, licenses));
  rmSync(out, { recursive: true });
}
writeFileSync(join(dist, "package.json"), '{ "type": "module" }\n');
