import {
  boolean,
  DecodeError,
  type Decoder,
  type Fields,
  fields,
  list,
  nullable,
  number,
  numbersByName,
  string,
} from "./decode.ts";
import { sqlType } from "./logical-type.ts";

/** A result's column; `type` is SQL as Flink prints it, without `NOT NULL`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

/** One page of a result. `nextToken` is null after the last. */
export interface ResultPage {
  readonly kind: "NOT_READY" | "PAYLOAD" | "EOS";
  readonly jobId: string | null;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly unknown[])[];
  readonly nextToken: string | null;
}

export interface JobOverview {
  readonly id: string;
  readonly name: string;
  /** Flink's word: CREATED, RUNNING, FINISHED and so on. */
  readonly state: string;
  /** Milliseconds since 1970, as all times here. */
  readonly startTime: number;
  readonly endTime: number | null;
}

/** A job in the list of all; `tasks` are numbers by state in lower case, and `total`. */
export interface ListedJob extends JobOverview {
  readonly tasks: Readonly<Record<string, number>>;
}

export interface JobVertex {
  readonly name: string;
  readonly parallelism: number;
  readonly status: string;
  /** Number of tasks by state. */
  readonly taskCounts: Readonly<Record<string, number>>;
}

export interface JobDetails extends JobOverview {
  /** When each state was entered; 0 for never. */
  readonly timestamps: Readonly<Record<string, number>>;
  readonly vertices: readonly JobVertex[];
}

export interface CompletedCheckpoint {
  readonly id: number;
  /** Null for a checkpoint that nothing outside the JobManager can address. */
  readonly path: string | null;
  readonly isSavepoint: boolean;
  readonly triggerTime: number;
  /** Of all its state in bytes, also what earlier checkpoints wrote; null where Flink does not tell. */
  readonly stateSize: number | null;
}

export interface CheckpointStatistics {
  readonly counts: {
    readonly restored: number;
    readonly total: number;
    readonly inProgress: number;
    readonly completed: number;
    readonly failed: number;
  };
  readonly latestCompleted: CompletedCheckpoint | null;
  readonly latestSavepoint: CompletedCheckpoint | null;
  readonly restored: { readonly id: number; readonly path: string | null; readonly isSavepoint: boolean } | null;
  readonly latestFailed: { readonly id: number; readonly failureMessage: string | null } | null;
}

export interface CheckpointConfig {
  /** In ms; null when the job takes none by itself, which Flink says with the largest long. */
  readonly intervalMs: number | null;
  /** Whether the newest checkpoint stays when the job fails for good, and when it is cancelled. */
  readonly survivesFailure: boolean;
  readonly survivesCancel: boolean;
}

/** `stackTrace` is Java's text, newest failure's own first. */
export interface RecordedException {
  readonly timestamp: number;
  readonly stackTrace: string;
}

/** What became of a savepoint or disposal; Flink says COMPLETED for a failed one too, with a cause in it. */
export type OperationResult =
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed"; readonly location: string | null }
  | { readonly kind: "failed"; readonly stackTrace: string };

const column: Decoder<Column> = fields((it) => ({
  name: it.get("name", string),
  ...it.get("logicalType", sqlType),
}));

const row: Decoder<readonly unknown[]> = fields((it) =>
  it.get(
    "fields",
    list((value) => value),
  ),
);

const pageKind: Decoder<ResultPage["kind"]> = (value, path) => {
  if (value === "NOT_READY" || value === "PAYLOAD" || value === "EOS") return value;
  throw new DecodeError(path, "NOT_READY, PAYLOAD or EOS", value);
};

/** `GET /v1/sessions/:session/operations/:operation/result/:token`. */
export const resultPage: Decoder<ResultPage> = fields((it) => {
  const results = it.get("results", nullable(fields((data) => data)));
  // Only the token is taken from the address: a gateway behind a proxy does not know its own.
  const next = it.get("nextResultUri", nullable(string));
  return {
    kind: it.get("resultType", pageKind),
    jobId: it.get("jobID", nullable(string)),
    columns: results?.get("columns", nullable(list(column))) ?? [],
    rows: results?.get("data", nullable(list(row))) ?? [],
    nextToken: next === null ? null : (/\/result\/(\d+)/.exec(next)?.[1] ?? null),
  };
});

const serviceErrors: Decoder<readonly string[]> = fields((it) => it.get("errors", list(string)));

/** What Flink says when it refuses, as both of its services do; null where the answer is not of that shape. */
export function errorsIn(json: unknown): readonly string[] | null {
  try {
    return serviceErrors(json, "");
  } catch {
    // Whatever it is, it is not how Flink refuses.
    return null;
  }
}

const endTime = (value: number): number | null => (value < 0 ? null : value);

const overview = (it: Fields): JobOverview => ({
  id: it.get("jid", string),
  name: it.get("name", string),
  state: it.get("state", string),
  startTime: it.get("start-time", number),
  endTime: endTime(it.get("end-time", number)),
});

const listedJob: Decoder<ListedJob> = fields((it) => ({ ...overview(it), tasks: it.get("tasks", numbersByName) }));

export const jobOverviews: Decoder<readonly ListedJob[]> = fields((it) => it.get("jobs", list(listedJob)));

export const jobDetails: Decoder<JobDetails> = fields((it) => ({
  ...overview(it),
  timestamps: it.get("timestamps", numbersByName),
  vertices: it.get(
    "vertices",
    list(
      fields((vertex) => ({
        name: vertex.get("name", string),
        parallelism: vertex.get("parallelism", number),
        status: vertex.get("status", string),
        taskCounts: vertex.get("tasks", numbersByName),
      })),
    ),
  ),
}));

const externalPath = (value: string | null): string | null =>
  value === null || value === "" || value.startsWith("<") ? null : value;

const completedCheckpoint: Decoder<CompletedCheckpoint> = fields((it) => ({
  id: it.get("id", number),
  path: externalPath(it.get("external_path", nullable(string))),
  isSavepoint: it.get("is_savepoint", boolean),
  triggerTime: it.get("trigger_timestamp", number),
  stateSize: it.get("state_size", nullable(number)),
}));

/** `GET /jobs/:id/checkpoints`. */
export const checkpointStatistics: Decoder<CheckpointStatistics> = fields((it) => {
  const latest = it.get(
    "latest",
    fields((found) => found),
  );
  return {
    counts: it.get(
      "counts",
      fields((counts) => ({
        restored: counts.get("restored", number),
        total: counts.get("total", number),
        inProgress: counts.get("in_progress", number),
        completed: counts.get("completed", number),
        failed: counts.get("failed", number),
      })),
    ),
    latestCompleted: latest.get("completed", nullable(completedCheckpoint)),
    latestSavepoint: latest.get("savepoint", nullable(completedCheckpoint)),
    restored: latest.get(
      "restored",
      nullable(
        fields((restored) => ({
          id: restored.get("id", number),
          path: externalPath(restored.get("external_path", nullable(string))),
          isSavepoint: restored.get("is_savepoint", boolean),
        })),
      ),
    ),
    latestFailed: latest.get(
      "failed",
      nullable(
        fields((failed) => ({
          id: failed.get("id", number),
          failureMessage: failed.get("failure_message", nullable(string)),
        })),
      ),
    ),
  };
});

/** `GET /jobs/:id/checkpoints/config`. */
export const checkpointConfig: Decoder<CheckpointConfig> = fields((it) => {
  const interval = it.get("interval", number);
  const externalization = it.get("externalization", nullable(fields((found) => found)));
  const isKept = externalization?.get("enabled", boolean) ?? false;
  return {
    intervalMs: interval <= 0 || interval > Number.MAX_SAFE_INTEGER ? null : interval,
    survivesFailure: isKept,
    survivesCancel: isKept && externalization?.get("delete_on_cancellation", boolean) === false,
  };
});

/** `GET /jobmanager/config`. */
export const keyValues: Decoder<Readonly<Record<string, string>>> = (value, path) => {
  const pairs = list(fields((it) => [it.get("key", string), it.get("value", string)] as const))(value, path);
  return Object.fromEntries(pairs);
};

const historyEntry: Decoder<RecordedException> = fields((it) => ({
  timestamp: it.get("timestamp", number),
  stackTrace: it.get("stacktrace", string),
}));

/** `GET /jobs/:id/exceptions`, newest first. Up to 1.20 a root exception stands beside the history; 2.x has the history only. */
export const recordedExceptions: Decoder<readonly RecordedException[]> = fields((it) => {
  const history = it.get("exceptionHistory", nullable(fields((found) => found.get("entries", list(historyEntry)))));
  if (history !== null && history.length > 0) return history.toSorted((a, b) => b.timestamp - a.timestamp);
  const root = it.get("root-exception", nullable(string));
  return root === null ? [] : [{ timestamp: it.get("timestamp", nullable(number)) ?? 0, stackTrace: root }];
});

const failureCause: Decoder<string> = fields((it) => it.get("stack-trace", string));

/** `GET /jobs/:id/savepoints/:trigger` and `GET /savepoint-disposal/:trigger`. */
export const operationResult: Decoder<OperationResult> = fields((it) => {
  const status = it.get(
    "status",
    fields((found) => found.get("id", string)),
  );
  if (status !== "COMPLETED") return { kind: "in-progress" };
  const operation = it.get("operation", nullable(fields((found) => found)));
  const cause = operation?.get("failure-cause", nullable(failureCause)) ?? null;
  if (cause !== null) return { kind: "failed", stackTrace: cause };
  return { kind: "completed", location: operation?.get("location", nullable(string)) ?? null };
});
