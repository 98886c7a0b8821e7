import { DeployError, describeError } from "../../errors.ts";
import { GitRepository, type GitRepositoryOptions, type Interruption } from "./git-repository.ts";
import {
  type Change,
  changed,
  emptySnapshot,
  filesOf,
  isRead,
  messageOf,
  readSnapshot,
  type Snapshot,
  valuePath,
} from "./git-tree.ts";

export interface GitRefOptions extends GitRepositoryOptions {
  readonly environment: string;
  /** For messages. */
  readonly description: string;
  readonly now: () => Date;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What a write comes to where this is what the ref holds: something to be written yet, or a result. */
export type Verdict = Change | "stored" | "overtaken";

const lookTries = 3;
/** While nobody else writes. */
const refusedTries = 5;
/** While others write; each time one of them succeeded. */
const mostTries = 50;

/** The ledger's ref: looked at, and changed by compare-and-set. One call at a time; throws plain errors. */
export class GitRef {
  readonly #options: GitRefOptions;
  readonly #repository: GitRepository;
  /** What is known to have been at the remote; null before the first look. */
  #seen: Snapshot | null = null;
  /** By object id: a look reads only what is new. */
  readonly #texts = new Map<string, string>();

  constructor(options: GitRefOptions) {
    this.#options = options;
    this.#repository = new GitRepository(options);
  }

  /** What it holds now. What it once held it must still hold: a ref that was reset or deleted is no empty ledger. */
  async look(until: Interruption): Promise<Snapshot> {
    const next = await this.#persistently(() => this.#fetch(until), until);
    for (const [sequence, { id }] of this.#seen?.entries ?? []) {
      if (next.entries.get(sequence)?.id === id) continue;
      throw new Error(`entry ${sequence} was there and is no more: someone reset or deleted the ref`);
    }
    this.#seen = next;
    return next;
  }

  async value(key: string, until: Interruption): Promise<string> {
    const seen = this.#seen?.values.has(key) ? this.#seen : await this.look(until);
    if (!seen.values.has(key)) throw new Error(`there is no value ${key}`);
    return (await this.#repository.texts([`${seen.commit}:${valuePath(key)}`], until))[0] ?? "";
  }

  /**
   * Puts a commit on what was seen last and pushes it, until it is there: true; false where others came first. Only a
   * look tells what became of a push that failed: its answer may have been lost. Nothing but a push is decided by what an
   * earlier call saw.
   */
  async change(verdictOf: (seen: Snapshot, isTried: boolean) => Verdict, until: Interruption): Promise<boolean> {
    let isFresh = this.#seen === null;
    let seen = this.#seen ?? (await this.look(until));
    let [tries, refused] = [0, 0];
    for (;;) {
      const verdict = verdictOf(seen, tries > 0);
      if (typeof verdict === "string") {
        if (isFresh) return verdict === "stored";
        seen = await this.look(until);
        isFresh = true;
        continue;
      }
      tries += 1;
      const problem = await this.#write(verdict, seen, until);
      if (problem === null) return true;
      const before = seen.commit;
      seen = await this.look(until).catch((error: unknown) => {
        throw new Error(`${problem}; then ${describeError(error)}`);
      });
      isFresh = true;
      refused = seen.commit === before ? refused + 1 : 0;
      if (refused === refusedTries || tries === mostTries) throw new Error(problem);
      await this.#pause(refused, until);
    }
  }

  /** Null once the ref was read back with it; else why it may not be there. */
  async #write(change: Change, seen: Snapshot, until: Interruption): Promise<string | null> {
    const repository = this.#repository;
    const { ref, now } = this.#options;
    // A branch's pushes start pipelines; GitHub, GitLab, Gitea and Bitbucket heed this.
    const tail = ref.startsWith("refs/heads/") ? "\n\n[skip ci]" : "";
    const message = `${messageOf(change, seen.lock)}${tail}`;
    const parts = { parent: seen.commit, message, at: now(), files: filesOf(change) };
    const commit = await repository.commit(parts, until);
    const refusal = await repository.push(commit, seen.commit, until).catch(describeError);
    if (refusal !== null) return refusal;
    const shown = await this.#persistently(() => repository.head(until), until);
    if (shown !== commit) return `the remote took ${commit}, and shows ${shown ?? "no such ref"}`;
    this.#seen = changed(seen, change, commit);
    return null;
  }

  async #fetch(until: Interruption): Promise<Snapshot> {
    const repository = this.#repository;
    for (let tries = 1; ; tries += 1) {
      const shown = await repository.head(until);
      if (shown === null) return emptySnapshot;
      if (this.#seen?.commit === shown) return this.#seen;
      // It moves while others write. Were it deleted, git would take another ref whose name ends like it.
      const fetched = await repository.fetch(until);
      if (fetched === shown) return await this.#snapshot(shown, until);
      if (tries === mostTries) throw new Error(`the remote shows ${shown}, and gives ${fetched}`);
    }
  }

  async #snapshot(commit: string, until: Interruption): Promise<Snapshot> {
    const { environment, description: where } = this.#options;
    const ids = await this.#repository.files(commit, until);
    const read = [...ids].filter(([path]) => isRead(path));
    const missing = [...new Set(read.map(([, id]) => id))].filter((id) => !this.#texts.has(id));
    const texts = await this.#repository.texts(missing, until);
    for (const [index, id] of missing.entries()) this.#texts.set(id, texts[index] ?? "");
    const files = new Map(read.map(([path, id]) => [path, this.#texts.get(id) ?? ""]));
    return readSnapshot(commit, ids.keys(), files, { environment, where });
  }

  /** A look may be repeated: it changes nothing. */
  async #persistently<T>(look: () => Promise<T>, until: Interruption): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await look();
      } catch (error) {
        if (tries === lookTries || error instanceof DeployError) throw error;
        await this.#pause(tries, until);
      }
    }
  }

  async #pause(tries: number, { signal }: Interruption): Promise<void> {
    const { sleep, random } = this.#options;
    await sleep(Math.round(100 * 2 ** tries * (0.5 + random())), signal);
  }
}
