/** What is uploaded for an environment: the ledger, numbered by its writes, and the lock, by its versions. */
export type PlaceKind = "ledger" | "lock";

/**
 * The first part of the names of an environment's uploads. An environment's name has letters, digits, `.`, `_` and `-`
 * in it and no `~`, so no name begins with another's.
 */
export function namePrefix(environment: string, kind: PlaceKind): string {
  return `flink-dbt-deploy.${environment}~${kind === "lock" ? "lock." : ""}`;
}

/** `flink-dbt-deploy.production~0000000012`; it sorts as its number does. */
export function nameOf(environment: string, kind: PlaceKind, number: number): string {
  return `${namePrefix(environment, kind)}${String(number).padStart(10, "0")}`;
}

/** The number in a name of this environment and kind, whatever follows it after a dot; null where it is another's. */
export function numberIn(name: string, environment: string, kind: PlaceKind): number | null {
  const prefix = namePrefix(environment, kind);
  const digits = name.startsWith(prefix) ? /^(\d{10})(?:\.|$)/.exec(name.slice(prefix.length))?.[1] : undefined;
  return digits === undefined ? null : Number(digits);
}
