import { DeployError } from "../../errors.ts";
import { decodeEntry, type Entry } from "../entry.ts";
import { decodeLock, type Lock } from "../lock.ts";

/** A file in the ledger's tree, by its path. */
export type Files = ReadonlyMap<string, string>;

/** What one commit of the ledger's ref holds. */
export interface Snapshot {
  /** Null where there is no ref: then it holds nothing. */
  readonly commit: string | null;
  readonly entries: ReadonlyMap<number, Entry>;
  /** Keys. */
  readonly values: ReadonlySet<string>;
  readonly lock: Lock | null;
}

/** What the next commit adds, or puts in the place of what was there. */
export interface Change {
  readonly entries: readonly Entry[];
  readonly values: ReadonlyMap<string, string>;
  readonly lock: Lock | null;
}

export const emptySnapshot: Snapshot = { commit: null, entries: new Map(), values: new Set(), lock: null };

const lockPath = "lock.json";

/** A hundred in each folder: with every write only one small folder and the list of folders are new. */
function entryPath(sequence: number): string {
  const name = String(sequence).padStart(10, "0");
  return `entries/${name.slice(0, -2)}/${name}.json`;
}

export function valuePath(key: string): string {
  return `values/${key.slice(0, 2)}/${key}.json`;
}

/** The files that a change writes. */
export function filesOf({ entries, values, lock }: Change): Files {
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
  return new Map([
    ...[...values].map(([key, text]) => [valuePath(key), text] as const),
    ...entries.map((entry) => [entryPath(entry.sequence), line(entry)] as const),
    ...(lock === null ? [] : [[lockPath, line(lock)] as const]),
  ]);
}

/** The paths whose content a snapshot needs; values are read one by one. */
export function isRead(path: string): boolean {
  return path === lockPath || path.startsWith("entries/");
}

/**
 * Reads what is in a commit: all its paths, and the files that `isRead` names. Throws `ledger-unreadable` where something
 * lies among the entries that is none, or where an entry is of another place or environment.
 */
export function readSnapshot(
  commit: string,
  paths: Iterable<string>,
  files: Files,
  { environment, where }: { readonly environment: string; readonly where: string },
): Snapshot {
  const entries = new Map<number, Entry>();
  const values = new Set<string>();
  for (const path of paths) {
    const key = /^values\/..\/([^/]+)\.json$/.exec(path)?.[1];
    if (key !== undefined) values.add(key);
  }
  for (const [path, text] of files) {
    if (path === lockPath) continue;
    const entry = decodeEntry(text, `${path} in ${where}`);
    if (path !== entryPath(entry.sequence)) throw misplaced(path, where, `sequence ${entry.sequence}`);
    if (entry.environment !== environment) throw misplaced(path, where, `environment ${entry.environment}`);
    entries.set(entry.sequence, entry);
  }
  const lock = files.get(lockPath);
  return { commit, entries, values, lock: lock === undefined ? null : decodeLock(lock, `${lockPath} in ${where}`) };
}

function misplaced(path: string, where: string, of: string): DeployError {
  return new DeployError("ledger-unreadable", `the ledger entry ${path} in ${where} is of ${of}`);
}

/** What a commit holds that makes this change. */
export function changed(snapshot: Snapshot, change: Change, commit: string): Snapshot {
  return {
    commit,
    entries: new Map([...snapshot.entries, ...change.entries.map((entry) => [entry.sequence, entry] as const)]),
    values: new Set([...snapshot.values, ...change.values.keys()]),
    lock: change.lock ?? snapshot.lock,
  };
}

/** For `git log`: `totals: stopped`, or how many there are and then each. */
export function messageOf({ entries, lock }: Change, before: Lock | null): string {
  const lines = entries.map(({ job, fact }) => `${oneLine(job)}: ${fact.kind}`);
  if (lock !== null) lines.push(`lock: ${lockChange(lock, before)}`);
  const [only] = lines;
  if (only === undefined) return "values";
  return lines.length === 1 ? only : `${only}, and ${lines.length - 1} more\n\n${lines.join("\n")}`;
}

function lockChange({ holder }: Lock, before: Lock | null): string {
  if (holder === null) return "released";
  return `${holder.id === before?.holder?.id ? "renewed" : "taken"} by ${oneLine(holder.name)}`;
}

const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ");
