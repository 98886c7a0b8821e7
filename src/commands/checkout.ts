import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { isAlive } from "../flink/cache.ts";
import { refuseOutsideLinks } from "../project/outside-links.ts";
import {
  addWorktree,
  headCommit,
  renamedFiles,
  repositoryOf,
  resolveRef,
  uncommittedFiles,
} from "../project/worktree.ts";

/** A folder of ours that goes away with the command. */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
}

/** The name says which process it belongs to; what killed processes of this host left is removed first. */
export async function makeScratch(parent: string = tmpdir()): Promise<Scratch> {
  const within = await realpath(parent);
  await sweep(within);
  const folder = await mkdtemp(join(within, `flink-dbt-deploy-${process.pid}-${host}-`));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) };
}

const host = hostname().replace(/[^\w.-]/g, "_");

/** git's record of a worktree in such a folder goes with the `worktree prune` before the next one. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid, of] = /^flink-dbt-deploy-(\d+)-(.+)-[^-]{6}$/.exec(name) ?? [];
    if (pid === undefined || of !== host || isAlive(Number(pid))) continue;
    // Another user's cannot be removed, and is theirs to remove.
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The user's repository and where the dbt project lies in it. */
export interface Checkout {
  readonly repository: string;
  /** Relative to the repository; "" at its top. */
  readonly project: string;
}

/** Throws `manifest-unreadable` without the folder, `base-missing` outside of git. */
export async function findCheckout(cwd: string, projectDir: string): Promise<Checkout> {
  const folder = await realpath(resolve(cwd, projectDir)).catch((cause: unknown) => {
    throw new DeployError("manifest-unreadable", `project-dir: there is no folder ${projectDir}`, { cause });
  });
  const repository = await realpath(await repositoryOf(folder));
  return { repository, project: relative(repository, folder) };
}

/** The project's files at one commit. */
export interface Revision extends AsyncDisposable {
  readonly projectFolder: string;
  /** 40 hex. */
  readonly commit: string;
  /** Those of the files whose changes are in no commit, as paths in the repository. */
  readonly uncommitted: readonly string[];
}

/** Throws `worktree-dirty`, with the first of the files. */
export function refuseUncommitted({ uncommitted }: Revision): void {
  if (uncommitted.length === 0) return;
  const named = uncommitted.slice(0, 5).join(", ");
  const more = uncommitted.length > 5 ? ` and ${uncommitted.length - 5} more` : "";
  throw new DeployError(
    "worktree-dirty",
    `the project has changes that are in no commit, in ${named}${more}: commit them, or name a \`head\` to deploy`,
  );
}

/** The project's files that were renamed between any of the commits and the revision: new paths by old ones, in the project. */
export async function renamedSince(
  commits: readonly (string | null)[],
  { commit, uncommitted }: Revision,
  { repository, project }: Checkout,
): Promise<ReadonlyMap<string, string>> {
  const to = uncommitted.length === 0 ? commit : null;
  const known = [...new Set(commits)].filter((one) => one !== null);
  const renamed = await Promise.all(known.map((from) => renamedFiles(repository, from, to)));
  const inProject = renamed.flatMap((files) => [...files].map((paths) => paths.map((path) => relative(project, path))));
  return new Map(inProject.map(([old = "", now = ""]) => [old, now]));
}

/** A ref's files in a worktree of their own, or with `null` the working tree as it is. Throws `base-missing`. */
export async function openRevision(checkout: Checkout, ref: string | null, folder: string): Promise<Revision> {
  const { repository, project } = checkout;
  if (ref === null) {
    const projectFolder = join(repository, project);
    const uncommitted = await uncommittedFiles(repository, projectFolder);
    const commit = await headCommit(repository);
    await refuseOutsideLinks(repository, project);
    return { projectFolder, commit, uncommitted, [Symbol.asyncDispose]: async () => undefined };
  }
  const commit = await resolveRef(repository, ref);
  const worktree = await addWorktree(repository, commit, folder);
  const close = async (): Promise<void> => await worktree[Symbol.asyncDispose]();
  try {
    await refuseOutsideLinks(worktree.folder, project);
  } catch (error) {
    await close();
    throw error;
  }
  return { projectFolder: join(worktree.folder, project), commit, uncommitted: [], [Symbol.asyncDispose]: close };
}
