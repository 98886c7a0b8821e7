import { chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSide, type Side } from "../../../src/project/side.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "side-")));
  await mkdir(join(folder, "shop"));
  await mkdir(join(folder, "outside"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A project whose dbt runs `script` for `deps`. */
async function opened(packagesPath: string, script = "true"): Promise<Side> {
  const project = join(folder, "shop");
  await writeFile(
    join(project, "dbt_project.yml"),
    `name: shop\nprofile: shop\npackages-install-path: ${packagesPath}\n`,
  );
  await writeFile(join(project, "packages.yml"), "packages: []\n");
  await writeFile(join(project, "profiles.yml"), "shop: { target: dev, outputs: { dev: { type: flink } } }\n");
  const dbt = join(folder, "dbt");
  await writeFile(dbt, `#!/bin/sh\ncd ${project}\n${script}\n`);
  await chmod(dbt, 0o755);
  return await openSide({
    name: "head",
    dbt: { command: [dbt], description: "dbt", adapterVersion: "unknown" },
    projectFolder: project,
    profilesFolder: null,
    target: null,
    vars: null,
    workFolder: join(folder, "work"),
    environment: process.env,
    environmentAllow: [],
    answer: () => Promise.reject(new Error("nothing is asked")),
  });
}

describe("the folder of packages", () => {
  it("is in the project, and is removed where it was not there before", async () => {
    const side = await opened("vendor/packages", "mkdir -p vendor/packages/common");
    expect(await readdir(join(folder, "shop", "vendor", "packages"))).toEqual(["common"]);
    await side[Symbol.asyncDispose]();
    expect(await readdir(join(folder, "shop", "vendor"))).toEqual([]);
  });

  it.each(["../outside/packages", "/var/tmp/packages", "./", "link/packages", "..", "''"])(
    "is refused elsewhere: %s",
    async (path) => {
      await symlink(join(folder, "outside"), join(folder, "shop", "link"));
      await expect(opened(path, `mkdir -p ${path}`)).rejects.toMatchObject({
        code: "manifest-unreadable",
        message: expect.stringContaining("packages-install-path"),
      });
      expect(await readdir(join(folder, "outside"))).toEqual([]);
    },
  );

  it("is not removed where a link was put in its way that leads elsewhere", async () => {
    const script = `mkdir -p ${folder}/outside/packages && ln -s ${folder}/outside vendor`;
    await expect(opened("vendor/packages", script)).rejects.toMatchObject({ code: "manifest-unreadable" });
    expect(await readdir(join(folder, "outside"))).toEqual(["packages"]);
  });

  it("may hold no link to what else is on the machine", async () => {
    const script = `mkdir -p vendor/packages/evil && ln -s /proc/self/environ vendor/packages/evil/a.sql`;
    await expect(opened("vendor/packages", script)).rejects.toMatchObject({
      code: "manifest-unreadable",
      message: expect.stringMatching(/^vendor\/packages\/evil\/a\.sql is a link that leads out of the repository/),
    });
  });
});
