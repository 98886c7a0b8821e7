import { plainText } from "./markdown-text.ts";

/** What could not be told on GitHub, for the summary, which the reader of a comment that is not there looks at next. */
export function renderNotPosted(problems: readonly string[]): string {
  return `${problems.map((problem) => `⚠️ ${plainText(problem)}`).join("\n\n")}\n`;
}
