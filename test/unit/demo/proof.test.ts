import { describe, expect, test } from "vitest";
import { describeProof, proveExactlyOnce, stretchesOf } from "../../../scripts/demo/proof.ts";

describe("the demo's proof", () => {
  test("holds when every number up to the highest is there once, in whatever order the files have them", () => {
    expect(proveExactlyOnce([3, 1, 2])).toEqual({ kind: "exactly-once", highest: 3 });
  });

  test("fails on a number that is there twice", () => {
    const proof = proveExactlyOnce([1, 2, 2, 3]);
    expect(proof).toEqual({ kind: "broken", highest: 3, missing: [], duplicates: [2] });
    expect(describeProof(proof)).toBe("of the orders from 1 to 3, 1 more than once (2)");
  });

  test("fails on a number that is missing, the first one too", () => {
    expect(proveExactlyOnce([1, 3])).toMatchObject({ kind: "broken", missing: [2], duplicates: [] });
    expect(proveExactlyOnce([2, 3])).toMatchObject({ kind: "broken", missing: [1], duplicates: [] });
  });

  test("fails where a duplicate makes up for a gap, so that the count alone would be right", () => {
    const proof = proveExactlyOnce([1, 2, 2, 4]);
    expect(proof).toEqual({ kind: "broken", highest: 4, missing: [3], duplicates: [2] });
    expect(describeProof(proof)).toBe("of the orders from 1 to 4, 1 missing (3) and 1 more than once (2)");
  });

  test("fails when a job began again from the start", () => {
    const proof = proveExactlyOnce([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6]);
    expect(describeProof(proof)).toBe("of the orders from 1 to 7, 6 more than once (1, 2, 3, 4, 5, …)");
  });

  test("fails when nothing was written", () => {
    expect(describeProof(proveExactlyOnce([]))).toBe("not one order was written");
  });

  test("takes no number that the source cannot have sent", () => {
    expect(() => proveExactlyOnce([0, 1])).toThrow("never sends the number 0");
    expect(() => proveExactlyOnce([1, 1.5])).toThrow("never sends the number 1.5");
  });
});

describe("stretches of numbers with the same mark", () => {
  const rowsOf = (marks: string) => [...marks].map((mark, index) => ({ number: index + 1, mark }));

  test("are told in the order of the numbers, whatever that of the rows", () => {
    expect(stretchesOf(rowsOf("aab").reverse())).toEqual([
      { mark: "a", first: 1, last: 2 },
      { mark: "b", first: 3, last: 3 },
    ]);
  });

  test("are three where an old program wrote again after the new one", () => {
    expect(stretchesOf(rowsOf("aba"))).toHaveLength(3);
  });
});
