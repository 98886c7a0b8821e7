import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { addWorktree, headCommit, isDirty, repositoryOf, resolveRef } from "../project/worktree.ts";

/** A folder of ours that goes away with the command. */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
}

export async function makeScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "flink-dbt-deploy-"));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) };
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
