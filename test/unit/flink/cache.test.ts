import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cachedFolder } from "../../../src/flink/cache.ts";

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-cache-"));
});
afterEach(() => rmSync(cacheFolder, { recursive: true, force: true }));

const name = join("flink", "1.20.3");
const fillWith = (text: string) => (folder: string) => writeFile(join(folder, "a.jar"), text);
const contentOf = (folder: string) => readFileSync(join(folder, "a.jar"), "utf8");
const temporaries = () => readdirSync(join(cacheFolder, "tmp"));

describe("a cache entry", () => {
  test("is filled once", async () => {
    await cachedFolder({ cacheFolder, name, fill: fillWith("first") });
    const folder = await cachedFolder({ cacheFolder, name, fill: fillWith("second") });
    expect(contentOf(folder)).toBe("first");
  });

  test("is not there when filling it fails, and the next one may fill it", async () => {
    const broken = async (folder: string) => {
      writeFileSync(join(folder, "a.jar"), "half");
      throw new Error("connection lost");
    };
    await expect(cachedFolder({ cacheFolder, name, fill: broken })).rejects.toThrow("connection lost");
    expect(existsSync(join(cacheFolder, name))).toBe(false);
    expect(temporaries()).toEqual([]);
    expect(contentOf(await cachedFolder({ cacheFolder, name, fill: fillWith("whole") }))).toBe("whole");
  });

  test("that two fill at once is whole for both, and is the first one's", async () => {
    const slow = Promise.withResolvers<void>();
    const loser = cachedFolder({
      cacheFolder,
      name,
      fill: (folder) => slow.promise.then(() => fillWith("loser")(folder)),
    });
    const winner = await cachedFolder({ cacheFolder, name, fill: fillWith("winner") });
    slow.resolve();
    expect(await loser).toBe(winner);
    expect(contentOf(winner)).toBe("winner");
    expect(temporaries()).toEqual([]);
  });

  test.each([
    ["a file is missing", (entry: string) => rmSync(join(entry, "a.jar"))],
    ["a file was cut short", (entry: string) => writeFileSync(join(entry, "a.jar"), "wh")],
    ["its list of contents is missing", (entry: string) => rmSync(join(entry, "contents.json"))],
    ["its list of contents is not JSON", (entry: string) => writeFileSync(join(entry, "contents.json"), "{")],
  ])("is made again when %s", async (_, damage) => {
    const entry = await cachedFolder({ cacheFolder, name, fill: fillWith("whole") });
    damage(entry);
    expect(contentOf(await cachedFolder({ cacheFolder, name, fill: fillWith("again") }))).toBe("again");
    expect(temporaries()).toEqual([]);
  });
});

describe("a process killed by SIGKILL while it fills an entry", () => {
  test("leaves no entry, and what it left is swept by the next one", async () => {
    const child = await fillerThatNeverEnds();
    expect(temporaries()).toHaveLength(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(join(cacheFolder, name))).toBe(false);

    expect(contentOf(await cachedFolder({ cacheFolder, name, fill: fillWith("whole") }))).toBe("whole");
    expect(temporaries()).toEqual([]);
  });

  test("is told from one that still runs, whose files are left alone", async () => {
    const child = await fillerThatNeverEnds();
    try {
      await cachedFolder({ cacheFolder, name, fill: fillWith("whole") });
      expect(temporaries()).toEqual([expect.stringMatching(`^${child.pid}@`)]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

test("files of another host are left alone while they are young: its process ids mean nothing here", async () => {
  const foreign = join(cacheFolder, "tmp", `999999@not-${hostname()}@1`);
  mkdirSync(foreign, { recursive: true });
  await cachedFolder({ cacheFolder, name, fill: fillWith("whole") });
  expect(existsSync(foreign)).toBe(true);
});

async function fillerThatNeverEnds(): Promise<ChildProcess> {
  const module = new URL("../../../src/flink/cache.ts", import.meta.url).href;
  const script = `
    import { writeFileSync } from "node:fs";
    const { cachedFolder } = await import(${JSON.stringify(module)});
    setInterval(() => {}, 1000);
    await cachedFolder({
      cacheFolder: ${JSON.stringify(cacheFolder)}, name: ${JSON.stringify(name)},
      fill: (folder) => { writeFileSync(folder + "/a.jar", "ha"); console.log("half"); return new Promise(() => {}); },
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}
