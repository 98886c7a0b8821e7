import { DeployError } from "../../../src/errors.ts";
import { type Door, run, type StepOptions } from "../harness.ts";

/** What a hostile input got: `ok` or a code, and the line that a person reads. */
export interface Got {
  readonly code: string;
  readonly line: string;
  /** Everything that anybody else could read. */
  readonly everything: string;
  /** What the runner reads along; empty where none does. */
  readonly log: string;
}

export interface HostileRow {
  readonly area: string;
  readonly tried: string;
  readonly got: () => Promise<Got>;
  readonly code: string;
  readonly says: RegExp;
  /** What must be nowhere in what is printed. */
  readonly hides?: readonly string[];
}

/** Through one of the bundles. */
export async function door(
  which: Door,
  command: string,
  inputs: Readonly<Record<string, string>>,
  options: StepOptions,
): Promise<Got> {
  const { reason, message, everything, stdout, stderr } = await run(which, command, inputs, options);
  return { code: reason, line: message, everything, log: which === "action" ? `${stdout}\n${stderr}` : "" };
}

/** Through the very function, where a process would add nothing. */
export async function asked(work: () => unknown): Promise<Got> {
  try {
    const line = String(await work());
    return { code: "ok", line, everything: line, log: "" };
  } catch (error) {
    const line = error instanceof Error ? error.message : String(error);
    return { code: error instanceof DeployError ? error.code : "error", line, everything: line, log: "" };
  }
}

/** What was tried and what it got, a row each, for the test's output. */
export function tableOf(rows: readonly (HostileRow & { readonly result: Got })[]): string {
  const lines = rows.map(({ area, tried, result }, index) => {
    const said = result.line.replace(/\s+/g, " ").trim();
    const short = said.length > 110 ? `${said.slice(0, 109)}…` : said;
    return `${String(index + 1).padStart(3)}  ${area.padEnd(11)}  ${tried.padEnd(62)}  ${result.code.padEnd(22)}  ${short}`;
  });
  return [`${rows.length} hostile inputs, and what each got`, ...lines].join("\n");
}
