import { fields, string } from "../flink/decode.ts";
import type { GithubApi } from "./api.ts";
import { GithubRefusal } from "./refusal.ts";

/** Under whose name the token of a workflow's job writes; GitHub does not tell it to the token itself. */
const bot = "github-actions[bot]";

/** Under whose name this token writes. What others wrote is never taken for ours. */
export async function ownLogin(api: GithubApi): Promise<string> {
  try {
    const decoder = fields((it) => it.get("login", string));
    return await api.get("//user", { decoder, permission: "metadata: read" });
  } catch (error) {
    if (error instanceof GithubRefusal && (error.status === 403 || error.isAbsence)) return bot;
    throw error;
  }
}
