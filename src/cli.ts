#!/usr/bin/env node
import { parseArgs } from "node:util";
import { watchSignals } from "./commands/interruption.ts";
import { describeFailure, runCommand } from "./commands/run.ts";
import { sleep } from "./flink/http.ts";
import { withoutWorkflowCommands } from "./github/workflow-commands.ts";
import { helpText } from "./inputs/help.ts";
import type { RawInputs } from "./inputs/inputs.ts";
import {
  type Command,
  commands,
  type InputName,
  inputsOf,
  isSecretInput,
  isVariable,
  variableOf,
  variablePrefix,
} from "./inputs/table.ts";
import { terminalText } from "./report/terminal-text.ts";
import { maskSecrets } from "./secrets.ts";
import { version } from "./version.ts";

const startedAt = performance.now();

/** Progress goes to standard error, results to standard output; 0 is done, 1 is not, 2 is a wrong call. */
async function main(given: readonly string[]): Promise<number> {
  const argv = asOneWord(given);
  const [command = ""] = argv;
  const known = isCommand(command);
  if (argv.includes("--version")) return print(`${version}\n`);
  if (!known && (command === "" || argv.includes("--help") || argv.includes("-h"))) return print(helpText(null));
  if (known && (argv.includes("--help") || argv.includes("-h"))) return print(helpText(command));
  let raw: RawInputs = {};
  try {
    // Without a command nothing tells which flags are right; `runCommand` says that it is missing.
    if (isCommand(command)) raw = readArguments(command, argv.slice(1));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say(describeFailure("inputs-invalid", maskSecrets(message)));
    return 2;
  }
  const log = (line: string): void => say(`${stamp()} ${line}`);
  const result = await runCommand(command, raw, {
    cwd: process.cwd(),
    environment: process.env,
    ...watchSignals(log),
    log,
    print: async (markdown) => void print(shown(readable(markdown))),
    annotate: () => undefined,
    writeOut: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    eventBase: null,
    now: () => new Date(),
    clock: () => performance.now(),
    sleep,
  });
  if (result.reason === "ok") return 0;
  say(describeFailure(result.reason, result.message));
  return result.reason === "inputs-invalid" ? 2 : 1;
}

/** `ledger export` is `ledger-export`. */
function asOneWord(argv: readonly string[]): readonly string[] {
  const [first = "", second = "", ...rest] = argv;
  const together = `${first}-${second}`;
  return !isCommand(first) && isCommand(together) ? [together, ...rest] : argv;
}

function isCommand(text: string): text is Command {
  return Object.hasOwn(commands, text);
}

/** Throws where a flag is none of the command's, or a variable none of ours: passed over, it would be taken for heeded. */
function readArguments(command: Command, args: readonly string[]): RawInputs {
  const stray = Object.keys(process.env).find((name) => name.startsWith(variablePrefix) && !isVariable(name));
  if (stray !== undefined) throw new Error(`${stray}: no input has this environment variable; correct or unset it`);
  const names = inputsOf(command);
  const fromEnvironment = names.flatMap((name) => {
    const value = process.env[variableOf(name)];
    return value === undefined ? [] : [[name, value] as const];
  });
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" } as const]));
  const { values, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") throw new Error(`${token.value}: belongs to no input; write --name value`);
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    if (!Object.hasOwn(options, token.name)) throw new Error(`${rawName}: ${command} has no such input`);
    if (isSecretInput(token.name as InputName)) {
      const variable = variableOf(token.name as InputName);
      throw new Error(`${rawName}: give it in the environment variable ${variable}, which others cannot read`);
    }
    if (value === undefined) throw new Error(`${rawName}: needs a value`);
    if (!inlineValue && value.startsWith("-") && value !== "-")
      throw new Error(`${rawName}: needs a value; write ${rawName}=${value} if that is it`);
  }
  return { ...Object.fromEntries(fromEnvironment), ...values };
}

function say(text: string): void {
  process.stderr.write(`${shown(text)}\n`);
}

/** Plain text for a reader at a terminal; whatever else reads along gets the Markdown. */
function readable(markdown: string): string {
  const { isTTY, columns } = process.stdout;
  // NO_COLOR and a terminal without colours are heeded by Node.
  if (isTTY) return terminalText(markdown, { width: columns || 80, colors: process.stdout.hasColors() });
  return markdown.endsWith("\n") ? markdown : `${markdown}\n`;
}

/** In a workflow's `run` step the runner reads what is printed. */
function shown(text: string): string {
  return process.env.GITHUB_ACTIONS === "true" ? withoutWorkflowCommands(text) : text;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function stamp(): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;
}

// Whoever reads along may go away; a deployment goes on without them.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
process.exitCode = await main(process.argv.slice(2));
