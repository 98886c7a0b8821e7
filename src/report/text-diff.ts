import { structuredPatch } from "diff";

/** A part of the diff: what is compared in one line, and its two texts; null where it is only on the other side. */
export interface Compared {
  readonly title: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * A unified diff of several texts, each under `@@ title @@`; texts that are equal are left out. `context` is how many
 * unchanged lines stand around a change. Empty where nothing differs.
 */
export function textDiff(parts: readonly Compared[], context: number): string {
  return parts
    .filter(({ before, after }) => before !== after)
    .map(({ title, before, after }) => `@@ ${title} @@\n${hunks(before ?? "", after ?? "", context)}`)
    .join("\n");
}

function hunks(before: string, after: string, context: number): string {
  const patch = structuredPatch("", "", ended(before), ended(after), "", "", { context });
  return patch.hunks.map(({ lines }) => lines.join("\n")).join("\n@@ … @@\n");
}

function ended(text: string): string {
  return text === "" ? "" : `${text.replace(/\n+$/, "")}\n`;
}
