import type { GithubApi } from "./api.ts";
import { openPullRequestOfHead, pullRequestOfNumber } from "./pull-request.ts";
import type { RunEvent } from "./run-event.ts";

/** Where a plan is told. */
export interface PlanTarget {
  /** Of the pull request; null where there is none. */
  readonly number: number | null;
  /** The commit that its status belongs to: the pull request's newest, or the merge queue's; null where there is none. */
  readonly head: string | null;
  /** `owner/name` of the repository that the pull request comes from, where it is another. */
  readonly fork: string | null;
}

const nowhere: PlanTarget = { number: null, head: null, fork: null };

/** `number` is what the user names, which goes before the event. Asks GitHub only where the event does not tell. */
export async function findPlanTarget(
  api: GithubApi,
  { event, number }: { readonly event: RunEvent; readonly number: number | null },
): Promise<PlanTarget> {
  const ofEvent = event.kind === "pull-request" && (number === null || number === event.number) ? event : null;
  if (ofEvent !== null && ofEvent.head !== null) return { ...ofEvent, head: ofEvent.head };
  const named = number ?? ofEvent?.number ?? null;
  if (named !== null) return await pullRequestOfNumber(api, named);
  if (event.kind === "merge-group") return { ...nowhere, head: event.head };
  if (event.kind !== "commit" || event.head === null) return nowhere;
  return (await openPullRequestOfHead(api, event.head, event.pushedTo)) ?? nowhere;
}
