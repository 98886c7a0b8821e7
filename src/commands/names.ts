import { DeployError } from "../errors.ts";
import type { Deployed } from "../ledger/fold.ts";

/** The jobs that something can be done with: those that the ledger knows and that were not removed. */
export function operable(deployed: Deployed): readonly string[] {
  return [...deployed.values()]
    .filter(({ settled, attempt }) => attempt !== null || (settled !== null && settled.kind !== "removed"))
    .map(({ name }) => name)
    .sort();
}

/** The names that match any of the patterns (`*` any text, `?` one character), in their order. Throws `unknown-job`. */
export function matchingNames(names: readonly string[], patterns: readonly string[]): readonly string[] {
  for (const pattern of patterns) {
    if (names.some((name) => matches(name, pattern))) continue;
    const known = names.length === 0 ? "there is none" : `there are ${names.join(", ")}`;
    throw new DeployError("unknown-job", `no job matches ${pattern}; ${known}`);
  }
  return names.filter((name) => matchesAny(name, patterns));
}

/** Whether the name matches one of the patterns. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(name, pattern));
}

function matches(name: string, pattern: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    // Several stars are one, also in the time that it takes to match.
    .replace(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "su").test(name);
}
