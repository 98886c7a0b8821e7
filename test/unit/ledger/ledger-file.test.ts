import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { inOrder } from "../../../src/ledger/entry.ts";
import { readEntries } from "../../../src/ledger/ledger.ts";
import { collectLedger, decodeLedger, encodeLedger, type LedgerFile } from "../../../src/ledger/ledger-file.ts";
import type { Store } from "../../../src/ledger/store.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import { entries, facts } from "./entries.ts";
import { GitPlaces } from "./git-places.ts";
import { MemoryStore } from "./memory-store.ts";

const schema: object = JSON.parse(
  readFileSync(new URL("../../../schemas/ledger.schema.json", import.meta.url), "utf8"),
);
const validate = new Ajv.Ajv2020({ allErrors: true }).compile(schema);

const keyOf = (text: string) => createHash("sha256").update(text).digest("hex");
/** A ledger of a job whose stored text is this. */
function ledgerWith(text: string): LedgerFile {
  const reference = { digest: "d", value: keyOf(text) };
  const all = entries({ kind: "adopted", jobId: "j1" }, { kind: "running", jobId: "j2", reference, restored: null });
  return { environment: "test", entries: all, values: new Map([[keyOf(text), text]]) };
}
const stored = '{"version":1,"job":{"name":"ö","sql":"SELECT \'a\\n\'"},"compiledPlan":"{\\"nodes\\":[]}","n":0.1}';
const encoded = encodeLedger(ledgerWith(stored));
const decode = (text: string) => () => decodeLedger(text, "ledger.json");
const changed = (from: string, to: string) => {
  expect(encoded).toContain(from);
  return encoded.replace(from, to);
};

describe("a ledger file", () => {
  test("is what the published schema says", () => {
    validate(JSON.parse(encoded));
    expect(validate.errors).toBeNull();
  });

  test("is what the published schema says for every fact there is", () => {
    fc.assert(
      fc.property(fc.array(facts), (some) => {
        const hex = (fact: (typeof some)[number]) => JSON.parse(JSON.stringify(fact), withKeys);
        const all = entries(...some.map(hex));
        validate(JSON.parse(encodeLedger({ environment: "test", entries: all, values: new Map() })));
        expect(validate.errors).toBeNull();
      }),
    );
  });

  test("shows a person what was stored", () => {
    expect(encoded).toContain('"name": "ö"');
    expect(JSON.parse(encoded).values[keyOf(stored)].json.job.sql).toBe("SELECT 'a\n'");
  });

  test("is read as it was written, whatever blanks are between its parts", () => {
    expect(decodeLedger(encoded, "f")).toEqual(ledgerWith(stored));
    expect(decodeLedger(JSON.stringify(JSON.parse(encoded)), "f")).toEqual(ledgerWith(stored));
  });

  test("keeps every text exactly", () => {
    const odd = [
      '{"n":1.0}',
      '{"b":1,"a":2}',
      '{"2":1,"1":2}',
      "{ }",
      "[1]",
      "no JSON",
      "",
      '{"a":1,"a":2}',
      '{"__proto__":1}',
    ];
    for (const text of odd) {
      const file = encodeLedger(ledgerWith(text));
      validate(JSON.parse(file));
      expect(validate.errors).toBeNull();
      expect(decodeLedger(file, "f").values).toEqual(ledgerWith(text).values);
    }
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.json()), (text) => {
        expect(decodeLedger(encodeLedger(ledgerWith(text)), "f").values).toEqual(ledgerWith(text).values);
      }),
    );
  });

  test.each([
    ["an entry that says another thing", () => changed('"jobId": "j1"', '"jobId": "j9"'), "id does not match"],
    ["a value that says another thing", () => changed('"name": "ö"', '"name": "u"'), "is not what was exported"],
    ["a time that is another", () => changed("2026-01-01", "2025-01-01"), "its digest is another"],
    ["an entry less at the end", () => without(1), "its digest is another"],
    ["an entry less in between", () => without(0), "entry 1 has sequence 2"],
    [
      "a value less",
      () => changed(JSON.stringify(JSON.parse(encoded).values, null, 2).replace(/\n/g, "\n  "), "{}"),
      "is missing",
    ],
    ["another environment", () => changed('"environment": "test"', '"environment": "x"'), "entry 1 is of test"],
    ["a later version", () => changed('"version": 1', '"version": 2'), "has version 2, and this program reads 1"],
  ])("is refused with %s", (_name, text, said) => {
    expect(decode(text())).toThrow(
      expect.objectContaining({ code: "ledger-unreadable", message: expect.stringContaining(said) }),
    );
  });

  test.each(["", "[]", "{", '{"version":1}'])("that is none is refused: %j", (text) => {
    const said = expect.stringContaining("ledger.json");
    expect(decode(text)).toThrow(expect.objectContaining({ code: "inputs-invalid", message: said }));
  });
});

/** The encoded ledger without one of its entries. */
function without(index: number): string {
  const document = JSON.parse(encoded);
  document.entries.splice(index, 1);
  return JSON.stringify(document);
}

/** A reference's key is a hash; those that are made up are not. */
function withKeys(name: string, value: unknown): unknown {
  return name === "value" ? keyOf(String(value)) : value;
}

describe("a ledger that moves", () => {
  const places = new GitPlaces();
  const folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-ledger-"));
  afterAll(() => {
    places[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const moved = async (from: Store): Promise<LedgerFile> => {
    const collected = await collectLedger(from, await readEntries(from), "test");
    return decodeLedger(encodeLedger(collected), "f");
  };

  test("from a folder into git and back is the same", async () => {
    const original = ledgerWith(stored);
    const file = (name: string) => openFileStore(join(folder, name), "test");
    await file("before").append(original);
    const remote = places.bare();
    await places.open(remote).append(await moved(file("before")));
    await file("after").append(await moved(places.open(remote)));
    expect(inOrder(await file("after").entries(), "after")).toEqual(original.entries);
    expect(await file("after").value(keyOf(stored))).toBe(stored);
    expect(encodeLedger(await moved(file("after")))).toBe(encoded);
  });

  test("whose value is damaged is not moved", async () => {
    const store = new MemoryStore();
    await store.append({ ...ledgerWith(stored), values: new Map([[keyOf(stored), "damaged"]]) });
    await expect(moved(store)).rejects.toMatchObject({
      code: "ledger-unreadable",
      message: expect.stringContaining("is not what was written"),
    });
  });
});
