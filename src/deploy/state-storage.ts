import { readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describeError } from "../errors.ts";
import { runCommand } from "../flink/command.ts";
import { normalisePath } from "../flink/paths.ts";
import type { Retained, StateStorage } from "./cluster.ts";

export interface StorageOptions {
  /**
   * Lists everything below a folder, a path or URI a line, where that is no local one: `aws s3 ls --recursive {}`. `{}`
   * stands for the folder's URI. Null where the user gave none.
   */
  readonly listCommand: string | null;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** Storage that is listed as files of this machine or by the user's command; whatever else is unknown. */
export function listedStorage(options: StorageOptions): StateStorage {
  const list = async (folder: string): Promise<readonly string[] | null> =>
    (await localFiles(folder)) ?? (await listedByCommand(folder, options));
  return {
    async newestCheckpoint(folder) {
      const paths = await list(folder);
      // Flink makes the folder when the job starts. Without it this may be another machine's disk, or a wrong path.
      if (paths === null || paths.length === 0) return { kind: "unknown" };
      return newest(folder, paths, /^chk-(\d+)\/_metadata$/);
    },
    async savepoint(folder) {
      const paths = (await list(folder)) ?? ((await wouldBeSeen(folder)) ? [] : null);
      if (paths === null) return { kind: "unknown" };
      return newest(folder, paths, /^savepoint-[^/]+\/_metadata$/);
    },
  };
}

/** What has its `_metadata` is complete: Flink writes that last. */
function newest(folder: string, paths: readonly string[], pattern: RegExp): Retained {
  const found = paths.flatMap((path) => {
    const match = pattern.exec(path);
    return match === null ? [] : [{ path, number: Number(match[1] ?? 0) }];
  });
  const last = found.toSorted((a, b) => a.number - b.number).at(-1);
  if (last === undefined) return { kind: "none" };
  return { kind: "found", path: `${folder.replace(/\/+$/, "")}/${last.path.replace(/\/_metadata$/, "")}` };
}

/** Paths below the folder, two levels deep, folders too; null where it is not on this machine. */
async function localFiles(folder: string): Promise<readonly string[] | null> {
  const uri = normalisePath(folder);
  if (!uri.startsWith("file:///")) return null;
  try {
    const root = fileURLToPath(uri);
    const names = await readdir(root);
    const inside = await Promise.all(
      names.map(async (name) => {
        const isMarked = await stat(`${root}/${name}/_metadata`).then(
          (found) => found.isFile(),
          () => false,
        );
        return isMarked ? [name, `${name}/_metadata`] : [name];
      }),
    );
    return inside.flat();
  } catch {
    // It is not there, or not for us: this machine does not tell.
    return null;
  }
}

/** `<savepoint-dir>/<environment>/<job>/<deployment>` and the folder that holds all of it. */
const levelsAbove = 4;

/** Flink makes a savepoint's folders as it begins one, so what is not there was not begun, if this is the same disk. */
async function wouldBeSeen(folder: string): Promise<boolean> {
  const uri = normalisePath(folder);
  if (!uri.startsWith("file:///")) return false;
  let place = fileURLToPath(uri);
  for (let level = 0; level < levelsAbove; level += 1) {
    place = dirname(place);
    if (place === "/") return false;
    const isThere = await stat(place).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}

/** What lies below the folder by the user's command, whose lines may hold sizes and times before the path. */
async function listedByCommand(folder: string, options: StorageOptions): Promise<readonly string[] | null> {
  const { listCommand, cwd, environment, signal, log } = options;
  if (listCommand === null) return null;
  const [command = "", ...args] = listCommand.split(/\s+/).filter((word) => word !== "");
  const placed = args.some((arg) => arg.includes("{}")) ? args : [...args, "{}"];
  const filled = placed.map((arg) => arg.replaceAll("{}", folder));
  try {
    const { code, output, isWhole } = await runCommand({ command, args: filled, folder: cwd, environment, signal });
    if (code === 0 && isWhole) return pathsBelow(folder, output);
    // Of a list that is cut short the newest may be missing, and an older one would be taken for it.
    if (code === 0) log(`list-command printed too much for ${folder}: its checkpoints are not known`);
    else log(`list-command ended with ${code} for ${folder}: its checkpoints are not known`);
  } catch (error) {
    if (signal.aborted) throw error;
    log(`list-command could not be run: ${describeError(error)}`);
  }
  return null;
}

/** The part of each line that follows the folder's last two names, which hold its job id or its deployment. */
function pathsBelow(folder: string, output: string): readonly string[] {
  const tail = `${folder.replace(/\/+$/, "").split("/").slice(-2).join("/")}/`;
  return output.split("\n").flatMap((line) => {
    const at = line.indexOf(tail);
    return at < 0 ? [] : [line.slice(at + tail.length).trim()];
  });
}
