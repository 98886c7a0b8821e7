import { type JavaError, noFolder, parserError, plainValidationError, unknownJob } from "./java-error.ts";
import { failed, type Outcome, ok, rows } from "./outcome.ts";
import {
  created,
  createdView,
  described,
  dropped,
  missing,
  type SessionObjects,
  shownTable,
} from "./session-objects.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { parsedStatement, type Statement } from "./statement.ts";

type Config = Readonly<Record<string, string>>;

/** Carries statements out: DDL in the session, jobs on the cluster, scripted results before either. */
export class StatementRunner {
  /** Status requests after which STOP JOB gives up waiting, as after `client.timeout`; the job stops all the same. */
  stopPatience = 1000;
  readonly #answers: {
    readonly pattern: RegExp;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly unknown[])[];
  }[] = [];
  readonly #failures: { readonly pattern: RegExp; readonly message: string }[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #observe: () => void;

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

  /** What a statement comes to, asked for at each status request; null while it runs. */
  start(session: SessionObjects, sql: string, executionConfig: Config): () => Outcome | null {
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

  /** What the gateway was started with. */
  #clusterConfig(): readonly (readonly [string, string])[] {
    const folder = this.#cluster.checkpointFolder;
    return folder === null ? [] : [["state.checkpoints.dir", folder]];
  }

  #executed(session: SessionObjects, statement: Statement, config: Config, sql: string): Outcome {
    switch (statement.kind) {
      case "set":
        if (statement.key === null) return rows(["key", "value"], [...this.#clusterConfig(), ...session.config]);
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
      case "show-create-table":
        return shownTable(session, statement.name);
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
    session: SessionObjects,
    statement: Extract<Statement, { kind: "create-table" }>,
    config: Config,
    sql: string,
  ): Outcome {
    const { name, query } = statement;
    const wasThere = session.tables.has(name);
    const outcome = created(session, statement, sql);
    return query === null || wasThere || outcome.kind === "error"
      ? outcome
      : this.#inserted(session, name, query, config, sql);
  }

  #inserted(session: SessionObjects, sink: string, query: string, config: Config, sql: string): Outcome {
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

  #stopping(id: string, config: Config): () => Outcome | null {
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

  #shown(session: SessionObjects, what: string): Outcome {
    if (what === "JOBS") {
      this.#observe();
      const jobs = [...this.#cluster.jobs.values()];
      const found = jobs.map((job) => [job.settings.id, job.settings.name, job.state, time(job.startTime)]);
      return rows(["job id", "job name", "status", "start time"], found);
    }
    if (what === "CURRENT CATALOG") return rows(["current catalog name"], [["default_catalog"]]);
    const names = what === "VIEWS" ? session.views.keys() : [...session.tables.keys(), ...session.views.keys()];
    if (/^(?:TABLES|VIEWS)$/.test(what))
      return rows(
        ["table name"],
        [...names].sort().map((name) => [name]),
      );
    return rows([what.toLowerCase()], []);
  }
}

const stopError = (id: string, cause: JavaError): JavaError => [
  [
    "org.apache.flink.table.gateway.service.utils.SqlExecutionException",
    `Could not stop job ${id} with savepoint for operation 00000000-0000-4000-8000-000000000000.`,
  ],
  ...cause,
];

const time = (ms: number): string => new Date(ms).toISOString();
