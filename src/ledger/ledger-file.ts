import { createHash } from "node:crypto";
import { DeployError } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";
import { decodeEntry, type Entry, referencesIn } from "./entry.ts";
import type { Store, Write } from "./store.ts";

/** An environment's whole ledger, as a file holds it. */
export interface LedgerFile extends Write {
  readonly environment: string;
}

/** A text as a person can read it, or where JSON would not give exactly that text back, as it is. */
type Value = { readonly json: unknown } | { readonly text: string };

interface Document {
  readonly version: 1;
  readonly environment: string;
  readonly entries: readonly Entry[];
  readonly values: Readonly<Record<string, Value>>;
}

/** The ledger as JSON of schemas/ledger.schema.json. */
export function encodeLedger({ environment, entries, values }: LedgerFile): string {
  const shown = [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, text]) => [key, asValue(text)] as const);
  const document: Document = { version: 1, environment, entries, values: Object.fromEntries(shown) };
  return `${JSON.stringify({ ...document, digest: digestOf(document) }, null, 2)}\n`;
}

/**
 * Reads such a file; blanks between its parts do not matter. Throws `inputs-invalid` where it is none, and
 * `ledger-unreadable` where it is of another version or was altered.
 */
export function decodeLedger(json: string, where: string): LedgerFile {
  const altered = (why: string): DeployError => new DeployError("ledger-unreadable", `${where} was altered: ${why}`);
  const document = documentIn(json, where);
  if (document.version !== 1) {
    const version = JSON.stringify(document.version) ?? "none";
    throw new DeployError("ledger-unreadable", `${where} has version ${version}, and this program reads 1`);
  }
  const { version, environment, entries: listed, values: named, digest } = document;
  if (typeof environment !== "string" || !Array.isArray(listed) || !isRecord(named)) {
    throw new DeployError("inputs-invalid", `${where} is no exported ledger`);
  }
  const entries = listed.map((one, index) => decodeEntry(JSON.stringify(one), `${index + 1} in ${where}`));
  for (const [index, entry] of entries.entries()) {
    if (entry.sequence !== index + 1) throw altered(`entry ${index + 1} has sequence ${entry.sequence}`);
    if (entry.environment !== environment) throw altered(`entry ${index + 1} is of ${entry.environment}`);
  }
  const values = new Map(Object.entries(named).map(([key, value]) => [key, textOf(value)] as const));
  for (const [key, text] of values) if (hash(text) !== key) throw altered(`value ${key} is not what was exported`);
  const missing = keysIn(entries).find((key) => !values.has(key));
  if (missing !== undefined) throw altered(`value ${missing} is missing`);
  if (digest !== digestOf({ version, environment, entries: listed, values: named as Document["values"] }))
    throw altered("its digest is another");
  return { environment, entries, values };
}

/** Everything that a store has of an environment. Throws `ledger-unreadable`, also where a value is damaged. */
export async function collectLedger(store: Store, entries: readonly Entry[], environment: string): Promise<LedgerFile> {
  const values = new Map<string, string>();
  for (const key of keysIn(entries)) {
    const text = await store.value(key);
    if (hash(text) !== key)
      throw new DeployError("ledger-unreadable", `value ${key} of ${store.description} is not what was written`);
    values.set(key, text);
  }
  return { environment, entries, values };
}

function documentIn(json: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = parseJson(json);
    if (isRecord(document)) return document;
  } catch (cause) {
    throw new DeployError("inputs-invalid", `${where} is not JSON`, { cause });
  }
  throw new DeployError("inputs-invalid", `${where} is no exported ledger`);
}

function keysIn(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.flatMap(({ fact }) => referencesIn(fact).map(({ value }) => value)))];
}

function asValue(text: string): Value {
  try {
    const json: unknown = parseJson(text);
    if (isRecord(json) && JSON.stringify(json) === text) return { json };
  } catch {
    // Not JSON; then it stays a text.
  }
  return { text };
}

function textOf(value: unknown): string {
  if (!isRecord(value)) return "";
  return typeof value.text === "string" ? value.text : (JSON.stringify(value.json) ?? "");
}

const digestOf = (document: Document): string => hash(JSON.stringify(document));
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
