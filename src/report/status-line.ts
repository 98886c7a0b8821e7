import type { Plan } from "../plan/plan.ts";
import { count } from "./markdown-text.ts";
import { totals } from "./words.ts";

/** What a plan comes to, in a line of plain text without text of others: `3 jobs: 2 to create, 1 to upgrade`. */
export function planStatusLine({ changes, findings }: Plan): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const changing = changes.filter(({ kind }) => kind !== "none");
  const dropped = changing.filter(({ state }) => state.kind === "dropped").length;
  const parts = [
    ...(errors === 0 ? [] : [`${count(errors, "error")}, cannot be deployed`]),
    changing.length === 0 ? "no job changes" : `${count(changing.length, "job")}: ${totals(changes)}`,
    ...(dropped === 0 ? [] : [`${count(dropped, "job")} will lose all state`]),
  ];
  const line = parts.join("; ");
  return line.charAt(0).toUpperCase() + line.slice(1);
}
