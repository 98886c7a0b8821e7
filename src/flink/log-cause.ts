import { maskSecrets } from "../secrets.ts";
import { lastLines } from "./command.ts";
import { lastCause } from "./java-trace.ts";

const logLine = /^\d{4}-\d\d-\d\d /;
const javaException = /^(?:Caused by: )?(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error)\b/;

/**
 * Why a JVM ended, from the log it left: the last exception's cause, else its last lines, masked. A JVM that fails at
 * the start reports nowhere else.
 */
export function causeInLog(log: string): string {
  const lines = log.split("\n").map((line) => line.replace(/^Exception in thread "[^"]*" /, ""));
  const start = lines.findLastIndex((line) => javaException.test(line) && !line.startsWith("Caused by: "));
  if (start === -1) return maskSecrets(lastLines(log, 2));
  const end = lines.findIndex((line, index) => index > start && logLine.test(line));
  const trace = lines.slice(start, end === -1 ? lines.length : end);
  // An exception without a message is left out of a cause, yet here its class may be the only thing that tells.
  const bare = /^Caused by: ([\w.$]+)$/.exec(trace.findLast((line) => line.startsWith("Caused by: ")) ?? "");
  const cause = lastCause(trace.join("\n"));
  return bare === null || cause === bare[1] ? cause : `${cause} (${bare[1]})`;
}
