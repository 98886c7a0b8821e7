/** Text of others made safe to stand in Markdown: no markup, no HTML, no formula, no mention of a user or an issue, one line. */
export function plainText(text: string): string {
  return (
    text
      .replace(/\s+/g, " ")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/[\\`*[\]|~$]/g, "\\$&")
      // Within a word GitHub leaves underscores alone, and names of columns stay readable in the source.
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
      // A zero-width space after the sign: escapes are undone before GitHub looks for mentions and references.
      .replace(/([@#])(?=[\p{L}\p{N}])/gu, "$1\u200b")
      .replace(/:\/\//g, ":\u200b//")
      .trim()
  );
}

/** Text of others for a cell of a table. */
export function cell(text: string): string {
  return plainText(text);
}

/** A name in code letters, where it has no sign that would end them; else as plain text. */
export function code(text: string): string {
  return /^[\p{L}\p{N} ._:/$→=,'()~-]+$/u.test(text) && text.trim() !== "" ? `\`${text.trim()}\`` : plainText(text);
}

/** Text of others inside an HTML element, such as a summary, where Markdown may still be read. */
export function htmlText(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[&<>"'`*_[\]\\|~]/g, (sign) => `&#${sign.codePointAt(0)};`)
    .replace(/([@#])(?=[\p{L}])/gu, "$1\u200b")
    .replace(/:\/\//g, ":\u200b//")
    .trim();
}

/** A code block whose fence is longer than any run of backticks in the text. */
export function fenced(language: string, text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}

/** A part that is folded until it is asked for; `summary` is HTML. */
export function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** `1 job`, `2 jobs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Shows what a reader could not see: control characters, which a terminal obeys, and marks of writing direction, which
 * make code look like other code, stand as `⟨U+202E⟩`. Line breaks and tabs stay.
 */
export function withVisibleSigns(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (sign) => {
      return `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
    });
}
