import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTar } from "../../../../src/ledger/stores/github/tar.ts";
import { readZip } from "../../../../src/ledger/stores/github/zip.ts";

const text = `first line\n${"ö".repeat(3_000)}\n`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-archives-"));
  writeFileSync(join(folder, "ledger.jsonl"), text);
  writeFileSync(join(folder, "other.jsonl"), "other");
});
afterAll(() => rmSync(folder, { recursive: true }));

const damaged = (why: string) =>
  expect.objectContaining({ code: "ledger-unreadable", message: expect.stringContaining(`it is damaged: ${why}`) });
/** Written as a stream, as the toolkit does: the sizes stand behind each file, and in the directory at the end. */
function zip(...files: readonly string[]): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  for (const file of files) {
    const [name, content] = [Buffer.from(file), readFileSync(join(folder, file))];
    const packed = deflateRawSync(content);
    const sizes = Buffer.alloc(12);
    for (const [at, value] of [crc32(content), packed.byteLength, content.byteLength].entries()) {
      sizes.writeUInt32LE(value, at * 4);
    }
    // Version 2.0, sizes that follow, deflated, no time.
    const how = Buffer.from([20, 0, 8, 0, 8, 0, 0, 0, 0, 0]);
    const nameLength = Buffer.from([name.byteLength, 0, 0, 0]);
    const offset = Buffer.alloc(4);
    offset.writeUInt32LE(Buffer.concat(local).byteLength);
    local.push(
      Buffer.from("PK\x03\x04"),
      how,
      Buffer.alloc(12),
      nameLength,
      name,
      packed,
      Buffer.from("PK\x07\x08"),
      sizes,
    );
    directory.push(
      Buffer.from("PK\x01\x02"),
      Buffer.from([20, 0]),
      how,
      sizes,
      nameLength,
      Buffer.alloc(10),
      offset,
      name,
    );
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).byteLength, 8);
  end.writeUInt32LE(Buffer.concat(local).byteLength, 12);
  return Buffer.concat([...local, ...directory, Buffer.from("PK\x05\x06"), end]);
}
const tar = (...args: readonly string[]): Buffer =>
  execFileSync("tar", ["--posix", "-cf", "-", "-P", ...args], { cwd: folder, maxBuffer: 1e8 });

describe("the one file of a zip archive", () => {
  test("is read", () => expect(readZip(zip("ledger.jsonl"), "it")).toBe(text));

  test("is refused where the archive was cut short, at whatever byte", () => {
    const archive = zip("ledger.jsonl");
    for (let size = 0; size < archive.byteLength; size += 1) {
      expect(() => readZip(archive.subarray(0, size), "it")).toThrow(
        expect.objectContaining({ code: "ledger-unreadable" }),
      );
    }
  });

  test("is refused where a byte of it is another", () => {
    const archive = zip("ledger.jsonl");
    archive[60] = (archive[60] ?? 0) ^ 1;
    expect(() => readZip(archive, "it")).toThrow(damaged(""));
  });

  test("is refused where there are two", () => {
    expect(() => readZip(zip("ledger.jsonl", "other.jsonl"), "it")).toThrow(damaged("it holds 2 files, not 1"));
  });
});

describe("the one file of a tar archive", () => {
  test("is read, packed by gzip or by zstd", () => {
    expect(readTar(gzipSync(tar("ledger.jsonl")), "it")).toBe(text);
    expect(readTar(zstdCompressSync(tar("ledger.jsonl")), "it")).toBe(text);
  });

  test("is read whatever its path, which leads nowhere here", () => {
    expect(readTar(gzipSync(tar(join(folder, "ledger.jsonl"))), "it")).toBe(text);
    const long = `--transform=s,^,../../${"deep/".repeat(40)},`;
    expect(readTar(gzipSync(tar(long, "ledger.jsonl")), "it")).toBe(text);
  });

  test("is refused where the archive was cut short", () => {
    const archive = tar("ledger.jsonl");
    expect(() => readTar(gzipSync(archive.subarray(0, 2_000)), "it")).toThrow(damaged("it was cut short"));
    const packed = gzipSync(archive);
    expect(() => readTar(packed.subarray(0, packed.byteLength - 9), "it")).toThrow(damaged("it cannot be unpacked"));
  });

  test("is refused where there is none, or two", () => {
    expect(() => readTar(gzipSync(tar("ledger.jsonl", "other.jsonl")), "it")).toThrow(
      damaged("it holds 2 files, not 1"),
    );
    expect(() => readTar(gzipSync(Buffer.alloc(1_024)), "it")).toThrow(damaged("it holds 0 files, not 1"));
    expect(() => readTar(Buffer.alloc(0), "it")).toThrow(damaged("it cannot be unpacked"));
  });
});
