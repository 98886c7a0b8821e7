import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { provideDbt } from "../../../src/project/python.ts";
import { findPython } from "../../../src/project/python-search.ts";

/**
 * Stands for a Python: answers the question for its version, and makes a virtual environment whose pip "installs" a
 * dbt. It fails to install while the file `offline` lies beside it.
 */
const fake = (version: string) => `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  *version_info*) echo ${version}; echo "$0" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "$here" > "$3/bin/origin" ;;
  "-m pip install "*) if [ -e "$(cat "$here/origin")/offline" ]; then echo "ERROR: no network" >&2; exit 1; fi
    printf '#!%s/python\\n' "$here" > "$here/dbt"; chmod +x "$here/dbt" ;;
  *importlib.metadata*) echo dbt-flink-adapter==9.9 ;;
esac
`;

let folder: string;
let lines: string[];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "python-")));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
  await chmod(join(folder, path), 0o755);
}

/** The system's programs for the scripts above, in which no Python is looked for. */
const withTools = { PATH: "", HOME: "" };
beforeEach(() => {
  withTools.PATH = `${folder}/bin:${folder}/tools`;
  withTools.HOME = `${folder}/home`;
});
async function tools(): Promise<void> {
  for (const tool of ["dirname", "mkdir", "cp", "cat", "chmod", "sh"]) {
    await program(`tools/${tool}`, `#!/bin/sh\nPATH=/usr/bin:/bin exec ${tool} "$@"\n`);
  }
}

const provide = () =>
  provideDbt({
    dbtCommand: null,
    cacheFolder: join(folder, "cache"),
    requirements: ["dbt-core==1"],
    environment: withTools,
    log: (line) => lines.push(line),
  });

describe("a Python", () => {
  it("is found on PATH, by its version and not by its name", async () => {
    await tools();
    await program("bin/python3.10", "#!/bin/sh\nexit 127\n");
    await program("bin/python3", fake("3.12"));
    await program("bin/python", fake("3.9"));
    expect(await findPython(withTools)).toEqual({ path: join(folder, "bin/python"), version: "3.9" });
  });

  it("is found in pyenv, the newest first", async () => {
    await tools();
    await program("home/.pyenv/versions/3.8.18/bin/python", fake("3.8"));
    await program("home/.pyenv/versions/3.10.9/bin/python", fake("3.10"));
    await program("home/.pyenv/versions/3.10.13/bin/python", fake("3.10"));
    await program("home/.pyenv/versions/3.13.0/bin/python", fake("3.13"));
    expect(await findPython(withTools)).toMatchObject({
      path: join(folder, "home/.pyenv/versions/3.10.13/bin/python"),
    });
  });

  it("is found where pyenv, uv or the runner's tool cache say", async () => {
    await tools();
    await program(
      "bin/uv",
      `#!/bin/sh\n[ "$4" = 3.9 ] || exit 1\n[ "$3" = --no-python-downloads ] && echo ${folder}/of-uv\n`,
    );
    await program("of-uv", fake("3.9"));
    expect(await findPython(withTools)).toMatchObject({ path: join(folder, "of-uv") });
    await program("cache/Python/3.8.10/x64/bin/python3", fake("3.8"));
    const onRunner = { ...withTools, RUNNER_TOOL_CACHE: join(folder, "cache") };
    expect(await findPython(onRunner)).toMatchObject({ path: join(folder, "cache/Python/3.8.10/x64/bin/python3") });
    await program("bin/pyenv", `#!/bin/sh\necho ${folder}/elsewhere\n`);
    await program("elsewhere/versions/3.10.1/bin/python", fake("3.10"));
    expect(await findPython(onRunner)).toMatchObject({ path: join(folder, "elsewhere/versions/3.10.1/bin/python") });
  });

  it("that is missing is told of in one line, with every place that was searched and what is there", async () => {
    await tools();
    await program("bin/python3", fake("3.12"));
    await program("bin/python3.9", "#!/bin/sh\nexit 127\n");
    await program("bin/pyenv", `#!/bin/sh\necho ${folder}/elsewhere\n`);
    await program("elsewhere/versions/3.8.1/bin/python", "#!/bin/sh\nexit 1\n");
    const environment = { ...withTools, PYENV_ROOT: join(folder, "of-mine"), RUNNER_TOOL_CACHE: join(folder, "cache") };
    await expect(findPython(environment)).rejects.toMatchObject({
      code: "python-missing",
      message: [
        `no python 3.8, 3.9 or 3.10 found; looked on PATH for python3.10, python3.9, python3.8, python3, python (python3.9 does not run, python3 is 3.12)`,
        `in the pyenv roots ${folder}/elsewhere, ${folder}/of-mine, ${folder}/home/.pyenv (${folder}/elsewhere/versions/3.8.1/bin/python does not run)`,
        `in the tool cache ${folder}/cache (none)`,
        "and asked uv (none)",
      ].join(", "),
    });
    await expect(findPython(withTools)).rejects.toMatchObject({
      message: expect.stringContaining("in the tool cache, which RUNNER_TOOL_CACHE does not name (none)"),
    });
  });
});

describe("dbt in the cache", () => {
  beforeEach(async () => {
    await tools();
    await program("bin/python3.10", fake("3.10"));
  });

  it("is installed once, with a line that says so", async () => {
    const first = await provide();
    expect(first.adapterVersion).toBe("dbt-flink-adapter==9.9");
    await rm(join(folder, "bin"), { recursive: true });
    expect(await provide()).toEqual(first);
    expect(lines).toEqual([expect.stringMatching(/^installing dbt-core==1 with python 3\.10 into /)]);
  });

  it("is not there after an installation that failed, and is then built again", async () => {
    await writeFile(join(folder, "bin/offline"), "");
    await expect(provide()).rejects.toMatchObject({
      code: "download-failed",
      message: "cannot install dbt-core==1: ERROR: no network",
    });
    expect(await readdir(join(folder, "cache/dbt"))).toEqual([]);
    await rm(join(folder, "bin/offline"));
    await expect(provide()).resolves.toMatchObject({ description: "dbt-core==1" });
  });

  it("is built again over what an ended process left, which is removed", async () => {
    await provide();
    const [marker = ""] = (await readdir(join(folder, "cache/dbt"))).filter((name) => name.endsWith(".ready"));
    await rm(join(folder, "cache/dbt", marker));
    const ofTheDead = `${marker.replace(".ready", "")}-999999999-1`;
    await mkdir(join(folder, "cache/dbt", ofTheDead, "bin"), { recursive: true });
    await provide();
    expect(await readdir(join(folder, "cache/dbt"))).not.toContain(ofTheDead);
  });

  it("is built again where its Python was uninstalled", async () => {
    const { command } = await provide();
    await rm(join(command[0] ?? "", "..", "python"));
    await provide();
    expect(lines).toHaveLength(2);
  });
});
