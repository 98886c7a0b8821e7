import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { makeFolder } from "./make-folder.ts";

/** Where downloads are kept when nothing else is said: FLINK_DBT_DEPLOY_CACHE, else under the user's cache folder. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv): string {
  const chosen = environment.FLINK_DBT_DEPLOY_CACHE;
  if (chosen) return resolve(chosen);
  const base = environment.XDG_CACHE_HOME || join(environment.HOME ?? "/tmp", ".cache");
  return join(base, "flink-dbt-deploy");
}

export interface CachedFolderRequest {
  readonly cacheFolder: string;
  /** Of the entry, inside the cache folder. */
  readonly name: string;
  /** Fills the given empty folder; what it leaves there becomes the entry. */
  readonly fill: (folder: string) => Promise<void>;
}

const contents = "contents.json";

/**
 * The folder of a cache entry, filled first where it is missing or damaged. An entry is made under another name and
 * renamed, so it is whole or not there, whenever a process dies; the loser of a race uses the winner's.
 */
export async function cachedFolder(request: CachedFolderRequest): Promise<string> {
  const entry = join(request.cacheFolder, request.name);
  if (await isWhole(entry)) return entry;
  const temporaries = join(request.cacheFolder, "tmp");
  await makeFolder(temporaries);
  await sweep(temporaries);
  const temporary = join(temporaries, temporaryName());
  try {
    await mkdir(temporary);
    await request.fill(temporary);
    await writeFile(join(temporary, contents), JSON.stringify(await sizes(temporary)));
    await commit(temporary, entry, join(temporaries, temporaryName()));
    return entry;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function commit(temporary: string, entry: string, aside: string): Promise<void> {
  await makeFolder(dirname(entry));
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(temporary, entry);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (attempt === 3 || (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR")) throw error;
      if (await isWhole(entry)) return;
      await rename(entry, aside).catch(() => undefined);
      await rm(aside, { recursive: true, force: true });
    }
  }
}

/** The sizes were written last, so a file that was lost or cut short afterwards shows, without reading it. */
async function isWhole(entry: string): Promise<boolean> {
  try {
    const expected: unknown = JSON.parse(await readFile(join(entry, contents), "utf8"));
    if (typeof expected !== "object" || expected === null) return false;
    const checks = Object.entries(expected).map(async ([name, size]) => (await stat(join(entry, name))).size === size);
    return (await Promise.all(checks)).every(Boolean);
  } catch {
    // Not there, or not readable: both mean that it has to be made.
    return false;
  }
}

async function sizes(folder: string): Promise<Readonly<Record<string, number>>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return Object.fromEntries(
    await Promise.all(paths.sort().map(async (path) => [relative(folder, path), (await stat(path)).size] as const)),
  );
}

const temporaryName = () => `${process.pid}@${hostname()}@${randomUUID()}`;
const dayMilliseconds = 86_400_000;

/** Removes what dead processes left. A process id says nothing on another host, so there only age counts. */
async function sweep(temporaries: string): Promise<void> {
  for (const name of await readdir(temporaries)) {
    const path = join(temporaries, name);
    const [pid, host] = name.split("@");
    const dead = host === hostname() ? !isAlive(Number(pid)) : await isOlderThanADay(path);
    if (dead) await rm(path, { recursive: true, force: true });
  }
}

/** Whether a process of this host runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function isOlderThanADay(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > dayMilliseconds;
}
