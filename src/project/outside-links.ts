import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { git } from "./worktree.ts";

/**
 * Refuses symbolic links among a project's committed files that lead out of the repository, or to git's own: a change's
 * author would have dbt, or us, read what is on the runner and show it in an error. Throws `manifest-unreadable`.
 */
export async function refuseOutsideLinks(top: string, project: string): Promise<void> {
  const { code, stdout, stderr } = await git(top, ["ls-files", "--stage", "-z", "--", project === "" ? "." : project]);
  if (code !== 0) throw new DeployError("base-missing", `\`git ls-files\` failed in ${top}: ${stderr.trim()}`);
  const links = stdout.split("\0").flatMap((line) => /^120000 \S+ \d\t(.*)$/s.exec(line)?.[1] ?? []);
  await refuse(links, top);
}

/** The same of what `dbt deps` brought, which may not lead out of `top` either. */
export async function refuseOutsidePackages(top: string, folder: string): Promise<void> {
  const within = relative(top, folder);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const links = entries.filter((entry) => entry.isSymbolicLink());
  await refuse([within, ...links.map(({ parentPath, name }) => relative(top, join(parentPath, name)))], top);
}

async function refuse(paths: readonly string[], top: string): Promise<void> {
  const real = await realpath(top);
  for (const path of paths) {
    const target = await targetOf(join(top, path));
    if (target === null || isWithin(real, target)) continue;
    throw new DeployError(
      "manifest-unreadable",
      `${path} is a link that leads out of the repository, to ${target}: put the file itself there`,
    );
  }
}

/** Where a path leads in the end, or, where nothing is there, where the link points; null where there is no link either. */
async function targetOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    const found = await lstat(path).catch(() => null);
    if (found?.isSymbolicLink() !== true) return null;
    const parent = await realpath(dirname(path)).catch(() => dirname(path));
    return resolve(parent, await readlink(path));
  }
}

function isWithin(top: string, target: string): boolean {
  return !/^(\.\.(\/|$)|\/|\.git(\/|$))/.test(relative(top, target));
}
