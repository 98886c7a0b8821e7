import { tmpdir } from "node:os";
import { readText } from "../flink/read-text.ts";
import { runChild } from "./child-process.ts";
import { scrubEnvironment } from "./dbt-environment.ts";

const listing = `import importlib.metadata as m
for d in m.distributions():
    n = (d.metadata["Name"] or "").lower().replace("_", "-")
    if n.startswith("dbt-flink"): print(n + "==" + d.version)`;

/**
 * The adapter's package and version, such as `dbt-flink-adapter==1.3.11`, as installed beside a dbt; "unknown" where
 * neither dbt's interpreter nor `dbt --version` (which asks PyPI and is the last resort) tells.
 */
export async function adapterVersionOf(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const own = { ...scrubEnvironment(environment, ["HOME"]), DO_NOT_TRACK: "1" };
  const interpreter = command.length === 1 ? await interpreterOf(command[0] ?? "") : null;
  if (interpreter !== null) {
    const { code, stdout } = await runChild([interpreter, "-c", listing], { cwd: tmpdir(), environment: own });
    const found = stdout.trim().split("\n")[0];
    if (code === 0 && found !== undefined && found !== "") return found;
  }
  const { stdout, stderr } = await runChild([...command, "--version"], { cwd: tmpdir(), environment: own });
  const version = /- flink\S*: (\S+)/.exec(`${stdout}\n${stderr}`)?.[1];
  return version === undefined ? "unknown" : `dbt-flink-adapter==${version}`;
}

/** pip writes scripts of ten lines; a program of another kind may be large, and has none. */
const maxScriptBytes = 1024 * 1024;

/** The Python in a script's first line; null for a program of another kind. */
async function interpreterOf(script: string): Promise<string | null> {
  const text = await readText(script, maxScriptBytes).catch(() => "");
  return /^#!\s*(\/\S*python[\d.]*)\s*$/m.exec(text.slice(0, 300))?.[1] ?? null;
}
