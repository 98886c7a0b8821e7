import { DeployError } from "../errors.ts";
import { type Decoder, fields, string } from "./decode.ts";
import {
  type Answer,
  type Call,
  HttpClient,
  type HttpOptions,
  interruption,
  Limit,
  type Sleep,
  sleep,
} from "./http.ts";
import { JavaTrace, lastCause } from "./java-trace.ts";
import { megabytes } from "./megabytes.ts";
import { type Column, errorsIn, type ResultPage, resultPage } from "./wire.ts";

export type { Column } from "./wire.ts";

export interface GatewayOptions extends HttpOptions {
  /** Rows after which a result is given up: this client is not for streaming queries. 100,000 unless given. */
  readonly rowLimit?: number | undefined;
}

/** A whole result. A BIGINT beyond 2^53 is not exact: it comes as a JSON number. */
export interface ResultSet {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly unknown[])[];
  /** The job that the statement started; null where it started none. */
  readonly jobId: string | null;
}

export interface SessionOptions {
  readonly name?: string | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

export interface ExecuteOptions {
  /** Valid for this statement only; restore paths belong here. */
  readonly executionConfig?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Limit of the whole statement; two minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

const service = {
  name: "sql gateway",
  unreachable: "gateway-unreachable",
  misplaced: "not-a-gateway",
  input: "gateway-url",
} as const;

const defaultStatementMs = 120_000;
const defaultRowLimit = 100_000;
/** Of a whole result: an EXPLAIN of the largest job is a hundredth of it, and pages may come for ever. */
const maxResultBytes = 128 * 1024 * 1024;
const closingMs = 5_000;

/** A client of one SQL Gateway, over its API V1, which every Flink since 1.16 answers. */
export class Gateway {
  readonly #connection: Connection;

  constructor(options: GatewayOptions) {
    this.#connection = new Connection(options);
  }

  /** Throws `gateway-unreachable` and `not-a-gateway`, as every call here. */
  async info(): Promise<{ readonly productName: string; readonly version: string }> {
    return await this.#connection.call("GET", "/v1/info", {}, (value, path) =>
      fields((it) => ({ productName: it.get("productName", string), version: it.get("version", string) }))(value, path),
    );
  }

  async openSession(options: SessionOptions = {}): Promise<GatewaySession> {
    const body = {
      ...(options.name === undefined ? {} : { sessionName: options.name }),
      properties: options.properties ?? {},
    };
    const handle = await this.#connection.call("POST", "/v1/sessions", { body }, named("sessionHandle"));
    return new GatewaySession(handle, this.#connection);
  }
}

/** A session: catalogs, tables and SET values live in it and end with it. */
export class GatewaySession implements AsyncDisposable {
  readonly handle: string;
  readonly #connection: Connection;
  #isClosed = false;

  constructor(handle: string, connection: Connection) {
    this.handle = handle;
    this.#connection = connection;
  }

  /**
   * Runs one statement to its end and fetches its whole result. Throws `statement-failed` with Flink's own last cause
   * and the Java trace as `cause`, or `session-expired`.
   */
  async execute(sql: string, options: ExecuteOptions = {}): Promise<ResultSet> {
    const ms = options.timeoutMs ?? defaultStatementMs;
    using limit = new Limit(ms, [options.signal], () => {
      const text = `${firstWords(sql)} did not end within ${ms} ms; look whether it took effect before it is sent again`;
      return new DeployError("gateway-unreachable", text);
    });
    return await this.#run(sql, options.executionConfig ?? {}, limit.signal);
  }

  async #run(sql: string, executionConfig: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ResultSet> {
    const statement = sql.replace(/[;\s]+$/, "");
    const path = `/v1/sessions/${this.handle}`;
    const call = { body: { statement, executionConfig }, signal };
    const operation = await this.#connection.call("POST", `${path}/statements`, call, named("operationHandle"));
    try {
      await this.#finished(`${path}/operations/${operation}/status`, signal);
      return await this.#result(`${path}/operations/${operation}/result/`, signal);
    } finally {
      await this.#connection.letGo(`${path}/operations/${operation}/close`);
    }
  }

  async #finished(path: string, signal: AbortSignal): Promise<void> {
    const poll = this.#connection.poll(signal);
    for (;;) {
      const status = await this.#connection.call("GET", path, { signal }, named("status"));
      // ERROR is told in full only by the result, which throws.
      if (status === "FINISHED" || status === "ERROR") return;
      if (status === "CANCELED" || status === "CLOSED" || status === "TIMEOUT")
        throw new DeployError(
          "statement-failed",
          `the gateway ended the statement with status ${status}; run it again`,
        );
      await poll();
    }
  }

  async #result(path: string, signal: AbortSignal): Promise<ResultSet> {
    const rows: (readonly unknown[])[] = [];
    const poll = this.#connection.poll(signal);
    let columns: readonly Column[] = [];
    let jobId: string | null = null;
    let bytes = 0;
    for (let token: string | null = "0"; token !== null; ) {
      const { page, size } = await this.#connection.page(`${path}${token}`, signal);
      bytes += size;
      const isTooLong = rows.length + page.rows.length > this.#connection.rowLimit;
      if (isTooLong || bytes > maxResultBytes) {
        const limit = isTooLong ? `${this.#connection.rowLimit} rows` : megabytes(maxResultBytes);
        throw new DeployError("statement-failed", `more than ${limit}; add a LIMIT`);
      }
      if (columns.length === 0) columns = page.columns;
      jobId ??= page.jobId;
      for (const row of page.rows) rows.push(row);
      if (page.kind === "EOS") break;
      if (page.rows.length === 0) await poll();
      token = page.nextToken;
    }
    return { columns, rows, jobId: jobId ?? jobIdIn(columns, rows) };
  }

  /** Also when it has expired already. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#connection.letGo(`/v1/sessions/${this.handle}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The gateway's answers, decoded, or the error that they mean. */
class Connection {
  readonly rowLimit: number;
  readonly #http: HttpClient;
  readonly #sleep: Sleep;

  constructor(options: GatewayOptions) {
    this.#http = new HttpClient(options, service);
    this.#sleep = options.sleep ?? sleep;
    this.rowLimit = options.rowLimit ?? defaultRowLimit;
  }

  async call<T>(method: "GET" | "POST" | "DELETE", path: string, call: Call, decoder: Decoder<T>): Promise<T> {
    const answer = await this.#http.send(method, path, call);
    if (answer.status !== 200) throw this.#refusal(answer);
    return this.#http.decoded(answer, decoder);
  }

  async page(path: string, signal: AbortSignal): Promise<{ readonly page: ResultPage; readonly size: number }> {
    const answer = await this.#http.send("GET", path, { signal });
    if (answer.status !== 200) throw this.#refusal(answer);
    return { page: this.#http.decoded(answer, resultPage), size: answer.bytes };
  }

  /** Ends an operation or session. It expires by itself, so a gateway that cannot be told is no reason to fail. */
  async letGo(path: string): Promise<void> {
    await this.#http.send("DELETE", path, { timeoutMs: closingMs, outlivesSignal: true }).catch(() => undefined);
  }

  /** Waits 5 ms, then twice as long each time, up to 250 ms: most statements take less than 100 ms. */
  poll(signal: AbortSignal): () => Promise<void> {
    let ms = 5;
    return async () => {
      await this.#sleep(ms, signal);
      if (signal.aborted) throw interruption(signal);
      ms = Math.min(ms * 2, 250);
    };
  }

  #refusal(answer: Answer): DeployError {
    const { request, status } = answer;
    if (status === 401 || status === 403) return this.#http.unreachable(request, `access denied (${status})`);
    const errors = errorsIn(answer.json);
    // A proxy in front of it, which may well answer better in a moment: Flink's own errors are JSON.
    if (status >= 500 && (errors === null || status !== 500)) {
      return this.#http.unreachable(request, `status ${status}`);
    }
    // Every path of V1 exists in every gateway, so 404 is always someone else's.
    if (errors === null || status === 404) return this.#http.misplaced(request, `status ${status}`);
    const trace = errors.join("\n");
    const options = { cause: new JavaTrace(trace) };
    // There is no field for it: the message is the same in 1.17 to 2.3.
    const session = /Session '([^']*)' does not exist/.exec(trace)?.[1];
    if (session === undefined) return new DeployError("statement-failed", lastCause(trace), options);
    return new DeployError(
      "session-expired",
      `the gateway knows no session ${session}; run the command again`,
      options,
    );
  }
}

/**
 * Whether a submission was refused because its `$internal.pipeline.job-id` was used before: then that job is, or was, on
 * the cluster. There is no field for it; Flink 2.3 speaks of the application, all before of the job.
 */
export function isDuplicateSubmission(error: unknown): boolean {
  if (!(error instanceof DeployError) || error.code !== "statement-failed") return false;
  const trace = error.cause instanceof JavaTrace ? error.cause.stack : undefined;
  return /\.Duplicate(?:Job|Application)SubmissionException: /.test(trace ?? "");
}

/** Whether a submission ended before the job began to run: Flink took its id and could not start it. No field tells. */
export function isFailedStart(error: unknown): boolean {
  if (!(error instanceof DeployError) || error.code !== "statement-failed") return false;
  const trace = error.cause instanceof JavaTrace ? error.cause.stack : undefined;
  return /\.JobInitializationException: /.test(trace ?? "");
}

function named(field: string): Decoder<string> {
  return fields((it) => it.get(field, string));
}

/** Gateways up to 1.16 name the job only in the result's one row. */
function jobIdIn(columns: readonly Column[], rows: readonly (readonly unknown[])[]): string | null {
  const value = columns.length === 1 && columns[0]?.name === "job id" && rows.length === 1 ? rows[0]?.[0] : undefined;
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value) ? value : null;
}

/** The statement's keyword, for messages; not more, since options may hold secrets. */
function firstWords(sql: string): string {
  return /^(?:\s|--.*|\/\*[\s\S]*?\*\/)*([a-z]+(?:\s+[a-z]+)?)/i.exec(sql)?.[1]?.toUpperCase() ?? "the statement";
}
