import { rm } from "node:fs/promises";
import { DeployError, describeError } from "../errors.ts";
import { runChild, TooMuchOutput } from "./child-process.ts";

/** A folder with one commit's files; closing it removes the folder and what git keeps of it. */
export interface Worktree extends AsyncDisposable {
  readonly folder: string;
  readonly commit: string;
}

/** The commit (40 hex digits) that a branch, tag or commit names; `origin/<ref>` is tried too. Throws `base-missing`. */
export async function resolveRef(repo: string, ref: string): Promise<string> {
  for (const name of [ref, `refs/remotes/origin/${ref}`]) {
    const { code, stdout } = await git(repo, [
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${name}^{commit}`,
    ]);
    if (code === 0) return stdout.trim();
  }
  throw new DeployError("base-missing", `no commit "${ref}" in ${repo}${await whyMissing(repo)}`);
}

async function whyMissing(repo: string): Promise<string> {
  const { code, stdout, stderr } = await git(repo, ["rev-parse", "--is-shallow-repository"]);
  if (code !== 0) return `: ${whyRefused(repo, stderr)}`;
  if (stdout.trim() === "true")
    return ": the clone is shallow; fetch it whole with `fetch-depth: 0` in actions/checkout";
  return ": neither a branch, a tag nor a commit, here or on origin";
}

/** Checks a commit out into a new folder. Hooks and content filters (LFS) are off: a pull request chooses the files. */
export async function addWorktree(repo: string, commit: string, folder: string): Promise<Worktree> {
  await must(repo, ["worktree", "prune"]);
  await must(repo, ["worktree", "add", "--detach", "--quiet", folder, commit]);
  return {
    folder,
    commit,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
      await must(repo, ["worktree", "prune"]);
    },
  };
}

/** The project's files with changes that are in no commit, as paths in the repository; ignored ones and our own do not count. */
export async function uncommittedFiles(repo: string, projectFolder: string): Promise<readonly string[]> {
  const options = ["--porcelain", "-z", "--no-renames", "--untracked-files=all"];
  const { stdout } = await must(repo, ["status", ...options, "--", projectFolder]);
  // Two letters and a blank come before each path.
  const paths = stdout.split("\0").map((line) => line.slice(3));
  return paths.filter((path) => path !== "" && !/(^|\/)\.flink-dbt-deploy\//.test(path));
}

/**
 * New paths by old ones, both in the repository, of the files that git takes for renamed between a commit and another
 * one, or with null the working tree. None where the clone does not hold the commits.
 */
export async function renamedFiles(
  repo: string,
  from: string,
  to: string | null,
): Promise<ReadonlyMap<string, string>> {
  const options = ["--name-status", "-z", "--find-renames", "--diff-filter=R", "--no-ext-diff", "--no-textconv"];
  const { code, stdout } = await git(repo, [
    "diff",
    ...options,
    "--end-of-options",
    from,
    ...(to === null ? [] : [to]),
    "--",
  ]);
  const triples = code === 0 ? stdout.matchAll(/R\d+\0([^\0]*)\0([^\0]*)\0/g) : [];
  return new Map([...triples].map(([, old = "", now = ""]) => [old, now]));
}

/** A file's text at a commit, by its path in the repository; null where the commit does not hold it. */
export async function fileAt(repo: string, commit: string, path: string): Promise<string | null> {
  const { code, stdout } = await git(repo, ["cat-file", "blob", `${commit}:${path}`]);
  return code === 0 ? stdout : null;
}

/** The commit that is checked out. */
export function headCommit(repo: string): Promise<string> {
  return resolveRef(repo, "HEAD");
}

/** The top folder of the repository that a folder lies in; throws `base-missing` outside of one. */
export async function repositoryOf(folder: string): Promise<string> {
  const { code, stdout, stderr } = await git(folder, ["rev-parse", "--show-toplevel"]);
  if (code !== 0) throw new DeployError("base-missing", whyRefused(folder, stderr));
  return stdout.trim();
}

/** git has one exit code for everything; its words are in English because `LC_ALL` is C. Its advice is kept. */
function whyRefused(folder: string, stderr: string): string {
  return /not a git repository/.test(stderr)
    ? `${folder} is not in a git repository`
    : `git refuses ${folder}: ${stderr.trim().replace(/\s*\n\s*/g, " ")}`;
}

/** An empty filter process also switches off the single-file filter beside it. */
const inert = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "filter.lfs.process="];
const config = [...inert, "filter.lfs.required=false", "advice.detachedHead=false"].flatMap((entry) => ["-c", entry]);

/** Runs git in a folder to its end, without the project's hooks and filters. Throws `base-missing` where there is no git. */
export function git(repo: string, words: readonly string[]): ReturnType<typeof runChild> {
  // Inside a git hook these variables point git at another repository.
  const own = Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name));
  const environment = { ...Object.fromEntries(own), GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  return runChild(["git", "--literal-pathspecs", ...config, ...words], { cwd: repo, environment }).catch((cause) => {
    if (cause instanceof TooMuchOutput) {
      throw new DeployError("base-missing", `\`git ${words[0]}\` in ${repo} was ended: ${cause.message}`, { cause });
    }
    throw new DeployError(
      "base-missing",
      `git cannot be started: install it, and have it on PATH (${describeError(cause)})`,
      {
        cause,
      },
    );
  });
}

async function must(repo: string, words: readonly string[]): ReturnType<typeof runChild> {
  const finished = await git(repo, words);
  if (finished.code === 0) return finished;
  throw new DeployError(
    "base-missing",
    `\`git ${words.join(" ")}\` failed in ${repo}, so there are no files to compare: ${finished.stderr.trim() || `exit code ${finished.code}`}`,
  );
}
