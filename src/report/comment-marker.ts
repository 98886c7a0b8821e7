import { createHash } from "node:crypto";

/** What a comment on a pull request is for: one of each per project and environment. */
export type CommentKind = "plan" | "outcome" | "base-changed";

/**
 * The first line of a comment of ours, by which it is found again, together with its author: an HTML comment, which a page
 * does not show. Names are encoded such that none ends it early, and no two pairs of them are one.
 */
export function commentMarker(
  kind: CommentKind,
  { project, environment }: { readonly project: string; readonly environment: string },
): string {
  const about = kind === "plan" ? "" : `-${kind}`;
  return `<!-- flink-dbt-deploy${about}:${encoded(project)}:${encoded(environment)} -->`;
}

/** A digest of names that no one would give, since a comment has an end. */
function encoded(name: string): string {
  const text = encodeURIComponent(name.toWellFormed()).replace(/-(?=-|$)/g, "%2D");
  return text.length <= 500 ? text : `sha256%3A${createHash("sha256").update(text).digest("hex")}`;
}
