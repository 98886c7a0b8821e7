import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A line of a CSV file, split at its commas; the shop's files hold numbers only, so nothing is quoted. */
export type SinkRow = readonly string[];

/**
 * The rows of a filesystem sink's committed files. Flink writes to names that start with `.` and renames them when the
 * checkpoint completes, and readers skip `_` too. No row where the folder is not there yet.
 */
export async function committedRows(folder: string): Promise<readonly SinkRow[]> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith(".") && !name.startsWith("_"));
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), "utf8")));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== "")).map((line) => line.split(","));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The number in a row's first column. Throws where there is none. */
export function orderNumberOf(row: SinkRow): number {
  const [text = ""] = row;
  if (!/^\d+$/.test(text)) throw new Error(`a sink file holds the row ${row.join(",")}, which begins with no number`);
  return Number(text);
}
