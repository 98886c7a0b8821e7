import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { DeployError } from "../errors.ts";
import { cachedFolder } from "./cache.ts";
import { fetchLibraries } from "./libraries.ts";
import { fetchArtifact, isCoordinate } from "./maven.ts";

export { defaultCacheFolder } from "./cache.ts";

export interface DistributionRequest {
  /** For example 1.20.3. */
  readonly version: string;
  /** An unpacked distribution to use instead of a download (`lib`, `opt`, `plugins`). */
  readonly flinkHome: string | null;
  /** Maven coordinates (`group:artifact:version`, not resolved transitively) or paths of jars. */
  readonly connectors: readonly string[];
  /** Absolute. */
  readonly cacheFolder: string;
  /** Takes a line per download, with its size and time. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Of pip and Maven; ours where none is given. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Distribution {
  readonly version: string;
  readonly libFolder: string;
  readonly pluginsFolder: string | null;
  /** The whole class path: Flink's libraries, the SQL Gateway and the connectors; absolute paths. */
  readonly jars: readonly string[];
}

/**
 * Flink of that version, from `flinkHome` or the cache, downloaded first where it is missing: a second call needs no
 * network. Throws `download-failed`, `maven-missing`, `python-missing`, `version-mismatch` or `inputs-invalid`.
 */
export async function provideDistribution(request: DistributionRequest): Promise<Distribution> {
  checkConnectors(request.connectors);
  const { home, gateway } =
    request.flinkHome === null ? await download(request) : await useHome(request.flinkHome, request);
  const libFolder = join(home, "lib");
  const pluginsFolder = join(home, "plugins");
  const connectors: string[] = [];
  // One after the other: two processes of Maven must not share a local repository.
  for (const connector of request.connectors) {
    connectors.push(isCoordinate(connector) ? await artifact(request, connector) : resolve(connector));
  }
  const jars = new Set([...(await jarsIn(libFolder)), gateway, ...connectors]);
  return {
    version: request.version,
    libFolder,
    pluginsFolder: existsSync(pluginsFolder) ? pluginsFolder : null,
    jars: [...jars],
  };
}

function checkConnectors(connectors: readonly string[]): void {
  for (const connector of connectors) {
    if (isCoordinate(connector) || existsSync(connector)) continue;
    const message = `connector ${connector} is neither a jar that exists nor group:artifact:version`;
    throw new DeployError("inputs-invalid", message);
  }
}

interface Parts {
  readonly home: string;
  readonly gateway: string;
}

async function useHome(path: string, request: DistributionRequest): Promise<Parts> {
  const home = resolve(path);
  await checkVersion(home, request.version);
  return { home, gateway: (await gatewayOf(home)) ?? (await gatewayFromMaven(request)) };
}

async function checkVersion(home: string, version: string): Promise<void> {
  const jars = existsSync(join(home, "lib")) ? await jarsIn(join(home, "lib")) : [];
  const found = jars
    .map((jar) => /^flink-dist[-_](?:2\.1\d-)?(.+)\.jar$/.exec(basename(jar))?.[1])
    .find((name) => name);
  if (found === undefined) {
    throw new DeployError("inputs-invalid", `flink-home ${home} has no lib/flink-dist-<version>.jar`);
  }
  // Distributors add their own mark to the version: 1.20.0-amzn-1.
  if (found !== version && !found.startsWith(`${version}-`)) {
    throw new DeployError("version-mismatch", `flink-home ${home} holds Flink ${found}, flink-version is ${version}`);
  }
}

/** Both at once, since either takes several seconds; the other is waited for when one fails. */
async function download(request: DistributionRequest): Promise<Parts> {
  const [home, gateway] = await Promise.allSettled([libraries(request), gatewayFromMaven(request)]);
  if (home.status === "rejected") throw home.reason;
  if (gateway.status === "rejected") throw gateway.reason;
  return { home: home.value, gateway: gateway.value };
}

function libraries(request: DistributionRequest): Promise<string> {
  const { version, cacheFolder, signal } = request;
  const environment = request.environment ?? process.env;
  return cachedFolder({
    cacheFolder,
    name: join("flink", version),
    fill: (folder) =>
      measured(request, `Flink ${version} from PyPI`, folder, () =>
        fetchLibraries({ version, folder, environment, signal }),
      ),
  });
}

const gatewayFromMaven = (request: DistributionRequest): Promise<string> =>
  artifact(request, `org.apache.flink:flink-sql-gateway:${request.version}`);

async function gatewayOf(home: string): Promise<string | null> {
  for (const folder of [join(home, "opt"), join(home, "lib")]) {
    if (!existsSync(folder)) continue;
    const jar = (await jarsIn(folder)).find((path) => /^flink-sql-gateway-\d.*\.jar$/.test(basename(path)));
    if (jar !== undefined) return jar;
  }
  return null;
}

async function artifact(request: DistributionRequest, coordinate: string): Promise<string> {
  const { cacheFolder, signal } = request;
  const environment = request.environment ?? process.env;
  const folder = await cachedFolder({
    cacheFolder,
    name: join("maven", ...coordinate.split(":")),
    fill: (temporary) =>
      measured(request, `${coordinate} from Maven`, temporary, () =>
        fetchArtifact({ coordinate, folder: temporary, environment, signal }),
      ),
  });
  const [jar] = await jarsIn(folder);
  if (jar === undefined) throw new DeployError("download-failed", `${coordinate} is not a jar`);
  return jar;
}

async function measured(request: DistributionRequest, what: string, folder: string, fetch: () => Promise<void>) {
  const start = performance.now();
  request.log(`downloading ${what}`);
  await fetch();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  request.log(`downloaded ${what}: ${((await size(folder)) / 1e6).toFixed(1)} MB unpacked in ${seconds} s`);
}

async function size(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, each) => sum + each, 0);
}

async function jarsIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jar"));
  return names.sort().map((name) => join(folder, name));
}
