import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import type { StoreInputs } from "../inputs/inputs.ts";
import type { Store } from "../ledger/store.ts";
import { openGitStore } from "../ledger/stores/git.ts";
import { type GitRemote, gitRemote } from "../ledger/stores/git-remote.ts";
import { type RepositoryConfig, repositoryConfig } from "../project/repository-config.ts";
import { makeScratch } from "./checkout.ts";
import type { Shell } from "./shell.ts";

/** The `git` store: in the repository that is named, or in the `origin` of the project's. Throws `inputs-invalid`. */
export async function openLedgerGit(inputs: StoreInputs, shell: Shell): Promise<Store> {
  const { environment, ledgerRef } = inputs;
  if (ledgerRef === null && /\.(lock)?$/.test(environment)) {
    throw new DeployError("inputs-invalid", `environment: git has no ref of the name ${environment}; give ledger-ref`);
  }
  return openGitStore({
    remote: await remoteOf(inputs, shell.cwd),
    ref: ledgerRef ?? `refs/flink-dbt-deploy/${environment}`,
    environment,
    makeFolder: makeOwnFolder,
    variables: shell.environment,
    signal: shell.signal,
    now: shell.now,
    sleep: shell.sleep,
    random: Math.random,
  });
}

/** What tells git how to reach a repository: credentials, proxies, other names of a URL. */
const reaching = /^(http|credential|url|ssh)\.|^core\.(sshcommand|askpass|gitproxy)$/;

/** git is told what it would find in the project's repository, since it runs outside of it. */
async function remoteOf(
  { projectDir, ledgerGit, ledgerGitToken: token }: StoreInputs,
  cwd: string,
): Promise<GitRemote> {
  const project = resolve(cwd, projectDir);
  const found = await repositoryConfig(project).catch((error: unknown) => {
    if (ledgerGit === null)
      throw noOrigin(project, existsSync(project) ? describeError(error) : "there is no such folder");
    return null;
  });
  const config = found?.config.filter(([name]) => reaching.test(name)) ?? [];
  if (ledgerGit !== null) return gitRemote({ location: ledgerGit, folder: cwd, token, config });
  return gitRemote({ ...originOf(found, project), token, config });
}

function originOf(found: RepositoryConfig | null, project: string): { location: string; folder: string } {
  // Of several, git fetches from the first.
  const origin = found?.config.find(([name]) => name === "remote.origin.url");
  if (found === null || origin === undefined) throw noOrigin(project, "the repository there has no remote `origin`");
  return { location: origin[1], folder: found.folder };
}

function noOrigin(project: string, why: string): DeployError {
  return new DeployError("inputs-invalid", `ledger-git: is required, since ${project} names no repository: ${why}`);
}

/** For as long as this process lives; what a killed one leaves is swept by a later one. */
async function makeOwnFolder(): Promise<string> {
  const { folder } = await makeScratch();
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
