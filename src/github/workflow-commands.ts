const invisible = "\u200b";

/**
 * Text of others, such that the runner takes nothing in it for a command: `::name::` after blanks at the start of a
 * line, `##[name]` anywhere in one. A blank is what .NET takes for one.
 */
export function withoutWorkflowCommands(text: string): string {
  return text.replace(/^([\s\u0085]*):(?=:)/gm, `$1${invisible}:`).replaceAll("##[", `##${invisible}[`);
}
