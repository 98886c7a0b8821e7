import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandOf, splitWords } from "../../../src/project/dbt-command.ts";
import { scrubEnvironment } from "../../../src/project/dbt-environment.ts";
import { defaultTarget, findProfile, redirectProfile } from "../../../src/project/profile.ts";
import { provideDbt } from "../../../src/project/python.ts";

describe("the words of dbt-command", () => {
  it.each([
    ["dbt", ["dbt"]],
    ["uv run  dbt", ["uv", "run", "dbt"]],
    ["'/my tools/dbt' --no-version-check", ["/my tools/dbt", "--no-version-check"]],
    [`"a \\"b\\"" c\\ d e'f g'h`, ['a "b"', "c d", "ef gh"]],
    ["dbt; rm -rf $HOME", ["dbt;", "rm", "-rf", "$HOME"]],
    ["''", [""]],
  ])("are split as a shell would, and nothing is run or expanded: %s", (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it("begin with a program that is there", async () => {
    expect(await commandOf("sh -c true", { PATH: "/nowhere:/bin" })).toEqual(["/bin/sh", "-c", "true"]);
    await expect(commandOf("dbt-of-nobody run", { PATH: "/bin" })).rejects.toMatchObject({
      code: "dbt-missing",
      message: expect.stringContaining('"dbt-of-nobody"'),
    });
    await expect(commandOf("/bin", { PATH: "/bin" })).rejects.toMatchObject({ code: "dbt-missing" });
  });
});

describe("a machine without a Python for dbt", () => {
  it("is told in one line where was looked", async () => {
    const folder = await mkdtemp(join(tmpdir(), "no-python-"));
    const environment = { PATH: folder, HOME: folder };
    const options = {
      dbtCommand: null,
      cacheFolder: folder,
      requirements: ["dbt-core==1.3.8"],
      environment,
      log: () => {},
    };
    await expect(provideDbt(options)).rejects.toMatchObject({
      code: "python-missing",
      message: expect.stringMatching(/^no python 3\.8, 3\.9 or 3\.10 found; looked on PATH for python3\.10.*$/),
    });
    await rm(folder, { recursive: true });
  });
});

describe("dbt's environment", () => {
  const environment = {
    PATH: "/bin",
    LC_ALL: "C",
    MY_DATABASE: "d",
    GITHUB_TOKEN: "t",
    INPUT_X: "i",
    MY_TOKEN: "t",
    AWS_SECRET: "a",
  };

  it("is what every program needs", () => {
    expect(scrubEnvironment(environment, [])).toEqual({ PATH: "/bin", LC_ALL: "C" });
  });

  it("has what is named besides, by name or pattern", () => {
    expect(scrubEnvironment(environment, ["MY_DATABASE"])).toHaveProperty("MY_DATABASE", "d");
    expect(scrubEnvironment(environment, ["MY_*"])).toHaveProperty("MY_DATABASE", "d");
  });

  it("has a token only where it is named in full", () => {
    expect(Object.keys(scrubEnvironment(environment, ["*"]))).toEqual(["PATH", "LC_ALL", "MY_DATABASE"]);
    expect(scrubEnvironment(environment, ["MY_TOKEN"])).toHaveProperty("MY_TOKEN", "t");
  });
});

describe("the profile", () => {
  const text = `
config: { partial_parse: false }
shop:
  target: &target dev
  outputs:
    dev: &dev { type: flink, host: "{{ env_var('HOST') }}", port: 8083, session_name: yes }
    prod: { <<: *dev, schema: p }
other: { outputs: { x: { type: postgres, host: db, password: p } } }`;

  it("points at the recorder in every output, and is otherwise the user's", () => {
    const redirected = JSON.parse(redirectProfile(text, "shop", { host: "127.0.0.1", port: 4711 }));
    expect(redirected.shop).toEqual({
      target: "dev",
      outputs: {
        dev: { type: "flink", host: "127.0.0.1", port: 4711, session_name: true },
        prod: { type: "flink", host: "127.0.0.1", port: 4711, session_name: true, schema: "p" },
      },
    });
    expect(redirected.config).toEqual({ partial_parse: false, send_anonymous_usage_stats: false, use_colors: false });
  });

  it("brings no other profile along, unless the project computes its profile's name", () => {
    const at = { host: "h", port: 1 };
    expect(Object.keys(JSON.parse(redirectProfile(text, "shop", at)))).toEqual(["shop", "config"]);
    expect(Object.keys(JSON.parse(redirectProfile(text, "{{ var('p') }}", at)))).toEqual(["shop", "other", "config"]);
  });

  it("names the target", () => {
    expect(defaultTarget(text, "shop")).toBe("dev");
    expect(defaultTarget(text, "other")).toBe("default");
  });

  it("that is nowhere is an error with the folders that dbt looks in", async () => {
    const search = { projectFolder: "/nowhere/p", profilesFolder: null, environment: { HOME: "/nowhere/h" } };
    await expect(findProfile(search)).rejects.toMatchObject({
      code: "dbt-failed",
      message: expect.stringContaining("/nowhere/p or /nowhere/h/.dbt"),
    });
    await expect(findProfile({ ...search, environment: { DBT_PROFILES_DIR: "/nowhere/d" } })).rejects.toThrow(
      "/nowhere/d;",
    );
  });
});
