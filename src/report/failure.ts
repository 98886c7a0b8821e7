import { type ErrorCode, errorCodes } from "../errors.ts";
import { fenced, plainText } from "./markdown-text.ts";

/** A command's failure as Markdown. `message` is null where what was printed before tells it already. */
export function renderFailure(reason: ErrorCode, message: string | null): string {
  const parts = [
    `### ❌ ${reason}`,
    ...(message === null ? [] : [fenced("text", message)]),
    plainText(errorCodes[reason]),
  ];
  return `${parts.join("\n\n")}\n`;
}
