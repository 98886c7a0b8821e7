import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { readEntries } from "../../../src/ledger/ledger.ts";
import type { Store } from "../../../src/ledger/store.ts";
import { entry } from "./entries.ts";
import { type Fault, GitHttpServer } from "./git-http-server.ts";
import { GitPlaces, gitVariables, type OpenOptions, ref } from "./git-places.ts";
import { adopted, describeStore, key, lock, write } from "./store-contract.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const places = new GitPlaces();
const token = "s3cr3t/t+k'n";
const hidden = [token, encodeURIComponent(token), Buffer.from(`x-access-token:${token}`).toString("base64")];
let server: GitHttpServer;
beforeAll(async () => {
  server = await GitHttpServer.start(places.folder, `x-access-token:${token}`);
});
afterEach(() => {
  server.fault = () => null;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  places[Symbol.dispose]();
});

const entriesOf = (...sequences: readonly number[]) =>
  sequences.map((sequence) => entry(adopted(`j${sequence}`), { sequence }));
const urlOf = (path: string) => `${server.origin}/${basename(path)}`;
const openHttp = (path: string, options: OpenOptions = {}) => places.open(urlOf(path), { token, ...options });
/** A fault at the first request of that name, or at every one. */
const breakAt = (name: string, fault: Fault, times = 1): void => {
  let left = times;
  server.fault = (request) => (request.name === name && left-- > 0 ? fault : null);
};
const failure = async (promise: Promise<unknown>): Promise<{ code: string; message: string }> => {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  const { code = "", message } = error as { code?: string; message: string };
  return { code, message };
};
/** What each of a store's promises fails with. */
const failures = async (store: Store) =>
  await Promise.all([
    failure(store.entries()),
    failure(store.lock()),
    failure(store.value(key)),
    failure(store.append(write(entriesOf(1)))),
    failure(store.setLock(lock(1))),
  ]);
const outage = [
  "ledger-unreadable",
  "ledger-unreadable",
  "ledger-unreadable",
  "store-unconfirmed",
  "store-unconfirmed",
];
const log = (path: string) => places.git(["-C", path, "log", "--format=%s", ref]).trim().split("\n");
const paths = (path: string) => places.git(["-C", path, "ls-tree", "-r", "--name-only", ref]).trim().split("\n");

// The race of twenty is run below, in processes of their own.
const few = { racers: 6 };

describeStore(
  "a bare repository",
  () => {
    const path = places.bare();
    return () => places.open(path);
  },
  few,
);

describeStore(
  "a repository behind http",
  () => {
    const path = places.bare();
    return () => openHttp(path);
  },
  few,
);

describeStore(
  "a repository behind ssh",
  () => {
    const path = places.bare();
    const ssh = join(places.folder, "ssh");
    writeFileSync(ssh, '#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n', { mode: 0o700 });
    return () => places.open(`git@git.example:${path}`, { variables: { ...gitVariables, GIT_SSH_COMMAND: ssh } });
  },
  few,
);

describe("a ref", () => {
  test("is made by no look", async () => {
    const path = places.bare();
    await places.open(path).entries();
    await places.open(path).lock();
    expect(places.git(["-C", path, "for-each-ref"])).toBe("");
  });

  test("has a commit for each write, which says to a person what it is", async () => {
    const path = places.bare();
    const store = places.open(path);
    const holder = { id: "1", name: "deploy by ana", run: null, process: null, workflow: null };
    await store.setLock({ ...lock(1), holder });
    await store.setLock({ ...lock(2), holder });
    await store.append(write(entriesOf(1), [[key, "{}"]]));
    await store.append(
      write([entry({ kind: "stopped", jobId: "j", savepoint: null }, { sequence: 2 }), ...entriesOf(3)]),
    );
    await store.setLock(lock(3, null));
    expect(log(path)).toEqual([
      "lock: released",
      "totals: stopped, and 1 more",
      "totals: adopted",
      "lock: renewed by deploy by ana",
      "lock: taken by deploy by ana",
    ]);
    expect(places.git(["-C", path, "log", "-1", "--format=%an <%ae> %aI", ref]).trim()).toBe(
      "flink-dbt-deploy <flink-dbt-deploy@localhost> 2026-01-01T00:00:00+00:00",
    );
    expect(paths(path)).toEqual([
      "entries/00000000/0000000001.json",
      "entries/00000000/0000000002.json",
      "entries/00000000/0000000003.json",
      "lock.json",
      `values/aa/${key}.json`,
    ]);
  });

  test("of a name that the user chose is used, and no other", async () => {
    const path = places.bare();
    await places.open(path, { ref: "refs/heads/ledger" }).append(write(entriesOf(1)));
    expect(await places.open(path).entries()).toEqual([]);
    expect(await places.open(path, { ref: "refs/heads/ledger" }).entries()).toHaveLength(1);
    expect(places.git(["-C", path, "log", "--format=%B", "ledger"]).trim()).toBe("totals: adopted\n\n[skip ci]");
  });

  test("that only ends like it is another", async () => {
    const path = places.bare();
    await places.open(path, { ref: `refs/heads/${ref}` }).append(write(entriesOf(1)));
    expect(await places.open(path).entries()).toEqual([]);
  });

  test("in the repository that holds the project leaves its files alone", async () => {
    const path = join(places.folder, "project");
    places.git(["init", "--quiet", path]);
    await places.open("project").append(write(entriesOf(1)));
    expect(places.git(["-C", path, "status", "--porcelain"])).toBe("");
    expect(readdirSync(path)).toEqual([".git"]);
  });

  test("with thousands of entries takes another in a small push", async () => {
    const path = places.bare();
    const reader = openHttp(path);
    await openHttp(path).append(write(entriesOf(...Array.from({ length: 3000 }, (_, index) => index + 1))));
    await reader.entries();
    server.requests.length = 0;
    const store = openHttp(path);
    await store.entries();
    await store.append(write(entriesOf(3001)));
    const pushed = server.requests.filter(({ name }) => name === "POST git-receive-pack");
    expect(Math.max(...pushed.map(({ bytes }) => bytes))).toBeLessThan(2_000);
    expect(await reader.entries()).toHaveLength(3001);
  });

  test("is fetched without its history", async () => {
    const path = places.bare();
    const store = places.open(path);
    for (const sequence of [1, 2, 3]) await store.append(write(entriesOf(sequence)));
    const clone = join(places.folder, "shallow");
    await places.open(path, { makeFolder: async () => clone }).entries();
    expect(places.git(["-C", clone, "rev-list", "--all", "--count"]).trim()).toBe("1");
  });
});

describe("others who write", () => {
  test("the lock, or later entries' values, do not keep an entry out", async () => {
    const path = places.bare();
    const store = places.open(path);
    await store.entries();
    await places.open(path).setLock(lock(1));
    await places.open(path).append(write([], [[key, "text"]]));
    await store.append(write(entriesOf(1)));
    expect(await places.open(path).entries()).toHaveLength(1);
    expect(await store.value(key)).toBe("text");
  });

  test("twenty at once, in five processes, lose nothing", async () => {
    const path = places.bare();
    const code = `
      const source = (name) => import(${JSON.stringify(new URL("../../../", import.meta.url).href)} + name);
      const { openLedger } = await source("src/ledger/ledger.ts");
      const { GitPlaces } = await source("test/unit/ledger/git-places.ts");
      const [path, ...jobs] = process.argv.slice(1);
      using places = new GitPlaces();
      const writer = { environment: "test", project: null, commit: null, now: () => new Date().toISOString() };
      await Promise.all(jobs.map(async (job) => {
        const ledger = await openLedger(places.open(path), writer);
        while (!(await ledger.append(job, { kind: "adopted", jobId: job })));
      }));`;
    const node = join(import.meta.dirname, "..", "..", "..", "node_modules", ".bin", "node");
    const run = promisify(execFile);
    const jobs = ["a", "b", "c", "d", "e"].map((name) => [1, 2, 3, 4].map((number) => `${name}${number}`));
    await Promise.all(jobs.map((some) => run(node, ["--input-type=module", "--eval", code, path, ...some])));
    expect((await readEntries(places.open(path))).map(({ job }) => job).toSorted()).toEqual(jobs.flat());
  });
});

describe("a remote out of order", () => {
  const instant = { sleep: async () => undefined };

  test("that is not there is an error, and no empty ledger", async () => {
    const all = await failures(places.open(join(places.folder, "nowhere.git"), instant));
    expect(all.map(({ code }) => code)).toEqual(outage);
    for (const { message } of all) expect(message).toContain("does not appear to be a git repository");
  });

  test.each(["500", "half-answer", "lose-answer"] as const)("that always fails (%s) is one too", async (fault) => {
    const path = places.bare();
    await openHttp(path).append(write(entriesOf(1), [[key, "text"]]));
    server.fault = () => fault;
    expect((await failures(openHttp(path, instant))).map(({ code }) => code)).toEqual(outage);
  });

  test.each(["GET git-upload-pack", "POST git-upload-pack", "GET git-receive-pack", "POST git-receive-pack"])(
    "that fails once (%s) is asked again",
    async (name) => {
      const path = places.bare();
      await openHttp(path).append(write(entriesOf(1)));
      for (const fault of ["500", "half-answer"] as const) {
        const store = openHttp(path, instant);
        breakAt(name, fault);
        const sequence = (await store.entries()).length + 1;
        await store.append(write(entriesOf(sequence)));
        server.fault = () => null;
        expect(await openHttp(path).entries()).toHaveLength(sequence);
      }
    },
  );

  test("that did what was asked, and whose answer was lost, is looked at", async () => {
    const path = places.bare();
    const store = openHttp(path, instant);
    breakAt("POST git-receive-pack", "lose-answer");
    expect(await store.setLock(lock(1))).toBe(true);
    breakAt("POST git-receive-pack", "lose-answer");
    await store.append(write(entriesOf(1)));
    expect(log(path)).toEqual(["totals: adopted", "lock: taken by ana"]);
  });

  test("that does not answer is given up after a while", async () => {
    const path = places.bare();
    server.fault = () => "hang";
    const { code, message } = await failure(openHttp(path, { ...instant, timeoutMs: 200 }).entries());
    expect(code).toBe("ledger-unreadable");
    expect(message).toContain("git ls-remote did not end within 0.2 s");
  });

  test("that refuses is quoted", async () => {
    const path = places.bare();
    places.hook(path, "pre-receive", "echo the ledger is closed >&2; exit 1");
    const { code, message } = await failure(places.open(path, instant).append(write(entriesOf(1))));
    expect(code).toBe("store-unconfirmed");
    expect(message).toContain("remote: the ledger is closed");
    expect(message).toContain("[remote rejected] (pre-receive hook declined)");
    expect(message).not.toContain("\n");
  });

  test("that takes a commit and does not keep it confirms nothing", async () => {
    const path = places.bare();
    places.hook(path, "post-receive", `git update-ref -d ${ref}`);
    const { code, message } = await failure(places.open(path, instant).append(write(entriesOf(1))));
    expect({ code, message }).toEqual({ code: "store-unconfirmed", message: expect.stringContaining("and shows no") });
  });

  test("whose ref was deleted or set back is no empty ledger", async () => {
    const path = places.bare();
    const store = places.open(path, instant);
    await store.append(write(entriesOf(1)));
    places.git(["-C", path, "update-ref", "-d", ref]);
    expect(await failure(store.entries())).toEqual({
      code: "ledger-unreadable",
      message: expect.stringContaining("entry 1 was there and is no more"),
    });
    expect((await failure(store.append(write(entriesOf(2))))).code).toBe("store-unconfirmed");
  });
});

describe("what is in the ref", () => {
  /** Puts a commit with this file on the ref. */
  const tamper = (path: string, file: string, text: string): void => {
    const stream = `commit ${ref}\ncommitter eve <eve@example> 0 +0000\ndata 0\nfrom ${ref}^0\nM 100644 inline ${file}\n`;
    places.git(["-C", path, "fast-import", "--quiet"], `${stream}data ${Buffer.byteLength(text)}\n${text}\n`);
  };
  const first = "entries/00000000/0000000001.json";
  const one = JSON.stringify(entry(adopted("j1")));

  test.each([
    ["an entry that was changed", first, one.replace("j1", "j2"), "id does not match"],
    ["an entry of a later version", first, one.replace('"version":1', '"version":2'), "its version is 2"],
    ["an entry cut short", first, one.slice(0, 40), "is not JSON"],
    ["an entry in another's place", "entries/00000000/0000000002.json", one, "is of sequence 1"],
    ["an entry that is none", "entries/note.txt", "hello", "entries/note.txt"],
    ["a lock that cannot be read", "lock.json", "{}", "lock.json"],
  ])("is refused: %s", async (_name, file, text, said) => {
    const path = places.bare();
    await places.open(path).append(write(entriesOf(1)));
    tamper(path, file, text);
    const { code, message } = await failure(places.open(path).entries());
    expect(code).toBe("ledger-unreadable");
    expect(message).toContain(said);
    expect(message).toContain(`git ${path} ${ref}`);
  });

  test("is refused: entries of another environment", async () => {
    const path = places.bare();
    await places.open(path).append(write(entriesOf(1)));
    const { code, message } = await failure(places.open(path, { environment: "production" }).entries());
    expect(code).toBe("ledger-unreadable");
    expect(message).toContain("is of environment test");
  });
});

describe("an interruption", () => {
  test("ends a read, and lets a write be made", async () => {
    const path = places.bare();
    const store = places.open(path, { signal: AbortSignal.abort() });
    expect((await failure(store.entries())).code).toBe("interrupted");
    expect(await store.setLock(lock(1))).toBe(true);
    expect(await places.open(path).lock()).toEqual(lock(1));
  });

  test("ends a read that waits for its answer", async () => {
    const interrupt = new AbortController();
    const path = places.bare();
    const reading = failure(openHttp(path, { signal: interrupt.signal }).entries());
    server.fault = () => {
      interrupt.abort();
      return "hang";
    };
    expect((await reading).code).toBe("interrupted");
  });
});

describe("a token", () => {
  const headers = () => server.requests.map(({ authorization }) => authorization).filter((one) => one !== null);

  test("stands in no argv while git runs, and in no file", async () => {
    const path = places.bare();
    const interrupt = new AbortController();
    const lines: string[] = [];
    const store = openHttp(path, { signal: interrupt.signal, sleep: async () => undefined });
    await store.append(write(entriesOf(1)));
    server.fault = () => {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        if (existsSync(`/proc/${pid}/cmdline`)) lines.push(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      }
      interrupt.abort();
      return "hang";
    };
    await failure(store.entries());
    expect(lines.some((line) => line.includes("ls-remote") && line.includes(urlOf(path)))).toBe(true);
    expect(lines.filter((line) => hidden.some((secret) => line.includes(secret)))).toEqual([]);
    const files = readdirSync(places.folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((text) => hidden.some((secret) => text.includes(secret)))).toEqual([]);
  });

  test("that is wrong is said to be, and not shown", async () => {
    const all = await failures(openHttp(places.bare(), { token: "wr0ng-t0ken", sleep: async () => undefined }));
    expect(all.map(({ code }) => code)).toEqual(outage);
    for (const { message } of all) {
      expect(message).toContain("Authentication failed");
      expect(message).not.toContain("wr0ng");
    }
  });

  test("in the URL is used, and not shown either", async () => {
    const path = places.bare();
    const url = urlOf(path).replace("//", `//x-access-token:${encodeURIComponent(token)}@`);
    const store = places.open(url);
    await store.append(write(entriesOf(1)));
    expect(store.description).toBe(`git ${urlOf(path)} ${ref}`);
  });

  test("does not follow a redirect to another place", async () => {
    await using other = await GitHttpServer.start(places.folder, null);
    server.fault = () => ({ redirect: other.origin });
    await failure(openHttp(places.bare(), { sleep: async () => undefined }).append(write(entriesOf(1))));
    expect(other.requests.length).toBeGreaterThan(0);
    expect(other.requests.filter(({ authorization }) => authorization !== null)).toEqual([]);
  });

  test("is not handed to the user's own credential helpers", async () => {
    const told = join(places.folder, "told");
    const config = [["credential.helper", `!f() { cat >>${told}; }; f`]] as const;
    await openHttp(places.bare(), { config }).append(write(entriesOf(1)));
    expect(existsSync(told)).toBe(false);
  });

  test("is not needed where the project's own config has one", async () => {
    const header = `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    const config = [[`http.${server.origin}/.extraheader`, header]] as const;
    const path = places.bare();
    await places.open(urlOf(path), { config }).append(write(entriesOf(1)));
    expect(await openHttp(path).entries()).toHaveLength(1);
  });

  test("comes before one that the project's own config has", async () => {
    const config = [[`http.${server.origin}/.extraheader`, "Authorization: Basic d3Jvbmc6d3Jvbmc="]] as const;
    server.requests.length = 0;
    await openHttp(places.bare(), { config }).append(write(entriesOf(1)));
    expect(new Set(headers()).size).toBe(1);
  });
});
