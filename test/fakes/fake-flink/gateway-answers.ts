import { type JavaError, plainValidationError, printed, wrappedByGateway } from "./java-error.ts";
import type { Outcome } from "./outcome.ts";
import type { SessionObjects } from "./session-objects.ts";
import type { StatementRunner } from "./statement-runner.ts";

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A statement as the gateway got it. */
export interface ReceivedStatement {
  readonly session: string;
  readonly sql: string;
  readonly executionConfig: Readonly<Record<string, string>>;
}

interface Session extends SessionObjects {
  readonly operations: Map<string, Operation>;
}

/** `look` is asked at each status request until it knows. */
interface Operation {
  outcome: Outcome | null;
  readonly look: () => Outcome | null;
}

/** The SQL Gateway's protocol: sessions, operations, pages of results. */
export class GatewayAnswers {
  version = "1.20.3";
  /** Where a statement's error first shows. */
  errorsShowAt: "submit" | "status" | "result" = "status";
  readonly statements: ReceivedStatement[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #runner: StatementRunner;
  #serial = 0;

  constructor(runner: StatementRunner) {
    this.#runner = runner;
  }

  /** See `StatementRunner`. */
  set stopPatience(looks: number) {
    this.#runner.stopPatience = looks;
  }

  /** Every statement that matches gets this result. */
  answer(pattern: RegExp, columns: readonly string[], found: readonly (readonly unknown[])[]): void {
    this.#runner.answer(pattern, columns, found);
  }

  failNext(pattern: RegExp, message: string): void {
    this.#runner.failNext(pattern, message);
  }

  expireSessions(): void {
    this.#sessions.clear();
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  reply(method: string, path: string, body: unknown): Reply {
    if (method === "GET" && path === "/v1/info")
      return { status: 200, body: { productName: "Apache Flink", version: this.version } };
    if (method === "GET" && path === "/api_versions") return { status: 200, body: { versions: ["V1", "V2", "V3"] } };
    if (method === "POST" && path === "/v1/sessions") return this.#opened(record(record(body).properties));
    const [, id, , next, operation, action, token] =
      /^\/v1\/sessions\/([^/]+)(\/(statements|operations|heartbeat|configure-session)?(?:\/([^/]+)\/([^/]+)(?:\/(\d+))?)?)?$/.exec(
        path,
      ) ?? [];
    if (id === undefined) return { status: 404, body: { errors: [`Not found: ${path}`] } };
    const session = this.#sessions.get(id);
    if (session === undefined)
      return refused([
        ["org.apache.flink.table.gateway.api.utils.SqlGatewayException", "Failed to execute statement."],
        ["org.apache.flink.table.gateway.api.utils.SqlGatewayException", `Session '${id}' does not exist.`],
      ]);
    if (next === undefined && method === "DELETE") return this.#closed(id);
    if (next === "statements" && method === "POST") return this.#submitted(id, session, record(body));
    if (next === "heartbeat") return { status: 200, body: {} };
    if (next === "operations" && operation !== undefined)
      return this.#operation(id, session, operation, action ?? "", token ?? "0");
    return { status: 404, body: { errors: [`Not found: ${path}`] } };
  }

  #opened(properties: Readonly<Record<string, unknown>>): Reply {
    const handle = this.#newHandle();
    const config = new Map(Object.entries(properties).map(([key, value]) => [key, String(value)]));
    this.#sessions.set(handle, { config, tables: new Map(), views: new Map(), operations: new Map() });
    return { status: 200, body: { sessionHandle: handle } };
  }

  #closed(id: string): Reply {
    this.#sessions.delete(id);
    return { status: 200, body: { status: "CLOSED" } };
  }

  #submitted(id: string, session: Session, body: Readonly<Record<string, unknown>>): Reply {
    const sql = String(body.statement);
    const executionConfig = strings(record(body.executionConfig));
    this.statements.push({ session: id, sql, executionConfig });
    const look = this.#runner.start(session, sql, executionConfig);
    const outcome = look();
    if (outcome?.kind === "error" && this.errorsShowAt === "submit") return refused(outcome.error);
    const handle = this.#newHandle();
    session.operations.set(handle, { outcome, look });
    return { status: 200, body: { operationHandle: handle } };
  }

  #operation(id: string, session: Session, handle: string, action: string, token: string): Reply {
    const operation = session.operations.get(handle);
    if (operation === undefined)
      return refused(
        plainValidationError(`Can not find the submitted operation in the OperationManager with the ${handle}.`),
      );
    if (action === "close" || action === "cancel") {
      session.operations.delete(handle);
      return { status: 200, body: { status: action === "close" ? "CLOSED" : "CANCELED" } };
    }
    operation.outcome ??= operation.look();
    const { outcome } = operation;
    if (action === "status") {
      if (outcome === null) return { status: 200, body: { status: "RUNNING" } };
      const isShown = outcome.kind === "error" && this.errorsShowAt !== "result";
      return { status: 200, body: { status: isShown ? "ERROR" : "FINISHED" } };
    }
    const here = `/v1/sessions/${id}/operations/${handle}/result`;
    if (outcome === null) return { status: 200, body: { resultType: "NOT_READY", nextResultUri: `${here}/${token}` } };
    if (outcome.kind === "error") return { status: 500, body: { errors: wrappedByGateway(outcome.error) } };
    return { status: 200, body: page(outcome, token, here) };
  }

  #newHandle(): string {
    this.#serial += 1;
    return `00000000-0000-4000-8000-${this.#serial.toString(16).padStart(12, "0")}`;
  }
}

function page(outcome: Extract<Outcome, { kind: "rows" }>, token: string, here: string): unknown {
  const columns = outcome.columns.map((name) => ({
    name,
    logicalType:
      name === "null" ? { type: "BOOLEAN", nullable: true } : { type: "VARCHAR", nullable: true, length: 2147483647 },
    comment: null,
  }));
  const isFirst = token === "0" && outcome.rows.length > 0;
  const data = isFirst ? outcome.rows.map((fields) => ({ kind: "INSERT", fields })) : [];
  return {
    resultType: isFirst ? "PAYLOAD" : "EOS",
    isQueryResult: false,
    ...(outcome.jobId === null ? {} : { jobID: outcome.jobId }),
    resultKind: "SUCCESS_WITH_CONTENT",
    results: { columns, rowFormat: "JSON", data },
    ...(isFirst ? { nextResultUri: `${here}/1` } : {}),
  };
}

function refused(error: JavaError): Reply {
  const trace = `<Exception on server side:\n${printed(error)}\n\nEnd of exception on server side>`;
  return { status: 500, body: { errors: ["Internal server error.", trace] } };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function strings(value: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(value).map(([key, found]) => [key, String(found)]));
}
