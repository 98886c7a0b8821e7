import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import { makeFolder } from "../flink/make-folder.ts";
import type { InputName } from "../inputs/table.ts";

export interface OutputFile {
  /** The input that names the file, for the message. */
  readonly input: InputName;
  /** As given, relative to `cwd`. */
  readonly file: string;
  readonly cwd: string;
  readonly mode?: number;
}

/** Writes a file where an input says, in a folder that is made where it is missing; throws `inputs-invalid`. */
export async function writeOutput({ input, file, cwd, mode }: OutputFile, content: string): Promise<void> {
  const path = resolve(cwd, file);
  try {
    await makeFolder(dirname(path));
    await writeFile(path, content, mode === undefined ? {} : { mode });
  } catch (cause) {
    throw new DeployError("inputs-invalid", `${input}: ${file} cannot be written: ${describeError(cause)}`, { cause });
  }
}
