import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runMatrix } from "./matrix.ts";
import { failuresIn, renderReport } from "./report.ts";

/**
 * The crash matrix: kills a deployment at every request it makes, breaks what it talks to, runs it again, and reads from
 * the files that the jobs write whether every record came through once.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    sample: { type: "string" },
    parallel: { type: "string", default: "2" },
    races: { type: "string", default: "10" },
    sequences: { type: "string", default: "10" },
    "flink-version": { type: "string", default: "1.20.3" },
    markdown: { type: "string" },
  },
});
function count(name: "sample" | "parallel" | "races" | "sequences"): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} ${values[name]} is not a number`);
  return number;
}

const report = await runMatrix({
  flinkVersion: values["flink-version"],
  only: values.only ?? null,
  sampleSize: values.sample === undefined ? null : count("sample"),
  without: [],
  raceRounds: count("races"),
  sequenceRounds: count("sequences"),
  parallel: count("parallel"),
  log: (line) => console.error(line),
});
const text = renderReport(report);
console.log(text);
if (values.markdown !== undefined) writeFileSync(values.markdown, `${text}\n`);
process.exit(failuresIn(report) === 0 ? 0 : 1);
