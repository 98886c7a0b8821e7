import { describeError, inOneLine } from "../errors.ts";
import { createRecord, environmentOfJob, type RecordState, setState } from "../github/deployment-record.ts";
import { maskSecrets } from "../secrets.ts";
import type { OnGithub } from "./on-github.ts";
import type { Shell } from "./shell.ts";

/** A deployment's record among those of the repository. Where it was not ended, its disposal says that it broke off. */
export interface OpenRecord extends AsyncDisposable {
  /** Never fails: what is in the way is a line of the log. */
  end(state: "success" | "failure", description: string): Promise<void>;
}

export interface ToRecord {
  readonly environment: string;
  readonly project: string;
  readonly commit: string;
  readonly deployment: string;
}

const none: OpenRecord = { end: async () => undefined, [Symbol.asyncDispose]: async () => undefined };

/**
 * Records on GitHub that a deployment has begun. A missing permission, and a forge that knows no deployments, are a line of
 * the log: what is deployed does not hang on its record.
 */
export async function openRecord(
  { environment, project, commit, deployment }: ToRecord,
  github: OnGithub | null,
  { log }: Pick<Shell, "log">,
): Promise<OpenRecord> {
  if (github === null) return none;
  const { api, run } = github;
  const attempt = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      log(`the deployment is not recorded on GitHub: ${inOneLine(maskSecrets(describeError(error)))}`);
      return null;
    }
  };
  const id = await attempt(async () => {
    const own = await environmentOfJob(api, { commit: github.commit ?? commit, run });
    if (own !== null) {
      log(`GitHub records this deployment itself, for the environment ${own} of the workflow's job`);
      return null;
    }
    const description = `flink-dbt-deploy: ${project}`;
    const made = await createRecord(api, { environment, commit, deployment, description, run });
    await setState(api, made, { state: "in_progress", description, run });
    return made;
  });
  if (id === null) return none;
  let isEnded = false;
  const say = async (state: RecordState, description: string): Promise<void> => {
    isEnded = true;
    await attempt(() => setState(api, id, { state, description, run }));
  };
  return {
    end: say,
    async [Symbol.asyncDispose]() {
      if (!isEnded) await say("error", "it broke off");
    },
  };
}
