import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWorkbench } from "../../../src/commands/workbench.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "workbench-")));
});
afterEach(() => rm(folder, { recursive: true }));

test("closing it while dbt installs packages ends dbt and leaves nothing running or written", async () => {
  const project = join(folder, "shop");
  const started = join(folder, "started");
  await mkdir(project);
  await mkdir(started);
  const files = {
    "dbt_project.yml": "name: shop\nprofile: shop\n",
    "packages.yml": "packages: [{ package: a/b, version: 1.0.0 }]\n",
    "profiles.yml": "shop: { target: dev, outputs: { dev: { type: flink, host: h, port: 1 } } }\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(project, name), text);
  const dbt = join(folder, "dbt");
  await writeFile(
    dbt,
    `#!/bin/sh\ncase "$*" in *deps*) echo $$ > ${folder}/pid; mv ${folder}/pid ${started}/pid; exec sleep 600;; esac\n`,
  );
  await chmod(dbt, 0o755);

  const workbench = await openWorkbench({
    inputs: {
      projectDir: project,
      profilesDir: null,
      target: null,
      vars: null,
      dbtCommand: dbt,
      dbtRequirements: [],
      dbtEnv: [],
      head: null,
      cacheDir: join(folder, "cache"),
      flinkVersion: null,
      flinkHome: join(folder, "no-flink"),
      connectors: [],
      removedJobs: "stop",
      renames: {},
      initSql: null,
    },
    flinkVersion: "1.20.3",
    folder: join(folder, "scratch"),
    shell: {
      cwd: folder,
      environment: process.env,
      signal: new AbortController().signal,
      deadline: new AbortController().signal,
      log: () => undefined,
      print: async () => undefined,
      annotate: () => undefined,
      writeOut: null,
      eventBase: null,
      now: () => new Date(0),
      clock: () => 0,
      sleep: async () => {},
    },
  });
  const appeared = watch(started)[Symbol.asyncIterator]().next();
  const revision = {
    projectFolder: project,
    commit: "0",
    uncommitted: [],
    [Symbol.asyncDispose]: async () => undefined,
  };
  let state = "opening";
  const side = workbench.openSide("head", revision).then(
    () => expect.unreachable(),
    () => {
      state = "given up";
    },
  );
  await appeared;
  await workbench[Symbol.asyncDispose]();
  expect(state).toBe("given up");
  await side;
  const pid = Number(await readFile(join(started, "pid"), "utf8"));
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(await readdir(join(folder, "scratch"))).not.toContain("head");
  expect((await readdir(project)).sort()).toEqual(Object.keys(files).sort());
});
