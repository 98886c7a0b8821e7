import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refuseOutsideLinks } from "../../../src/project/outside-links.ts";

let folder: string;
let top: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "links-")));
  top = join(folder, "repository");
  for (const path of ["repository/shop/models", "repository/shared", "outside"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(top, "shared", "a.sql"), "select 1");
  git("init", "--quiet");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...words: readonly string[]): void => void execFileSync("git", words, { cwd: top });
const refused = (): Promise<unknown> =>
  refuseOutsideLinks(top, "shop").then(
    () => null,
    (error: unknown) => error,
  );

describe("a committed link", () => {
  test.each(["../../shared/a.sql", "missing.sql", "../../shared"])("may stay in the repository: %s", async (target) => {
    symlinkSync(target, join(top, "shop", "models", "b.sql"));
    git("add", ".");
    expect(await refused()).toBeNull();
  });

  test.each([
    "/proc/self/environ",
    "/etc/passwd",
    "../../../outside",
    "../../../nothing/there",
    "../../../../../../../../etc/hostname",
    "../../.git/config",
    "../../.git",
  ])("may not lead elsewhere: %s", async (target) => {
    symlinkSync(target, join(top, "shop", "models", "b.sql"));
    git("add", ".");
    expect(await refused()).toMatchObject({
      code: "manifest-unreadable",
      message: expect.stringMatching(/^shop\/models\/b\.sql is a link that leads out of the repository, to \//),
    });
  });

  test("may not do so over another one", async () => {
    symlinkSync("../../../outside", join(top, "shop", "models", "one"));
    symlinkSync("one/two.sql", join(top, "shop", "models", "b.sql"));
    git("add", ".");
    expect(await refused()).toMatchObject({ code: "manifest-unreadable" });
  });

  test("outside of the project, or in no commit and not added to one, is nobody's concern", async () => {
    symlinkSync("/etc/passwd", join(top, "shared", "b.sql"));
    git("add", ".");
    symlinkSync("/usr/bin/python3", join(top, "shop", "python"));
    expect(await refused()).toBeNull();
  });
});
