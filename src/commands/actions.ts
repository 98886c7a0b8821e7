import { DeployError } from "../errors.ts";
import type { StoreKind } from "../inputs/inputs.ts";

/** What GitHub's runner tells a step of an action. */
export interface ActionsRuntime {
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly repositoryId: number | null;
  readonly ref: string;
  /** Of the service that artifacts and caches are written through. */
  readonly resultsUrl: string;
  readonly runtimeToken: string;
}

/** Reads it from the environment, or throws `inputs-invalid` naming `store`, before anything is done. */
export function actionsRuntime(store: StoreKind, environment: NodeJS.ProcessEnv): ActionsRuntime {
  const refused = (why: string): DeployError => new DeployError("inputs-invalid", `store: ${store} ${why}`);
  const server = environment.GITHUB_SERVER_URL || "https://github.com";
  // As @actions/artifact and @actions/cache tell a server that has no such service; elsewhere they do nothing or throw.
  if (!URL.canParse(server) || !/^(github\.com|.*\.ghe\.com|.*\.localhost)$/i.test(new URL(server).hostname)) {
    throw refused(`is not to be had on ${server}, only on github.com and ghe.com; take another store`);
  }
  const { GITHUB_REPOSITORY, GITHUB_REF, ACTIONS_RESULTS_URL, ACTIONS_RUNTIME_TOKEN } = environment;
  if (!ACTIONS_RESULTS_URL || !ACTIONS_RUNTIME_TOKEN || !GITHUB_REPOSITORY || !GITHUB_REF) {
    const why =
      "needs ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN, which GitHub gives to a step that `uses` an action";
    throw refused(`works in GitHub Actions alone: it ${why}, and not to one that runs a command`);
  }
  if (store === "cache" && !environment.ACTIONS_CACHE_SERVICE_V2) {
    throw refused("needs version 2 of the cache service, and ACTIONS_CACHE_SERVICE_V2 is not set");
  }
  const repositoryId = Number(environment.GITHUB_REPOSITORY_ID);
  return {
    apiUrl: (environment.GITHUB_API_URL || "https://api.github.com").replace(/\/+$/, ""),
    repository: GITHUB_REPOSITORY,
    repositoryId: Number.isSafeInteger(repositoryId) && repositoryId > 0 ? repositoryId : null,
    ref: GITHUB_REF,
    resultsUrl: ACTIONS_RESULTS_URL,
    runtimeToken: ACTIONS_RUNTIME_TOKEN,
  };
}
