import { execFile } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const quiet = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--allow-file-access-from-files", "--virtual-time-budget=20000", "--force-device-scale-factor=1"],
];
const limitMs = 120_000;

/** The browser that CHROMIUM names, or one that is found on PATH; null where there is none. */
export async function findChromium(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const folders = (environment.PATH ?? "").split(delimiter);
  const candidates = [
    ...(environment.CHROMIUM ? [environment.CHROMIUM] : []),
    ...["chromium", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))),
  ];
  for (const path of candidates) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** A picture of the whole page as a PNG; `page` has its height as its title once it is drawn. */
export async function takePicture(chromium: string, page: string, png: string, width: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "screenshots-"));
  try {
    const file = join(folder, "page.html");
    await writeFile(file, page);
    const open = async (height: number, ...how: readonly string[]): Promise<string> => {
      const args = [...quiet, `--user-data-dir=${join(folder, "profile")}`, `--window-size=${width},${height}`, ...how];
      const options = { timeout: limitMs, maxBuffer: 64 * 1024 * 1024 };
      return (await run(chromium, [...args, pathToFileURL(file).href], options)).stdout;
    };
    const height = Number(/<title>(\d+)<\/title>/.exec(await open(800, "--dump-dom"))?.[1]);
    if (!(height > 0)) throw new Error(`${png}: the page was not drawn in time`);
    await open(height, `--screenshot=${png}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
