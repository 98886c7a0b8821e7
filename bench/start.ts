import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { markdownTable, median, spread } from "./measure.ts";

/** From the start of the action's bundle to its first input error, beside an empty Node. Usage: node bench/start.ts [runs] */
const runs = Number(process.argv[2] ?? 20);
const bundle = join(import.meta.dirname, "..", "dist", "index.js");

function milliseconds(args: readonly string[], expected: number): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { env: { INPUT_COMMAND: "" }, stdio: "ignore" });
  if (status !== expected) throw new Error(`${args.join(" ")} ended with ${status}`);
  return performance.now() - start;
}

const bundled: number[] = [];
const empty: number[] = [];
for (let run = 0; run < runs; run += 1) {
  empty.push(milliseconds(["-e", "0"], 0));
  bundled.push(milliseconds([bundle], 1));
}
const size = (statSync(bundle).size / 1_000_000).toFixed(2);
console.log(
  markdownTable(
    ["Bundle", "To its first input error, ms", "Empty Node, ms", "Ratio"],
    [[`${size} MB`, spread(bundled, 0), spread(empty, 0), `**${(median(bundled) / median(empty)).toFixed(2)}**`]],
  ),
);
