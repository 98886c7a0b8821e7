import {
  type JavaError,
  parserError,
  plainValidationError,
  printed,
  unknownJob,
  validationError,
  wrappedByGateway,
} from "./java-error.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { parsedStatement, type Statement, type TableColumn, tablesRead } from "./statement.ts";

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

interface Session {
  readonly config: Map<string, string>;
  readonly tables: Map<string, readonly TableColumn[]>;
  readonly views: Map<string, string>;
  readonly operations: Map<string, Operation>;
}

type Outcome =
  | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      readonly jobId: string | null;
    }
  | { readonly kind: "error"; readonly error: JavaError };

/** `look` is asked at each status request until it knows. */
interface Operation {
  outcome: Outcome | null;
  readonly look: () => Outcome | null;
}

const ok: Outcome = { kind: "rows", columns: ["result"], rows: [["OK"]], jobId: null };
const rows = (columns: readonly string[], found: readonly (readonly unknown[])[]): Outcome => ({
  kind: "rows",
  columns,
  rows: found,
  jobId: null,
});
const failed = (error: JavaError): Outcome => ({ kind: "error", error });

/** The SQL Gateway of the simulated cluster: sessions, operations and a little SQL. */
export class GatewayAnswers {
  version = "1.20.3";
  /** Where a statement's error first shows. */
  errorsShowAt: "submit" | "status" | "result" = "status";
  /** Status requests after which STOP JOB gives up waiting, as after `client.timeout`; the job stops all the same. */
  stopPatience = 1000;
  readonly statements: ReceivedStatement[] = [];
  readonly #answers: {
    readonly pattern: RegExp;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly unknown[])[];
  }[] = [];
  readonly #failures: { readonly pattern: RegExp; readonly message: string }[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #cluster: SimulatedCluster;
  readonly #observe: () => void;
  #serial = 0;

  constructor(cluster: SimulatedCluster, observe: () => void) {
    this.#cluster = cluster;
    this.#observe = observe;
  }

  answer(pattern: RegExp, columns: readonly string[], found: readonly (readonly unknown[])[]): void {
    this.#answers.unshift({ pattern, columns, rows: found });
  }

  failNext(pattern: RegExp, message: string): void {
    this.#failures.push({ pattern, message });
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
    const look = this.#started(session, sql, executionConfig);
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

  #started(session: Session, sql: string, executionConfig: Readonly<Record<string, string>>): () => Outcome | null {
    const failure = this.#failures.findIndex(({ pattern }) => pattern.test(sql));
    if (failure >= 0) {
      const [found] = this.#failures.splice(failure, 1);
      return () => failed(plainValidationError(found?.message ?? ""));
    }
    const scripted = this.#answers.find(({ pattern }) => pattern.test(sql));
    if (scripted !== undefined) return () => rows(scripted.columns, scripted.rows);
    const config = { ...Object.fromEntries(session.config), ...executionConfig };
    const statement = parsedStatement(sql);
    if (statement.kind === "stop" && statement.hasSavepoint) return this.#stopping(statement.id, config);
    const outcome = this.#executed(session, statement, config, sql);
    return () => outcome;
  }

  #executed(session: Session, statement: Statement, config: Readonly<Record<string, string>>, sql: string): Outcome {
    switch (statement.kind) {
      case "set":
        if (statement.key === null) return rows(["key", "value"], [...session.config]);
        session.config.set(statement.key, statement.value);
        return ok;
      case "reset":
        if (statement.key === null) session.config.clear();
        else session.config.delete(statement.key);
        return ok;
      case "create-table":
        return this.#created(session, statement, config, sql);
      case "create-view":
        return createdView(session, statement, sql);
      case "drop":
        return dropped(session, statement);
      case "describe":
        return described(session, statement.name);
      case "describe-job":
        return this.#describedJob(statement.id);
      case "show":
        return this.#shown(session, statement.what);
      case "insert":
        return this.#inserted(session, statement.sink, statement.query, config, sql);
      case "explain":
        return (
          missing(session, statement.query, sql) ?? rows(["result"], [["== Abstract Syntax Tree ==\nLogicalProject"]])
        );
      case "stop":
        return this.#cluster.cancel(statement.id) === "canceled"
          ? ok
          : failed(stopError(statement.id, unknownJob(statement.id)));
      case "select":
        return missing(session, statement.query, sql) ?? rows(["EXPR$0"], [["1"]]);
      case "other":
        return ok;
      case "unknown":
        return failed(parserError("Non-query expression encountered in illegal context"));
    }
  }

  #created(
    session: Session,
    statement: Extract<Statement, { kind: "create-table" }>,
    config: Readonly<Record<string, string>>,
    sql: string,
  ): Outcome {
    const { name, columns, isLenient, query } = statement;
    if (session.tables.has(name) || session.views.has(name)) {
      if (isLenient) return ok;
      return failed([
        [
          "org.apache.flink.table.api.ValidationException",
          `Could not execute CreateTable in path \`default_catalog\`.\`default_database\`.\`${name}\``,
        ],
        [
          "org.apache.flink.table.catalog.exceptions.TableAlreadyExistException",
          `Table (or view) default_database.${name} already exists in Catalog default_catalog.`,
        ],
      ]);
    }
    const refusal = query === null ? null : missing(session, query, sql);
    if (refusal !== null) return refusal;
    session.tables.set(name, columns);
    return query === null ? ok : this.#inserted(session, name, query, config, sql);
  }

  #inserted(
    session: Session,
    sink: string,
    query: string,
    config: Readonly<Record<string, string>>,
    sql: string,
  ): Outcome {
    if (!session.tables.has(sink))
      return failed(
        plainValidationError(
          `Cannot find table '\`default_catalog\`.\`default_database\`.\`${sink}\`' in any of the catalogs [default_catalog], nor as a temporary table.`,
        ),
      );
    const refusal = missing(session, query, sql);
    if (refusal !== null) return refusal;
    const submitted = this.#cluster.submit({ sink, config });
    if (submitted.kind === "refused") return failed(submitted.error);
    return { kind: "rows", columns: ["job id"], rows: [[submitted.id]], jobId: submitted.id };
  }

  #stopping(id: string, config: Readonly<Record<string, string>>): () => Outcome | null {
    const folder =
      config["execution.checkpointing.savepoint-dir"] ??
      config["state.savepoints.dir"] ??
      this.#cluster.savepointFolder;
    if (!/^[0-9a-f]{32}$/i.test(id))
      return () =>
        failed([
          [
            "java.lang.IllegalArgumentException",
            `Cannot parse JobID from "${id}". The expected format is [0-9a-fA-F]{32}, e.g. fd72014d4c864993a2e5a9287b4a9c5d.`,
          ],
        ]);
    if (folder === null) return () => failed(stopError(id, noFolder("targetDirectory")));
    const triggerId = this.#cluster.newId();
    this.#cluster.requestSavepoint({ jobId: id, triggerId, folder, stopsJob: true });
    let patience = this.stopPatience;
    return () => {
      const outcome = this.#cluster.savepoint(id, triggerId);
      if (outcome?.kind === "completed") return rows(["savepoint path"], [[outcome.path]]);
      if (outcome?.kind === "failed") return failed(stopError(id, outcome.error));
      patience -= 1;
      if (patience < 0) return failed(stopError(id, [["java.util.concurrent.TimeoutException", "timed out"]]));
      this.#observe();
      return null;
    };
  }

  #describedJob(id: string): Outcome {
    const job = this.#cluster.jobs.get(id);
    if (job === undefined) return failed(plainValidationError(`Described job ${id} does not exist in the cluster.`));
    this.#observe();
    return rows(
      ["job id", "job name", "status", "start time"],
      [[id, job.settings.name, job.state, time(job.startTime)]],
    );
  }

  #shown(session: Session, what: string): Outcome {
    if (what === "JOBS") {
      this.#observe();
      const jobs = [...this.#cluster.jobs.values()];
      const found = jobs.map((job) => [job.settings.id, job.settings.name, job.state, time(job.startTime)]);
      return rows(["job id", "job name", "status", "start time"], found);
    }
    const names = what === "VIEWS" ? session.views.keys() : [...session.tables.keys(), ...session.views.keys()];
    if (/^(?:TABLES|VIEWS)$/.test(what))
      return rows(
        ["table name"],
        [...names].sort().map((name) => [name]),
      );
    return rows([what.toLowerCase()], []);
  }

  #newHandle(): string {
    this.#serial += 1;
    return `00000000-0000-4000-8000-${this.#serial.toString(16).padStart(12, "0")}`;
  }
}

export const noFolder = (property: string): JavaError => [
  [
    "org.apache.flink.runtime.rest.handler.RestHandlerException",
    `Config key [execution.checkpointing.savepoint-dir] is not set. Property [${property}] must be provided.`,
  ],
];

const stopError = (id: string, cause: JavaError): JavaError => [
  [
    "org.apache.flink.table.gateway.service.utils.SqlExecutionException",
    `Could not stop job ${id} with savepoint for operation 00000000-0000-4000-8000-000000000000.`,
  ],
  ...cause,
];

function missing(session: Session, query: string, sql: string): Outcome | null {
  const offset = Math.max(sql.lastIndexOf(query), 0);
  const found = tablesRead(query).find(({ name }) => !session.tables.has(name) && !session.views.has(name));
  if (found === undefined) return null;
  const start = found.column + offset;
  const place = `From line 1, column ${start} to line 1, column ${start + found.name.length - 1}`;
  return failed(validationError(`${place}: Object '${found.name}' not found`));
}

function createdView(session: Session, statement: Extract<Statement, { kind: "create-view" }>, sql: string): Outcome {
  const refusal = missing(session, statement.query, sql);
  if (refusal === null) session.views.set(statement.name, statement.query);
  return refusal ?? ok;
}

function dropped(session: Session, statement: Extract<Statement, { kind: "drop" }>): Outcome {
  const { object, name, isLenient } = statement;
  const isGone = object === "TABLE" ? session.tables.delete(name) : session.views.delete(name);
  if (isGone || isLenient) return ok;
  const word = object === "TABLE" ? "Table" : "View";
  return failed(
    plainValidationError(`${word} with identifier 'default_catalog.default_database.${name}' does not exist.`),
  );
}

function described(session: Session, name: string): Outcome {
  const columns = session.tables.get(name) ?? (session.views.has(name) ? [] : undefined);
  if (columns === undefined)
    return failed(
      plainValidationError(
        `Tables or views with the identifier 'default_catalog.default_database.${name}' doesn't exist.`,
      ),
    );
  const found = columns.map((column) => [column.name, column.type, column.nullable, null, null, null]);
  return rows(["name", "type", "null", "key", "extras", "watermark"], found);
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

const time = (ms: number): string => new Date(ms).toISOString();
