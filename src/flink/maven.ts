import { mkdir, readdir } from "node:fs/promises";
import { DeployError } from "../errors.ts";
import { maskSecrets } from "../secrets.ts";
import { findOnPath, lastLines, runCommand } from "./command.ts";

/** group:artifact:version[:packaging[:classifier]], as Maven's dependency plugin takes it. */
const coordinatePattern = /^[\w.-]+:[\w.-]+:[\w.-]+(:[\w.-]+){0,2}$/;

export function isCoordinate(text: string): boolean {
  return coordinatePattern.test(text);
}

export interface ArtifactRequest {
  readonly coordinate: string;
  /** Gets the jar. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** The first version that runs on Maven 3.2.5 to 3.9 alike; named, so that every machine does the same. */
const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

/** Downloads one artifact, without what it depends on, with the user's own `mvn` and settings; or `maven-missing`. */
export async function fetchArtifact(request: ArtifactRequest): Promise<void> {
  const command = findOnPath("mvn", request.environment);
  if (command === null) {
    throw new DeployError("maven-missing", `PATH has no mvn, which is needed to download ${request.coordinate}`);
  }
  await mkdir(request.folder, { recursive: true });
  const { code, output } = await runCommand({
    command,
    args: [
      "--quiet",
      "--batch-mode",
      // Otherwise a failure is remembered for a day, and running the command again would not help.
      "--update-snapshots",
      plugin,
      `-Dartifact=${request.coordinate}`,
      `-DoutputDirectory=${request.folder}`,
    ],
    // An empty folder: a pom.xml in the user's project is not ours to run.
    folder: request.folder,
    environment: request.environment,
    signal: request.signal,
  });
  if (code !== 0 || (await readdir(request.folder)).length === 0) {
    throw new DeployError("download-failed", `Maven did not download ${request.coordinate}: ${firstError(output)}`);
  }
}

/** Maven's first error line names the artifact and the repository; the rest is advice about its own options. */
function firstError(output: string): string {
  const [, text] =
    /\[ERROR\] (?:Failed to execute goal .*? on project \S+: )?(.+?)(?: -> \[Help \d+\])?$/m.exec(output) ?? [];
  return maskSecrets(text ?? lastLines(output, 3));
}
