#!/usr/bin/env node
import { parseArgs } from "node:util";
import { describeFailure, runCommand } from "./commands/run.ts";
import { helpText } from "./inputs/help.ts";
import type { RawInputs } from "./inputs/inputs.ts";
import { commands, inputNames, variableOf } from "./inputs/table.ts";
import { maskSecrets } from "./secrets.ts";
import { version } from "./version.ts";

const startedAt = performance.now();

/** Progress goes to standard error, results to standard output; 0 is done, 1 is not, 2 is a wrong call. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = ""] = argv;
  const known = Object.hasOwn(commands, command);
  if (argv.includes("--version")) return print(`${version}\n`);
  if (!known && (command === "" || argv.includes("--help") || argv.includes("-h"))) return print(helpText(null));
  if (known && (argv.includes("--help") || argv.includes("-h"))) return print(helpText(command));
  let raw: RawInputs;
  try {
    raw = readArguments(argv.slice(1));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${describeFailure("inputs-invalid", maskSecrets(message))}\n`);
    return 2;
  }
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupt.abort(new Error(`${name} received`)));
  }
  const result = await runCommand(command, raw, {
    cwd: process.cwd(),
    environment: process.env,
    signal: interrupt.signal,
    log: (line) => process.stderr.write(`${stamp()} ${line}\n`),
    print: async (markdown) => {
      process.stdout.write(markdown.endsWith("\n") ? markdown : `${markdown}\n`);
    },
    eventBase: null,
    now: () => new Date(),
    clock: () => performance.now(),
  });
  if (result.reason === "ok") return 0;
  process.stderr.write(`${describeFailure(result.reason, result.message)}\n`);
  return result.reason === "inputs-invalid" ? 2 : 1;
}

function readArguments(args: readonly string[]): RawInputs {
  const fromEnvironment = inputNames.flatMap((name) => {
    const value = process.env[variableOf(name)];
    return value === undefined ? [] : [[name, value] as const];
  });
  const options = Object.fromEntries(inputNames.map((name) => [name, { type: "string" } as const]));
  const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  return { ...Object.fromEntries(fromEnvironment), ...values };
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function stamp(): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;
}

process.exitCode = await main(process.argv.slice(2));
