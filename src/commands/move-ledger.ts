import { DeployError } from "../errors.ts";
import type { LedgerExportInputs, LedgerImportInputs } from "../inputs/inputs.ts";
import type { Entry } from "../ledger/entry.ts";
import { readEntries } from "../ledger/ledger.ts";
import { collectLedger, decodeLedger, encodeLedger, type LedgerFile } from "../ledger/ledger-file.ts";
import { code, count, plainText } from "../report/markdown-text.ts";
import { readInputFile } from "./input-file.ts";
import { writeOutput } from "./output-file.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { lockEnvironment, openStore } from "./stores.ts";

const done: CommandResult = { reason: "ok", message: null, outputs: {} };
const standardOutput = "-";

/** Writes the ledger into a file, for its owner alone, or to standard output. */
export async function exportLedger(inputs: LedgerExportInputs, shell: Shell): Promise<CommandResult> {
  const { environment, ledgerFile } = inputs;
  if (ledgerFile === standardOutput && shell.writeOut === null) {
    throw new DeployError("inputs-invalid", "ledger-file: `-` is the log here; name a file");
  }
  const store = await openStore(inputs, shell);
  const entries = await readEntries(store);
  if (entries.length === 0) shell.log(`warning: the ledger (${store.description}) holds nothing: is it the right one?`);
  const ledger = await collectLedger(store, entries, environment);
  const text = encodeLedger(ledger);
  if (ledgerFile === standardOutput) {
    await shell.writeOut?.(text);
    return done;
  }
  await writeOutput({ input: "ledger-file", file: ledgerFile, cwd: shell.cwd, mode: 0o600 }, text);
  await shell.print(`## Exported ${sizeOf(ledger)} of ${code(environment)}\n\nFrom ${plainText(store.description)}.\n`);
  return done;
}

/** Brings a file's entries and values into a ledger that holds nothing, or some of them. */
export async function importLedger(inputs: LedgerImportInputs, shell: Shell): Promise<CommandResult> {
  const { environment, ledgerFile } = inputs;
  const ledger = decodeLedger(await read(ledgerFile, shell.cwd), ledgerFile);
  if (ledger.environment !== environment) {
    const mistaken = `${ledgerFile} is of environment ${ledger.environment}, not of ${environment}`;
    throw new DeployError("inputs-invalid", `ledger-file: ${mistaken}; entries cannot be renamed`);
  }
  const store = await openStore(inputs, shell);
  await using lock = await lockEnvironment(store, inputs, shell);
  const ids = new Set(ledger.entries.map(({ id }) => id));
  const there = await store.entries();
  const other = there.find(({ id }) => !ids.has(id));
  if (other !== undefined) {
    const holds = `${store.description} holds entry ${other.sequence}, which ${ledgerFile} does not`;
    throw new DeployError("inputs-invalid", `${holds}: import into an empty ledger`);
  }
  await lock.confirm();
  await store.append(ledger);
  const before = there.length === 0 ? "" : `, which held ${entryCount(there)} of them`;
  await shell.print(
    `## Imported ${sizeOf(ledger)} of ${code(environment)}\n\nInto ${plainText(store.description)}${before}.\n`,
  );
  return done;
}

/** A ledger of ten thousand entries and 500 jobs is a tenth of it. */
const maxLedgerFileBytes = 256 * 1024 * 1024;

async function read(file: string, cwd: string): Promise<string> {
  if (file === standardOutput) throw new DeployError("inputs-invalid", "ledger-file: must name a file to read");
  return await readInputFile({ input: "ledger-file", file, cwd, maxBytes: maxLedgerFileBytes });
}

const sizeOf = ({ entries, values }: LedgerFile): string => `${entryCount(entries)} and ${count(values.size, "value")}`;
const entryCount = ({ length }: readonly Entry[]): string => (length === 1 ? "1 entry" : `${length} entries`);
