import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { DeployError } from "../errors.ts";

/** The user's `dbt-command`, a path or words split as a shell would; throws `dbt-missing` where it is not there. */
export async function commandOf(text: string, environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const words = (await isProgram(resolve(text))) ? [text] : splitWords(text);
  const [program = "", ...rest] = words;
  const path = await locate(program, environment);
  if (path === null) {
    throw new DeployError("dbt-missing", `\`dbt-command\` is "${text}", but there is no program "${program}" to run`);
  }
  return [path, ...rest];
}

/** Splits at blanks outside quotes; quotes and backslashes work as in a shell, nothing else is special. */
export function splitWords(text: string): readonly string[] {
  const word = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gs;
  return (text.match(word) ?? []).map((raw) =>
    raw.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, (_, single, double, escaped) =>
      single !== undefined ? single : double !== undefined ? double.replace(/\\(["\\$`])/g, "$1") : escaped,
    ),
  );
}

/** dbt runs in another folder than ours, so a path is made absolute. */
async function locate(program: string, environment: NodeJS.ProcessEnv): Promise<string | null> {
  if (program.includes("/") || isAbsolute(program)) return (await isProgram(program)) ? resolve(program) : null;
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    if (folder !== "" && (await isProgram(join(folder, program)))) return join(folder, program);
  }
  return null;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
