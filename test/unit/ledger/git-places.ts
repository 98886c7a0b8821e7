import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../../src/flink/http.ts";
import type { Store } from "../../../src/ledger/store.ts";
import { type GitStoreOptions, openGitStore } from "../../../src/ledger/stores/git.ts";
import { gitRemote } from "../../../src/ledger/stores/git-remote.ts";

export const ref = "refs/flink-dbt-deploy/test";

/** A git of its own: nothing of this machine's or this user's config is read. */
export const gitVariables: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

export interface OpenOptions extends Partial<Omit<GitStoreOptions, "remote">> {
  readonly token?: string | null;
  readonly config?: readonly (readonly [string, string])[];
}

/** Bare repositories and clones in a folder that is removed in the end. */
export class GitPlaces implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-git-"));
  #count = 0;

  /** A new bare repository; its path. */
  bare(): string {
    this.#count += 1;
    const path = join(this.folder, `remote-${this.#count}.git`);
    this.git(["init", "--quiet", "--bare", "--template=", path]);
    appendFileSync(join(path, "config"), "[core]\n\tfsync = none\n");
    return path;
  }

  /** Lets the repository run this shell script at that point. */
  hook(path: string, name: "pre-receive" | "post-receive", script: string): void {
    mkdirSync(join(path, "hooks"), { recursive: true });
    writeFileSync(join(path, "hooks", name), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  }

  open(location: string, { token = null, config = [], ...options }: OpenOptions = {}): Store {
    return openGitStore({
      remote: gitRemote({ location, folder: this.folder, token, config }),
      ref,
      environment: "test",
      makeFolder: async () => mkdtempSync(join(this.folder, "clone-")),
      variables: gitVariables,
      signal: new AbortController().signal,
      now: () => new Date("2026-01-01T00:00:00Z"),
      sleep: (ms, signal) => sleep(ms / 10, signal),
      random: Math.random,
      ...options,
    });
  }

  /** What a git command prints. */
  git(words: readonly string[], input?: string): string {
    return execFileSync("git", words, { env: gitVariables, encoding: "utf8", input, stdio: "pipe" });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
