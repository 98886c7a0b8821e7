/** Text of others made safe to stand in Markdown: no markup, no HTML, no formula, no mention, reference, link or picture, one line. */
export function plainText(text: string): string {
  return (
    withoutReferences(inOneVisibleLine(text))
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/[\\`*[\]|~$]/g, "\\$&")
      // Within a word GitHub leaves underscores alone, and names of columns stay readable in the source.
      .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
      // What begins a heading, a list or a rule, where the text stands at the beginning of its block.
      .replace(/^(?=#{1,6}(?: |$)|[+-](?: |$)|-[ -]*$|=+$)/, "\\")
      .replace(/^(\d{1,9})(?=[.)](?: |$))/, "$1\\")
  );
}

/** In backquotes, or an address, to its end without the sentence's own signs. */
const quotedOrAddress = /(`[^`]+`|\b[a-z][a-z0-9+.-]*:\/\/[^\s`]*[^\s`.,;:!?)\]}'"])/i;

/**
 * As `plainText`, for messages and reasons: what stands in backquotes, and paths such as `s3://…`, are in code letters
 * where they may, so that they can be copied.
 */
export function sentence(text: string): string {
  const parts = text.split(quotedOrAddress).map((part, index) => {
    if (index % 2 === 1) {
      const quoted = code(part.replace(/^`(.*)`$/s, "$1"));
      if (quoted.startsWith("`")) return quoted;
    }
    const [before = "", after = ""] = [/^\s/.exec(part)?.[0], /\S\s$/.exec(part)?.[0]];
    return `${before && " "}${plainText(part)}${after && " "}`;
  });
  return parts.join("").trim();
}

/** Text of others for a cell of a table. */
export function cell(text: string): string {
  return plainText(text);
}

/** A name in code letters, where it has no sign that would end them; else as plain text. */
export function code(text: string): string {
  return /^[\p{L}\p{N} ._:/$→=,'()~-]+$/u.test(text) && text.trim() !== "" && withVisibleText(text) === text
    ? `\`${text.trim()}\``
    : plainText(text);
}

/** Text of others inside an HTML element, such as a summary, where Markdown may still be read. */
export function htmlText(text: string): string {
  return withoutReferences(inOneVisibleLine(text)).replace(
    /[&<>"'`*_[\]\\|~$]/g,
    (sign) => `&#${sign.codePointAt(0)};`,
  );
}

/**
 * A code block whose fence is longer than any run of backticks in the text. A zero-width space keeps a runner that
 * prints it from taking a line for a workflow command.
 */
export function fenced(language: string, text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 0);
  const fence = "`".repeat(Math.max(3, longest + 1));
  const shown = withVisibleText(text).replace(/^([\s\u0085]*):(?=:)/gm, "$1:\u200b");
  return `${fence}${language}\n${shown.replace(/\n+$/, "")}\n${fence}`;
}

/** A part that is folded until it is asked for; `summary` is HTML. */
export function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A link to an address that we made, its label being Markdown; the label alone where there is no address of the web. */
export function link(label: string, address: string | null): string {
  return address !== null && /^https?:\/\/[^\s<>()[\]"'`\\|]+$/.test(address) ? `[${label}](${address})` : label;
}

/** `1 job`, `2 jobs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** At most so many characters, the last of them `…` where something is left out; no character is cut in two. */
export function shortened(text: string, length: number): string {
  const characters = text.length <= length ? [] : [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/**
 * Shows what a reader could not see: control characters, which a terminal obeys, and marks of writing direction, which
 * make code look like other code, stand as `⟨U+202E⟩`. Line breaks and tabs stay.
 */
export function withVisibleSigns(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, codePoint);
}

/** Text of others, in which nothing is invisible either that we put into our own. */
function withVisibleText(text: string): string {
  return withVisibleSigns(text).replace(
    /[\u00ad\u115f\u1160\u180e\u200b\u2028\u2029\u2060-\u2064\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/gu,
    codePoint,
  );
}

function codePoint(sign: string): string {
  return `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

function inOneVisibleLine(text: string): string {
  return withVisibleText(text.replace(/[\s\u0085]+/g, " ").trim());
}

/**
 * A zero-width space in whatever GitHub makes a mention, a reference, a link or a picture of: escapes are undone before
 * it looks for them.
 */
function withoutReferences(text: string): string {
  return text
    .replace(/([@#])(?=\S)/g, "$1\u200b")
    .replace(/:(?=\/\/|[\w+-]+:)/g, ":\u200b")
    .replace(/\b(www)\.(?=\S)/gi, "$1\u200b.")
    .replace(/\b(gh)-(?=\d)/gi, "$1\u200b-");
}
