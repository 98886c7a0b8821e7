import { titleOf } from "../plan/reasons.ts";
import type { Job, ProgramStatement } from "../project/job.ts";
import { readableSql } from "../project/statement.ts";
import { maskConfig, maskSecrets } from "../secrets.ts";
import { type Compared, textDiff } from "./text-diff.ts";

/** The unified diff of two programs' compiled SQL and config, object by object; secrets masked. */
export function sqlDiff(before: Job | null, after: Job | null, context: number): string {
  const [old, now] = [partsOf(before), partsOf(after)];
  const keys = [...new Set([...now.keys(), ...old.keys()])];
  return textDiff(
    keys.map((key): Compared => {
      const [was, is] = [old.get(key), now.get(key)];
      return { title: (is ?? was)?.title ?? key, before: was?.text ?? null, after: is?.text ?? null };
    }),
    context,
  );
}

/** The whole program as SQL, for a job that has nothing to compare with. */
export function programSql(job: Job): string {
  return [...partsOf(job).values()]
    .filter(({ text }) => text !== "")
    .map(({ title, text, isSql }) => `-- ${title}\n${isSql ? `${text};` : text.replace(/^/gm, "-- ")}`)
    .join("\n\n");
}

interface Part {
  readonly title: string;
  readonly text: string;
  readonly isSql: boolean;
}

function partsOf(job: Job | null): ReadonlyMap<string, Part> {
  if (job === null) return new Map();
  const { setup, sink, insert, preHooks, postHooks, runtimeMode, executionConfig } = job.program;
  const sql = (title: string, text: string): Part => ({ title, text: maskSecrets(readableSql(text)), isSql: true });
  const hooks = (kind: string, all: readonly string[]): readonly [string, Part][] =>
    all.map((text, index) => [`${kind} ${index}`, sql(kind, text)]);
  const config = Object.entries(maskConfig({ ...executionConfig, "execution.runtime-mode": runtimeMode }))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key} = ${value}`);
  return new Map<string, Part>([
    ...setup.map((statement): [string, Part] => [keyOf(statement), sql(headingOf(statement), statement.sql)]),
    ["sink", sql(headingOf(sink), sink.sql)],
    ["insert", sql(`query of ${headingOf(sink)}`, insert)],
    ["config", { title: "execution config", text: config.join("\n"), isSql: false }],
    ...hooks("pre-hook", preHooks),
    ...hooks("post-hook", postHooks),
  ]);
}

/** An object is the same by its name, a statement such as SET only by its text. */
function keyOf({ kind, name, sql }: ProgramStatement): string {
  return kind === "statement" ? `statement ${sql}` : `object ${name}`;
}

function headingOf(statement: ProgramStatement): string {
  const title = statement.kind === "statement" ? "setup statement" : titleOf(statement);
  const heading = statement.origin.file === null ? title : `${title} (${statement.origin.file})`;
  return maskSecrets(heading.replace(/\s+/g, " "));
}
