import { type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import type { GithubApi } from "../github/api.ts";
import { GithubRefusal } from "../github/refusal.ts";

/** The account that a workflow job's own token acts as; that token may not ask who it is. */
const jobs = "github-actions[bot]";

interface Comment {
  readonly id: number;
  readonly body: string | null;
  readonly author: string | null;
}

const comment: Decoder<Comment> = fields((it) => ({
  id: it.get("id", number),
  body: it.get("body", nullable(string)),
  author: it.get("user", nullable(fields((user) => user.get("login", string)))),
}));

/** The texts of the comments on a pull request that our own identity wrote, oldest first. */
export async function ownComments(api: GithubApi, pullRequest: number): Promise<readonly string[]> {
  const self = await ownLogin(api);
  const permission = "pull-requests: read";
  const all = await api.pages(`/issues/${pullRequest}/comments`, { decoder: comment, permission });
  return all.flatMap(({ author, body }) => (author === self && body !== null ? [body] : []));
}

async function ownLogin(api: GithubApi): Promise<string> {
  const decoder = fields((it) => it.get("login", string));
  return await api.get("//user", { decoder, permission: "any" }).catch((error: unknown) => {
    if (error instanceof GithubRefusal && [401, 403, 404].includes(error.status)) return jobs;
    throw error;
  });
}
