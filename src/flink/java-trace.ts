import { maskSecrets } from "../secrets.ts";

/** A Java stack trace as the `cause` of an error: the message stays short, the trace itself (masked) is the `stack`. */
export class JavaTrace extends Error {
  override readonly name = "JavaTrace";
  constructor(trace: string) {
    super(`java trace of ${trace.split("\n").length} lines`);
    this.stack = maskSecrets(trace);
  }
}

/** The whole trace behind an error of ours; "" where there is none. */
export function traceOf(error: Error): string {
  return error.cause instanceof JavaTrace ? (error.cause.stack ?? "") : "";
}

/**
 * The savepoint of a job that failed after it was made, while it was stopped (facts 3: StopWithSavepointStoppingException).
 * No field of any answer has it, only this sentence.
 */
export function savepointIn(trace: string): string | null {
  return /A savepoint has been created at: (\S+?), but the corresponding job/.exec(trace)?.[1] ?? null;
}

interface Cause {
  readonly className: string;
  readonly message: string;
}

const maxLines = 12;
const maxLength = 800;

// `org.x.FooException: text`, at the head of a trace, after `Caused by:` or nested in a message.
const head = /^(?:Caused by: )?\[?((?:[a-z_][\w$]*\.)+[A-Z][\w$.]*)(?::\s?(.*))?$/;
const frame = /^\s+(?:at |\.\.\. \d+ (?:more|common frames))|^\s*Suppressed: /;
const frameOfServer = /^(?:End of exception on server side>|\]+$|<Exception on server side:|Internal server error\.)/;

/** Wrappers that every failed statement has; they say nothing about it. */
const noise = [
  /^Failed to (?:fetchResults|getOperationInfo|execute statement|execute sql)\.?$/,
  /^Failed to execute the operation [0-9a-f-]+\.$/,
  /^\[?Internal server error\./,
];

/** Our users have no such option, and for good it would hide losses. */
const adviceForAnotherTool =
  / If you want to allow to skip this, you can set the --allowNonRestoredState option on the CLI\.?/;

/** Causes that mean nothing without the exception around them. */
const needsContext = /^(?:java\.(?:lang|net|util)\.|sun\.|org\.apache\.flink\.shaded\.)/;

/**
 * The last meaningful cause in a Java trace, in Flink's own words, without class names and stack frames, masked.
 * There is no field for it in any answer of Flink's, so the trace's text is all there is.
 */
export function lastCause(trace: string): string {
  const telling = causesIn(trace).filter(({ message }) => !noise.some((text) => text.test(message)));
  const causes = telling.filter(({ message }) => message !== "");
  const last = causes.at(-1);
  if (last === undefined) return telling.at(-1)?.className ?? shortened(linesOf(trace).join("\n"));
  // An exception around it often repeats it with more, such as `From line 1, column 15`: then that one is better.
  const fuller = causes.findLast(({ message }) => message !== last.message && message.endsWith(last.message));
  if (fuller !== undefined) return shortened(fuller.message);
  const around = causes.findLast(({ message }) => !message.includes(last.message));
  if (around === undefined || !needsContext.test(last.className)) return shortened(last.message);
  return shortened(`${around.message.replace(/[.\s]+$/, "")}: ${last.message}`);
}

function causesIn(trace: string): readonly Cause[] {
  const causes: { className: string; lines: string[] }[] = [];
  for (const line of linesOf(trace)) {
    const start = head.exec(line);
    if (start?.[1] !== undefined) causes.push({ className: start[1], lines: [start[2] ?? ""] });
    else causes.at(-1)?.lines.push(line);
  }
  return causes.map(({ className, lines }) => ({ className, message: withoutClassNames(lines.join("\n").trim()) }));
}

/** Without stack frames. */
function linesOf(trace: string): readonly string[] {
  return trace.split("\n").filter((line) => !frame.test(line) && !frameOfServer.test(line));
}

/** `new Exception(cause)` in Java puts the cause's class name at the head of its own message. */
function withoutClassNames(message: string): string {
  let text = message;
  for (;;) {
    const next = text.replace(/^\[?(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable): /, "");
    if (next === text) return text;
    text = next;
  }
}

function shortened(message: string): string {
  // The parser lists a hundred tokens it would have liked; the place is what helps.
  const lines = (message.replace(adviceForAnotherTool, "").split(/\n\s*Was expecting(?: one of)?:/)[0] ?? "")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const text = lines.length > maxLines ? `${lines.slice(0, maxLines).join("\n")}\n…` : lines.join("\n");
  return maskSecrets(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
}
