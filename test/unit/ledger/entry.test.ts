import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeployError } from "../../../src/errors.ts";
import { decodeEntry, type Entry, entryId, inOrder } from "../../../src/ledger/entry.ts";
import { entry, facts, reference } from "./entries.ts";

const good = entry({ kind: "running", jobId: "j1", reference, restored: "file:/s" });

/** The same entry with something else in it, and an id that fits unless one is given. */
function damaged(change: Readonly<Record<string, unknown>>): string {
  const { id: _id, at: _at, ...covered } = { ...good, ...change } as Entry;
  return JSON.stringify({ ...good, id: entryId(covered), ...change });
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof DeployError) return error.code;
    throw error;
  }
  return "read";
}

test("an entry is read as it was written", () => {
  fc.assert(
    fc.property(facts, fc.nat(), (fact, sequence) => {
      const written = entry(fact, { sequence: sequence + 1 });
      expect(decodeEntry(JSON.stringify(written), "here")).toEqual(written);
    }),
  );
});

describe("an entry is refused, never skipped,", () => {
  test.each([
    ["that is empty", "", "is not JSON"],
    ["that is cut off", JSON.stringify(good).slice(0, -5), "is not JSON"],
    ["that is no object", "null", "it is not an object"],
    ["that is a list", "[]", "its version is undefined"],
    ["of a later version", damaged({ version: 2 }), "its version is 2, this program reads 1"],
    ["without a job", damaged({ job: undefined }), "job is not text"],
    ["whose commit is a number", damaged({ commit: 7 }), "commit is neither text nor null"],
    ["whose sequence is no whole number", damaged({ sequence: 1.5 }), "sequence is 1.5"],
    ["whose sequence is 0", damaged({ sequence: 0 }), "sequence is 0"],
    ["that says nothing", damaged({ fact: null }), "fact.kind is null"],
    ["that says what nobody knows", damaged({ fact: { kind: "paused" } }), 'fact.kind is "paused"'],
    ["that says what every object has", damaged({ fact: { kind: "toString" } }), 'fact.kind is "toString"'],
    ["that lacks a field", damaged({ fact: { kind: "stopped", jobId: "j1" } }), "fact.savepoint is undefined"],
    [
      "whose field is of another type",
      damaged({ fact: { kind: "running", jobId: "j1", reference: "v1", restored: null } }),
      'fact.reference is "v1"',
    ],
    [
      "whose word is none of those there are",
      damaged({ fact: { kind: "suspended", by: "cron", reference: null, savepoint: null } }),
      'fact.by is "cron"',
    ],
    ["that says something else than its id", damaged({ id: good.id, job: "sums" }), "its id does not match"],
  ])("%s", (_, json, why) => {
    expect(codeOf(() => decodeEntry(json, "entries/7.json"))).toBe("ledger-unreadable");
    expect(() => decodeEntry(json, "entries/7.json")).toThrow(`the ledger entry entries/7.json`);
    expect(() => decodeEntry(json, "entries/7.json")).toThrow(why);
  });

  test("whichever sign of it was changed, unless it says the same", () => {
    const json = JSON.stringify(good);
    const sign = fc.integer({ min: 0, max: json.length - 1 });
    fc.assert(
      fc.property(sign, fc.string({ maxLength: 2 }), (index, text) => {
        const changed = `${json.slice(0, index)}${text}${json.slice(index + 1)}`;
        let read: Entry;
        try {
          read = decodeEntry(changed, "here");
        } catch (error) {
          expect(error).toMatchObject({ code: "ledger-unreadable" });
          return;
        }
        // No id covers the time.
        expect({ ...read, at: "" }).toEqual({ ...good, at: "" });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a ledger's entries", () => {
  const at = (sequence: number, jobId = "j") => entry({ kind: "adopted", jobId }, { sequence });

  test("come in order, with those of two writers at once", () => {
    const all = [at(3), at(1), at(2, "a"), at(2, "b")];
    expect(inOrder(all, "here").map(({ sequence }) => sequence)).toEqual([1, 2, 2, 3]);
  });

  test.each([
    ["in the middle", [at(1), at(3)], "has no entry 2, but entry 3"],
    ["at the beginning", [at(2)], "has no entry 1, but entry 2"],
  ])("are refused where one is missing %s", (_, all, why) => {
    expect(codeOf(() => inOrder(all, "here"))).toBe("ledger-unreadable");
    expect(() => inOrder(all, "here")).toThrow(why);
  });
});
