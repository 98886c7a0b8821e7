import { randomBytes } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openLedger } from "../../../src/ledger/ledger.ts";
import type { Store } from "../../../src/ledger/store.ts";
import { CombinedStore } from "../../../src/ledger/stores/combined.ts";
import { FakeGithub, type GithubRequest } from "../../fakes/fake-github.ts";
import { entry } from "./entries.ts";
import { type ArtifactSettings, artifactStore, Quiet, silenceToolkit } from "./github/on-github.ts";
import { MemoryStore } from "./memory-store.ts";
import { adopted, describeStore, key, lock, write, writer } from "./store-contract.ts";

vi.setConfig({ testTimeout: 60_000 });

let fake: FakeGithub;
beforeAll(silenceToolkit);
beforeEach(async () => {
  fake = await FakeGithub.start();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

/** In a run of its own unless told otherwise. */
const open = (settings: Partial<ArtifactSettings> = {}): Store =>
  artifactStore({ fake, run: fake.startRun(), ...settings });
const names = (): readonly string[] => fake.artifacts.all.map(({ name }) => name.replace(/\.[^.]*$/, ""));
const first = entry(adopted("j1"));
const second = entry(adopted("j2"), { sequence: 2 });
const third = entry(adopted("j3"), { sequence: 3 });
const isList = ({ method, path }: GithubRequest): boolean => method === "GET" && path.endsWith("/actions/artifacts");
const isZip = ({ path }: GithubRequest): boolean => path.endsWith("/zip");
const isDownload = ({ service, method }: GithubRequest): boolean => service === "blobs" && method === "GET";
const isCall = (method: string) => (request: GithubRequest) => request.path.endsWith(`/${method}`);
const count = (matches: (request: GithubRequest) => boolean): number => fake.requests.filter(matches).length;
/** Artifacts that other workflows made. */
const others = (amount: number): void => fake.artifacts.add(fake.startRun(), ...Array<string>(amount).fill("coverage"));
const unreadable = (message: string | RegExp) => ({
  code: "ledger-unreadable",
  message: expect.stringMatching(message),
});
const unconfirmed = (message: string | RegExp) => ({
  code: "store-unconfirmed",
  message: expect.stringMatching(message),
});

describeStore("artifacts", () => () => open(), { racers: 8 });

describe("the list of artifacts", () => {
  test("is read to its end, over 100 and more, before it is said that there is no ledger", async () => {
    others(250);
    expect(await open().entries()).toEqual([]);
    expect(count(isList)).toBe(3);
  });

  test("is read as far as the newest ledger and the one before", async () => {
    await open().append(write([first]));
    await open().append(write([second]));
    others(150);
    const before = count(isList);
    expect(await open().entries()).toEqual([first, second]);
    expect(count(isList) - before).toBe(2);
  });

  test("is read to its end where it does not begin with the newest", async () => {
    await open().append(write([first]));
    await open().append(write([second]));
    others(120);
    await open().append(write([third]));
    fake.artifacts.isListedOldestFirst = true;
    expect(await open().entries()).toEqual([first, second, third]);
  });

  test("is read as far as what a write is made from, however long ago that was made", async () => {
    await open().append(write([first]));
    fake.clock.passDays(5);
    others(100);
    fake.clock.passDays(3);
    await open().append(write([second]));
    expect(await open().entries()).toEqual([first, second]);
  });

  test("is read again where something in it was deleted between two pages, and moved the ledger past the edge", async () => {
    await open().append(write([first]));
    others(100);
    const list = fake.artifacts.list.bind(fake.artifacts);
    vi.spyOn(fake.artifacts, "list").mockImplementationOnce((...page) => {
      const answer = list(...page);
      fake.artifacts.remove(fake.artifacts.all.at(-1)?.id ?? 0);
      return answer;
    });
    expect(await open().entries()).toEqual([first]);
  });

  test("lags: an upload is looked for until it shows", async () => {
    fake.artifacts.listLag = 3;
    const quiet = new Quiet();
    await open({ quiet }).append(write([first]));
    expect(quiet.pauses).toEqual([1_000, 1_000, 2_000]);
  });

  test("that never shows an upload leaves it unconfirmed", async () => {
    fake.artifacts.listLag = 1_000;
    await expect(open().append(write([first]))).rejects.toMatchObject(
      unconfirmed(/artifact flink-dbt-deploy\.test~0000000001\.\S+ was uploaded, but does not appear in the list/),
    );
  });

  test("of environments whose names begin alike is kept apart", async () => {
    await open({ options: { environment: "test.0000000001" } }).append(write([first]));
    await open({ options: { environment: "test-2" } }).setLock(lock(1));
    expect(await open().entries()).toEqual([]);
    expect(await open({ options: { environment: "tes" } }).lock()).toBeNull();
  });
});

describe("a write", () => {
  test("is one artifact, and the one before stays beside it", async () => {
    const store = open();
    for (const one of [first, second, third]) await store.append(write([one]));
    expect(names()).toEqual(["flink-dbt-deploy.test~0000000002", "flink-dbt-deploy.test~0000000003"]);
  });

  test("leaves what other runs uploaded", async () => {
    await open().append(write([first]));
    await open().append(write([second]));
    await open().append(write([third]));
    expect(names()).toHaveLength(3);
  });

  test("of what is there already uploads nothing", async () => {
    await open().append(write([first], [[key, "text"]]));
    const before = count(isCall("CreateArtifact"));
    await open().append(write([first], [[key, "text"]]));
    expect(count(isCall("CreateArtifact"))).toBe(before);
  });

  test("keeps what it wrote for as long as it is told", async () => {
    await open({ options: { retentionDays: 30 } }).append(write([first]));
    expect(fake.artifacts.all[0]?.expiresAt.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    expect(fake.artifacts.all[0]?.expiresAt.getTime()).toBeLessThan(Date.now() + 31 * 86_400_000);
  });

  test("that GitHub refuses is unconfirmed, and can be tried again", async () => {
    const store = open();
    fake.trouble({ matches: isCall("CreateArtifact"), effect: { status: 403, body: { msg: "storage quota" } } });
    await expect(store.append(write([first]))).rejects.toMatchObject(
      unconfirmed(/could not be uploaded: .*storage quota/),
    );
    expect(await open().entries()).toEqual([]);
    await store.append(write([first]));
    expect(await open().entries()).toEqual([first]);
  });

  test("whose last answer was lost is confirmed by the list", async () => {
    fake.trouble({ matches: isCall("FinalizeArtifact"), effect: "cut-after" });
    await open().append(write([first]));
    expect(await open().entries()).toEqual([first]);
  });

  test("that reads back otherwise is unconfirmed", async () => {
    fake.trouble({ matches: isDownload, effect: { status: 200, body: Buffer.from("other bytes") } });
    await expect(open().append(write([first]))).rejects.toMatchObject(unconfirmed(/but GitHub says it is sha256:/));
  });

  test("that reads back otherwise is unconfirmed where there is no digest either", async () => {
    fake.artifacts.hasDigests = false;
    await open().append(write([first]));
    const [other] = fake.artifacts.all;
    const body = fake.blobs.content(other?.blob ?? "");
    fake.trouble({ matches: isDownload, effect: { status: 200, body }, skip: 1 });
    await expect(open().append(write([second]))).rejects.toMatchObject(unconfirmed("differs from what was written"));
  });

  test("that is there, though it was not confirmed, is what the next one starts from", async () => {
    const store = open();
    await store.append(write([first]));
    fake.trouble({ matches: isDownload, effect: "truncate", times: 5 });
    await expect(store.append(write([second]))).rejects.toMatchObject(unconfirmed("it failed 5 times"));
    await store.append(write([second, third]));
    expect(await open().entries()).toEqual([first, second, third]);
  });

  test("after one of its own asks for the list once, and reads back once", async () => {
    const store = open();
    await store.append(write([first]));
    const before = fake.requests.filter(({ service }) => service === "api").length;
    await store.append(write([second]));
    expect(fake.requests.filter(({ service }) => service === "api").length - before).toBe(2);
  });

  test("after one of its own, and one of someone else, is refused and taken back", async () => {
    const store = open();
    await store.append(write([first]));
    await open().append(write([second]));
    await expect(store.append(write([entry(adopted("j9"), { sequence: 2 })]))).rejects.toMatchObject({
      code: "lock-held",
    });
    expect(await store.entries()).toEqual([first, second]);
    await store.append(write([third]));
    expect(await open().entries()).toEqual([first, second, third]);
  });

  test("shows the token of the REST API to nobody else", async () => {
    await open().append(write([first]));
    await open().entries();
    const tokens = fake.requests.map(({ service, token }) => `${service}: ${token === "token-of-the-job"}`);
    expect(new Set(tokens)).toEqual(new Set(["api: true", "twirp: false", "blobs: false"]));
    expect(fake.requests.filter(({ service, token }) => service === "blobs" && token !== "")).toEqual([]);
  });

  test("from what someone else has written to meanwhile is refused without an upload", async () => {
    const late = open();
    await late.entries();
    await open().append(write([first]));
    const before = count(isCall("CreateArtifact"));
    await expect(late.append(write([entry(adopted("j9"))]))).rejects.toMatchObject({ code: "lock-held" });
    expect(count(isCall("CreateArtifact"))).toBe(before);
  });

  test("that finds an earlier one of its number takes itself back", async () => {
    const [early, late] = [open(), open()];
    let isFirst = true;
    const upload = fake.artifacts.reply.bind(fake.artifacts);
    const others: Promise<PromiseSettledResult<void>[]>[] = [];
    vi.spyOn(fake.artifacts, "reply").mockImplementation((method, run, request) => {
      // Both have looked and found nothing; now the other one is as far as this one is.
      if (method === "CreateArtifact" && isFirst) others.push(Promise.allSettled([early.append(write([first]))]));
      isFirst = false;
      return upload(method, run, request);
    });
    const outcome = await Promise.allSettled([late.append(write([entry(adopted("j9"))]))]);
    outcome.push(...(await Promise.all(others)).flat());
    expect(outcome.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(outcome.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "lock-held" } });
    expect(await open().entries()).toHaveLength(1);
  });

  test("is refused where what this run wrote before was deleted by a person", async () => {
    const store = open();
    await store.append(write([first]));
    for (const { id } of fake.artifacts.all) fake.artifacts.remove(id);
    const before = count(isCall("CreateArtifact"));
    await expect(store.append(write([second]))).rejects.toMatchObject(unconfirmed("is not there any more"));
    await expect(store.append(write([second]))).rejects.toMatchObject(unconfirmed("is not there any more"));
    expect(count(isCall("CreateArtifact")) - before).toBe(1);
    await expect(store.entries()).rejects.toMatchObject(unreadable("is not there any more"));
  });

  test("on what was read and then withdrawn by its writer is refused", async () => {
    await open().append(write([first]));
    const store = open();
    await open().append(write([second]));
    expect(await store.entries()).toHaveLength(2);
    fake.artifacts.remove(fake.artifacts.all.at(-1)?.id ?? 0);
    await expect(store.append(write([third]))).rejects.toMatchObject({ code: "lock-held" });
  });

  test("of a whole deployment is read by the next run", async () => {
    const ledger = await openLedger(open(), writer);
    const value = ledger.keep("a program");
    const reference = { digest: "d", value };
    for (const job of ["orders", "totals"]) {
      await ledger.append(job, { kind: "submit-intended", role: "new", jobId: job, reference, restore: null });
      await ledger.append(job, { kind: "running", jobId: job, reference, restored: null });
    }
    const next = await openLedger(open(), writer);
    expect(next.entries()).toEqual(ledger.entries());
    expect(await next.value(value)).toBe("a program");
  });
});

describe("values", () => {
  const otherKey = "b".repeat(64);

  test("that a run added are in each of its uploads, since it deletes the older ones", async () => {
    const store = open();
    await store.append(write([first], [[key, "text"]]));
    await store.append(write([second]));
    await store.append(write([third], [[otherKey, "other"]]));
    expect(await open().value(key)).toBe("text");
    expect(await open().value(otherKey)).toBe("other");
  });

  test("of other runs stay where they are", async () => {
    const text = randomBytes(5_000).toString("hex");
    await open().append(write([first], [[key, text]]));
    const store = open();
    await store.append(write([second], [[otherKey, "other"]]));
    const [large, small] = fake.artifacts.all.map(({ blob }) => fake.blobs.content(blob)?.byteLength ?? 0);
    expect(small).toBeLessThan(large ?? 0);
    expect(await open().value(key)).toBe(text);
    expect(await store.value(key)).toBe(text);
  });

  test("move into the next write before the artifact that holds them expires", async () => {
    await open({ options: { retentionDays: 30 } }).append(write([first], [[key, "text"]]));
    fake.clock.passDays(25);
    await open().append(write([second]));
    fake.clock.passDays(40);
    expect(await open().value(key)).toBe("text");
  });

  test("that went with their artifact are missed by name, and do not keep the rest from being written", async () => {
    await open().append(write([first], [[key, "text"]]));
    const lost = fake.artifacts.all[0]?.id ?? 0;
    await open().append(write([second]));
    fake.artifacts.remove(lost);
    await expect(open().value(key)).rejects.toMatchObject(unreadable(`artifact ${lost}, which held it, is gone`));
    fake.clock.passDays(80);
    await open().append(write([third]));
    expect(await open().entries()).toHaveLength(3);
  });
});

describe("a ledger that expires", () => {
  const expired = { code: "ledger-lost", message: expect.stringMatching(/expired on \d{4}-\d\d-\d\dT/) };

  test("is lost, and known to be", async () => {
    await open().append(write([first]));
    fake.clock.passDays(400);
    await expect(open().entries()).rejects.toMatchObject(expired);
    await expect(open().append(write([second]))).rejects.toMatchObject(expired);
  });

  test("is not replaced by an older one that is kept for longer", async () => {
    await open().append(write([first]));
    await open({ options: { retentionDays: 10 } }).append(write([second]));
    fake.clock.passDays(30);
    await expect(open().entries()).rejects.toMatchObject(expired);
  });

  test("may begin anew where the user says that it is the first deployment", async () => {
    await open().append(write([first]));
    fake.clock.passDays(400);
    const store = open({ options: { isFirstDeployment: true } });
    expect(await store.entries()).toEqual([]);
    await store.append(write([entry(adopted("anew"))]));
    expect(await open().entries()).toEqual([entry(adopted("anew"))]);
  });

  test("is written again by whoever has it from another store", async () => {
    await open().append(write([first]));
    fake.clock.passDays(400);
    const memory = new MemoryStore();
    await memory.append(write([first]));
    const both = new CombinedStore([memory, open()]);
    expect(await both.entries()).toEqual([first]);
    await both.append(write([second]));
    expect(await open().entries()).toEqual([first, second]);
  });

  test("is as lost beside another store that is empty", async () => {
    await open().append(write([first]));
    fake.clock.passDays(400);
    await expect(new CombinedStore([new MemoryStore(), open()]).entries()).rejects.toMatchObject(expired);
  });

  test("is uploaded again in the last third of its time, and not before", async () => {
    await open().append(write([first], [[key, "text"]]));
    fake.clock.passDays(55);
    expect(await open().refresh?.()).toBeNull();
    fake.clock.passDays(10);
    expect(await open().refresh?.()).toContain("uploaded again");
    expect(await open().refresh?.()).toBeNull();
    fake.clock.passDays(40);
    expect(await open().entries()).toEqual([first]);
    expect(await open().value(key)).toBe("text");
  });

  test("is uploaded again for its values alone", async () => {
    await open().append(write([first], [[key, "text"]]));
    fake.clock.passDays(50);
    await open().append(write([second]));
    fake.clock.passDays(15);
    expect(await open().refresh?.()).toContain("uploaded again");
    fake.clock.passDays(50);
    expect(await open().value(key)).toBe("text");
  });

  test("that there is none of needs no refreshing", async () => {
    expect(await open().refresh?.()).toBeNull();
  });
});

describe("trouble with GitHub", () => {
  beforeEach(async () => {
    await open().append(write([first]));
  });
  const read = (quiet = new Quiet()) => open({ quiet }).entries();

  const everywhere = [isList, isZip, isDownload];
  // A redirect has no body that could be cut.
  const withBody = [isList, isDownload];
  const limited = (status: number) => ({ status, headers: { "retry-after": "7" } });
  const short = [1_000, 2_000];
  const long = [7_000, 7_000];

  test.each([
    ["a 502", { status: 502 }, everywhere, short],
    ["a lost connection", "cut-before" as const, everywhere, short],
    ["half an answer", "truncate" as const, withBody, short],
    ["a rate limit that is over soon", limited(429), everywhere, long],
    ["a secondary rate limit", limited(403), everywhere, long],
  ])("that passes is waited for: %s", async (_name, effect, where, pauses) => {
    for (const matches of where) {
      const quiet = new Quiet();
      fake.trouble({ matches, effect, times: 2 });
      expect(await read(quiet)).toEqual([first]);
      expect(quiet.pauses).toEqual(pauses);
      expect(quiet.lines).toHaveLength(2);
    }
  });

  test.each([
    ["a 502", { status: 502 }, everywhere, /it answered 502 5 times/],
    ["a lost connection", "cut-before" as const, everywhere, /it failed 5 times/],
    ["half an answer", "truncate" as const, withBody, /it failed 5 times/],
  ])("that lasts is an error, and never an empty ledger: %s", async (_name, effect, where, message) => {
    for (const matches of where) {
      fake.trouble({ matches, effect, times: 5 });
      await expect(read()).rejects.toMatchObject(unreadable(message));
    }
  });

  test("is a rate limit that is over later than it can be waited for: then it says when", async () => {
    const until = new Date(Math.ceil(fake.clock.after(40 * 60_000).getTime() / 1000) * 1000);
    const reset = String(until.getTime() / 1000);
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    fake.trouble({ matches: isList, effect: { status: 403, headers, body: { message: "API rate limit exceeded" } } });
    await expect(read()).rejects.toMatchObject(
      unreadable(`rate limit is used up until ${until.toISOString().slice(0, 19)}Z`),
    );
  });

  test("is a token that may not read artifacts: then it says which permission is missing", async () => {
    fake.tokens.set("weak", { contents: "read" });
    for (const token of ["weak", "wrong"]) {
      await expect(open({ token }).entries()).rejects.toMatchObject(
        unreadable(
          token === "weak" ? /answered 403: .*`permissions: actions: read`/ : /answered 401: .*`github-token`/,
        ),
      );
    }
    await expect(open({ token: "weak" }).append(write([second]))).rejects.toMatchObject(unconfirmed("actions: read"));
    await expect(open({ token: "weak" }).lock()).rejects.toMatchObject(unreadable("actions: read"));
  });

  test("is a list that is none", async () => {
    fake.trouble({ matches: isList, effect: { status: 200, body: { total_count: 0 } } });
    await expect(read()).rejects.toMatchObject(unreadable("artifacts is missing, not a list"));
    fake.trouble({ matches: isList, effect: { status: 200, body: Buffer.from("<html>") } });
    await expect(read()).rejects.toMatchObject(unreadable("is not JSON"));
  });

  test("is an artifact that was damaged where it is kept", async () => {
    const [artifact] = fake.artifacts.all;
    fake.blobs.overwrite(artifact?.blob ?? "", Buffer.from("damaged"));
    await expect(read()).rejects.toMatchObject(unreadable(/came as sha256:\w+, but GitHub says it is sha256:/));
  });

  test("is an artifact that is in the list and gone", async () => {
    fake.artifacts.listLag = 1_000;
    fake.artifacts.remove(fake.artifacts.all[0]?.id ?? 0);
    await expect(read()).rejects.toMatchObject(unreadable("is in the list, but gone"));
  });

  test("is two of one number that nobody withdraws", async () => {
    const [artifact] = fake.artifacts.all;
    if (artifact !== undefined) fake.artifacts.copy(artifact, fake.startRun());
    await expect(read()).rejects.toMatchObject(unreadable(/artifacts \d+ and \d+ are both its newest write; delete/));
  });
});

describe("what a fork's pull request uploads", () => {
  test("is no ledger and no lock, whatever its name", async () => {
    const fork = fake.startRun({ headRepositoryId: 666 });
    await open({ run: fork })
      .setLock(lock(1, "mallory"))
      .catch(() => undefined);
    await open({ run: fork })
      .append(write([entry(adopted("forged"))]))
      .catch(() => undefined);
    expect(names()).toContain("flink-dbt-deploy.test~0000000001");
    expect(await open().entries()).toEqual([]);
    expect(await open().lock()).toBeNull();
    await open().append(write([first]));
    expect(await open().setLock(lock(1))).toBe(true);
    expect(await open().entries()).toEqual([first]);
  });
});

describe("the lock", () => {
  test("is looked at no oftener than every 10 seconds", async () => {
    const quiet = new Quiet();
    let now = 0;
    const store = open({ quiet, options: { clock: () => now } });
    await store.lock();
    now += 4_000;
    await store.lock();
    now += 11_000;
    await store.lock();
    expect(quiet.pauses).toEqual([6_000]);
  });

  test("is one artifact of a run, however often it changes", async () => {
    const store = open();
    for (const version of [1, 2, 3]) expect(await store.setLock(lock(version))).toBe(true);
    expect(names()).toEqual(["flink-dbt-deploy.test~lock.0000000003"]);
  });

  test("that cannot be read is an error, and not free", async () => {
    await open().setLock(lock(1));
    fake.trouble({ matches: isList, effect: { status: 503 }, times: 5 });
    await expect(open().lock()).rejects.toMatchObject(unreadable("503"));
  });

  test("that is not known to be taken is unconfirmed, and given up", async () => {
    fake.trouble({ matches: isCall("CreateArtifact"), effect: { status: 403, body: { msg: "storage quota" } } });
    await expect(open().setLock(lock(1))).rejects.toMatchObject(unconfirmed("storage quota"));
    expect(await open().lock()).toBeNull();
  });

  test("is nobody's to change while two claim it", async () => {
    await open().setLock(lock(1));
    const [claim] = fake.artifacts.all;
    if (claim !== undefined) fake.artifacts.copy(claim, fake.startRun());
    expect(await open().setLock(lock(2, "bo"))).toBe(false);
    expect(names()).toHaveLength(2);
  });

  test("that GitHub has otherwise than it was sent is not taken", async () => {
    const reply = fake.artifacts.reply.bind(fake.artifacts);
    vi.spyOn(fake.artifacts, "reply").mockImplementation((method, run, request) => {
      return reply(method, run, method === "FinalizeArtifact" ? { ...request, hash: "sha256:other" } : request);
    });
    await expect(open().setLock(lock(1))).rejects.toMatchObject(unconfirmed(/is sha256:other, and not sha256:/));
  });

  test("of a run that ended without a word expires by itself", async () => {
    await open().setLock(lock(1));
    fake.clock.passDays(400);
    expect(await open().lock()).toBeNull();
    expect(await open().setLock(lock(1, "bo"))).toBe(true);
  });
});
