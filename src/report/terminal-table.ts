import { displayWidth, wrapWords } from "./display-width.ts";

/** A cell is its lines. */
export type Cell = readonly string[];

const gap = "  ";
/** A column is not made narrower than this for the sake of the others. */
const narrowest = 24;

/**
 * A table in plain columns of at most `width` altogether, cells wrapped between words; where that does not do, a row
 * becomes a block with a line per cell. The first row is the heading.
 */
export function terminalTable(rows: readonly (readonly Cell[])[], width: number): readonly string[] {
  const [heading = [], ...body] = rows;
  const widths = fittingWidths(rows, width);
  if (widths === null) return body.flatMap((row, index) => [...(index === 0 ? [] : [""]), ...block(heading, row)]);
  return [...columns(heading, widths), widths.map((one) => "─".repeat(one)).join(gap), ...body.flatMap(rowLines)];

  function rowLines(row: readonly Cell[]): readonly string[] {
    return columns(row, widths ?? []);
  }
}

/** Null where the longest words alone are too wide. */
function fittingWidths(rows: readonly (readonly Cell[])[], width: number): readonly number[] | null {
  const numbers = (rows[0] ?? []).map((_cell, column) => column);
  const cells = numbers.map((column) => rows.flatMap((row) => row[column] ?? []));
  const widths = cells.map((lines) => Math.max(0, ...lines.map(displayWidth)));
  const least = cells.map((lines, column) => {
    const longestWord = Math.max(0, ...lines.flatMap((line) => line.split(" ")).map(displayWidth));
    return Math.max(longestWord, Math.min(narrowest, widths[column] ?? 0));
  });
  for (;;) {
    const total = widths.reduce((sum, one) => sum + one, gap.length * Math.max(0, widths.length - 1));
    if (total <= width) return widths;
    const slack = widths.map((one, column) => one - (least[column] ?? 0));
    const widest = slack.indexOf(Math.max(...slack));
    if ((slack[widest] ?? 0) <= 0) return null;
    widths[widest] = Math.max(least[widest] ?? 0, (widths[widest] ?? 0) - (total - width));
  }
}

function columns(row: readonly Cell[], widths: readonly number[]): readonly string[] {
  const cells = row.map((lines, column) => lines.flatMap((line) => wrapWords(line, widths[column] ?? 0)));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => padded(lines[line] ?? "", widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

/** The first cell, then the others with their headings; what is empty is left out. */
function block(heading: readonly Cell[], [first = [], ...others]: readonly Cell[]): readonly string[] {
  const names = heading.slice(1).map((lines) => lines.join(" "));
  const width = Math.max(0, ...names.map(displayWidth));
  const lines = others.flatMap((cell, column) => {
    const name = names[column] ?? "";
    return cell.join("") === "" || cell.join("") === "—"
      ? []
      : cell.map((line, at) => `${gap}${padded(at === 0 ? name : "", width)}${gap}${line}`);
  });
  return [...first, ...lines];
}

function padded(text: string, width: number): string {
  return `${text}${" ".repeat(Math.max(0, width - displayWidth(text)))}`;
}
