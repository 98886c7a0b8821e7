import { constants } from "node:fs";
import { link, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { DeployError, describeError } from "../../errors.ts";
import { makeFolder } from "../../flink/make-folder.ts";
import { isMissing, readBytes, readText } from "../../flink/read-text.ts";
import { decodeEntry } from "../entry.ts";
import { decodeLock, type Lock } from "../lock.ts";
import type { Store } from "../store.ts";
import { unpack } from "./unpack.ts";

const compress = promisify(gzip);

/** An entry or a lock; the longest hold a message of Flink's. */
const maxEntryBytes = 16 * 1024 * 1024;
/** A job with its compiled plan, packed. */
const maxValueBytes = 64 * 1024 * 1024;

/**
 * A ledger in a folder: `<folder>/<environment>/entries/<sequence>.json`, `values/<key>.json.gz` and
 * `lock/<version>.json`. A file is written beside its place, flushed, put there and read back; what must be there only
 * once is linked into its place, which only one of several writers can do.
 */
export function openFileStore(folder: string, environment: string): Store {
  const root = join(folder, environment);
  const entriesFolder = join(root, "entries");
  const valuesFolder = join(root, "values");
  const lockFolder = join(root, "lock");
  const valueFile = (key: string): string => join(valuesFolder, `${key}.json.gz`);
  const newestLock = async (): Promise<number> => Math.max(0, ...(await listed(lockFolder)).map(numberOf));
  return {
    description: `file ${root}`,
    keeps: "for-good",
    async entries() {
      const names = (await listed(entriesFolder)).filter((name) => name.endsWith(".json"));
      return await Promise.all(
        names.map(async (name) => decodeEntry(await read(join(entriesFolder, name)), join(entriesFolder, name))),
      );
    },
    async append({ entries, values }) {
      for (const [key, text] of values) {
        // What is there already is read back as well: a damaged one is mended by the text that it should hold.
        const there = await value(valueFile(key)).catch(() => null);
        if (there !== text) await confirmed(valuesFolder, `${key}.json.gz`, await compress(text), rename);
      }
      for (const entry of entries) {
        const content = Buffer.from(`${JSON.stringify(entry)}\n`);
        if (await confirmed(entriesFolder, fileName(entry.sequence), content, link)) continue;
        const place = join(entriesFolder, fileName(entry.sequence));
        if (decodeEntry(await read(place), place).id === entry.id) continue;
        throw new DeployError("lock-held", `someone else wrote the ledger's entry ${place} meanwhile`);
      }
    },
    async value(key) {
      try {
        // Keys come out of entries, which somebody else may have written.
        if (basename(key) !== key) throw new Error("that is no value's key");
        return await value(valueFile(key));
      } catch (cause) {
        const why = describeError(cause);
        throw new DeployError("ledger-unreadable", `the ledger's value ${valueFile(key)} cannot be read: ${why}`, {
          cause,
        });
      }
    },
    async lock() {
      for (;;) {
        const version = await newestLock();
        if (version === 0) return null;
        const place = join(lockFolder, fileName(version));
        const text = await readText(place, maxEntryBytes).catch((cause: unknown) => {
          if (isMissing(cause)) return null;
          const why = describeError(cause);
          throw new DeployError("ledger-unreadable", `the lock ${place} cannot be read: ${why}`, { cause });
        });
        // Where it is gone, there is a newer one.
        if (text !== null) return decodeLock(text, place);
      }
    },
    async setLock(lock: Lock) {
      if ((await newestLock()) !== lock.version - 1) return false;
      const content = Buffer.from(`${JSON.stringify(lock)}\n`);
      if (!(await confirmed(lockFolder, fileName(lock.version), content, link))) return false;
      // Someone may have gone on, and tidied up, between our look and our link: then ours is none.
      if ((await newestLock()) !== lock.version) return false;
      for (const name of await listed(lockFolder)) {
        if (numberOf(name) > 0 && numberOf(name) < lock.version) await rm(join(lockFolder, name), { force: true });
      }
      return true;
    },
  };
}

const fileName = (number: number): string => `${String(number).padStart(10, "0")}.json`;
const numberOf = (name: string): number => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? 0);

async function value(file: string): Promise<string> {
  return unpack(await readBytes(file, maxValueBytes), "gzip").toString("utf8");
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw new DeployError("ledger-unreadable", `the ledger folder ${folder} cannot be listed`, { cause });
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readText(file, maxEntryBytes);
  } catch (cause) {
    const why = describeError(cause);
    throw new DeployError("ledger-unreadable", `the ledger entry ${file} cannot be read: ${why}`, { cause });
  }
}

/** False where the place is taken, which only `link` minds. */
async function confirmed(
  folder: string,
  name: string,
  content: Buffer,
  putThere: (from: string, to: string) => Promise<void>,
): Promise<boolean> {
  const place = join(folder, name);
  const beside = join(folder, `.${name}.${process.pid}.${crypto.randomUUID()}.tmp`);
  try {
    await makeDurableFolder(folder);
    await writeThrough(beside, content);
    await putThere(beside, place);
    await flushFolder(folder);
    if (!(await readFile(place)).equals(content)) throw new Error("what was read back differs from what was written");
    return true;
  } catch (cause) {
    if (isTaken(cause)) return false;
    throw new DeployError("store-unconfirmed", `the ledger could not write ${place}: ${describeError(cause)}`, {
      cause,
    });
  } finally {
    await rm(beside, { force: true }).catch(() => undefined);
  }
}

/** A new folder is durable once the folder that holds it is flushed, and so on up to one that was there. */
async function makeDurableFolder(folder: string): Promise<void> {
  const first = await makeFolder(folder);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made));
}

async function writeThrough(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What was put there is durable once its folder is flushed; Windows cannot open folders and needs no flush. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

const isTaken = (error: unknown): boolean => codeOf(error) === "EEXIST";
