import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Store } from "../../../src/ledger/store.ts";
import { FakeGithub, type GithubRequest } from "../../fakes/fake-github.ts";
import { entry } from "./entries.ts";
import { cacheStore, type OnGithub, Quiet, silenceToolkit } from "./github/on-github.ts";
import { adopted, describeStore, key, lock, write } from "./store-contract.ts";

vi.setConfig({ testTimeout: 60_000 });

let fake: FakeGithub;
let folder: string;
beforeAll(silenceToolkit);
beforeEach(async () => {
  fake = await FakeGithub.start();
  folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-runner-"));
  vi.stubEnv("RUNNER_TEMP", folder);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** In a run of its own, on the default branch, unless told otherwise. */
const open = (settings: Partial<OnGithub> = {}): Store => cacheStore({ fake, run: fake.startRun(), ...settings });
const on = (ref: string): Store => open({ run: fake.startRun({ ref }) });
const keys = (): readonly string[] => fake.caches.all.map((cache) => cache.key);
const first = entry(adopted("j1"));
const second = entry(adopted("j2"), { sequence: 2 });
const third = entry(adopted("j3"), { sequence: 3 });
const firstKey = "flink-dbt-deploy.test~0000000001";
const isCall = (method: string) => (request: GithubRequest) => request.path.endsWith(`/${method}`);
const isLookUp = isCall("GetCacheEntryDownloadURL");
const isDownload = ({ service, method }: GithubRequest): boolean => service === "blobs" && method === "GET";
const unreadable = (message: string | RegExp) => ({
  code: "ledger-unreadable",
  message: expect.stringMatching(message),
});
const unconfirmed = (message: string | RegExp) => ({
  code: "store-unconfirmed",
  message: expect.stringMatching(message),
});
const hasZstd = spawnSync("zstd", ["--version"]).status === 0;
/** As on a machine without zstd: the toolkit packs by gzip there. */
function withoutZstd(): void {
  for (const program of ["tar", "gzip"]) symlinkSync(join("/usr/bin", program), join(folder, program));
  vi.stubEnv("PATH", folder);
}

describeStore("caches", () => () => open(), { racers: 8 });

describe("a write", () => {
  test("is a cache of the whole ledger, under the key of its number", async () => {
    const store = open();
    await store.append(write([first], [[key, "text"]]));
    await store.append(write([second]));
    expect(keys()).toEqual([firstKey, "flink-dbt-deploy.test~0000000002"]);
    fake.caches.remove((cache) => cache.key === firstKey);
    expect(await open().entries()).toEqual([first, second]);
    expect(await open().value(key)).toBe("text");
  });

  test("is found when it shows, which may take a moment", async () => {
    fake.caches.lookupLag = 2;
    const quiet = new Quiet();
    await open({ quiet }).append(write([first]));
    expect(quiet.pauses).toEqual([1_000]);
  });

  test("that the toolkit answers with -1 is a failure, also where the service is down for good", async () => {
    fake.trouble({ matches: isCall("CreateCacheEntry"), effect: { status: 400, body: { msg: "over quota" } } });
    await expect(open().append(write([first]))).rejects.toMatchObject(
      unconfirmed(/could not be saved: the toolkit says/),
    );
    expect(await open().entries()).toEqual([]);
  });

  test("that a run of an untrusted event may not make is a failure", async () => {
    const run = fake.startRun({ mayWriteCaches: false });
    await expect(open({ run }).append(write([first]))).rejects.toMatchObject(unconfirmed("could not be saved"));
  });

  test("whose key another job has reserved and not finished is a failure", async () => {
    await open().setLock(lock(1));
    const [{ version = "" } = {}] = fake.caches.all;
    fake.caches.reserve(fake.startRun(), "flink-dbt-deploy.test~lock.0000000002", version);
    await expect(open().setLock(lock(2))).rejects.toMatchObject(unconfirmed("another job has reserved the key"));
  });

  test("whose last answer was lost is confirmed by the look at its key", async () => {
    const lost = { ok: false, entry_id: "0", message: "lost" };
    const reply = fake.caches.reply.bind(fake.caches);
    vi.spyOn(fake.caches, "reply").mockImplementation((method, ...rest) => {
      const answer = reply(method, ...rest);
      return method === "FinalizeCacheEntryUpload" ? { status: 200, body: lost } : answer;
    });
    await open().append(write([first]));
    expect(await open().entries()).toEqual([first]);
  });

  test("whose key is taken by another one is someone else's turn", async () => {
    const late = open();
    const reply = fake.caches.reply.bind(fake.caches);
    let isFirst = true;
    const others: Promise<void>[] = [];
    vi.spyOn(fake.caches, "reply").mockImplementation((method, ...rest) => {
      // Both have looked and found nothing; the look is answered before the other one's save.
      if (method === "GetCacheEntryDownloadURL" && isFirst) {
        isFirst = false;
        others.push(open().append(write([first])));
      }
      return reply(method, ...rest);
    });
    const outcomes = await Promise.allSettled([late.append(write([entry(adopted("j9"))]))]);
    outcomes.push(...(await Promise.allSettled(others)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "lock-held" } });
    expect(keys()).toEqual([firstKey]);
  });
});

describe("a read", () => {
  test("that finds nothing is a proven miss", async () => {
    expect(await open().entries()).toEqual([]);
    expect(await open().lock()).toBeNull();
  });

  test.each([
    ["a 500", { status: 500 }, /answered 500 5 times/],
    ["a lost connection", "cut-before" as const, /it failed 5 times/],
    ["half an answer", "truncate" as const, /it failed 5 times/],
  ])("that fails is an error and never a miss: %s", async (_name, effect, message) => {
    await open().append(write([first]));
    for (const matches of [isLookUp, isDownload]) {
      fake.trouble({ matches, effect, times: 10 });
      await expect(open().entries()).rejects.toMatchObject(unreadable(message));
      // Two ways of packing are asked for at once, each with five tries.
      fake.settleTroubles();
    }
  });

  test.each([
    [
      "a token that may read no caches",
      { status: 403, body: { msg: "cache read denied: no scopes" } },
      "cache read denied",
    ],
    ["an answer without its fields", { status: 200, body: {} }, "ok is missing"],
    ["an answer that is none", { status: 200, body: Buffer.from("<html>") }, "no JSON"],
    [
      "a key that was not asked for",
      { status: 200, body: { ok: true, matched_key: "other", signed_download_url: "http://x" } },
      "answered with other, which was not asked for",
    ],
  ])("that is answered wrongly is an error and never a miss: %s", async (_name, effect, message) => {
    fake.trouble({ matches: isLookUp, effect, times: 2 });
    await expect(open().entries()).rejects.toMatchObject(unreadable(message));
  });

  test("that passes trouble is waited for", async () => {
    await open().append(write([first]));
    const quiet = new Quiet();
    fake.trouble({ matches: isDownload, effect: "truncate", times: 2 });
    expect(await open({ quiet }).entries()).toEqual([first]);
    expect(quiet.pauses).toEqual([1_000, 2_000]);
  });

  test("of a cache that was damaged is an error", async () => {
    await open().append(write([first]));
    fake.blobs.overwrite(fake.caches.all[0]?.blob ?? "", Buffer.from("damaged"));
    await expect(open().entries()).rejects.toMatchObject(unreadable(`cache ${firstKey} is damaged`));
  });

  test("goes on to the newest where the service finds an older one by its prefix", async () => {
    const store = open();
    for (const one of [first, second, third]) await store.append(write([one]));
    const reply = fake.caches.reply.bind(fake.caches);
    vi.spyOn(fake.caches, "reply").mockImplementation((method, run, request) => {
      const isByPrefix = Array.isArray(request.restore_keys) && request.restore_keys.length > 0;
      return reply(method, run, isByPrefix ? { ...request, key: firstKey } : request);
    });
    expect(await open().entries()).toEqual([first, second, third]);
  });

  test.skipIf(!hasZstd)("finds what machines with and without zstd wrote", async () => {
    await open().append(write([first]));
    withoutZstd();
    await open().append(write([second]));
    vi.unstubAllEnvs();
    vi.stubEnv("RUNNER_TEMP", folder);
    await open().append(write([third]));
    expect(new Set(fake.caches.all.map(({ version }) => version)).size).toBe(2);
    expect(await open().entries()).toEqual([first, second, third]);
  });

  test.skipIf(!hasZstd)("is an error where two machines that pack differently wrote one number", async () => {
    await open().append(write([first]));
    const [cache] = fake.caches.all;
    fake.caches.remove(() => true);
    withoutZstd();
    await open().append(write([first]));
    if (cache !== undefined) fake.caches.restore(cache);
    await expect(open().entries()).rejects.toMatchObject(unreadable(/both wrote cache .*~0000000001; delete/));
  });
});

describe.skipIf(!hasZstd)("a write beside one of a machine that packs differently", () => {
  test("is nobody's: neither can be taken back", async () => {
    const path = process.env.PATH ?? "";
    withoutZstd();
    await open().append(write([entry(adopted("theirs"))]));
    const [theirs] = fake.caches.all;
    fake.caches.remove(() => true);
    vi.stubEnv("PATH", path);
    const reply = fake.caches.reply.bind(fake.caches);
    vi.spyOn(fake.caches, "reply").mockImplementation((method, ...rest) => {
      if (method === "FinalizeCacheEntryUpload" && theirs !== undefined) fake.caches.restore(theirs);
      return reply(method, ...rest);
    });
    await expect(open().append(write([first]))).rejects.toMatchObject({ code: "lock-held" });
  });
});

describe("the git ref", () => {
  test("of a run decides what it reads: its own caches, and the default branch's", async () => {
    await open().append(write([first]));
    expect(await on("refs/heads/topic").entries()).toEqual([first]);
    await on("refs/heads/release")
      .setLock(lock(1))
      .catch(() => undefined);
    expect(await on("refs/heads/topic").lock()).toBeNull();
  });

  test("must be that of the write before: others could not read on", async () => {
    await open().append(write([first]));
    const refused = { code: "inputs-invalid", message: expect.stringContaining("store: the ledger in the cache") };
    await expect(on("refs/heads/topic").append(write([second]))).rejects.toMatchObject(refused);
    await expect(on("refs/tags/v1").setLock(lock(1))).rejects.toMatchObject(refused);
    await open().append(write([second]));
  });

  test("is passed over where the default branch, which cannot see its caches, has gone further", async () => {
    await on("refs/heads/topic").append(write([entry(adopted("topic"))]));
    expect(await open().entries()).toEqual([]);
    await open().append(write([first]));
    await open().append(write([second]));
    expect(await on("refs/heads/topic").entries()).toEqual([first, second]);
  });
});

describe("eviction", () => {
  test("takes what nobody read for 7 days", async () => {
    await open().append(write([first]));
    fake.clock.passDays(8);
    fake.caches.evictUnread();
    expect(await open().entries()).toEqual([]);
  });

  test("is put off by a refresh", async () => {
    const store = open();
    await store.append(write([first]));
    await store.append(write([second]));
    fake.clock.passDays(6);
    const before = fake.requests.filter(isDownload).length;
    expect(await open().refresh?.()).toContain("read, so that it is not evicted");
    expect(fake.requests.filter(isDownload).length).toBe(before + 1);
    fake.clock.passDays(6);
    fake.caches.evictUnread();
    expect(await open().entries()).toEqual([first, second]);
    expect(await open().refresh?.()).toContain("7 days");
  });

  test("of what this run has written or read is noticed by its next write", async () => {
    const [writer, reader] = [open(), open()];
    await writer.append(write([first]));
    await reader.entries();
    fake.caches.remove(() => true);
    for (const store of [writer, reader]) {
      await expect(store.append(write([second]))).rejects.toMatchObject(unconfirmed("is not there any more"));
    }
  });

  test("of nothing needs no refresh", async () => {
    expect(await open().refresh?.()).toBeNull();
  });
});
