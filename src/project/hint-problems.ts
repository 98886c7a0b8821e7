import { configItems, listHints } from "./hints.ts";

/** A hint that dbt-flink-adapter reads otherwise than it is written. `reason` is the end of a sentence. */
export interface HintProblem {
  readonly hint: string;
  readonly key: string | null;
  readonly value: string;
  readonly reason: string;
}

const known = ["mode", "upgrade_mode", "job_state", "execution_config", "drop_statement"];

/** Compares a correct reading of a statement's hints with the adapter's, which goes by regular expressions. */
export function adapterWouldBreakOn(sql: string): readonly HintProblem[] {
  const written = new Map(listHints(sql).map(({ name, value }) => [name, value]));
  const read = adapterReading(sql);
  const differing = known.flatMap((hint) => compare(hint, written.get(hint), read.get(hint)));
  return [...differing, ...brokenItems(written.get("execution_config") ?? "")];
}

/** The unsafe values of a model's execution_config before dbt made a hint of it: here no `;` is ambiguous. */
export function unsafeConfig(config: Readonly<Record<string, string>>): readonly HintProblem[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const sign = /[;=)\n]|\*\//.exec(value)?.[0] ?? /[;=)\n]|\*\//.exec(key)?.[0];
    if (sign === undefined) return [];
    const shown = sign === "\n" ? "a line break" : `\`${sign}\``;
    return [{ hint: "execution_config", key, value, reason: `holds ${shown}, which the adapter cannot read` }];
  });
}

function compare(hint: string, written: string | undefined, read: string | undefined): readonly HintProblem[] {
  if (written === read) return [];
  if (written === undefined) {
    return [{ hint, key: null, value: read ?? "", reason: "is read by the adapter from a text that is no hint" }];
  }
  const reason = read === undefined ? "is not seen by the adapter" : `is read by the adapter as \`${read}\``;
  return [{ hint, key: null, value: written, reason }];
}

function brokenItems(value: string): readonly HintProblem[] {
  return configItems(value).flatMap((item) => {
    const [key = "", ...values] = item.split("=");
    if (values.length === 1) return [];
    const reason = values.length === 0 ? "has no `=`; a value before it holds `;`" : "holds more than one `=`";
    return [{ hint: "execution_config", key, value: values.join("="), reason }];
  });
}

/** What the adapter's regular expressions find: in strings too, to the first `)`, and never over a line's end. */
function adapterReading(sql: string): ReadonlyMap<string, string> {
  const hints = new Map<string, string>();
  for (const [, clause = ""] of sql.matchAll(/\/\*\*([^\n]+?)\*\//g)) {
    for (const [, name = "", value = ""] of clause.matchAll(/([a-zA-Z0-9_]+?)\(([^\n]+?)\)/g)) {
      hints.set(name, stripQuotes(value));
    }
  }
  return hints;
}

function stripQuotes(text: string): string {
  return text
    .trim()
    .replace(/^"+|"+$/g, "")
    .replace(/^'+|'+$/g, "");
}
