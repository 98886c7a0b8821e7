import type { GithubReply } from "./server.ts";

/** Replies that GitHub gives alike wherever they occur. */
export const notFound: GithubReply = { status: 404, body: { message: "Not Found", status: "404" } };
export const badCredentials: GithubReply = { status: 401, body: { message: "Bad credentials", status: "401" } };
export const notAccessible: GithubReply = {
  status: 403,
  body: { message: "Resource not accessible by integration", status: "403" },
};
export const noContent: GithubReply = { status: 204 };

export function invalid(resource: string, field: string, message: string): GithubReply {
  const errors = [{ resource, code: "custom", field, message }];
  return { status: 422, body: { message: "Validation Failed", errors, status: "422" } };
}

/** The limit on how much is made in a short time; the primary one still has requests left. */
export function secondaryRateLimit(retryAfterSeconds: number | null = 60): GithubReply {
  const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  const headers = retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
  return { status: 403, headers: { "x-ratelimit-remaining": "900", ...headers }, body: { message, status: "403" } };
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
