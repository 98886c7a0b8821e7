import type { PointName } from "./crash-points.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/**
 * To which point each request of one run belongs. It must be told of every request, and of the operation handles in the
 * answers. Throws for a request that belongs to none, so that a new one cannot be left out of the documentation.
 */
export class RequestPoints {
  readonly #stopped = new Set<string>();
  readonly #operations = new Map<string, PointName>();
  #effect: "none" | "stop" | "submit" = "none";

  pointOf({ method, path, body }: SeenRequest): PointName {
    const [route = ""] = path.split("?");
    if (method === "DELETE" && route.startsWith("/v1/sessions/")) return "tidy";
    if (route === "/v1/info" || route === "/config") return "reach";
    if (route === "/v1/sessions") return "prepare";
    if (/^\/v1\/sessions\/[^/]+\/statements$/.test(route)) return this.#statement(body);
    const operation = /^\/v1\/sessions\/[^/]+\/operations\/([^/]+)\/(?:status|result\/\d+)$/.exec(route)?.[1];
    if (operation !== undefined) return this.#operations.get(operation) ?? "prepare";
    if (route === "/jobs/overview" || route === "/overview" || route === "/jobmanager/config") return this.#look();
    const [, job = "", rest = ""] = /^\/jobs\/([0-9a-f]{32})\/?(.*)$/.exec(route) ?? [];
    if (job !== "") return this.#ofJob(method, job, rest);
    throw new Error(`${method} ${path} belongs to no crash point; name one in test/matrix/request-points.ts`);
  }

  /** What the gateway answered to a statement: later requests ask for that operation. */
  answered(point: PointName, answer: string): void {
    const operation = /"operationHandle"\s*:\s*"([^"]+)"/.exec(answer)?.[1];
    if (operation !== undefined) this.#operations.set(operation, point);
  }

  #statement(body: string): PointName {
    const { statement = "" } = JSON.parse(body) as { readonly statement?: string };
    // How the gateway alone is asked: its answers name no job, so what was asked for tells.
    if (/^\s*(SHOW\s+JOBS|SET)\s*$/i.test(statement)) return this.#look();
    if (/^\s*STOP\s+JOB\b/i.test(statement)) {
      if (!/\bWITH\s+SAVEPOINT\s*$/i.test(statement)) return "cancel";
      if (this.#effect === "none") this.#effect = "stop";
      return "stop";
    }
    if (!/^\s*(INSERT|EXECUTE)\b/i.test(statement)) return "prepare";
    this.#effect = "submit";
    return "submit";
  }

  #look(): PointName {
    return this.#effect === "submit" ? "verify" : this.#effect === "stop" ? "stop-status" : "look";
  }

  #ofJob(method: string, job: string, rest: string): PointName {
    if (method === "PATCH") return "cancel";
    if (rest.startsWith("savepoints/")) return "stop-status";
    if (method === "POST" && rest === "stop") {
      this.#stopped.add(job);
      if (this.#effect === "none") this.#effect = "stop";
      return "stop";
    }
    if (method === "POST" && rest === "checkpoints") return "checkpoint";
    if (method !== "GET" || !/^(checkpoints(\/config)?|exceptions|)$/.test(rest)) {
      throw new Error(`${method} /jobs/<id>/${rest} belongs to no crash point`);
    }
    return this.#stopped.has(job) ? "stop-status" : this.#effect === "submit" ? "verify" : "look";
  }
}

/** The newest of a write's facts tells what it is: that is what hangs on it. */
const byFact: readonly (readonly [string, PointName])[] = [
  ["unlock", "unlock"],
  ["lock", "lock"],
  ["rollback-begun", "begin-rollback"],
  ["stopped", "record-stop"],
  ["suspended", "record-stop"],
  ["removed", "record-stop"],
  ["stop-failed", "record-failure"],
  ["submit-failed", "record-failure"],
  ["submitted", "record-submitted"],
  ["submit-intended", "intend-submit"],
  ["stop-intended", "intend-stop"],
  ["running", "record-running"],
  ["finished", "record-running"],
  ["down", "record-running"],
  ["adopted", "look"],
  ["renamed", "look"],
];

/** `kind` holds the facts of one write, joined by `+`; several jobs may have come together in it. */
export function pointOfWrite(kind: string): PointName {
  const facts = kind.split("+");
  const found = byFact.find(([fact]) => facts.includes(fact));
  if (found === undefined) throw new Error(`a write of ${kind} belongs to no crash point`);
  return found[1];
}
