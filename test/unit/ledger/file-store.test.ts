import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { entryId, type Fact } from "../../../src/ledger/entry.ts";
import { openLedger } from "../../../src/ledger/ledger.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import { entry } from "./entries.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-ledger-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const adopted = (jobId: string): Fact => ({ kind: "adopted", jobId });
const writer = {
  environment: "test",
  deployment: "d",
  project: null,
  commit: null,
  now: () => "2026-01-01T00:00:00.000Z",
};
const entriesFolder = () => join(folder, "test", "entries");
const names = () => readdirSync(entriesFolder()).toSorted();

describe("entries", () => {
  test("of a ledger that was never written are none, and nothing is made by looking", async () => {
    expect(await openFileStore(folder, "test").entries()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("are read as they were written, by whoever opens the folder", async () => {
    const all = [entry(adopted("j1")), entry(adopted("j2"), { sequence: 2 })];
    for (const one of all) await openFileStore(folder, "test").append(one);
    expect(await openFileStore(folder, "test").entries()).toEqual(all);
    expect(names()).toEqual(all.map(({ id, sequence }) => `000000000${sequence}-${id}.json`));
  });

  test("written twice are one", async () => {
    const store = openFileStore(folder, "test");
    await store.append(entry(adopted("j1")));
    await store.append(entry(adopted("j1")));
    expect(await store.entries()).toHaveLength(1);
  });

  test("of environments do not mix", async () => {
    await openFileStore(folder, "test").append(entry(adopted("j1")));
    expect(await openFileStore(folder, "production").entries()).toEqual([]);
  });

  test("that a crash left half-written are no entries", async () => {
    const store = openFileStore(folder, "test");
    await store.append(entry(adopted("j1")));
    writeFileSync(join(entriesFolder(), ".0000000002-abc.json.4711.tmp"), '{"version":1,"seq');
    expect(await store.entries()).toHaveLength(1);
  });

  test("leave nothing beside them", async () => {
    await openFileStore(folder, "test").append(entry(adopted("j1")));
    expect(names()).toHaveLength(1);
  });

  test("that someone took away are missed", async () => {
    const store = openFileStore(folder, "test");
    for (const sequence of [1, 2, 3]) await store.append(entry(adopted("j"), { sequence }));
    unlinkSync(join(entriesFolder(), names()[1] ?? ""));
    await expect(store.entries()).rejects.toMatchObject({
      code: "ledger-unreadable",
      message: expect.stringContaining("has no entry 2"),
    });
  });

  test("that were changed are refused with their file", async () => {
    const store = openFileStore(folder, "test");
    await store.append(entry(adopted("j1")));
    const file = join(entriesFolder(), names()[0] ?? "");
    writeFileSync(file, readFileSync(file, "utf8").replace("j1", "j2"));
    await expect(store.entries()).rejects.toMatchObject({
      code: "ledger-unreadable",
      message: expect.stringContaining(file),
    });
  });

  test("that cannot be read are an error, not none", async () => {
    mkdirSync(join(folder, "test"), { recursive: true });
    writeFileSync(entriesFolder(), "not a folder");
    await expect(openFileStore(folder, "test").entries()).rejects.toMatchObject({ code: "ledger-unreadable" });
    rmSync(entriesFolder());
    mkdirSync(join(entriesFolder(), "0000000001-abc.json"), { recursive: true });
    await expect(openFileStore(folder, "test").entries()).rejects.toMatchObject({ code: "ledger-unreadable" });
  });

  test("that cannot be written are not confirmed", async () => {
    writeFileSync(join(folder, "test"), "not a folder");
    await expect(openFileStore(folder, "test").append(entry(adopted("j1")))).rejects.toMatchObject({
      code: "store-unconfirmed",
      message: expect.stringContaining(entriesFolder()),
    });
  });

  test.skipIf(process.getuid?.() === 0)("are not confirmed in a folder that is read-only", async () => {
    mkdirSync(entriesFolder(), { recursive: true });
    chmodSync(entriesFolder(), 0o500);
    await expect(openFileStore(folder, "test").append(entry(adopted("j1")))).rejects.toMatchObject({
      code: "store-unconfirmed",
    });
  });

  test("are for their owner alone", async () => {
    await openFileStore(folder, "test").append(entry(adopted("j1")));
    const { mode } = await import("node:fs/promises").then((fs) => fs.stat(join(entriesFolder(), names()[0] ?? "")));
    expect(mode & 0o077).toBe(0);
  });
});

describe("two writers at once", () => {
  test("overwrite nothing: the same sequence is there twice", async () => {
    const store = openFileStore(folder, "test");
    const ledgers = await Promise.all([openLedger(store, writer), openLedger(store, { ...writer, deployment: "e" })]);
    await Promise.all(ledgers.map((ledger, index) => ledger.append(`job ${index}`, adopted(`j${index}`))));
    const all = await store.entries();
    expect(all.map(({ sequence, job }) => [sequence, job]).toSorted()).toEqual([
      [1, "job 0"],
      [1, "job 1"],
    ]);
    const next = await openLedger(store, writer);
    await next.append("job 2", adopted("j2"));
    expect((await store.entries()).at(-1)).toMatchObject({ sequence: 2, job: "job 2" });
  });

  test("of two processes keep every entry, though they race for each sequence", async () => {
    const src = new URL("../../../src/ledger/", import.meta.url).href;
    const code = `
      const { openLedger } = await import(${JSON.stringify(`${src}ledger.ts`)});
      const { openFileStore } = await import(${JSON.stringify(`${src}stores/file.ts`)});
      const [folder, deployment] = process.argv.slice(1);
      const store = openFileStore(folder, "test");
      for (let count = 0; count < 5; count += 1) {
        const writer = { environment: "test", deployment, project: null, commit: null, now: () => new Date().toISOString() };
        const ledger = await openLedger(store, writer);
        await ledger.append("totals", { kind: "adopted", jobId: deployment + count });
      }`;
    const node = join(import.meta.dirname, "..", "..", "..", "node_modules", ".bin", "node");
    const run = promisify(execFile);
    const one = (name: string) => run(node, ["--input-type=module", "--eval", code, folder, name]);
    await Promise.all([one("a"), one("b")]);
    const all = await openFileStore(folder, "test").entries();
    const ids = all.map(({ fact }) => (fact.kind === "adopted" ? fact.jobId : ""));
    expect(ids.toSorted()).toEqual(["a0", "a1", "a2", "a3", "a4", "b0", "b1", "b2", "b3", "b4"]);
  }, 30_000);

  test("of one ledger follow each other", async () => {
    const store = openFileStore(folder, "test");
    const ledger = await openLedger(store, writer);
    await Promise.all(["a", "b", "c"].map((job) => ledger.append(job, adopted(job))));
    expect((await store.entries()).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(ledger.job("b").settled).toMatchObject({ kind: "running", jobId: "b" });
  });

  test("an append that failed is not in the ledger, and the next one takes its place", async () => {
    const store = openFileStore(folder, "test");
    let isBroken = true;
    const flaky = {
      ...store,
      append: async (one: Parameters<typeof store.append>[0]) => {
        if (isBroken) throw new Error("no space left");
        await store.append(one);
      },
    };
    const ledger = await openLedger(flaky, writer);
    await expect(ledger.append("totals", adopted("j1"))).rejects.toThrow("no space left");
    expect(ledger.job("totals").settled).toBeNull();
    isBroken = false;
    await ledger.append("totals", adopted("j1"));
    expect(await store.entries()).toMatchObject([{ sequence: 1 }]);
  });

  test("an entry's id covers what it says", () => {
    const { id, at: _at, ...covered } = entry(adopted("j1"));
    expect(entryId(covered)).toBe(id);
    expect(entryId({ ...covered, sequence: 2 })).not.toBe(id);
  });
});

describe("values", () => {
  const key = "a".repeat(64);
  const file = () => join(folder, "test", "values", `${key}.json.gz`);

  test("are read as they were written", async () => {
    const store = openFileStore(folder, "test");
    await store.putValue(key, "SELECT 'ö'");
    expect(await openFileStore(folder, "test").getValue(key)).toBe("SELECT 'ö'");
  });

  test("that are missing or damaged are refused", async () => {
    const store = openFileStore(folder, "test");
    await expect(store.getValue(key)).rejects.toMatchObject({ code: "ledger-unreadable" });
    await store.putValue(key, "text");
    writeFileSync(file(), "not compressed");
    await expect(store.getValue(key)).rejects.toMatchObject({ code: "ledger-unreadable" });
  });

  test("that were damaged are mended by whoever knows the text", async () => {
    const store = openFileStore(folder, "test");
    await store.putValue(key, "text");
    writeFileSync(file(), "not compressed");
    await store.putValue(key, "text");
    expect(await store.getValue(key)).toBe("text");
  });

  test("that cannot be written are not confirmed", async () => {
    writeFileSync(join(folder, "test"), "not a folder");
    await expect(openFileStore(folder, "test").putValue(key, "text")).rejects.toMatchObject({
      code: "store-unconfirmed",
    });
  });
});
