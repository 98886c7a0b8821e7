import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where this project keeps what it downloads. */
const cache = process.env.FLINK_DBT_DEPLOY_CACHE || join(homedir(), ".cache", "flink-dbt-deploy");

/** A tool's path, or why it is not to be had here. */
export type Tool = { readonly path: string } | { readonly missing: string };

/** A Go program, built once into the cache under its version. */
export function goTool(name: string, module: string, version: string): Tool {
  const folder = join(cache, "tools", `${name}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  if (!isThere("go", ["version"])) return { missing: `Go is not installed, so ${name} is not run` };
  mkdirSync(folder, { recursive: true });
  execFileSync("go", ["install", `${module}@${version}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: "-p=2" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { path };
}

/** A Python program in an environment of its own, installed once into the cache under its version. */
export function pythonTool(name: string, version: string): Tool {
  const folder = join(cache, "tools", `${name}-${version}`);
  const path = join(folder, "bin", name);
  if (existsSync(path)) return { path };
  if (!isThere("python3", ["-m", "venv", "--help"]))
    return { missing: `Python is not installed, so ${name} is not run` };
  execFileSync("python3", ["-m", "venv", folder]);
  execFileSync(join(folder, "bin", "pip"), ["install", "--quiet", `${name}==${version}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { path };
}

function isThere(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
