import { programDigest } from "../../../src/project/digest.ts";
import type { Config, Job, Program, UpgradeMode } from "../../../src/project/job.ts";

export interface JobOptions {
  readonly name?: string;
  /** Of the query; what makes one program differ from another. */
  readonly where?: string;
  readonly config?: Config;
  readonly upgradeMode?: UpgradeMode;
  readonly desiredState?: Job["desiredState"];
  readonly runtimeMode?: Program["runtimeMode"];
  readonly startFrom?: string;
  /** A view between the source and the job. */
  readonly view?: string;
  readonly postHooks?: readonly string[];
}

const origin = (name: string) => ({ nodeId: `model.shop.${name}`, file: `models/${name}.sql` });

/** A job that copies numbers into a sink of its own name; everything that is not said is the same for all. */
export function job(options: JobOptions = {}): Job {
  const { name = "totals", where = "n > 0", runtimeMode = "streaming" } = options;
  const read = options.view === undefined ? "numbers" : "even_numbers";
  const program: Program = {
    setup: [
      {
        kind: "table",
        name: "numbers",
        sql: "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen')",
        origin: origin("numbers"),
      },
      ...(options.view === undefined
        ? []
        : [
            {
              kind: "view",
              name: "even_numbers",
              sql: `CREATE VIEW even_numbers AS ${options.view}`,
              origin: origin("even_numbers"),
            } as const,
          ]),
    ],
    sink: {
      kind: "table",
      name,
      sql: `CREATE TABLE ${name} (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '/sinks/${name}')`,
      origin: origin(name),
    },
    insert: `INSERT INTO ${name} SELECT n FROM ${read} WHERE ${where}`,
    runtimeMode,
    executionConfig: {
      "pipeline.name": name,
      ...(runtimeMode === "streaming" ? { "execution.checkpointing.interval": "1s" } : {}),
      ...options.config,
    },
    preHooks: [],
    postHooks: options.postHooks ?? [],
  };
  return {
    name,
    origin: origin(name),
    upgradeMode: options.upgradeMode ?? "savepoint",
    desiredState: options.desiredState ?? "running",
    startFrom: options.startFrom ?? null,
    program,
    digest: programDigest(program),
  };
}

/** `[1, 2, ..., last]`: what an exactly-once sink holds. */
export function upTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
