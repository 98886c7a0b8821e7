import { parseJson } from "../flink/parse-json.ts";
import type { Finished } from "./child-process.ts";

/** What dbt says on its way out that explains nothing. */
const noise = /^(Runtime Error\s+)?Could not run dbt$|^Encountered an error( while reading the project)?:$/;
/** Progress lines and the adapter's own log, which repeat at error level what the summary says at the end. */
const repeats = /^(Q\d+|E004|E005)$/;

interface LogEvent {
  readonly level: string;
  readonly code: string;
  readonly text: string;
}

/**
 * dbt's own words for its failure, from its JSON log: no times, no colours, and where the gateway's error is wrapped in
 * Python's notation, its last cause alone. Falls back to the end of what was printed.
 */
export function dbtMessage({ stdout, stderr, code }: Finished): string {
  const errors = stdout
    .split("\n")
    .map(readEvent)
    .filter((event): event is LogEvent => event !== null && event.level === "error" && !repeats.test(event.code))
    .map(({ text }) => text.replace(/^Encountered an error:\n/, "").replace(/^\s*ERROR: /, ""))
    .filter((text) => text.trim() !== "" && !noise.test(text.trim()));
  if (errors.length > 0) return gatewayCauses(dedent([...new Set(errors)].join("\n")));
  const rest = `${stderr.trim() || stdout.trim()}`.split("\n").filter((line) => readEvent(line) === null);
  return rest.slice(-10).join("\n").trim() || `it ended with ${code === null ? "a signal" : `exit code ${code}`}`;
}

/** A line of dbt 1.3's JSON log, or of a later dbt's (which wraps it in `info`); null for anything else printed. */
function readEvent(line: string): LogEvent | null {
  if (!line.startsWith("{")) return null;
  try {
    const event = fields(parseJson(line));
    const info = "info" in event ? fields(event.info) : event;
    const exception = fields(event.data).exc;
    const text = typeof exception === "string" ? exception : info.msg;
    if (typeof text !== "string" || typeof info.level !== "string") return null;
    return { level: info.level, code: String(info.code), text };
  } catch {
    return null; // The adapter prints the gateway's responses between dbt's lines.
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function dedent(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

/** Replaces `('SQL gateway error: ', {'errors': [...]})`, a Python tuple as text, by the last cause it holds. */
export function gatewayCauses(text: string): string {
  return text.replace(/\('SQL gateway error: ', (.*)\)/g, (_, detail: string) => {
    const strings = [...detail.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, single, double]) =>
      unescapePython(single ?? double ?? ""),
    );
    const last = strings.at(-1) ?? `HTTP ${detail}`;
    const cause = [...last.matchAll(/Caused by: (?:(?:[a-z]\w*\.)+[\w$]+: )?(.+)/g)].at(-1)?.[1];
    return `SQL gateway error: ${cause ?? last}`;
  });
}

function unescapePython(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "t" ? "\t" : letter));
}
