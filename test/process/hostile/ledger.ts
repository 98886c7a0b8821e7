import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { pullRequestBase } from "../../../src/github/event.ts";
import { readEventFile } from "../../../src/github/event-file.ts";
import { decodeLedger } from "../../../src/ledger/ledger-file.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import { unpackValue } from "../../../src/ledger/stores/github/snapshot.ts";
import { readTar } from "../../../src/ledger/stores/github/tar.ts";
import { readZip } from "../../../src/ledger/stores/github/zip.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { decodePlan, encodePlan, maxPlanFileBytes } from "../../../src/plan/plan-file.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { job } from "../../unit/plan/jobs.ts";
import { checkpointing, deployed } from "../deployed.ts";
import type { Folders } from "../harness.ts";
import { asked, door, type Got, type HostileRow } from "./row.ts";

/** What somebody with write access to the ledger, an artifact or the runner's files may have put there. */
export function hostileFiles(folders: Folders): readonly HostileRow[] {
  return [...ledgers(folders), ...archives(), ...planFiles(), ...events(folders)];
}

function ledgers(folders: Folders): readonly HostileRow[] {
  const row = (
    tried: string,
    tamper: (entry: string, root: string) => void,
    says: RegExp,
    command = "status",
  ): HostileRow => ({
    area: "ledger",
    tried,
    got: async (): Promise<Got> => {
      await using fake = await FakeFlink.start();
      const ledger = await folders.make();
      if (command === "rollback") {
        const before = { insert: "INSERT INTO a SELECT id FROM orders WHERE id > 1" };
        await deployed([job("a", { ...before, executionConfig: { "pipeline.name": "a", ...checkpointing } })], {
          fake,
          ledger,
          commit: "a",
        });
      }
      await deployed([job("a", { executionConfig: { "pipeline.name": "a", ...checkpointing } })], { fake, ledger });
      const root = join(ledger, "default");
      const entries = readdirSync(join(root, "entries")).sort();
      tamper(join(root, "entries", entries.at(-1) ?? ""), root);
      const more = command === "suspend" ? { jobs: "*", "savepoint-dir": "file:///savepoints" } : {};
      const inputs = { "gateway-url": fake.gatewayUrl, "ledger-dir": ledger, ...more };
      return await door("command", command, inputs, { cwd: await folders.make() });
    },
    code: "ledger-unreadable",
    says,
  });
  const changed = (change: (text: string) => string) => (entry: string) =>
    writeFileSync(entry, change(readFileSync(entry, "utf8")));
  return [
    row(
      "an entry with another commit",
      changed((text) => text.replaceAll("cccc", "dddd")),
      /its id does not match what it says/,
    ),
    row(
      "an entry of version 2",
      changed((text) => text.replace('"version":1', '"version":2')),
      /its version is 2/,
    ),
    row(
      "an entry that is no JSON",
      changed(() => "<html>"),
      /is not JSON/,
    ),
    row(
      "an entry that nests 100000 deep",
      changed(() => "[".repeat(100_000)),
      /is not JSON|nests deeper/,
    ),
    row("an entry of 20 MB", (entry) => truncateSync(entry, 20 << 20), /is larger than 16 MB/),
    row(
      "an entry that is a pipe",
      (entry) => {
        rmSync(entry);
        execFileSync("mkfifo", [entry]);
      },
      /is no file/,
    ),
    row(
      "an entry that is a link to /dev/zero",
      (entry) => {
        rmSync(entry);
        execFileSync("ln", ["-s", "/dev/zero", entry]);
      },
      /is no file/,
    ),
    row(
      "a lock that is no JSON",
      (_entry, root) => {
        execFileSync("mkdir", ["-p", join(root, "lock")]);
        writeFileSync(join(root, "lock", "0000000009.json"), "<html>");
      },
      /the lock .* is not JSON/,
      "suspend",
    ),
    row(
      "a program that was exchanged",
      (_entry, root) => {
        for (const name of readdirSync(join(root, "values"))) {
          writeFileSync(join(root, "values", name), gzipSync('{"version":1,"job":{}}'));
        }
      },
      /is not what was written/,
      "rollback",
    ),
    row(
      "a program that unpacks to 300 MB",
      (_entry, root) => {
        for (const name of readdirSync(join(root, "values"))) writeFileSync(join(root, "values", name), bomb("gzip"));
      },
      /it unpacks to more than 256 MB/,
      "rollback",
    ),
    {
      area: "ledger",
      tried: "a value named ../../etc/passwd",
      got: async () => asked(async () => openFileStore(await folders.make(), "default").value("../../../etc/passwd")),
      code: "ledger-unreadable",
      says: /that is no value's key/,
    },
    {
      area: "ledger",
      tried: "an exported ledger with another entry",
      got: () =>
        asked(() => decodeLedger('{"version":1,"environment":"x","entries":[],"values":{},"digest":"0"}', "x.json")),
      code: "ledger-unreadable",
      says: /x\.json was altered: its digest is another/,
    },
  ];
}

const bombs = new Map<string, Buffer>();
function bomb(packing: "gzip" | "deflate"): Buffer {
  const zeros = () => Buffer.alloc(300 << 20);
  const made = bombs.get(packing) ?? (packing === "gzip" ? gzipSync(zeros()) : deflateRawSync(zeros()));
  bombs.set(packing, made);
  return made;
}

/** A zip archive of one file, as its directory says. */
function zip(packed: Buffer, files = 1, name = "x"): Buffer {
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30);
  const entry = Buffer.alloc(46 + name.length);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt16LE(name.length, 28);
  entry.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files, 10);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, entry, end]);
}

function archives(): readonly HostileRow[] {
  const row = (tried: string, read: () => unknown, says: RegExp): HostileRow => ({
    area: "artifacts",
    tried,
    got: () => asked(read),
    code: "ledger-unreadable",
    says,
  });
  return [
    row(
      "a zip that unpacks to 300 MB",
      () => readZip(zip(bomb("deflate")), "artifact 7"),
      /artifact 7 is damaged: .*unpacks to more than 256 MB/,
    ),
    row("a zip of 9 files", () => readZip(zip(deflateRawSync("x"), 9), "artifact 7"), /it holds 9 files, not 1/),
    row(
      "a zip whose file has another checksum, and a path with ..",
      () => readZip(zip(deflateRawSync("x"), 1, "../../x"), "artifact 7"),
      /its checksum does not match/,
    ),
    row(
      "a zip that was cut short",
      () => readZip(zip(deflateRawSync("x")).subarray(0, -3), "artifact 7"),
      /is damaged/,
    ),
    row(
      "a cache that unpacks to 300 MB",
      () => readTar(bomb("gzip"), "cache x"),
      /cache x is damaged: .*unpacks to more than 256 MB/,
    ),
    row(
      "a value that unpacks to 300 MB",
      () => unpackValue(bomb("gzip").toString("base64"), "artifact 7"),
      /unpacks to more than 256 MB/,
    ),
  ];
}

function planFiles(): readonly HostileRow[] {
  const plan = makePlan({
    project: "shop",
    environment: "production",
    base: "deployed",
    head: "0".repeat(40),
    dbtVersion: "1.3.8",
    adapterVersion: "1.3.11",
    flinkVersion: "1.20.3",
    changes: [],
    unrecorded: [],
    findings: [],
  });
  const row = (tried: string, text: () => string, says: RegExp): HostileRow => ({
    area: "plan file",
    tried,
    got: () => asked(() => decodePlan(text())),
    code: "inputs-invalid",
    says,
  });
  const changed = (more: object) => () => JSON.stringify({ ...JSON.parse(encodePlan(plan)), ...more });
  return [
    row(
      "for another environment, under the same digest",
      changed({ environment: "staging" }),
      /digest is not that of its content/,
    ),
    row(
      "a digest of its own",
      changed({ digest: createHash("sha256").update("x").digest("hex") }),
      /digest is not that of its content/,
    ),
    row("of version 99", changed({ version: 99 }), /has version 99/),
    row("without its jobs", changed({ changes: null }), /changes is null/),
    row("that nests 100000 deep", () => "[".repeat(100_000), /nests deeper than 2000 levels/),
    row("of more than 128 MB", () => " ".repeat(maxPlanFileBytes + 1), /is larger than 128 MB/),
    row("that is HTML", () => "<html>", /cannot be read/),
    row("with everything in __proto__", () => `{"__proto__":${encodePlan(plan)}}`, /cannot be read|has version none/),
  ];
}

function events(folders: Folders): readonly HostileRow[] {
  const row = (tried: string, make: (path: string) => void, says: RegExp): HostileRow => ({
    area: "event",
    tried,
    got: async () => {
      const path = join(await folders.make(), "event.json");
      make(path);
      let line = "";
      const environment = { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: path };
      const base = await pullRequestBase(environment, readEventFile, (said) => {
        line = said;
      });
      return { code: base === null ? "ok" : base, line, everything: line, log: "" };
    },
    code: "ok",
    says,
  });
  return [
    row("GITHUB_EVENT_PATH is not there", () => undefined, /cannot be read \(ENOENT.*compares with what is deployed/),
    row("GITHUB_EVENT_PATH is no JSON", (path) => writeFileSync(path, "<html>"), /cannot be read \(.*JSON/),
    row(
      "GITHUB_EVENT_PATH has 40 MB",
      (path) => {
        writeFileSync(path, "");
        truncateSync(path, 40 << 20);
      },
      /is larger than 32 MB/,
    ),
    row(
      "GITHUB_EVENT_PATH nests 100000 deep",
      (path) => writeFileSync(path, "[".repeat(100_000)),
      /nests deeper than 2000 levels/,
    ),
    row("GITHUB_EVENT_PATH is a pipe", (path) => void execFileSync("mkfifo", [path]), /is no file/),
    row(
      "a base that is no commit",
      (path) => writeFileSync(path, '{"pull_request":{"base":{"sha":"--output=x"}}}'),
      /^$/,
    ),
  ];
}
