import { AsyncLocalStorage } from "node:async_hooks";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Artifacts of the workflow run that this is. Names are unique within it. */
export interface ArtifactClient {
  /** Makes an artifact of one file with this text; the digest of its zip file, where the toolkit tells it. */
  upload(name: string, text: string, retentionDays: number): Promise<string | null>;
  /** Needs no permission: the run's own token does it, for the run's own artifacts. */
  remove(name: string): Promise<void>;
}

export interface CacheClient {
  /** Saves one file with this text; `file` is part of what a cache is found by. False where the toolkit answered -1. */
  save(key: string, file: string, text: string): Promise<boolean>;
}

/** What the toolkit reads from `process.env`, and takes from nowhere else. */
const variables = [
  "GITHUB_SERVER_URL",
  "GITHUB_WORKSPACE",
  "GITHUB_RETENTION_DAYS",
  "RUNNER_TEMP",
  "ACTIONS_RUNTIME_TOKEN",
  "ACTIONS_RESULTS_URL",
  "ACTIONS_CACHE_SERVICE_V2",
  "ACTIONS_CACHE_MODE",
];

/** The real client. It reads the environment before its first wait, so calls for other runs do not mix. */
export function artifactClient(environment: NodeJS.ProcessEnv): ArtifactClient {
  return {
    async upload(name, text, retentionDays) {
      const { DefaultArtifactClient } = await toolkit();
      const folder = await mkdtemp(join(tmpdir(), "flink-dbt-deploy-artifact-"));
      try {
        const file = join(folder, "ledger.jsonl");
        await writeFile(file, text, { mode: 0o600 });
        const { digest } = await quietly(() => {
          useEnvironment(environment);
          return new DefaultArtifactClient().uploadArtifact(name, [file], folder, { retentionDays });
        });
        return digest === undefined ? null : `sha256:${digest}`;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async remove(name) {
      const { DefaultArtifactClient } = await toolkit();
      await quietly(() => {
        useEnvironment(environment);
        return new DefaultArtifactClient().deleteArtifact(name);
      });
    },
  };
}

let lastSave: Promise<unknown> = Promise.resolve();

/**
 * The real client. It packs files by their place in the workspace, and that place is part of what a cache is found by,
 * so all runs must have their file in the same one; therefore one save at a time.
 */
export function cacheClient(environment: NodeJS.ProcessEnv): CacheClient {
  return {
    save(key, file, text) {
      const save = lastSave.then(async () => {
        const { saveCache } = await toolkit();
        const place = resolve(file);
        try {
          await mkdir(dirname(place), { recursive: true });
          await writeFile(place, text, { mode: 0o600 });
          useEnvironment(environment);
          return (await quietly(() => saveCache([file], key, undefined, true))) !== -1;
        } finally {
          await rm(place, { force: true });
        }
      });
      lastSave = save.catch(() => undefined);
      return save;
    },
  };
}

/** Left out of the bundles by this comment for webpack; beside them there is one of that name. */
async function toolkit(): Promise<typeof import("./toolkit.ts")> {
  return await import(/* webpackIgnore: true */ "./toolkit.ts");
}

function useEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of variables) {
    const value = environment[name];
    if (value === undefined) delete process.env[name];
    else if (process.env[name] !== value) process.env[name] = value;
  }
}

const isToolkit = new AsyncLocalStorage<true>();
let isFiltered = false;

/**
 * The toolkit tells about a dozen lines of every upload, on standard output, where results go. They are shown only
 * where a workflow's debug log is on. Its workflow commands (warnings, values to mask) pass.
 */
function quietly<T>(work: () => Promise<T>): Promise<T> {
  if (!isFiltered) {
    isFiltered = true;
    const write = process.stdout.write.bind(process.stdout);
    const filtered = (chunk: string | Uint8Array, ...rest: []): boolean => {
      const isNoise = isToolkit.getStore() === true && typeof chunk === "string" && !chunk.startsWith("::");
      return write(isNoise ? chunk.replace(/^(?=.)/gm, "::debug::") : chunk, ...rest);
    };
    process.stdout.write = filtered;
  }
  return isToolkit.run(true, work);
}
