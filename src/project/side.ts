import { access, lstat, mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { type DbtRun, dependencyLogs, runDbt } from "./dbt.ts";
import { refuseOutsidePackages } from "./outside-links.ts";
import {
  defaultTarget,
  findProfile,
  readProfile,
  readProjectFile,
  redirectProfile,
  rememberSecretsOfProfile,
} from "./profile.ts";
import type { DbtCommand } from "./python.ts";
import { type Answer, type Recorder, startRecorder } from "./recorder.ts";
import { repositoryOf } from "./worktree.ts";

export interface SideOptions {
  /** Which side it is, for messages: `base`, `head`. */
  readonly name: string;
  readonly dbt: DbtCommand;
  /** The folder with dbt_project.yml; nothing is left in it. */
  readonly projectFolder: string;
  /** Absolute; null to look where dbt looks. */
  readonly profilesFolder: string | null;
  readonly target: string | null;
  /** YAML or JSON text for `--vars`. */
  readonly vars: string | null;
  /** A folder of this side's own for HOME, target and logs; it is removed when the side is closed. */
  readonly workFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Names, or patterns with `*`, of variables that the project may read. */
  readonly environmentAllow: readonly string[];
  readonly answer: Answer;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One side, ready to be compiled and run: its recorder listens, its profile points there, its packages are installed.
 * Closing it ends the recorder and removes everything that was written.
 */
export interface Side extends AsyncDisposable {
  readonly name: string;
  /** The project's name in dbt_project.yml. */
  readonly project: string;
  readonly projectFile: Readonly<Record<string, unknown>>;
  readonly packagesFolder: string;
  /** The profile's own `target`, as written; dbt's default where it has none. */
  readonly profileTarget: string;
  readonly options: SideOptions;
  readonly run: DbtRun;
  readonly recorder: Recorder;
  /**
   * While dbt compiles, a query that fails is answered with no rows: what it asks about may not have been made yet, in
   * an order that only `dbt run` keeps.
   */
  readonly compiling: { value: boolean };
}

/** Throws `manifest-unreadable` where there is no project, `dbt-failed` where a profile or a package is missing. */
export async function openSide(options: SideOptions): Promise<Side> {
  const projectFile = await readProjectFile(options.projectFolder);
  const { name, profile } = projectFile;
  if (typeof name !== "string" || name === "") {
    throw new DeployError("manifest-unreadable", `dbt_project.yml in ${options.projectFolder} has no name`);
  }
  const userProfile = await readProfile(await findProfile(options));
  rememberSecretsOfProfile(userProfile);
  const packagesFolder = await packagesFolderOf(options.projectFolder, projectFile);
  const hadPackages = await exists(packagesFolder);
  const compiling = { value: false };
  const answer: Answer = (statement, before) =>
    options.answer(statement, before).catch((error: unknown) => {
      if (compiling.value) return { columns: [], rows: [] };
      throw error;
    });
  const recorder = await startRecorder({ answer });
  const side: Side = {
    name: options.name,
    project: name,
    projectFile,
    packagesFolder,
    profileTarget: defaultTarget(userProfile, profile),
    options,
    recorder,
    compiling,
    run: {
      ...options,
      command: options.dbt,
      home: join(options.workFolder, "home"),
      targetFolder: join(options.workFolder, "target"),
    },
    async [Symbol.asyncDispose]() {
      await recorder[Symbol.asyncDispose]();
      // dbt makes this folder in the project whatever it is told.
      await rm(join(options.projectFolder, dependencyLogs), { recursive: true, force: true });
      // Asked again: what dbt installs may have put a link in the way.
      if (!hadPackages && (await isInside(options.projectFolder, packagesFolder))) {
        await rm(packagesFolder, { recursive: true, force: true });
      }
      await rm(options.workFolder, { recursive: true, force: true });
    },
  };
  try {
    const profileFolder = join(side.run.home, ".dbt");
    await mkdir(profileFolder, { recursive: true, mode: 0o700 });
    const redirected = redirectProfile(userProfile, typeof profile === "string" ? profile : null, recorder);
    await writeFile(join(profileFolder, "profiles.yml"), redirected, { mode: 0o600 });
    if (!hadPackages && (await wantsPackages(options.projectFolder))) {
      await runDbt(["deps"], side.run);
      const top = await repositoryOf(options.projectFolder).catch(() => options.projectFolder);
      await refuseOutsidePackages(top, packagesFolder);
    }
    return side;
  } catch (error) {
    await side[Symbol.asyncDispose]();
    throw error;
  }
}

/** A change's author chooses the path, and what is installed there is removed again: never outside the project. */
async function packagesFolderOf(projectFolder: string, file: Readonly<Record<string, unknown>>): Promise<string> {
  const setting = file["packages-install-path"];
  const path = typeof setting === "string" ? setting : "dbt_packages";
  const folder = resolve(projectFolder, path);
  if (await isInside(projectFolder, folder)) return folder;
  throw new DeployError(
    "manifest-unreadable",
    `dbt_project.yml: packages-install-path is ${path}, which is not inside the project's folder; name a folder in it`,
  );
}

/** Whether a path, which need not exist, lies below the folder once symbolic links are followed. */
async function isInside(folder: string, path: string): Promise<boolean> {
  const isBelow = (top: string, one: string): boolean => !/^(\.\.(\/|$)|$|\/)/.test(relative(top, one));
  if (!isBelow(folder, path)) return false;
  let existing = path;
  while (!(await isThere(existing))) existing = dirname(existing);
  const [top, real] = await Promise.all([folder, existing].map((one) => realpath(one).catch(() => null)));
  if (top == null || real == null) return false;
  return real === top ? existing !== path : isBelow(top, real);
}

/** A link counts, wherever it leads. */
function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function wantsPackages(projectFolder: string): Promise<boolean> {
  return (await exists(join(projectFolder, "packages.yml"))) || (await exists(join(projectFolder, "dependencies.yml")));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
