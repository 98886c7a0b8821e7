import { gzipSync } from "node:zlib";
import { DeployError, describeError } from "../../../errors.ts";
import { parseJson } from "../../../flink/parse-json.ts";
import { byOrder, decodeEntry, type Entry } from "../../entry.ts";
import type { Write } from "../../store.ts";
import { unpack } from "../unpack.ts";

/** A text that entries refer to: compressed, in base64, or the id of the artifact that holds it. */
export type KeptValue =
  | { readonly kind: "here"; readonly gzip: string }
  /** From `renewFrom` on (ISO 8601) that artifact expires soon. */
  | { readonly kind: "elsewhere"; readonly artifact: number; readonly renewFrom: string };

/** The whole ledger of an environment, as each write uploads it: the newest one is enough. */
export interface Snapshot {
  readonly environment: string;
  /** One more than that of the snapshot it was made from: two that have the same were made from the same one. */
  readonly write: number;
  /** The git ref that it was written from; "" where none is known. */
  readonly ref: string;
  readonly entries: readonly Entry[];
  readonly values: ReadonlyMap<string, KeptValue>;
}

export function emptySnapshot(environment: string, ref: string): Snapshot {
  return { environment, write: 0, ref, entries: [], values: new Map() };
}

export function packValue(text: string): KeptValue {
  return { kind: "here", gzip: gzipSync(text).toString("base64") };
}

/** Throws `ledger-unreadable`. */
export function unpackValue(gzip: string, where: string): string {
  try {
    return unpack(Buffer.from(gzip, "base64"), "gzip").toString("utf8");
  } catch (cause) {
    throw new DeployError("ledger-unreadable", `a value in ${where} is damaged: ${describeError(cause)}`, { cause });
  }
}

/**
 * What a write adds to a snapshot, which may be nothing. Throws `lock-held` where the sequence of an entry is taken by
 * another one.
 */
export function additionsTo(there: Snapshot, { entries, values }: Write): Write {
  const ids = new Set(there.entries.map(({ id }) => id));
  const sequences = new Set(there.entries.map(({ sequence }) => sequence));
  const added = entries.filter(({ id }) => !ids.has(id));
  const taken = added.find(({ sequence }) => sequences.has(sequence));
  if (taken !== undefined) {
    throw new DeployError("lock-held", `someone else wrote the ledger's entry ${taken.sequence} meanwhile`);
  }
  return { entries: added, values: new Map([...values].filter(([key]) => !there.values.has(key))) };
}

/** The lines of a file: the head, which counts the others, then the entries, then the values. */
export function encodeSnapshot({ environment, write, ref, entries, values }: Snapshot): string {
  const head = { version: 1, environment, write, ref, entries: entries.length, values: values.size };
  const lines = [
    head,
    ...entries.toSorted(byOrder),
    ...[...values].map(([key, value]) =>
      value.kind === "here" ? { key, gzip: value.gzip } : { key, artifact: value.artifact, renewFrom: value.renewFrom },
    ),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Throws `ledger-unreadable` naming `where`: nothing that cannot be read is passed over. */
export function decodeSnapshot(text: string, environment: string, where: string): Snapshot {
  const unreadable = (why: string): DeployError =>
    new DeployError("ledger-unreadable", `the ledger in ${where} cannot be read: ${why}`);
  const lines = text.split("\n");
  if (lines.pop() !== "") throw unreadable("it was cut short");
  const [first = "", ...others] = lines;
  const head = parsed(first);
  if (!isRecord(head)) throw unreadable("it has no head");
  if (head.version !== 1) throw unreadable(`its version is ${JSON.stringify(head.version)}, this program reads 1`);
  if (head.environment !== environment) throw unreadable(`it is of ${JSON.stringify(head.environment)}`);
  const { write, ref, entries, values } = head;
  if (!isCount(write) || typeof ref !== "string" || !isCount(entries) || !isCount(values)) {
    throw unreadable("its head is damaged");
  }
  if (others.length !== entries + values) throw unreadable(`it has ${others.length} lines, not ${entries + values}`);
  return {
    environment,
    write,
    ref,
    entries: others.slice(0, entries).map((line, index) => decodeEntry(line, `${where}, line ${index + 2}`)),
    values: new Map(
      others.slice(entries).map((line) => {
        const value = valueIn(parsed(line));
        if (value === null) throw unreadable("a value in it is damaged");
        return value;
      }),
    ),
  };
}

function valueIn(value: unknown): readonly [string, KeptValue] | null {
  if (!isRecord(value) || typeof value.key !== "string") return null;
  const { key, gzip, artifact, renewFrom } = value;
  if (typeof gzip === "string") return [key, { kind: "here", gzip }];
  if (!isCount(artifact) || typeof renewFrom !== "string" || Number.isNaN(Date.parse(renewFrom))) return null;
  return [key, { kind: "elsewhere", artifact, renewFrom }];
}

function parsed(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    // The caller says what it means that it is no JSON.
    return undefined;
  }
}
