import { createHash } from "node:crypto";
import { access, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import { makeFolder } from "../flink/make-folder.ts";
import { adapterVersionOf } from "./adapter-version.ts";
import { runChild } from "./child-process.ts";
import { commandOf } from "./dbt-command.ts";
import { scrubEnvironment } from "./dbt-environment.ts";
import { findPython, type Python } from "./python-search.ts";

/** How dbt is started. */
export interface DbtCommand {
  /** The first words of every command line. */
  readonly command: readonly string[];
  /** For the log: the user's own words, or the packages that were installed. */
  readonly description: string;
  /** Such as `dbt-flink-adapter==1.3.11`; "unknown" where it cannot be found out. */
  readonly adapterVersion: string;
}

export interface ProvideDbtOptions {
  /** The user's own command; null to have `requirements` installed once into the cache. */
  readonly dbtCommand: string | null;
  readonly cacheFolder: string;
  readonly requirements: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Finds or installs a dbt. Throws `dbt-missing`, `python-missing` or `download-failed`. What is in the cache is used
 * without looking for a Python or a network.
 */
export async function provideDbt(options: ProvideDbtOptions): Promise<DbtCommand> {
  if (options.dbtCommand !== null) {
    return describe(await commandOf(options.dbtCommand, options.environment), options.dbtCommand, options);
  }
  const folder = join(options.cacheFolder, "dbt");
  const key = createHash("sha256").update(options.requirements.join("\n")).digest("hex").slice(0, 12);
  const ready = join(folder, `${key}.ready`);
  const description = options.requirements.join(" ");
  const cached = await readCached(ready);
  if (cached !== null) return describe([cached], description, options);

  const python = await findPython(options.environment, options.signal);
  // A virtual environment holds its own path and cannot be renamed into place: so it has a name of its own, and a
  // small file that says which one is whole is renamed instead.
  const home = join(folder, `${key}-${process.pid}-${++builds}`);
  await rm(home, { recursive: true, force: true });
  await makeFolder(folder);
  try {
    await install(python, home, options);
    await writeFile(join(home, whole), "");
    await writeFile(`${home}.ready`, join(home, "bin", "dbt"));
    await rename(`${home}.ready`, ready);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  await removeInterrupted(folder, key);
  return describe([join(home, "bin", "dbt")], description, options);
}

async function describe(
  command: readonly string[],
  description: string,
  { environment }: ProvideDbtOptions,
): Promise<DbtCommand> {
  return { command, description, adapterVersion: await adapterVersionOf(command, environment) };
}

/** Tells two installations of one process apart. */
let builds = 0;

/** The file inside a virtual environment that is written last. */
const whole = "flink-dbt-deploy-complete";

async function install(python: Python, home: string, options: ProvideDbtOptions): Promise<void> {
  const { requirements, log, signal } = options;
  log(`installing ${requirements.join(" and ")} with python ${python.version} into ${home}`);
  const environment = scrubEnvironment(options.environment, ["HOME", "PIP_*", "*_PROXY", "*_proxy"]);
  const steps = [
    [python.path, "-m", "venv", home],
    [
      join(home, "bin", "python"),
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"],
      ...requirements,
    ],
  ];
  for (const step of steps) {
    const { code, stderr, stdout } = await runChild(step, { cwd: options.cacheFolder, environment, signal });
    if (code === 0) continue;
    const said = (stderr.trim() || stdout.trim()).split("\n").filter((line) => /error/i.test(line));
    throw new DeployError(
      "download-failed",
      `cannot install ${requirements.join(" and ")}: ${said.slice(-3).join("; ") || stderr.trim().slice(-500)}`,
    );
  }
}

/** The dbt that the marker names, where both it and its interpreter are still there. */
async function readCached(ready: string): Promise<string | null> {
  try {
    const dbt = (await readFile(ready, "utf8")).trim();
    return (await exists(dbt)) && (await exists(join(dbt, "..", "python"))) ? dbt : null; // Its Python may be gone.
  } catch {
    return null; // Never built.
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Removes what processes that no longer run have left half-built. */
async function removeInterrupted(folder: string, key: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = new RegExp(`^${key}-(\\d+)-\\d+$`).exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid)) || (await exists(join(folder, name, whole)))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return describeError(error).includes("EPERM");
  }
}
