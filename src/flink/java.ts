import { join } from "node:path";
import { DeployError } from "../errors.ts";
import { findOnPath, isExecutable, runCommand } from "./command.ts";

/** The path of a `java` that this Flink version runs on. Throws `java-missing` with what was found instead. */
export async function findJava(flinkVersion: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const highest = highestJava(flinkVersion);
  const found: string[] = [];
  for (const path of candidates(environment)) {
    const version = await javaVersion(path, environment);
    if (version !== null && version >= 11 && version <= highest) return path;
    found.push(version === null ? `${path} (does not run)` : `Java ${version} (${path})`);
  }
  const wanted = highest > 17 ? "Java 11, 17 or 21" : "Java 11 or 17";
  const instead = found.length === 0 ? "neither JAVA_HOME nor PATH has a java" : `found ${found.join(", ")}`;
  throw new DeployError("java-missing", `Flink ${flinkVersion} needs ${wanted}, ${instead}`);
}

/** Flink 1.19 was the first to run on Java 21 (FLINK-33163). */
function highestJava(flinkVersion: string): number {
  const [major = 0, minor = 0] = flinkVersion.split(".").map(Number);
  return major > 1 || minor >= 19 ? 21 : 17;
}

/** JAVA_HOME and PATH come first; GitHub's runners hold more than one Java, each under such a name. */
function candidates(environment: NodeJS.ProcessEnv): readonly string[] {
  const homes = [environment.JAVA_HOME, environment.JAVA_HOME_17_X64, environment.JAVA_HOME_17_ARM64];
  const [chosen, ...others] = homes.map((home) => (home ? join(home, "bin", "java") : null));
  const all = [chosen, findOnPath("java", environment), ...others];
  return [...new Set(all)].filter((path) => path !== null && path !== undefined).filter(isExecutable);
}

async function javaVersion(path: string, environment: NodeJS.ProcessEnv): Promise<number | null> {
  const { code, output } = await runCommand({ command: path, args: ["-version"], folder: "/", environment });
  return code === 0 ? parseJavaVersion(output) : null;
}

/** `openjdk version "17.0.15"` is 17, `java version "1.8.0_402"` is 8; there is no field to read instead. */
export function parseJavaVersion(output: string): number | null {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (first === undefined) return null;
  return first === "1" && second !== undefined ? Number(second) : Number(first);
}

/** What Flink's own configuration opens on Java 17 (`env.java.opts.all`); Java 11 takes it without complaint. */
export const openModules: readonly string[] = [
  ...["java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"].map(
    (name) => `--add-exports=${name}=ALL-UNNAMED`,
  ),
  ...["api", "file", "parser", "tree", "util"].map(
    (name) => `--add-exports=jdk.compiler/com.sun.tools.javac.${name}=ALL-UNNAMED`,
  ),
  ...["java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time"].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
  ...["util", "util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"].map(
    (name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`,
  ),
];
