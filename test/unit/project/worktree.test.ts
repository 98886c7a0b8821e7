import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addWorktree,
  headCommit,
  renamedFiles,
  repositoryOf,
  resolveRef,
  uncommittedFiles,
} from "../../../src/project/worktree.ts";

let folder: string;
let repo: string;
const git = (...words: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: repo, encoding: "utf8" }).trim();

async function commit(text: string): Promise<string> {
  await writeFile(join(repo, "shop", "a.sql"), text);
  git("add", "-A");
  git("commit", "-qm", text);
  return git("rev-parse", "HEAD");
}

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "worktree-")));
  repo = join(folder, "repo");
  await mkdir(join(repo, "shop"), { recursive: true });
  git("init", "-q", "-b", "main");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a ref", () => {
  it("is a branch, a tag, a commit or its short form", async () => {
    const first = await commit("one");
    git("tag", "v1");
    const second = await commit("two");
    expect(await resolveRef(repo, "main")).toBe(second);
    expect(await resolveRef(repo, "v1")).toBe(first);
    expect(await resolveRef(repo, first.slice(0, 10))).toBe(first);
    expect(await headCommit(repo)).toBe(second);
  });

  it("is found on origin where there is no branch of its name here, as after actions/checkout", async () => {
    const first = await commit("one");
    git("update-ref", "refs/remotes/origin/release", first);
    expect(await resolveRef(repo, "release")).toBe(first);
  });

  it.each(["nowhere", "--all", "0123456789012345678901234567890123456789"])(
    "that is missing says so: %s",
    async (ref) => {
      await commit("one");
      await expect(resolveRef(repo, ref)).rejects.toMatchObject({
        code: "base-missing",
        message: expect.stringContaining(`no commit "${ref}"`),
      });
    },
  );

  it("that a shallow clone lacks comes with the advice to fetch it whole", async () => {
    const first = await commit("one");
    await commit("two");
    execFileSync("git", ["clone", "-q", "--depth", "1", `file://${repo}`, join(folder, "shallow")]);
    await expect(resolveRef(join(folder, "shallow"), first)).rejects.toMatchObject({
      code: "base-missing",
      message: expect.stringContaining("fetch-depth: 0"),
    });
  });

  it("outside of a repository says that", async () => {
    await expect(resolveRef(folder, "main")).rejects.toMatchObject({
      code: "base-missing",
      message: expect.stringContaining("not in a git repository"),
    });
    await expect(repositoryOf(folder)).rejects.toMatchObject({ code: "base-missing" });
    expect(await repositoryOf(join(repo, "shop"))).toBe(repo);
  });
});

describe("a worktree", () => {
  it("holds the commit's files beside changes in the checkout, and leaves nothing behind", async () => {
    const first = await commit("one");
    await commit("two");
    await writeFile(join(repo, "shop", "a.sql"), "edited");
    {
      await using worktree = await addWorktree(repo, first, join(folder, "base"));
      expect(await readFile(join(worktree.folder, "shop", "a.sql"), "utf8")).toBe("one");
    }
    expect(await readdir(folder)).toEqual(["repo"]);
    expect(git("worktree", "list").split("\n")).toHaveLength(1);
    expect(await readFile(join(repo, "shop", "a.sql"), "utf8")).toBe("edited");
  });

  it("takes the place of one whose folder was lost, and stands beside another of the same commit", async () => {
    const first = await commit("one");
    await addWorktree(repo, first, join(folder, "base"));
    await rm(join(folder, "base"), { recursive: true });
    await using base = await addWorktree(repo, first, join(folder, "base"));
    await using head = await addWorktree(repo, first, join(folder, "head"));
    expect(await readdir(head.folder)).toEqual(await readdir(base.folder));
  });

  it("runs no hook and no content filter", async () => {
    await writeFile(join(repo, ".gitattributes"), "*.sql filter=lfs");
    const first = await commit("one");
    const hook = join(repo, ".git", "hooks", "post-checkout");
    await writeFile(hook, `#!/bin/sh\ntouch ${folder}/hooked\n`);
    await chmod(hook, 0o755);
    git("config", "filter.lfs.smudge", `touch ${folder}/smudged; cat`);
    git("config", "filter.lfs.required", "true");
    await using _ = await addWorktree(repo, first, join(folder, "base"));
    expect((await readdir(folder)).sort()).toEqual(["base", "repo"]);
  });
});

describe("the project's folder", () => {
  const uncommitted = () => uncommittedFiles(repo, join(repo, "shop"));

  it("has changed, new and renamed files of its own that are in no commit, not others' and no ignored ones", async () => {
    await writeFile(join(repo, ".gitignore"), "target/\n");
    await commit("one");
    expect(await uncommitted()).toEqual([]);
    await writeFile(join(repo, "README"), "not the project's");
    await mkdir(join(repo, "shop", "target"));
    await writeFile(join(repo, "shop", "target", "manifest.json"), "");
    expect(await uncommitted()).toEqual([]);
    await mkdir(join(repo, "shop", ".flink-dbt-deploy"));
    await writeFile(join(repo, "shop", ".flink-dbt-deploy", "plan.json"), "what a plan leaves behind");
    expect(await uncommitted()).toEqual([]);
    await writeFile(join(repo, "shop", "näw one.sql"), "");
    expect(await uncommitted()).toEqual(["shop/näw one.sql"]);
    git("mv", "shop/a.sql", "shop/b.sql");
    expect(await uncommitted()).toEqual(["shop/a.sql", "shop/b.sql", "shop/näw one.sql"]);
  });
});

describe("files that were renamed", () => {
  it("are told between two commits, and up to the working tree", async () => {
    const first = await commit("select 1 from orders");
    git("mv", "shop/a.sql", "shop/b.sql");
    expect([...(await renamedFiles(repo, first, null))]).toEqual([["shop/a.sql", "shop/b.sql"]]);
    git("commit", "--quiet", "-m", "renamed");
    const second = await resolveRef(repo, "HEAD");
    expect([...(await renamedFiles(repo, first, second))]).toEqual([["shop/a.sql", "shop/b.sql"]]);
    expect([...(await renamedFiles(repo, second, null))]).toEqual([]);
  });

  it("are none where the clone does not hold the commit", async () => {
    await commit("one");
    expect((await renamedFiles(repo, "f".repeat(40), null)).size).toBe(0);
  });
});

describe("what git refuses", () => {
  const withPath = async (path: string, use: () => Promise<void>) => {
    const former = process.env.PATH;
    process.env.PATH = path;
    await use().finally(() => {
      process.env.PATH = former;
    });
  };

  it("for want of git is said", async () => {
    await withPath(folder, async () => {
      await expect(repositoryOf(repo)).rejects.toMatchObject({
        code: "base-missing",
        message: expect.stringMatching(/^git cannot be started: install it/),
      });
    });
  });

  it("because the folder is another's comes with git's own advice", async () => {
    const bin = join(folder, "bin");
    await mkdir(bin);
    const words = `fatal: detected dubious ownership in repository at '${repo}'\nTo add an exception for this directory, call:\n\n\tgit config --global --add safe.directory ${repo}`;
    await writeFile(join(bin, "git"), `#!/bin/sh\nprintf '%b\\n' "${words}" >&2\nexit 128\n`);
    await chmod(join(bin, "git"), 0o755);
    await withPath(`${bin}:${process.env.PATH}`, async () => {
      for (const refused of [repositoryOf(repo), resolveRef(repo, "main")]) {
        await expect(refused).rejects.toMatchObject({
          code: "base-missing",
          message: expect.stringMatching(/git refuses .*dubious ownership.*git config --global --add safe\.directory /),
        });
      }
    });
  });

  it("when files are checked out is told in git's words", async () => {
    const first = await commit("one");
    await mkdir(join(folder, "taken", "already"), { recursive: true });
    await expect(addWorktree(repo, first, join(folder, "taken"))).rejects.toMatchObject({
      code: "base-missing",
      message: expect.stringMatching(/`git worktree add .*` failed in .*already exists/),
    });
  });
});
