import type { ListedArtifact } from "./artifact-list.ts";

/**
 * GitHub compares nothing for us: names of artifacts are unique only within a run, so two runs can both upload write 7.
 * An upload is therefore a claim. It holds where one look at the list shows it, what it was made from as the only one of
 * its number, no other claim of its own number, and none of a higher one; else it is withdrawn.
 *
 * That is enough as long as the list shows artifacts come and go in the order in which they did; how far it lags behind
 * does not matter. Of two claims of one number that both held, each would have come before the other. And what one that
 * holds was made from cannot be a claim that fails against another: the other, had it held before, would have been seen
 * beside it, and afterwards it sees the higher number. All claims of a number may be withdrawn; to spare most of that,
 * the one that came first (the least id) waits for the others to go.
 *
 * GitHub promises no such order. Without it two runs may both take their claim for held. Then the environment's lock and
 * its lease, readers who refuse two claims of one number, and Flink, which refuses ids that were used, have to do.
 */
export type Standing =
  /** It is not in the list yet. */
  | { readonly kind: "unseen" }
  | { readonly kind: "held"; readonly mine: ListedArtifact }
  /** Others are there that came later, or beside what it was made from. */
  | { readonly kind: "contested" }
  | { readonly kind: "lost" }
  /** Someone went on, from this claim or from another. */
  | { readonly kind: "passed" };

/** Where a claim stands by what the list shows of its kind; `base` is what it was made from, null of nothing. Pure. */
export function standingOf(name: string, base: ListedArtifact | null, listed: readonly ListedArtifact[]): Standing {
  const mine = listed.find((artifact) => artifact.name === name);
  if (mine === undefined) return { kind: "unseen" };
  const others = listed.filter((artifact) => artifact !== mine && !artifact.isExpired);
  const rivals = others.filter(({ number }) => number === mine.number);
  const bases = others.filter(({ number }) => number === base?.number);
  if (others.some(({ number }) => number > mine.number)) return { kind: "passed" };
  if (rivals.some(({ id }) => id < mine.id)) return { kind: "lost" };
  if (base !== null && !bases.some(({ id }) => id === base.id)) return { kind: "lost" };
  return rivals.length > 0 || bases.length > 1 ? { kind: "contested" } : { kind: "held", mine };
}

export type Newest =
  | { readonly kind: "none" }
  | { readonly kind: "found"; readonly artifact: ListedArtifact }
  /** One of them holds at most, and the others are to be withdrawn. */
  | { readonly kind: "contested"; readonly artifacts: readonly ListedArtifact[] }
  /** What is older is no ledger any more, even where it has not expired. */
  | { readonly kind: "expired"; readonly artifact: ListedArtifact };

/** The newest claim by what the list shows of its kind. Pure. */
export function newestOf(listed: readonly ListedArtifact[]): Newest {
  const number = Math.max(0, ...listed.map((artifact) => artifact.number));
  const newest = listed.filter((artifact) => artifact.number === number);
  const alive = newest.filter(({ isExpired }) => !isExpired);
  const [artifact] = alive;
  const [expired] = newest;
  if (alive.length > 1) return { kind: "contested", artifacts: alive };
  if (artifact !== undefined) return { kind: "found", artifact };
  return expired === undefined ? { kind: "none" } : { kind: "expired", artifact: expired };
}

/** Before each look: GitHub's list usually lags by less than a few seconds. */
export const looksMs = [0, 1_000, 1_000, 2_000, 3_000, 5_000, 8_000, 13_000, 21_000];

export interface Looking {
  readonly looksMs: readonly number[];
  readonly look: () => Promise<readonly ListedArtifact[]>;
  readonly pause: (ms: number) => Promise<void>;
}

/** Looks until the claim stands or falls; `unseen` where the list does not show it in the end. */
export async function settle(
  name: string,
  base: ListedArtifact | null,
  { looksMs, look, pause }: Looking,
): Promise<Exclude<Standing, { readonly kind: "contested" }>> {
  let last: Standing = { kind: "unseen" };
  for (const pauseMs of looksMs) {
    await pause(pauseMs);
    last = standingOf(name, base, await look());
    if (last.kind !== "unseen" && last.kind !== "contested") return last;
  }
  return last.kind === "contested" ? { kind: "lost" } : last;
}
