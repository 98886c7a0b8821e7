import { createHash } from "node:crypto";
import { badCredentials, notAccessible, notFound, refused, secondaryRateLimit } from "./replies.ts";
import type { GithubReply, GithubRequest, Service } from "./server.ts";

/** What a token of the REST API may do, by permission: `{ actions: "read", "pull-requests": "write" }`. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

export interface Route {
  readonly method: string;
  /** Below `/repos/{owner}/{repo}`; its groups are handed to `reply`. */
  readonly path: RegExp;
  /** One that suffices, or several of which any does; where there is none, every token may. */
  readonly permission?: string | readonly string[];
  /** The path is below the API's root. */
  readonly isOfServer?: true;
  readonly reply: (request: GithubRequest, groups: readonly string[]) => GithubReply;
}

export interface Limits {
  /** So many requests are left; one that is answered with 304 is not counted. */
  remaining: number;
  /** So many things can be made before the secondary limit is met. */
  creations: number;
}

export interface RestApiOptions {
  readonly repository: string;
  readonly repositoryId: number;
  readonly tokens: ReadonlyMap<string, Permissions>;
  readonly limits: Limits;
  readonly now: () => Date;
  readonly routes: readonly Route[];
}

/** The REST API of one repository; each kind of thing brings its routes. */
export function restApi(options: RestApiOptions): Service {
  const bases = [`/repos/${options.repository}`, `/repositories/${options.repositoryId}`];
  return (request) => {
    const permissions = options.tokens.get(request.token);
    if (permissions === undefined) return badCredentials;
    const limited = overLimit(request, options);
    if (limited !== null) return limited;
    const base = bases.find((one) => request.path.startsWith(`${one}/`));
    for (const route of options.routes) {
      if (route.method !== request.method || (route.isOfServer !== true && base === undefined)) continue;
      const match = route.path.exec(route.isOfServer ? request.path : request.path.slice(base?.length));
      if (match === null) continue;
      if (!mayDo(route, permissions)) return notAccessible;
      return tagged(request, route.reply(request, match.slice(1)), options.limits);
    }
    return notFound;
  };
}

function mayDo({ method, permission }: Route, permissions: Permissions): boolean {
  if (permission === undefined) return true;
  return [permission].flat().some((name) => {
    const level = permissions[name];
    return level === "write" || (method === "GET" && level === "read");
  });
}

/** A tag of its content for each answer to a GET; whoever has it already gets it not again. */
function tagged(request: GithubRequest, reply: GithubReply, limits: Limits): GithubReply {
  limits.remaining -= 1;
  if (request.method !== "GET" || reply.status !== 200 || Buffer.isBuffer(reply.body)) return reply;
  const hash = createHash("sha256").update(JSON.stringify(reply.body)).digest("hex");
  const headers = { ...reply.headers, etag: `W/"${hash}"` };
  if (request.headers["if-none-match"] !== headers.etag) return { ...reply, headers };
  limits.remaining += 1;
  return { status: 304, headers };
}

function overLimit({ method, path }: GithubRequest, { limits, now }: RestApiOptions): GithubReply | null {
  if (limits.remaining <= 0) {
    const reset = String(Math.floor(now().getTime() / 1000) + 1_800);
    const message = "API rate limit exceeded for installation.";
    return { ...refused(403, message), headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset } };
  }
  if (method === "GET" || method === "DELETE" || path === "/graphql") return null;
  if (limits.creations <= 0) return secondaryRateLimit();
  limits.creations -= 1;
  return null;
}
