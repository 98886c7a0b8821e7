import { type Decoder, fields, list, nullable, number, string } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";
import type { GithubApi } from "./api.ts";

/** What one of the repository's deployments on GitHub is to say. */
export interface DeploymentRecord {
  readonly environment: string;
  /** That is deployed; 40 hex. */
  readonly commit: string;
  /** Ours, by which it is found again. */
  readonly deployment: string;
  /** At most 140 signs. */
  readonly description: string;
  /** Page of the workflow run. */
  readonly run: string;
}

export type RecordState = "in_progress" | "success" | "failure" | "error";

const permission = "deployments: write";
const key = "flink-dbt-deploy";

interface Listed {
  readonly id: number;
  readonly environment: string;
  /** Whatever its maker put there. */
  readonly payload: unknown;
}

const listed: Decoder<Listed> = fields((it) => ({
  id: it.get("id", number),
  environment: it.get("environment", string),
  payload: it.get("payload", (value) => value),
}));

/** Deployments of one commit that are looked at: more are other runs' of long ago. */
const looksAt = 10;

/**
 * The environment of the deployment that GitHub itself made for the job of this run, which has `environment:` in its
 * workflow; null where it made none. It is known by its statuses, which link to the run.
 */
export async function environmentOfJob(
  api: GithubApi,
  { commit, run }: { readonly commit: string; readonly run: string },
): Promise<string | null> {
  const all = await api.get(`/deployments?sha=${commit}&per_page=${looksAt}`, { decoder: list(listed), permission });
  for (const { id, environment, payload } of all) {
    if (ourDeployment(payload) !== null) continue;
    const links = await api.get(`/deployments/${id}/statuses?per_page=100`, { decoder: list(logUrl), permission });
    if (links.some((link) => link === run || link?.startsWith(`${run}/`))) return environment;
  }
  return null;
}

const logUrl: Decoder<string | null> = fields((it) => it.get("log_url", nullable(string)));

/** Makes a deployment, and gives its id. */
export async function createRecord(api: GithubApi, record: DeploymentRecord): Promise<number> {
  const { commit, environment, deployment, description, run } = record;
  const made = await api.create("/deployments", {
    body: {
      ref: commit,
      environment,
      description,
      auto_merge: false,
      // Whether the commit may be deployed was decided by whoever started this run.
      required_contexts: [],
      payload: { [key]: { deployment, run } },
    },
    decoder: listed,
    permission,
    async look() {
      const query = `sha=${commit}&environment=${encodeURIComponent(environment)}&per_page=${looksAt}`;
      const all = await api.get(`/deployments?${query}`, { decoder: list(listed), permission });
      return all.find(({ payload }) => ourDeployment(payload) === `${deployment} ${run}`) ?? null;
    },
  });
  return made.id;
}

/** GitHub gives the payload back as it was sent, or as text. */
function ourDeployment(payload: unknown): string | null {
  const value: unknown = typeof payload === "string" ? parsed(payload) : payload;
  const ours: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : null;
  if (typeof ours !== "object" || ours === null) return null;
  return `${String(Reflect.get(ours, "deployment"))} ${String(Reflect.get(ours, "run"))}`;
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/** Says how a deployment goes. The same said twice is one more line in its history, and no harm. */
export async function setState(
  api: GithubApi,
  id: number,
  { state, description, run }: { readonly state: RecordState; readonly description: string; readonly run: string },
): Promise<void> {
  await api.send("POST", `/deployments/${id}/statuses`, {
    body: { state, description: shortened(description), log_url: run },
    decoder: () => null,
    permission,
  });
}

const longestDescription = 140;

function shortened(text: string): string {
  const signs = [...text];
  return signs.length <= longestDescription ? text : `${signs.slice(0, longestDescription - 1).join("")}…`;
}
