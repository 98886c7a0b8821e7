import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { DeployError } from "../../src/errors.ts";
import { type DbtCommand, provideDbt } from "../../src/project/python.ts";
import { recordSide } from "../../src/project/record.ts";
import { openSide } from "../../src/project/side.ts";
import { cacheFolder, folderWith, requirements, seedAndTwoModels } from "./recording-projects.ts";

let dbt: DbtCommand;
beforeAll(async () => {
  dbt = await provideDbt({
    dbtCommand: null,
    cacheFolder,
    requirements,
    environment: process.env,
    log: () => undefined,
  });
});

const machine = readFileSync("/etc/passwd", "utf8").split("\n")[0] ?? "";

/** Everything that a template made of a pull request could show: what it sends, or dbt's error. */
async function shownBy(template: string): Promise<string> {
  await using project = await folderWith({ ...seedAndTwoModels, "models/second.sql": template });
  await using work = await folderWith({});
  await using side = await openSide({
    name: "head",
    dbt,
    projectFolder: project.path,
    profilesFolder: null,
    target: null,
    vars: null,
    workFolder: `${work.path}/head`,
    environment: { ...process.env, GITHUB_TOKEN: "token-of-the-job" },
    environmentAllow: [],
    answer: () => Promise.resolve({ columns: [], rows: [] }),
  });
  return await recordSide(side, null).then(
    ({ statements }) => statements.map(({ sql }) => sql).join("\n"),
    (error: unknown) => (error instanceof DeployError ? error.message : Promise.reject(error)),
  );
}

describe("templates of a pull request, in dbt itself", () => {
  it.each([
    ["{% include '/etc/passwd' %}"],
    ["{% set c = ''.__class__.__mro__[1].__subclasses__() %}select '{{ c }}'"],
    ["select '{{ self.__init__.__globals__ }}'"],
    ["select '{{ modules.datetime.sys.modules.os.environ }}'"],
    ["select '{{ modules.re.sys.modules['os'].popen('cat /etc/passwd').read() }}'"],
    ["select '{{ cycler.__init__.__globals__.os.environ }}'"],
    ["select '{{ env_var('GITHUB_TOKEN', 'none') }}'"],
    ["{% set s = modules.socket.socket() %}select 1"],
    ["select '{{ load_file_contents('/etc/passwd') }}'"],
  ])("read no file, no process and no socket: %s", async (template) => {
    const shown = await shownBy(template);
    expect(shown).not.toBe("");
    expect(shown).not.toContain(machine);
    expect(shown).not.toContain("token-of-the-job");
    expect(shown).not.toMatch(/subprocess\.Popen|<module 'os'|posix\.environ/);
  });
});
