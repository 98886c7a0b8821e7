import { readdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { DeployError } from "../errors.ts";
import { findOnPath } from "../flink/command.ts";
import { runChild } from "./child-process.ts";

export interface Python {
  readonly path: string;
  readonly version: "3.8" | "3.9" | "3.10";
}

/** Newest first: each is tried everywhere before an older one is. */
const versions = ["3.10", "3.9", "3.8"] as const;

const probe =
  "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2]); print(sys._base_executable or sys.executable)";

/** Where Pythons may be, as words that follow "looked", and those that are there, as paths or names on PATH. */
interface Searched {
  readonly where: string;
  readonly candidates: readonly string[];
}

/** Finds a Python that dbt-core 1.3 runs on; throws `python-missing` with where it looked and what is there. */
export async function findPython(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Python> {
  const looked: string[] = [];
  for (const search of [onPath, inPyenv, fromRunner, fromUv]) {
    const { where, candidates } = await search(environment, signal);
    const useless: string[] = [];
    for (const candidate of candidates) {
      const found = await tryPython(candidate, environment, signal);
      if (typeof found !== "string") return found;
      useless.push(`${candidate} ${found}`);
    }
    looked.push(`${where} (${useless.join(", ") || "none"})`);
  }
  throw new DeployError("python-missing", `no python 3.8, 3.9 or 3.10 found; looked ${looked.join(", ")}`);
}

async function onPath(environment: NodeJS.ProcessEnv): Promise<Searched> {
  const names = [...versions.map((version) => `python${version}`), "python3", "python"];
  const candidates = names.filter((name) => findOnPath(name, environment) !== null);
  return { where: `on PATH for ${names.join(", ")}`, candidates };
}

async function inPyenv(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Searched> {
  const asked = await printed(["pyenv", "root"], environment, signal);
  const home = environment.HOME ?? homedir();
  const roots = new Set([asked, environment.PYENV_ROOT, join(home, ".pyenv")].filter((root) => root !== undefined));
  const found = await Promise.all([...roots].map((root) => installed(join(root, "versions"), "bin/python")));
  return { where: `in the pyenv roots ${[...roots].join(", ")}`, candidates: found.flat() };
}

/** actions/setup-python keeps its versions in the runner's tool cache. */
async function fromRunner(environment: NodeJS.ProcessEnv): Promise<Searched> {
  const cache = environment.RUNNER_TOOL_CACHE ?? environment.AGENT_TOOLSDIRECTORY;
  if (cache === undefined) return { where: "in the tool cache, which RUNNER_TOOL_CACHE does not name", candidates: [] };
  const found = await Promise.all(
    ["x64", "arm64"].map((machine) => installed(join(cache, "Python"), `${machine}/bin/python3`)),
  );
  return { where: `in the tool cache ${cache}`, candidates: found.flat() };
}

async function fromUv(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Searched> {
  const found: string[] = [];
  for (const version of versions) {
    const path = await printed(["uv", "python", "find", "--no-python-downloads", version], environment, signal);
    if (path !== undefined) found.push(path);
  }
  return { where: "and asked uv", candidates: found };
}

/** The interpreters in a folder that has a folder for each version, newest first. */
async function installed(folder: string, interpreter: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return versions.flatMap((version) =>
    names
      .filter((name) => name.startsWith(`${version}.`))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((name) => join(folder, name, interpreter)),
  );
}

/** The Python at a path or of a name, or why it is of no use. */
async function tryPython(path: string, environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Python | string> {
  const [version, executable] = ((await printed([path, "-c", probe], environment, signal)) ?? "").split("\n");
  if (version === undefined || version === "" || executable === undefined) return "does not run";
  const usable = versions.find((known) => known === version);
  return usable === undefined ? `is ${version}` : { path: executable, version: usable };
}

/** What a program prints, or undefined where it is not there or fails. */
async function printed(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const { code, stdout } = await runChild(argv, { cwd: tmpdir(), environment, signal });
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined; // Not installed: the search goes on.
  }
}
