import { displayWidth, wrapWords } from "./display-width.ts";
import { withVisibleSigns } from "./markdown-text.ts";
import { terminalTable } from "./terminal-table.ts";

export interface Terminal {
  /** In columns. */
  readonly width: number;
  readonly colors: boolean;
}

/** The shapes that our own Markdown is made of; it holds no others, since all text of others in it is escaped. */
type Block =
  | { readonly kind: "heading"; readonly text: string; readonly line: string }
  | { readonly kind: "table"; readonly rows: readonly string[] }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "fence"; readonly language: string; readonly lines: readonly string[] }
  | { readonly kind: "text"; readonly text: string };

/**
 * Our own Markdown for a reader at a terminal: plain columns for tables, no markup, no HTML, diffs as they are. Mermaid
 * graphs are left out, and how to get them is said.
 */
export function terminalText(markdown: string, terminal: Terminal): string {
  const blocks = blocksIn(withVisibleSigns(markdown));
  const isGraph = (block: Block | undefined): boolean => block?.kind === "fence" && block.language === "mermaid";
  // What stands before a graph is its title.
  const shown = blocks.filter((block, at) => !isGraph(block) && !isGraph(blocks[at + 1]));
  const hint = "Graphs of the operators are in the Markdown, which --markdown-file writes.";
  const parts = [...shown.map((block) => rendered(block, terminal)), ...(blocks.some(isGraph) ? [hint] : [])];
  return `${parts.join("\n\n")}\n`;
}

function blocksIn(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  const takeWhile = (holds: (line: string) => boolean): readonly string[] => {
    const end = lines.findIndex((line) => !holds(line));
    return lines.splice(0, end === -1 ? lines.length : end);
  };
  while (lines.length > 0) {
    const [first = ""] = lines;
    const [, fence, language = ""] = /^(`{3,})(\w*)$/.exec(first) ?? [];
    const [, heading, summary] = /^#+ (.*)$|^<details><summary>(.*)<\/summary>$/.exec(first) ?? [];
    if (fence !== undefined) {
      lines.shift();
      blocks.push({ kind: "fence", language, lines: takeWhile((line) => line !== fence) });
      lines.shift();
    } else if (heading !== undefined || summary !== undefined) {
      lines.shift();
      const line = first.startsWith("## ") ? "═" : "─";
      blocks.push({ kind: "heading", text: heading ?? summary ?? "", line });
    } else if (first.startsWith("|")) {
      blocks.push({ kind: "table", rows: takeWhile((line) => line.startsWith("|")) });
    } else if (first.startsWith("- ")) {
      blocks.push({ kind: "list", items: takeWhile((line) => line.startsWith("- ")).map((line) => line.slice(2)) });
    } else {
      lines.shift();
      if (first.trim() !== "" && first !== "</details>") blocks.push({ kind: "text", text: first });
    }
  }
  return blocks;
}

function rendered(block: Block, terminal: Terminal): string {
  const { width, colors } = terminal;
  const bold = (text: string): string => (colors ? `\u001b[1m${text}\u001b[22m` : text);
  switch (block.kind) {
    case "heading": {
      const text = plain(block.text);
      return `${bold(text)}\n${block.line.repeat(Math.min(width, displayWidth(text)))}`;
    }
    case "table": {
      const [heading = "", , ...rows] = block.rows;
      return terminalTable([heading, ...rows].map(cellsIn), width).join("\n");
    }
    case "list":
      return block.items.map((item) => `- ${wrapWords(plain(item), width - 2).join("\n  ")}`).join("\n");
    case "fence":
      return block.lines.map((line) => (colors && block.language === "diff" ? coloured(line) : line)).join("\n");
    case "text": {
      const text = wrapWords(plain(block.text), width).join("\n");
      return /^\*\*[^*]*\*\*$/.test(block.text) ? bold(text) : text;
    }
  }
}

/** Of a row; a `|` of the text itself has a backslash before it and no blank. */
function cellsIn(row: string): readonly (readonly string[])[] {
  const cells = row.slice(1, -1).split(/(?<=\s)\|(?=\s)/);
  return cells.map((cell) => cell.trim().split("<br>").map(plain));
}

function coloured(line: string): string {
  const code = line.startsWith("+") ? 32 : line.startsWith("-") ? 31 : line.startsWith("@@") ? 36 : null;
  return code === null ? line : `\u001b[${code}m${line}\u001b[39m`;
}

const inline =
  /\\([\\`*[\]|~$_#+=.)-])|`([^`]*)`|\*\*|<\/?(?:b|sub|details|summary)>|&(amp|lt|gt|#\d+);|\u200b|\ufe0f/g;
const entities = { amp: "&", lt: "<", gt: ">" } as const;

/** One line of Markdown without its markup; code letters stay in backquotes where they hold more than a word. */
function plain(markdown: string): string {
  const text = /^_(.*)_$/.exec(markdown)?.[1] ?? markdown;
  return text.replace(inline, (_sign, escaped?: string, code?: string, entity?: string) => {
    if (escaped !== undefined) return escaped;
    if (code !== undefined) return code.includes(" ") ? `\`${code}\`` : code;
    if (entity === undefined) return "";
    return entity.startsWith("#") ? String.fromCodePoint(Number(entity.slice(1))) : entities[entity as "amp"];
  });
}
