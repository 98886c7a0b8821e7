import type { GithubReply, GithubRequest, Service } from "./server.ts";

/** What a token of the REST API may do, by permission: `{ actions: "read" }`. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

export interface Route {
  readonly method: string;
  /** Below `/repos/{owner}/{repo}`; its groups are handed to `reply`. */
  readonly path: RegExp;
  readonly permission: string;
  readonly reply: (request: GithubRequest, groups: readonly string[]) => GithubReply;
}

/** The REST API of one repository; each kind of thing brings its routes. */
export function restApi(options: {
  readonly repository: string;
  readonly tokens: ReadonlyMap<string, Permissions>;
  readonly routes: readonly Route[];
}): Service {
  return (request) => {
    const permissions = options.tokens.get(request.token);
    if (permissions === undefined) return { status: 401, body: { message: "Bad credentials" } };
    const base = `/repos/${options.repository}`;
    if (!request.path.startsWith(`${base}/`)) return { status: 404, body: { message: "Not Found" } };
    const path = request.path.slice(base.length);
    for (const route of options.routes) {
      const match = route.path.exec(path);
      if (match === null || route.method !== request.method) continue;
      const isAllowed =
        permissions[route.permission] === "write" ||
        (request.method === "GET" && permissions[route.permission] === "read");
      if (!isAllowed) return { status: 403, body: { message: "Resource not accessible by integration" } };
      return route.reply(request, match.slice(1));
    }
    return { status: 404, body: { message: "Not Found" } };
  };
}
