import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { DeployError, describeError } from "../../errors.ts";
import { decodeEntry, type Entry, inOrder } from "../entry.ts";
import type { Store } from "../store.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * A ledger in a folder: `<folder>/<environment>/entries/<sequence>-<id>.json` and `values/<key>.json.gz`.
 * A file is written beside its place, flushed, renamed into it, and read back.
 */
export function openFileStore(folder: string, environment: string): Store {
  const root = join(folder, environment);
  const entriesFolder = join(root, "entries");
  const valuesFolder = join(root, "values");
  const valueFile = (key: string): string => join(valuesFolder, `${key}.json.gz`);
  return {
    description: `file ${root}`,
    async entries() {
      const names = (await listed(entriesFolder)).filter((name) => name.endsWith(".json"));
      const entries = await Promise.all(
        names.map(async (name) => decodeEntry(await read(join(entriesFolder, name)), join(entriesFolder, name))),
      );
      return inOrder(entries, `file ${root}`);
    },
    async append(entry: Entry) {
      const name = `${String(entry.sequence).padStart(10, "0")}-${entry.id}.json`;
      await confirmed(entriesFolder, name, Buffer.from(`${JSON.stringify(entry)}\n`));
    },
    async putValue(key, text) {
      // What is there already is read back as well: a damaged one is mended by the text that it should hold.
      const there = await value(valueFile(key)).catch(() => null);
      if (there !== text) await confirmed(valuesFolder, `${key}.json.gz`, await compress(text));
    },
    async getValue(key) {
      try {
        return await value(valueFile(key));
      } catch (cause) {
        throw new DeployError("ledger-unreadable", `the ledger's value ${valueFile(key)} cannot be read`, { cause });
      }
    },
  };
}

async function value(file: string): Promise<string> {
  return (await decompress(await readFile(file))).toString("utf8");
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
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new DeployError("ledger-unreadable", `the ledger entry ${file} cannot be read`, { cause });
  }
}

async function confirmed(folder: string, name: string, content: Buffer): Promise<void> {
  const place = join(folder, name);
  const beside = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    await makeFolder(folder);
    await writeThrough(beside, content);
    await rename(beside, place);
    await flushFolder(folder);
    if (!(await readFile(place)).equals(content)) throw new Error("what was read back differs from what was written");
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw new DeployError("store-unconfirmed", `the ledger could not write ${place}: ${describeError(cause)}`, {
      cause,
    });
  }
}

/** A new folder is durable once the folder that holds it is flushed, and so on up to one that was there. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made));
}

async function writeThrough(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The rename is durable once its folder is flushed; Windows cannot open folders and needs no flush. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
