import { isSamePath } from "../flink/paths.ts";
import { isSecretKey, mask, maskSecrets } from "../secrets.ts";
import { type TableParts, tableParts } from "./table-parts.ts";

/** What a table that is there has otherwise than a project declares it, for a person. */
export interface TableDifference {
  readonly text: string;
  /** False where it may be the catalog's own way of keeping what was declared. */
  readonly isCertain: boolean;
}

/**
 * Compares two answers of SHOW CREATE TABLE: of the table that is there, and of one made of the project's statement. A
 * table with a connector is kept as it was declared. One without is its catalog's own: Iceberg and Paimon add options
 * and take some away, and Iceberg widens types and names the key anew each time it is asked (seen on 1.20.3).
 * `standIns` are options that the second has and the project does not. Pure.
 */
export function tableDifferences(
  existing: string,
  declared: string,
  standIns: readonly string[] = [],
): readonly TableDifference[] {
  const [there, here] = [tableParts(existing), tableParts(declared)];
  if (there === null || here === null)
    return [{ text: "they cannot be compared: Flink shows them in a way that is not known here", isCertain: false }];
  const isKept = there.options.has("connector");
  return [
    ...columnDifferences(there, here, isKept),
    ...difference("watermark", there.watermark, here.watermark),
    ...difference("key", keyOf(there), keyOf(here)),
    ...difference("layout", clausesOf(there), clausesOf(here)),
    ...optionDifferences(there.options, new Map([...here.options].filter(([key]) => !standIns.includes(key))), isKept),
  ];
}

function columnDifferences(there: TableParts, here: TableParts, isKept: boolean): readonly TableDifference[] {
  const names = [...new Set([...here.columns.keys(), ...there.columns.keys()])];
  const columns = names.flatMap((name) => {
    const [old, now] = [columnOf(there, name), columnOf(here, name)];
    const isLoose = !isKept && old !== null && now !== null && loosened(old) === loosened(now);
    return difference(`column ${name}`, old, now, !isLoose);
  });
  const isReordered = columns.length === 0 && [...there.columns.keys()].join() !== [...here.columns.keys()].join();
  return isReordered ? [{ text: "its columns are in another order", isCertain: true }] : columns;
}

type Options = TableParts["options"];

/** Options that only the table has may be its catalog's own, and say nothing where the whole table is. */
function optionDifferences(there: Options, here: Options, isKept: boolean): readonly TableDifference[] {
  const keys = isKept ? new Set([...here.keys(), ...there.keys()]) : here.keys();
  return [...keys].flatMap((key) => {
    const [old, now] = [there.get(key), here.get(key)];
    if (old === now || (old !== undefined && now !== undefined && areSamePlace(old, now))) return [];
    const isCertain = now !== undefined && (isKept || old !== undefined || key === "connector");
    const shown = (value: string | undefined): string | null =>
      value === undefined ? null : `'${isSecretKey(key) ? mask : value}'`;
    return [{ text: textOf(`option '${key}'`, shown(old), shown(now)), isCertain }];
  });
}

function areSamePlace(left: string, right: string): boolean {
  return [left, right].every((value) => /^(?:[a-z][a-z0-9+.-]*:)?\//i.test(value)) && isSamePath(left, right);
}

function difference(
  what: string,
  there: string | null,
  here: string | null,
  isCertain = true,
): readonly TableDifference[] {
  return there === here ? [] : [{ text: textOf(what, there, here), isCertain }];
}

function textOf(what: string, there: string | null, here: string | null): string {
  const [old, now] = [there, here].map((text) => (text === null ? "missing" : shortened(maskSecrets(text))));
  return `${what} is ${old} there and ${now} in the project`;
}

function columnOf({ columns }: TableParts, name: string): string | null {
  const column = columns.get(name);
  return column === undefined ? null : withoutComment(column);
}

/** What a catalog keeps of a type in any case: the name of its family. */
function loosened(type: string): string {
  return type
    .replace(/ NOT NULL\b/g, "")
    .replace(/\b(?:TINYINT|SMALLINT)\b/g, "INT")
    .replace(/\b(?:(?:VAR)?CHAR ?\(\d+\)|STRING\b)/g, "VARCHAR")
    .replace(/\b(?:(?:VAR)?BINARY ?\(\d+\)|BYTES\b)/g, "VARBINARY")
    .replace(/\b(TIMESTAMP|TIMESTAMP_LTZ|TIME) ?\(\d+\)/g, "$1");
}

/** The key's columns: its name is made up by some catalogs. */
function keyOf({ constraints }: TableParts): string | null {
  const keys = constraints.map((text) => text.replace(/^CONSTRAINT (?:`(?:[^`]|``)*`|\S+) /i, ""));
  return keys.length === 0 ? null : keys.join(", ");
}

function clausesOf({ clauses }: TableParts): string | null {
  return withoutComment(clauses) || null;
}

/** Comments mean nothing to Flink, and not every catalog keeps them. */
function withoutComment(text: string): string {
  return text.replace(/ ?\bCOMMENT '(?:[^']|'')*'/g, "").trim();
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
