import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCodes } from "../../src/errors.ts";
import { commands, type InputName, inputsOf, isSecretInput, variableOf } from "../../src/inputs/table.ts";
import { version } from "../../src/version.ts";
import { Folders, runAction, runCli } from "./harness.ts";

const folders = new Folders();
let cwd: string;
beforeAll(async () => {
  cwd = await folders.make();
});
afterAll(() => folders[Symbol.asyncDispose]());

describe("help and version go to standard output and end with 0", () => {
  test.each([[[]], [["--help"]], [["-h"]]])("flink-dbt-deploy %j lists the commands", async (args) => {
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const [name, description] of Object.entries(commands))
      expect(stdout).toMatch(`${name}`.padEnd(17) + description);
  });

  test.each(Object.keys(commands) as (keyof typeof commands)[])("%s --help lists its inputs", async (command) => {
    const { code, stdout, stderr } = await runCli([command, "--help"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const listed = [...stdout.matchAll(/^ {2}(\S+)/gm)].map(([, flag]) => flag);
    const flagOf = (name: InputName) => (isSecretInput(name) ? variableOf(name) : `--${name}`);
    expect(listed).toEqual(inputsOf(command).map(flagOf));
  });

  test("help is given even where the rest of the call is wrong", async () => {
    expect(await runCli(["deploy", "--nonsense", "--help"], { cwd })).toMatchObject({ code: 0, stderr: "" });
  });

  test.each([[["--version"]], [["plan", "--version"]]])("flink-dbt-deploy %j is the version alone", async (args) => {
    expect(await runCli(args, { cwd })).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a wrong call ends with 2 and says on standard error what is wrong and where help is", () => {
  const known = Object.keys(commands).join(", ");
  const help = `inputs-invalid: ${errorCodes["inputs-invalid"]}\n`;
  test.each([
    ["an unknown command", ["destroy"], `command: "destroy" is none of ${known}`],
    ["a flag without a command", ["--base", "main"], `command: "--base" is none of ${known}`],
    ["an unknown flag", ["plan", "--bass", "main"], "--bass: plan has no such input"],
    ["a flag of another command", ["status", "--renames", "a=b"], "--renames: status has no such input"],
    ["a short flag", ["plan", "-b", "main"], "-b: plan has no such input"],
    ["a flag without its value", ["plan", "--base"], "--base: needs a value"],
    ["a flag in the place of a value", ["plan", "--base", "--head"], "--base: needs a value; write --base=--head if"],
    ["a word that belongs to no flag", ["plan", "main"], "main: belongs to no input; write --name value"],
    ["a name of Object.prototype", ["constructor"], 'command: "constructor" is none of'],
  ])("%s", async (_name, args, said) => {
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
    expect(stderr.endsWith(help)).toBe(true);
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
  });

  test("an environment variable that no input has is refused: it may be a misspelt one", async () => {
    const { code, stderr } = await runCli(["history"], { cwd, environment: { FLINK_DBT_DEPLOY_STOR: "git" } });
    expect(code).toBe(2);
    expect(stderr).toContain("FLINK_DBT_DEPLOY_STOR: no input has this environment variable");
  });
});

describe("inputs come from flags and from variables", () => {
  test("a variable stands for a flag", async () => {
    const environment = { FLINK_DBT_DEPLOY_GATEWAY_URL: "nonsense" };
    const { code, stderr } = await runCli(["status"], { cwd, environment });
    expect(code).toBe(2);
    expect(stderr).toContain('gateway-url: "nonsense" must be a URL');
  });

  test("a flag goes before its variable, and the last of two flags counts", async () => {
    const environment = { FLINK_DBT_DEPLOY_GATEWAY_URL: "variable" };
    const { stderr } = await runCli(["status", "--gateway-url", "first", "--gateway-url", "second"], {
      cwd,
      environment,
    });
    expect(stderr).toContain('gateway-url: "second" must be a URL');
  });

  test("an empty value means the default", async () => {
    const { stderr } = await runCli(["status", "--gateway-url", "", "--environment", ""], { cwd });
    expect(stderr).toContain("gateway-url: is required and was not given");
  });
});

/** A Node 20 of this machine; not the one that npm puts first on PATH. */
function findNode20(): string | null {
  const places = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  for (const folder of places) {
    const node = join(folder, "node");
    try {
      accessSync(node, constants.X_OK);
    } catch {
      continue; // Not here.
    }
    return node;
  }
  return null;
}

describe("on the oldest Node that is supported", () => {
  const node = findNode20();

  test.skipIf(node === null)("both bundles start: the machine's own Node, outside of node_modules", async () => {
    const options = { cwd, node: node ?? "" };
    expect(await runCli(["--version"], options)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const inputs = { command: "status", "gateway-url": "http://127.0.0.1:1" };
    expect(await runCli(["status", "--gateway-url", "http://127.0.0.1:1"], options)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("gateway-unreachable"),
    });
    expect(await runAction(inputs, options)).toMatchObject({ code: 1, outputs: { reason: "gateway-unreachable" } });
  });
});
