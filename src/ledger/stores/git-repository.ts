import { DeployError, describeError } from "../../errors.ts";
import { lastLines } from "../../flink/command.ts";
import { type Finished, runChild, TooMuchOutput } from "../../project/child-process.ts";
import { type GitRemote, gitEnvironment, maskGitWords } from "./git-remote.ts";
import { blobTexts, type Commit, fastImport, remoteCommit, treeIds } from "./git-stream.ts";

export interface GitRepositoryOptions {
  readonly remote: GitRemote;
  readonly ref: string;
  /** A new folder for the clone. */
  readonly makeFolder: () => Promise<string>;
  /** The environment variables of this process. */
  readonly variables: NodeJS.ProcessEnv;
  /** Of one call of git. */
  readonly timeoutMs: number;
}

/** What ends a call of git before its time, and how long after that it may still go on. */
export interface Interruption {
  readonly signal: AbortSignal;
  readonly graceMs: number;
}

/** One ref of another repository, and a bare clone of our own with what was fetched and what is pushed. */
export class GitRepository {
  readonly #options: GitRepositoryOptions;
  #folder: Promise<string> | null = null;

  constructor(options: GitRepositoryOptions) {
    this.#options = options;
  }

  /** The ref's commit at the remote; null where the remote answers that there is no such ref. */
  async head(until: Interruption): Promise<string | null> {
    const { remote, ref } = this.#options;
    const { stdout } = await this.#must(["ls-remote", "--refs", remote.url, ref], until);
    return remoteCommit(stdout, ref);
  }

  /** Brings what the ref's newest commit holds and we lack, without its history; says which commit that is. */
  async fetch(until: Interruption): Promise<string> {
    const { remote, ref } = this.#options;
    const options = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head"];
    await this.#must(["fetch", ...options, remote.url, `+${ref}:refs/heads/fetched`], until);
    return (await this.#must(["rev-parse", "--verify", "refs/heads/fetched^{commit}"], until)).stdout.trim();
  }

  /** The ids of a commit's files by path. */
  async files(commit: string, until: Interruption): Promise<ReadonlyMap<string, string>> {
    return treeIds((await this.#must(["ls-tree", "-r", "-z", commit], until)).stdout);
  }

  /** Texts by object id, or by `<commit>:<path>`. */
  async texts(names: readonly string[], until: Interruption): Promise<readonly string[]> {
    if (names.length === 0) return [];
    const input = names.map((name) => `${name}\n`).join("");
    const { stdout } = await this.#must(["cat-file", "--batch"], until, { input, encoding: "latin1" });
    return blobTexts(stdout, names.length);
  }

  /** Makes a commit in the clone and says its id. */
  async commit(commit: Commit, until: Interruption): Promise<string> {
    const input = fastImport(commit);
    return (await this.#must(["fast-import", "--quiet", "--force", "--done"], until, { input })).stdout.trim();
  }

  /** Sets the ref where it is still at `expected`, else nothing. Null where the remote says that it did so. */
  async push(commit: string, expected: string | null, until: Interruption): Promise<string | null> {
    const { remote, ref } = this.#options;
    const options = ["--porcelain", "--no-verify", `--force-with-lease=${ref}:${expected ?? ""}`];
    const finished = await this.#git(["push", ...options, remote.url, `${commit}:${ref}`], until);
    if (finished.code === 0) return null;
    const refusal = finished.stdout.split("\n").filter((line) => line.startsWith("!"));
    return this.#words({ ...finished, stderr: [finished.stderr, ...refusal.map(reasonIn)].join("\n") });
  }

  async #must(words: readonly string[], until: Interruption, options: ChildInput = {}): Promise<Finished> {
    const finished = await this.#git(words, until, options);
    if (finished.code === 0) return finished;
    throw new Error(`git ${words[0]} failed: ${this.#words(finished)}`);
  }

  #words({ stderr, code }: Finished): string {
    const words = lastLines(stderr, 4).replace(/\s*\n\s*/g, "; ");
    return maskGitWords(words, this.#options.remote) || `exit code ${code}`;
  }

  async #git(words: readonly string[], until: Interruption, options: ChildInput = {}): Promise<Finished> {
    this.#folder ??= this.#init(until).catch((error: unknown) => {
      this.#folder = null;
      throw error;
    });
    return await this.#run([`--git-dir=${await this.#folder}`, ...words], words[0] ?? "", until, options);
  }

  async #init(until: Interruption): Promise<string> {
    const folder = await this.#options.makeFolder();
    const { code, stderr } = await this.#run(["init", "--quiet", "--bare", "--template=", folder], "init", until);
    if (code !== 0) throw new Error(`git init failed: ${lastLines(stderr, 2)}`);
    return folder;
  }

  async #run(
    words: readonly string[],
    verb: string,
    { signal, graceMs }: Interruption,
    options: ChildInput = {},
  ): Promise<Finished> {
    const { remote, variables, timeoutMs } = this.#options;
    using until = limited(signal, { timeoutMs, graceMs });
    try {
      return await runChild(["git", ...words], {
        cwd: "/",
        environment: gitEnvironment(remote, variables),
        signal: until.signal,
        maxBytes,
        ...options,
      });
    } catch (cause) {
      if (cause instanceof TooMuchOutput) throw new Error(`git ${verb} was ended: ${cause.message}`);
      if (!until.signal.aborted)
        throw new Error(`git cannot be started: install it, and have it on PATH (${describeError(cause)})`);
      if (signal.aborted) throw new DeployError("interrupted", `git ${verb} was interrupted`);
      throw new Error(`git ${verb} did not end within ${timeoutMs / 1000} s`);
    }
  }
}

/** All entries of a ledger come at once; a hundred thousand of them are a tenth of it. */
const maxBytes = 256 * 1024 * 1024;

interface ChildInput {
  readonly input?: string | Buffer;
  readonly encoding?: "latin1";
}

/** `!\t<from>:<to>\t[remote rejected] (<reason>)`, which goes to standard output. */
const reasonIn = (line: string): string => line.split("\t")[2] ?? line;

/** A signal that fires after the time limit, or some time after the other one. */
function limited(
  signal: AbortSignal,
  { timeoutMs, graceMs }: { readonly timeoutMs: number; readonly graceMs: number },
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  const timers = [setTimeout(end, timeoutMs)];
  const soon = (): void => {
    if (graceMs === 0) end();
    else timers.push(setTimeout(end, graceMs));
  };
  if (signal.aborted) soon();
  else signal.addEventListener("abort", soon, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", soon);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
