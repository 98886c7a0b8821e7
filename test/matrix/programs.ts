import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { programDigest } from "../../src/project/digest.ts";
import type { Job, Program } from "../../src/project/job.ts";

const origin = { nodeId: null, file: null };

export interface CountingJob {
  readonly name: string;
  /** Written beside each number, so that the files tell which program wrote it. */
  readonly mark: string;
}

export const sinkFolder = (folder: string, name: string): string => join(folder, "sinks", name);

/** A job that writes 1, 2, 3 and so on, each with its mark, into files that Flink commits with its checkpoints. */
export function countingJob({ name, mark }: CountingJob, folder: string): Job {
  const program: Program = {
    setup: [
      {
        kind: "table",
        name: "numbers",
        sql: `CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000')`,
        origin,
      },
    ],
    sink: {
      kind: "table",
      name: "marked",
      sql: `CREATE TABLE marked (n BIGINT, v STRING) WITH ('connector' = 'filesystem', 'format' = 'csv',
        'path' = '${pathToFileURL(sinkFolder(folder, name)).href}')`,
      origin,
    },
    insert: `INSERT INTO marked SELECT n, '${mark}' FROM numbers`,
    runtimeMode: "streaming",
    // Not often enough to hide a record that a lost checkpoint would bring twice.
    executionConfig: { "pipeline.name": name, "execution.checkpointing.interval": "300ms" },
    preHooks: [],
    postHooks: [],
  };
  return {
    name,
    origin,
    upgradeMode: "savepoint",
    desiredState: "running",
    startFrom: null,
    program,
    digest: programDigest(program),
  };
}
