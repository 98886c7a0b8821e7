import { describeError, inOneLine } from "../errors.ts";
import { postNote } from "../gitlab/note.ts";
import type { PlanInputs } from "../inputs/inputs.ts";
import type { Plan } from "../plan/plan.ts";
import { renderComment } from "../report/comment.ts";
import { commentMarker } from "../report/comment-marker.ts";
import { maskSecrets } from "../secrets.ts";
import type { Shell } from "./shell.ts";

/** Tells a plan on its merge request, in GitLab's CI. Elsewhere it does nothing, and nowhere does it fail. */
export async function tellMergeRequest(
  plan: Plan,
  { comment }: Pick<PlanInputs, "comment">,
  shell: Shell,
): Promise<void> {
  const { GITLAB_CI, CI_API_V4_URL: url, CI_MERGE_REQUEST_IID: iid, CI_JOB_URL } = shell.environment;
  const { CI_MERGE_REQUEST_PROJECT_ID: project, GITLAB_TOKEN, CI_JOB_TOKEN } = shell.environment;
  if (GITLAB_CI !== "true" || !url || !iid || !project || comment === "off") return;
  const value = GITLAB_TOKEN || CI_JOB_TOKEN;
  if (!value) return shell.log("no note on the merge request: neither GITLAB_TOKEN nor CI_JOB_TOKEN is set");
  const token = { kind: GITLAB_TOKEN ? "private" : "job", value } as const;
  const { now, log, deadline } = shell;
  const options = { files: null, runUrl: CI_JOB_URL || null, planUrl: null, fork: null };
  const body = maskSecrets(renderComment(plan, options));
  try {
    const request = { url, project, iid, token, now, log, sleep: (ms: number) => shell.sleep(ms, deadline) };
    const { kind } = await postNote(request, { marker: commentMarker("plan", plan), body });
    log(`note on merge request ${iid} ${kind}`);
  } catch (error) {
    log(`warning: the note on merge request ${iid} was not posted: ${inOneLine(maskSecrets(describeError(error)))}`);
  }
}
