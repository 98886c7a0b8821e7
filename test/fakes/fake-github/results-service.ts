import type { Artifacts } from "./artifacts.ts";
import type { Caches } from "./caches.ts";
import type { Runs } from "./runs.ts";
import type { Service } from "./server.ts";

/** The service behind `ACTIONS_RESULTS_URL`: twirp, which is a POST of JSON to `/twirp/<service>/<method>`. */
export function resultsService(parts: {
  readonly runs: Runs;
  readonly artifacts: Artifacts;
  readonly caches: Caches;
}): Service {
  return ({ method, path, token, body }) => {
    const run = parts.runs.ofToken(token);
    if (run === null) return { status: 401, body: { code: "unauthenticated", msg: "no such token" } };
    const [, service, name = ""] = /^\/github\.actions\.results\.api\.v1\.(\w+)\/(\w+)$/.exec(path) ?? [];
    const request = JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;
    if (method === "POST" && service === "ArtifactService") return parts.artifacts.reply(name, run, request);
    if (method === "POST" && service === "CacheService") return parts.caches.reply(name, run, request);
    return { status: 404, body: { code: "bad_route", msg: `no ${method} ${path}` } };
  };
}
