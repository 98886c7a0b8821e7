import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeOutput } from "../../../src/commands/output-file.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "output-file-"));
});
afterEach(() => rm(cwd, { recursive: true }));

const write = (file: string) => writeOutput({ input: "plan-file", file, cwd }, "text");

test("a file is written where it is named, in folders that are made for it", async () => {
  await write("a/b/plan.json");
  await write("a/b/plan.json");
  expect(await readFile(join(cwd, "a/b/plan.json"), "utf8")).toBe("text");
  await writeOutput({ input: "ledger-file", file: "secret", cwd, mode: 0o600 }, "text");
  expect((await stat(join(cwd, "secret"))).mode & 0o777).toBe(0o600);
});

test.skipIf(process.platform !== "linux").each(["/proc/nothing/plan.json", "/proc/nothing/at/all/plan.json"])(
  "%s, where no folder can be made and none is said to be missing, ends at once with the input's name",
  async (file) => {
    await expect(write(file)).rejects.toMatchObject({
      code: "inputs-invalid",
      message: expect.stringMatching(`^plan-file: ${file} cannot be written: ENOENT: .*mkdir '/proc/nothing'$`),
    });
  },
);

test("a file in the place of a folder is told, above or at the very place", async () => {
  await writeFile(join(cwd, "file"), "");
  for (const file of ["file/plan.json", "file/below/plan.json"]) {
    await expect(write(file)).rejects.toMatchObject({
      code: "inputs-invalid",
      message: expect.stringContaining("ENOTDIR"),
    });
  }
});
