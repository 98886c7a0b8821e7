import { isSecretKey, mask, maskSecrets } from "../secrets.ts";
import { configItems, listHints } from "./hints.ts";
import { field } from "./job-modes.ts";

/** A hint that dbt-flink-adapter reads otherwise than it is written. `reason` is the end of a sentence. */
export interface HintProblem {
  readonly hint: string;
  readonly key: string | null;
  readonly value: string;
  readonly reason: string;
}

/** The problem as a sentence without its secrets. */
export function describeProblem({ hint, key, value, reason }: HintProblem): string {
  const shown = key !== null && isSecretKey(key) ? mask : withoutSecrets(value);
  const subject = key === null ? hint : `${hint} \`${key}\``;
  return `${subject} = \`${shown}\` ${reason}.`;
}

/** dbt's merged config of a model; numbers and booleans as the adapter prints them. */
export function executionConfigOf(config: unknown): Readonly<Record<string, string>> {
  const entries = ["default_execution_config", "execution_config"].flatMap((name) => {
    const value = field(config, name);
    return typeof value === "object" && value !== null ? Object.entries(value) : [];
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}

/** A hint's value is shown up to its first secret: where that one ends is what the adapter and we do not agree on. */
function withoutSecrets(value: string): string {
  const items = value.split(";");
  const at = items.findIndex((item) => isSecretKey(item.split("=")[0] ?? ""));
  if (at === -1) return maskSecrets(value);
  const key = items[at]?.split("=")[0] ?? "";
  return [...items.slice(0, at).map(maskSecrets), `${key}=${mask}`].join(";");
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
  const reason =
    read === undefined ? "is not seen by the adapter" : `is read by the adapter as \`${withoutSecrets(read)}\``;
  return [{ hint, key: null, value: written, reason }];
}

function brokenItems(value: string): readonly HintProblem[] {
  let former = "";
  return configItems(value).flatMap((item) => {
    const [key = "", ...values] = item.split("=");
    if (values.length === 0) {
      // The end of the value before it, which may be a secret.
      const shown = isSecretKey(former) ? mask : key;
      return [{ hint: "execution_config", key: shown, value: "", reason: "has no `=`; a value before it holds `;`" }];
    }
    former = key;
    if (values.length === 1) return [];
    return [{ hint: "execution_config", key, value: values.join("="), reason: "holds more than one `=`" }];
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
