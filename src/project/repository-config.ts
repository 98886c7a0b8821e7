import { git, repositoryOf } from "./worktree.ts";

export interface RepositoryConfig {
  /** The repository's top folder. */
  readonly folder: string;
  /** Name and value as they come, also those that the files it includes say. Names are as git writes them. */
  readonly config: readonly (readonly [string, string])[];
}

/** The config that a repository has of its own; `folder` is in it. Throws `base-missing` outside of one. */
export async function repositoryConfig(folder: string): Promise<RepositoryConfig> {
  const { stdout } = await git(folder, ["config", "--local", "--includes", "--list", "--null"]);
  const lines = stdout.split("\0").filter((line) => line !== "");
  const config = lines.map((line) => {
    const [name = "", ...value] = line.split("\n");
    // A name alone is true.
    return [name, value.length === 0 ? "true" : value.join("\n")] as const;
  });
  return { folder: await repositoryOf(folder), config };
}
