import type { Plan } from "../plan/plan.ts";
import { commentMarker } from "./comment-marker.ts";
import { encodeTrailer, trailerOf } from "./comment-trailer.ts";
import type { Files } from "./file-address.ts";
import { bytesOf } from "./fit-details.ts";
import { code, link } from "./markdown-text.ts";
import { planText } from "./plan-text.ts";

/** What a comment knows beside its plan. */
export interface CommentContext {
  /** Null where the head is in no repository that can be read, such as with changes not committed. */
  readonly files: Files | null;
  /** The page of the run, which shows its summary. */
  readonly runUrl: string | null;
  /** The page of the artifact with the plan file. */
  readonly planUrl: string | null;
  /** `owner/name` of the fork that the pull request comes from, whose own run made the plan; else null. */
  readonly fork: string | null;
}

/** GitHub takes 65,536 characters. */
export const longestComment = 60_000;
/** More than 600 jobs; above it, it does without them. */
const longestTrailer = 30_000;

/**
 * The comment that a reviewer reads, at most 60,000 bytes: a marker, the plan, and a trailer for a later run. A plan that a
 * fork made has no trailer, since whoever opened the pull request could have written anything into it.
 */
export function renderComment(plan: Plan, context: CommentContext): string {
  const marker = `${commentMarker("plan", plan)}\n`;
  const trailer = context.fork === null ? fittingTrailer(plan) : "";
  const text = planText(plan, {
    maxBytes: longestComment - bytesOf(marker) - bytesOf(trailer),
    files: context.files,
    whole: whereTheWholeIs(context),
    notice: context.fork === null ? null : forkNotice(context.fork),
    links: [
      ...(context.runUrl === null ? [] : [link("summary", context.runUrl)]),
      ...(context.planUrl === null ? [] : [link("plan file", context.planUrl)]),
    ],
  });
  return `${marker}${text}${trailer}`;
}

function fittingTrailer(plan: Plan): string {
  const trailer = trailerOf(plan);
  const lines = [trailer, { ...trailer, jobs: null }].map((each) => `\n${encodeTrailer(each)}\n`);
  return lines.find((line) => line.length <= longestTrailer) ?? "";
}

function whereTheWholeIs({ runUrl, planUrl }: CommentContext): string {
  return `More is in the ${link("run's summary", runUrl)}, everything in the ${link("plan file", planUrl)}.`;
}

function forkNotice(fork: string): string {
  return `ℹ️ From the fork ${code(fork)}, whose own run made this plan, without secrets. A deployment makes its own.`;
}
