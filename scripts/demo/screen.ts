import { styleText } from "node:util";

export interface FinishedStep {
  readonly title: string;
  readonly result: string;
  readonly seconds: number;
  readonly ok: boolean;
}

type Style = Parameters<typeof styleText>[0];

/** Where the demo is told: a headline per step, its progress below, its result and time at the end. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  /** What every path here begins with, which would only make lines long. */
  readonly #folder: string;
  /** Of a line below a headline. */
  readonly #width: number;
  #steps = 0;

  constructor(stream: NodeJS.WriteStream, folder: string) {
    this.#stream = stream;
    this.#folder = folder;
    this.#width = Math.max((stream.columns ?? 100) - 4, 40);
  }

  opening(text: string): void {
    this.#write(`${text}\nEverything happens on this machine, in ${this.#folder}`);
  }

  headline(title: string): void {
    this.#steps += 1;
    this.#write(`\n${this.#styled("bold", `${String(this.#steps).padStart(2)}  ${title}`)}`);
  }

  command(words: readonly string[]): void {
    const quoted = words.map((word) => (/^[\w./~-]+$/.test(word) ? word : `'${word}'`));
    this.progress(`$ flink-dbt-deploy ${quoted.join(" ")}`);
  }

  progress(line: string): void {
    for (const part of wrap(shorten(line, this.#folder), this.#width)) this.#write(`    ${this.#styled("dim", part)}`);
  }

  /** A line that is worth reading. */
  line(text: string): void {
    this.#write(`    ${text}`);
  }

  done({ ok, result, seconds }: FinishedStep): void {
    const mark = ok ? this.#styled("green", "✔") : this.#styled("red", "✘");
    const [first = "", ...more] = result.split("\n");
    this.#write(`    ${mark} ${ok ? first : this.#styled("red", first)}  ${this.#styled("dim", inSeconds(seconds))}`);
    for (const line of more) this.line(`  ${line}`);
  }

  table(steps: readonly FinishedStep[]): void {
    const [head = "", ...rows] = tableOf(steps);
    this.#write(`\n${this.#styled("bold", head)}\n${rows.join("\n")}`);
  }

  verdict(ok: boolean, text: string, more: readonly string[]): void {
    this.#write(`\n${this.#styled(ok ? ["bold", "green"] : ["bold", "red"], text)}`);
    for (const line of more) this.#write(`  ${line}`);
  }

  #styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }

  #write(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

/** Long ids and the folder's paths as a person would say them: `c8aecbec…` and `…/savepoint-c8aecb-986763d9f490`. */
export function shorten(line: string, folder: string): string {
  return line
    .split(/(\s+)/)
    .map((word) => {
      const at = word.indexOf(folder);
      const path = at < 0 ? word : `…${word.slice(word.lastIndexOf("/"))}`;
      return path.replace(/\b([0-9a-f]{8})[0-9a-f]{24}\b/g, "$1…");
    })
    .join("");
}

/** Broken at spaces, with what follows two columns further in; a word longer than a line stays whole. */
export function wrap(line: string, width: number): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.slice(indent.length).split(" ")) {
    const longer = current === "" ? `${indent}${word}` : `${current} ${word}`;
    if (current === "" || longer.length <= width) {
      current = longer;
    } else {
      lines.push(current);
      current = `${indent}  ${word}`;
    }
  }
  return [...lines, current];
}

/** A headline and a row per step, in columns. */
export function tableOf(steps: readonly FinishedStep[]): readonly string[] {
  const rows = steps.map(({ title, result, seconds, ok }) => ({
    title,
    result: ok ? result : `✘ ${result.split("\n")[0]}`,
    time: inSeconds(seconds),
  }));
  const all = [{ title: "Step", result: "Result", time: "Time" }, ...rows];
  const widest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const [title, result, time] = [
    widest(all.map((row) => row.title)),
    widest(all.map((row) => row.result)),
    widest(all.map((row) => row.time)),
  ];
  return all.map((row) => `${row.title.padEnd(title)}  ${row.result.padEnd(result)}  ${row.time.padStart(time)}`);
}

export function inSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}
