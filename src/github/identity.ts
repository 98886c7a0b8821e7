import { fields, string } from "../flink/decode.ts";
import type { GithubApi } from "./api.ts";
import { GithubRefusal } from "./refusal.ts";

const botOfGithub = "github-actions[bot]";
const botsOfForges: readonly string[] = ["gitea-actions", "forgejo-actions"];

/** Whose a job's own token may be. On GitHub's own servers anybody may have the names of the forges' bots. */
function botsOfJobs({ host }: Pick<GithubApi, "host">): readonly string[] {
  return /(?:^|\.)(?:github|ghe)\.com$/.test(host) ? [botOfGithub] : [botOfGithub, ...botsOfForges];
}

const viewer = fields((it) =>
  it.get(
    "data",
    fields((data) => data.get("viewer", login)),
  ),
);
const login = fields((it) => it.get("login", string));

/**
 * The accounts that what the token makes may be of. `GET /user` tells it of a person's token alone; GraphQL tells it of a
 * job's and an app's too, which GitHub's own command line relies on. Where neither answers, it is the job's token.
 */
export async function ownLogins(api: Pick<GithubApi, "host" | "get" | "send">): Promise<ReadonlySet<string>> {
  const body = { query: "{viewer{login}}" };
  const own =
    (await refusedAsNull(() =>
      api.send("POST", "//graphql", { decoder: viewer, permission: "metadata: read", body }),
    )) ?? (await refusedAsNull(() => api.get("//user", { decoder: login, permission: "metadata: read" })));
  return new Set(own === null ? botsOfJobs(api) : [own]);
}

async function refusedAsNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    // A token that is not valid is told by whatever it is needed for.
    if (error instanceof GithubRefusal) return null;
    throw error;
  }
}
