import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../errors.ts";
import { maskSecrets } from "../secrets.ts";
import { findOnPath, lastLines, runCommand } from "./command.ts";

export interface LibrariesRequest {
  readonly version: string;
  /** Empty; gets `lib` and `plugins`. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads apache-flink-libraries, which holds a whole distribution, with the user's own pip, so that indexes,
 * proxies and certificates set for pip count.
 */
export async function fetchLibraries(request: LibrariesRequest): Promise<void> {
  const python = await findPython(request);
  const download = join(request.folder, "download");
  // Pip's own temporary files go here too, so that nothing stays behind elsewhere when it is killed.
  await mkdir(join(download, "tmp"), { recursive: true });
  const wanted = `apache-flink-libraries==${request.version}`;
  const args = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"];
  const { code, output } = await runCommand({
    command: python,
    // Only this one is wanted as source; pip may need a wheel of setuptools to read its metadata.
    args: [...args, "--no-binary", "apache-flink-libraries", "--no-cache-dir", "--dest", download, wanted],
    folder: download,
    environment: { ...request.environment, TMPDIR: join(download, "tmp") },
    signal: request.signal,
  });
  const archive = (await readdir(download)).find((name) => name.endsWith(".tar.gz"));
  if (code !== 0 || archive === undefined) {
    throw new DeployError("download-failed", `pip did not download ${wanted}: ${maskSecrets(lastLines(output, 3))}`);
  }
  await unpack(request, join(download, archive), archive.slice(0, -".tar.gz".length));
  await rm(download, { recursive: true });
}

async function unpack(request: LibrariesRequest, archive: string, root: string): Promise<void> {
  const { code, output } = await runCommand({
    command: "tar",
    args: ["-xzf", archive, "-C", request.folder, "--strip-components=2", `${root}/deps/lib`, `${root}/deps/plugins`],
    folder: request.folder,
    environment: request.environment,
    signal: request.signal,
  });
  if (code !== 0) throw new DeployError("download-failed", `${archive} cannot be unpacked: ${lastLines(output, 3)}`);
}

/** Any Python 3 with pip serves: nothing of Flink's Python side is run. */
async function findPython({ version, folder, environment, signal }: LibrariesRequest): Promise<string> {
  for (const name of ["python3", "python"]) {
    const path = findOnPath(name, environment);
    if (path === null) continue;
    const check = "import sys, pip; sys.exit(sys.version_info[0] != 3)";
    const { code } = await runCommand({ command: path, args: ["-c", check], folder, environment, signal });
    if (code === 0) return path;
  }
  throw new DeployError(
    "python-missing",
    `Flink ${version} is downloaded with pip, and PATH has no Python 3 with pip; install one, or set flink-home`,
  );
}
