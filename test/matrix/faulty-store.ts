import { DeployError } from "../../src/errors.ts";
import type { Store, Write } from "../../src/ledger/store.ts";

/** At the `at`-th write of a run, entries and locks counted together. */
export interface StoreFault {
  readonly at: number;
  readonly kind: StoreFaultKind;
}

export type StoreFaultKind = "die-before" | "die-after" | "fail-before" | "fail-after";

/** What a write was of: the facts' kinds, `lock`, or `unlock`. */
export type WriteKind = string;

/** A line of the log for each write as it begins, and one where it fails: a process that is killed can say no more. */
export const writeLine = (kind: WriteKind): string => `writing ${kind}`;
const failureLine = (kind: WriteKind): string => `could not write ${kind}`;

/** What a run wrote, in order, from its log. */
export function writesIn(log: string): readonly WriteKind[] {
  return [...log.matchAll(/^writing (\S+)$/gm)].map(([, kind = ""]) => kind);
}

/** The first write that failed, from a run's log. */
export function failedWriteIn(log: string): WriteKind | null {
  return /^could not write (\S+)$/m.exec(log)?.[1] ?? null;
}

/** The same store, which fails or dies at one write, and tells of each. */
export function faultyStore(store: Store, fault: StoreFault | null, log: (line: string) => void): Store {
  let count = 0;
  async function disturbed<T>(write: () => Promise<T>): Promise<T> {
    count += 1;
    if (fault === null || fault.at !== count) return await write();
    if (fault.kind === "die-before") die();
    if (fault.kind === "fail-before") throw unconfirmed();
    await write();
    if (fault.kind === "die-after") die();
    throw unconfirmed();
  }
  async function told<T>(kind: WriteKind, write: () => Promise<T>): Promise<T> {
    log(writeLine(kind));
    try {
      return await disturbed(write);
    } catch (error) {
      log(failureLine(kind));
      throw error;
    }
  }
  return {
    description: store.description,
    keeps: store.keeps,
    entries: () => store.entries(),
    append: (write) => told(kindOf(write), () => store.append(write)),
    value: (key) => store.value(key),
    lock: () => store.lock(),
    setLock: (lock) => told(lock.holder === null ? "unlock" : "lock", () => store.setLock(lock)),
  };
}

const kindOf = ({ entries }: Write): WriteKind => entries.map(({ fact }) => fact.kind).join("+");

const unconfirmed = (): DeployError => new DeployError("store-unconfirmed", "the store was told not to confirm this");

/** As a machine that loses power does: nothing is tidied up. */
function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal may take a moment; until then nothing more is to be done.
  for (;;);
}
