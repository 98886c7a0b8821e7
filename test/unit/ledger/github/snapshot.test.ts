import { describe, expect, test } from "vitest";
import {
  additionsTo,
  decodeSnapshot,
  encodeSnapshot,
  type KeptValue,
  packValue,
  type Snapshot,
  unpackValue,
} from "../../../../src/ledger/stores/github/snapshot.ts";
import { entries, entry } from "../entries.ts";
import { adopted } from "../store-contract.ts";

const values: ReadonlyMap<string, KeptValue> = new Map([
  ["a", packValue("SELECT 'ö'\nFROM x")],
  ["b", { kind: "elsewhere", artifact: 7, renewFrom: "2026-03-01T00:00:00.000Z" }],
]);
const snapshot: Snapshot = {
  environment: "test",
  write: 3,
  ref: "refs/heads/main",
  entries: entries(adopted("j1"), adopted("ö\n2")),
  values,
};
const decode = (text: string) => decodeSnapshot(text, "test", "artifact 9");
const lines = encodeSnapshot(snapshot).split("\n");
const changed = (line: number, by: (text: string) => string): string =>
  lines.map((text, index) => (index === line ? by(text) : text)).join("\n");

describe("a snapshot of the ledger", () => {
  test("is lines of JSON, read as they were written", () => {
    expect(decode(encodeSnapshot(snapshot))).toEqual(snapshot);
    expect(lines.map((line) => line.slice(0, 12))).toEqual([
      '{"version":1',
      '{"version":1',
      '{"version":1',
      '{"key":"a","',
      '{"key":"b","',
      "",
    ]);
  });

  test("keeps values packed", () => {
    const value = values.get("a");
    expect(value?.kind === "here" ? unpackValue(value.gzip, "x") : null).toBe("SELECT 'ö'\nFROM x");
    expect(() => unpackValue("AAAA", "artifact 9")).toThrow(
      expect.objectContaining({
        code: "ledger-unreadable",
        message: expect.stringContaining("a value in artifact 9 is damaged"),
      }),
    );
  });

  test.each([
    ["that was cut within a line", encodeSnapshot(snapshot).slice(0, -5), "it was cut short"],
    ["that was cut between lines", `${lines.slice(0, 3).join("\n")}\n`, "it has 2 lines, not 4"],
    ["of nothing", "", "it has no head"],
    ["of a later version", changed(0, (head) => head.replace('"version":1', '"version":2')), "its version is 2, this"],
    ["of another environment", changed(0, (head) => head.replace("test", "live")), 'it is of "live"'],
    ["with a damaged head", changed(0, (head) => head.replace('"write":3', '"write":-3')), "its head is damaged"],
    ["with a damaged value", changed(4, (line) => line.replace("artifact", "artefact")), "a value in it is damaged"],
  ])("%s is refused", (_name, text, why) => {
    expect(() => decode(text)).toThrow(
      expect.objectContaining({
        code: "ledger-unreadable",
        message: expect.stringContaining(`the ledger in artifact 9 cannot be read: ${why}`),
      }),
    );
  });

  test("with an entry that was changed is refused with its line", () => {
    expect(() => decode(changed(2, (line) => line.replace("totals", "orders")))).toThrow(
      expect.objectContaining({ code: "ledger-unreadable", message: expect.stringContaining("artifact 9, line 3") }),
    );
  });
});

describe("what a write adds", () => {
  const third = entry(adopted("j3"), { sequence: 3 });

  test("is what is not there yet", () => {
    const write = {
      entries: [...snapshot.entries, third],
      values: new Map([...values.keys(), "c"].map((key) => [key, key])),
    };
    expect(additionsTo(snapshot, write)).toEqual({ entries: [third], values: new Map([["c", "c"]]) });
  });

  test("is refused where a sequence is another entry's", () => {
    expect(() => additionsTo(snapshot, { entries: [entry(adopted("j9")), third], values: new Map() })).toThrow(
      expect.objectContaining({ code: "lock-held", message: expect.stringContaining("entry 1") }),
    );
  });
});
