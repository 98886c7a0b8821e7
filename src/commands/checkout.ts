import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { isAlive } from "../flink/cache.ts";
import { addWorktree, headCommit, isDirty, repositoryOf, resolveRef } from "../project/worktree.ts";

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
  /** Whether the files are those of the working tree with changes that are in no commit. */
  readonly dirty: boolean;
}

/** A ref's files in a worktree of their own, or with `null` the working tree as it is. Throws `base-missing`. */
export async function openRevision(checkout: Checkout, ref: string | null, folder: string): Promise<Revision> {
  const { repository, project } = checkout;
  if (ref === null) {
    const projectFolder = join(repository, project);
    const dirty = await isDirty(repository, projectFolder);
    return { projectFolder, commit: await headCommit(repository), dirty, [Symbol.asyncDispose]: async () => undefined };
  }
  const commit = await resolveRef(repository, ref);
  const worktree = await addWorktree(repository, commit, folder);
  return {
    projectFolder: join(worktree.folder, project),
    commit,
    dirty: false,
    [Symbol.asyncDispose]: () => worktree[Symbol.asyncDispose](),
  };
}
