import { DeployError } from "../errors.ts";
import type { Finding, Origin } from "../project/job.ts";
import { isReserved } from "../project/keywords.ts";
import { maskSecrets } from "../secrets.ts";

/** The text of the file that a statement comes from; null where it is not at hand. */
export type TextOf = (origin: Origin) => string | null;

/** What Flink was asked. `sql` begins on the first line of the statement that was sent, so Flink counts its lines. */
export interface Asked {
  readonly sql: string;
  readonly origin: Origin;
}

/** True where Flink itself refused a statement; every other error is about the way to it. */
export function isRefusal(error: unknown): error is DeployError {
  return error instanceof DeployError && error.code === "statement-failed";
}

/** What Flink refused of this work; null where nothing, and anything else that went wrong is thrown on. */
export async function refusalOf(work: () => Promise<unknown>): Promise<DeployError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}

/** A refusal as a finding; anything else that went wrong, such as a gateway that is gone, is thrown on. */
export function refusal(error: unknown, job: string, asked: Asked, textOf: TextOf): Finding {
  if (!isRefusal(error)) throw error;
  const sqlLines = asked.sql.split("\n");
  const sqlLine = lineIn(error.message, sqlLines.length);
  const text = sqlLine === null ? "" : (sqlLines[sqlLine - 1] ?? "").trim();
  const line = text === "" ? null : onlyLineWith(text, textOf(asked.origin));
  // Flink counts in what dbt compiled; where the model's own line is not certain, that is said.
  const where = text === "" ? "" : ` (line ${sqlLine} of the compiled SQL: ${shortened(text)})`;
  const said = text === "" ? error.message : `${withoutPlace(error.message)}${where}`;
  const hint = reservedWordIn(error.message, asked.origin);
  return {
    severity: "error",
    code: "model-invalid",
    message: maskSecrets(hint === "" ? said : `${said.replace(/\.$/, "")}. ${hint}`),
    job,
    file: asked.origin.file,
    line,
  };
}

/** Flink has no field for the place; its parser and its validator write it this way since 1.13. */
const place = /\b(?:from|at) line (\d+), column \d+/i;

function lineIn(message: string, lines: number): number | null {
  const found = place.exec(message)?.[1];
  const line = found === undefined ? Number.NaN : Number(found);
  return line >= 1 && line <= lines ? line : null;
}

/** `SQL validation failed. From line 3, column 1 to line 3, column 9: Column 'x' not found` → what is wrong alone. */
function withoutPlace(message: string): string {
  return message
    .replace(/^(?:SQL (?:validation|parse) failed\. ?)+/, "")
    .replace(/^(?:from|at) line \d+, column \d+(?: to line \d+, column \d+)?: /i, "")
    .replace(/ at line \d+, column \d+\./, "");
}

/** Flink's parser tells which word it did not want, and not that it is a word of its own. */
function reservedWordIn(message: string, { nodeId }: Origin): string {
  const word = /\bEncountered "([A-Za-z_]\w*)/.exec(message)?.[1];
  if (word === undefined || !isReserved(word)) return "";
  const [type = "", ...names] = nodeId?.split(".") ?? [];
  const isItsName = names.at(-1)?.toLowerCase() === word.toLowerCase();
  const remedy = isItsName
    ? `, which dbt-flink-adapter does not quote: give the ${type} another name, or an ${type === "source" ? "identifier" : "alias"}.`
    : ": where it is meant as a name, it must stand in backquotes.";
  return `\`${word}\` is a reserved word of Flink's SQL${remedy}`;
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** The number of the one line that holds this text and nothing else; null where there is none, or more than one. */
function onlyLineWith(text: string, file: string | null): number | null {
  const lines = (file ?? "").split("\n").flatMap((line, index) => (line.trim() === text ? [index + 1] : []));
  return lines.length === 1 ? (lines[0] ?? null) : null;
}
