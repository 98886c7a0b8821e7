import { readdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { DeployError } from "../errors.ts";
import { runChild } from "./child-process.ts";

export interface Python {
  readonly path: string;
  readonly version: "3.8" | "3.9" | "3.10";
}

/** Newest first: each is tried everywhere before an older one is. */
const versions = ["3.10", "3.9", "3.8"] as const;

const probe =
  "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2]); print(sys._base_executable or sys.executable)";

/** Finds a Python that dbt-core 1.3 runs on; throws `python-missing` with what was looked at. */
export async function findPython(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Python> {
  const looked: string[] = [];
  for (const candidates of [onPath, inPyenv, fromRunner, fromUv]) {
    for (const candidate of await candidates(environment, signal)) {
      const found = await tryPython(candidate, environment, signal);
      looked.push(`${candidate} (${typeof found === "string" ? found : "usable"})`);
      if (typeof found !== "string") return found;
    }
  }
  throw new DeployError(
    "python-missing",
    `no python 3.8, 3.9 or 3.10 found; looked at ${looked.length === 0 ? "PATH, pyenv and uv, which have none at all" : looked.join(", ")}`,
  );
}

async function onPath(): Promise<readonly string[]> {
  return [...versions.map((version) => `python${version}`), "python3", "python"];
}

async function inPyenv(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<readonly string[]> {
  const asked = await printed(["pyenv", "root"], environment, signal);
  const home = environment.HOME ?? homedir();
  const roots = new Set([asked, environment.PYENV_ROOT, join(home, ".pyenv")].filter((root) => root !== undefined));
  const found = await Promise.all([...roots].map((root) => installed(join(root, "versions"), "bin/python")));
  return found.flat();
}

/** actions/setup-python keeps its versions in the runner's tool cache. */
async function fromRunner(environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const cache = environment.RUNNER_TOOL_CACHE ?? environment.AGENT_TOOLSDIRECTORY;
  if (cache === undefined) return [];
  const found = await Promise.all(
    ["x64", "arm64"].map((machine) => installed(join(cache, "Python"), `${machine}/bin/python3`)),
  );
  return found.flat();
}

async function fromUv(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const version of versions) {
    const path = await printed(["uv", "python", "find", "--no-python-downloads", version], environment, signal);
    if (path !== undefined) found.push(path);
  }
  return found;
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
  return usable === undefined ? version : { path: executable, version: usable };
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
