import { resolve } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import { readText } from "../flink/read-text.ts";
import type { InputName } from "../inputs/table.ts";

export interface InputFile {
  /** The input that names the file, for the message. */
  readonly input: InputName;
  /** As given, relative to `cwd`. */
  readonly file: string;
  readonly cwd: string;
  readonly maxBytes: number;
}

/** Reads a file that an input names; throws `inputs-invalid`. */
export async function readInputFile({ input, file, cwd, maxBytes }: InputFile): Promise<string> {
  try {
    return await readText(resolve(cwd, file), maxBytes);
  } catch (cause) {
    throw new DeployError("inputs-invalid", `${input}: ${file} cannot be read: ${describeError(cause)}`, { cause });
  }
}
