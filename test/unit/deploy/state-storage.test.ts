import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listedStorage } from "../../../src/deploy/state-storage.ts";

let folder: string;
const lines: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-states-"));
  lines.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const id = "a".repeat(32);

/** A state with its metadata, or one that Flink had only begun. */
function state(path: string, isComplete = true): void {
  mkdirSync(join(folder, path), { recursive: true });
  if (isComplete) writeFileSync(join(folder, path, "_metadata"), "");
}

function command(text: string): string {
  const file = join(folder, "list.sh");
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

const storage = (listCommand: string | null = null) =>
  listedStorage({
    listCommand,
    cwd: folder,
    environment: process.env,
    signal: new AbortController().signal,
    log: (line) => lines.push(line),
  });

describe("a checkpoint folder on this machine", () => {
  const place = () => `file:${folder}/${id}`;

  test("has the complete checkpoint of the highest number", async () => {
    state(`${id}/chk-9`);
    state(`${id}/chk-10`);
    state(`${id}/chk-11`, false);
    state(`${id}/shared`, false);
    expect(await storage().newestCheckpoint(`${place()}/`)).toEqual({ kind: "found", path: `${place()}/chk-10` });
  });

  test("has none where Flink made the folder and no checkpoint is left", async () => {
    state(`${id}/shared`, false);
    expect(await storage().newestCheckpoint(place())).toEqual({ kind: "none" });
  });

  test("is not known where it is not there: this may be another machine's disk", async () => {
    expect(await storage().newestCheckpoint(place())).toEqual({ kind: "unknown" });
  });

  test.each(["s3://bucket/checkpoints", "hdfs://name/checkpoints"])("is none at %s", async (uri) => {
    expect(await storage().newestCheckpoint(`${uri}/${id}`)).toEqual({ kind: "unknown" });
  });
});

describe("a savepoint folder on this machine", () => {
  test("has the savepoint that is complete", async () => {
    state("job/d1/savepoint-aaaaaa-1234", false);
    state("job/d1/savepoint-aaaaaa-5678");
    const place = `file://${folder}/job/d1`;
    expect(await storage().savepoint(place)).toEqual({ kind: "found", path: `${place}/savepoint-aaaaaa-5678` });
  });

  test("has none where nothing is complete", async () => {
    state("job/d1/savepoint-aaaaaa-1234", false);
    expect(await storage().savepoint(`file://${folder}/job/d1`)).toEqual({ kind: "none" });
  });
});

describe("a savepoint folder that is not there", () => {
  test("has none where it would have been made on this disk", async () => {
    expect(await storage().savepoint(`file://${folder}/savepoints/production/totals/d1`)).toEqual({ kind: "none" });
  });

  test("is not known where nothing of its path is on this machine", async () => {
    expect(await storage().savepoint("file:///nowhere/savepoints/production/totals/d1")).toEqual({ kind: "unknown" });
  });
});

describe("a folder that the user's command lists", () => {
  const place = `s3://bucket/checkpoints/${id}`;

  test("has the newest checkpoint, whatever stands before the paths", async () => {
    const list = command(`[ "$1" = "${place}" ] || exit 9
echo "2026-01-01 00:00:00   123 checkpoints/${id}/chk-9/_metadata"
echo "2026-01-01 00:00:01   123 checkpoints/${id}/chk-10/_metadata"
echo "2026-01-01 00:00:01   123 checkpoints/${id}/chk-11/part"
echo "2026-01-01 00:00:01   123 checkpoints/${"b".repeat(32)}/chk-12/_metadata"`);
    expect(await storage(`${list} {}`).newestCheckpoint(place)).toEqual({ kind: "found", path: `${place}/chk-10` });
    expect(await storage(list).newestCheckpoint(place)).toEqual({ kind: "found", path: `${place}/chk-10` });
  });

  test("is not known where the command lists nothing: an object store has no empty folders", async () => {
    expect(await storage(command("true")).newestCheckpoint(place)).toEqual({ kind: "unknown" });
  });

  test("is not known where the command fails, and that is said", async () => {
    expect(await storage(command("exit 3")).newestCheckpoint(place)).toEqual({ kind: "unknown" });
    expect(lines.join()).toContain("ended with 3");
    expect(await storage("/nowhere/list {}").newestCheckpoint(place)).toEqual({ kind: "unknown" });
  });
});
