import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEntries } from "../../../src/ledger/ledger.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import { entry } from "./entries.ts";
import { adopted, describeStore, key, lock, write } from "./store-contract.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-ledger-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const open = () => openFileStore(folder, "test");
const within = (name: string) => join(folder, "test", name);
const names = (name = "entries") => readdirSync(within(name)).toSorted();
const entryFile = (index = 0) => join(within("entries"), names()[index] ?? "");

describeStore("a folder", () => open);

describe("entries in a folder", () => {
  test("are made by no look", async () => {
    await open().entries();
    await open().lock();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("are a file each, and nothing beside them", async () => {
    await open().append(write([1, 2].map((sequence) => entry(adopted("j"), { sequence }))));
    expect(names()).toEqual(["0000000001.json", "0000000002.json"]);
  });

  test("of a ledger from before their files were named by sequence alone are read", async () => {
    await open().append(write([entry(adopted("j1"))]));
    renameSync(entryFile(), join(within("entries"), `0000000001-${entry(adopted("j1")).id}.json`));
    await open().append(write([entry(adopted("j2"), { sequence: 2 })]));
    expect(await readEntries(open())).toHaveLength(2);
  });

  test("of environments do not mix", async () => {
    await open().append(write([entry(adopted("j1"))]));
    expect(await openFileStore(folder, "production").entries()).toEqual([]);
  });

  test("that a crash left half-written are no entries", async () => {
    await open().append(write([entry(adopted("j1"))]));
    writeFileSync(join(within("entries"), ".0000000002.json.4711.tmp"), '{"version":1,"seq');
    expect(await open().entries()).toHaveLength(1);
  });

  test("that someone took away are missed", async () => {
    await open().append(write([1, 2, 3].map((sequence) => entry(adopted("j"), { sequence }))));
    unlinkSync(entryFile(1));
    await expect(readEntries(open())).rejects.toMatchObject({
      code: "ledger-unreadable",
      message: expect.stringContaining("has no entry 2"),
    });
  });

  test("that were changed are refused with their file", async () => {
    await open().append(write([entry(adopted("j1"))]));
    writeFileSync(entryFile(), readFileSync(entryFile(), "utf8").replace("j1", "j2"));
    await expect(open().entries()).rejects.toMatchObject({
      code: "ledger-unreadable",
      message: expect.stringContaining(entryFile()),
    });
  });

  test("that cannot be read are an error, not none", async () => {
    mkdirSync(within(""), { recursive: true });
    writeFileSync(within("entries"), "not a folder");
    await expect(open().entries()).rejects.toMatchObject({ code: "ledger-unreadable" });
    rmSync(within("entries"));
    mkdirSync(join(within("entries"), "0000000001.json"), { recursive: true });
    await expect(open().entries()).rejects.toMatchObject({ code: "ledger-unreadable" });
  });

  test("that cannot be written are not confirmed", async () => {
    writeFileSync(join(folder, "test"), "not a folder");
    await expect(open().append(write([entry(adopted("j1"))]))).rejects.toMatchObject({
      code: "store-unconfirmed",
      message: expect.stringContaining(within("entries")),
    });
  });

  test.skipIf(process.getuid?.() === 0)("are not confirmed in a folder that is read-only", async () => {
    mkdirSync(within("entries"), { recursive: true });
    chmodSync(within("entries"), 0o500);
    await expect(open().append(write([entry(adopted("j1"))]))).rejects.toMatchObject({ code: "store-unconfirmed" });
  });

  test("are for their owner alone", async () => {
    await open().append(write([entry(adopted("j1"))]));
    expect(statSync(entryFile()).mode & 0o077).toBe(0);
  });

  test("of processes that race for each sequence are all kept", async () => {
    const src = new URL("../../../src/ledger/", import.meta.url).href;
    const code = `
      const { openLedger } = await import(${JSON.stringify(`${src}ledger.ts`)});
      const { openFileStore } = await import(${JSON.stringify(`${src}stores/file.ts`)});
      const [folder, name] = process.argv.slice(1);
      const writer = { environment: "test", project: null, commit: null, now: () => new Date().toISOString() };
      const ledger = await openLedger(openFileStore(folder, "test"), writer);
      for (let count = 0; count < 5; count += 1) {
        while (!(await ledger.append("totals", { kind: "adopted", jobId: name + count })));
      }`;
    const node = join(import.meta.dirname, "..", "..", "..", "node_modules", ".bin", "node");
    const run = promisify(execFile);
    await Promise.all(["a", "b"].map((name) => run(node, ["--input-type=module", "--eval", code, folder, name])));
    const ids = (await readEntries(open())).map(({ fact }) => (fact.kind === "adopted" ? fact.jobId : ""));
    expect(ids.toSorted()).toEqual(["a0", "a1", "a2", "a3", "a4", "b0", "b1", "b2", "b3", "b4"]);
  }, 30_000);
});

describe("values in a folder", () => {
  const file = () => join(within("values"), `${key}.json.gz`);
  const put = () => open().append(write([], [[key, "text"]]));

  test("that are damaged are refused", async () => {
    await put();
    writeFileSync(file(), "not compressed");
    await expect(open().value(key)).rejects.toMatchObject({ code: "ledger-unreadable" });
  });

  test("that were damaged are mended by whoever knows the text", async () => {
    await put();
    writeFileSync(file(), "not compressed");
    await put();
    expect(await open().value(key)).toBe("text");
  });

  test("that cannot be written are not confirmed", async () => {
    writeFileSync(join(folder, "test"), "not a folder");
    await expect(put()).rejects.toMatchObject({ code: "store-unconfirmed" });
  });
});

describe("the lock in a folder", () => {
  test("is one file, however often it changes", async () => {
    for (const version of [1, 2, 3]) await open().setLock(lock(version));
    expect(names("lock")).toEqual(["0000000003.json"]);
  });

  test("that cannot be read is an error, and not free", async () => {
    await open().setLock(lock(1));
    writeFileSync(join(within("lock"), "0000000001.json"), '{"version":1');
    await expect(open().lock()).rejects.toMatchObject({ code: "ledger-unreadable" });
    writeFileSync(join(within("lock"), "0000000001.json"), '{"version":1,"holder":{}}');
    await expect(open().lock()).rejects.toMatchObject({ code: "ledger-unreadable" });
  });
});
