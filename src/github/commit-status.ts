import { type GithubApi, nothing } from "./api.ts";

export interface CommitStatus {
  readonly commit: string;
  readonly state: "success" | "failure" | "error";
  /** Its name, which a rule can require. */
  readonly context: string;
  readonly description: string;
  /** Of the page that its link leads to. */
  readonly url: string;
}

const longest = 140;

/** Sets a commit's status; the newest of a context counts. Throws `github-failed`. */
export async function setCommitStatus(api: GithubApi, status: CommitStatus): Promise<void> {
  const { commit, state, context, description, url } = status;
  const body = { state, context, description: shortened(description), target_url: url };
  await api.send("POST", `/statuses/${commit}`, { body, decoder: nothing, permission: "statuses: write" });
}

function shortened(text: string): string {
  const signs = [...text];
  return signs.length > longest ? `${signs.slice(0, longest - 1).join("")}…` : text;
}
