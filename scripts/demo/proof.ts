/** What the numbers in a sink say about exactly-once; `highest` is the last number that came through. */
export type Proof =
  | { readonly kind: "exactly-once"; readonly highest: number }
  | { readonly kind: "nothing-written" }
  | {
      readonly kind: "broken";
      readonly highest: number;
      readonly missing: readonly number[];
      readonly duplicates: readonly number[];
    };

/** The source counts 1, 2, 3 and so on: so each number up to the highest must be there, once. The order is free. */
export function proveExactlyOnce(numbers: readonly number[]): Proof {
  if (numbers.length === 0) return { kind: "nothing-written" };
  const times = new Map<number, number>();
  let highest = 0;
  for (const number of numbers) {
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`the source never sends the number ${number}`);
    times.set(number, (times.get(number) ?? 0) + 1);
    highest = Math.max(highest, number);
  }
  const missing: number[] = [];
  for (let number = 1; number <= highest; number++) if (!times.has(number)) missing.push(number);
  const duplicates = [...times].filter(([, count]) => count > 1).map(([number]) => number);
  if (missing.length === 0 && duplicates.length === 0) return { kind: "exactly-once", highest };
  return { kind: "broken", highest, missing, duplicates: duplicates.sort((left, right) => left - right) };
}

/** Numbers that follow one another and carry the same mark. */
export interface Stretch {
  readonly mark: string;
  readonly first: number;
  readonly last: number;
}

/** Which numbers were written with which mark, in the order of the numbers: a new stretch where the mark changes. */
export function stretchesOf(rows: readonly { readonly number: number; readonly mark: string }[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const { number, mark } of [...rows].sort((left, right) => left.number - right.number)) {
    const current = stretches.at(-1);
    if (current?.mark === mark) stretches[stretches.length - 1] = { ...current, last: number };
    else stretches.push({ mark, first: number, last: number });
  }
  return stretches;
}

/** The proof in one line. */
export function describeProof(proof: Proof): string {
  switch (proof.kind) {
    case "exactly-once":
      return `every order from 1 to ${proof.highest} is there exactly once`;
    case "nothing-written":
      return "not one order was written";
    case "broken": {
      const { missing, duplicates, highest } = proof;
      const parts = [
        ...(missing.length === 0 ? [] : [`${missing.length} missing (${some(missing)})`]),
        ...(duplicates.length === 0 ? [] : [`${duplicates.length} more than once (${some(duplicates)})`]),
      ];
      return `of the orders from 1 to ${highest}, ${parts.join(" and ")}`;
    }
  }
}

const shown = 5;

function some(numbers: readonly number[]): string {
  return `${numbers.slice(0, shown).join(", ")}${numbers.length > shown ? ", …" : ""}`;
}
