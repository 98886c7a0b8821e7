import type { GithubReply } from "./server.ts";

/** A refusal as GitHub words it. */
export function refused(status: number, message: string, more: object = {}): GithubReply {
  const documentation = "https://docs.github.com/rest";
  return { status, body: { message, ...more, documentation_url: documentation, status: String(status) } };
}

/** Replies that GitHub gives alike wherever they occur. */
export const notFound = refused(404, "Not Found");
export const badCredentials = refused(401, "Bad credentials");
export const notAccessible = refused(403, "Resource not accessible by integration");
export const noContent: GithubReply = { status: 204 };

export function invalid(resource: string, field: string, message: string): GithubReply {
  return refused(422, "Validation Failed", { errors: [{ resource, code: "custom", field, message }] });
}

/** The limit on how much is made in a short time; the primary one still has requests left. */
export function secondaryRateLimit(retryAfterSeconds: number | null = 60): GithubReply {
  const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  const headers = retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
  return { ...refused(403, message), headers: { "x-ratelimit-remaining": "900", ...headers } };
}

/** The request's JSON object; what is none has no fields. */
export function fieldsOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
