import { programDigest } from "../project/digest.ts";
import { groupBy } from "../project/group-by.ts";
import type { Job, Program } from "../project/job.ts";
import { readName, skipWords } from "../project/token-reader.ts";
import { meaningful, tokenize } from "../project/tokens.ts";

/** Two jobs that look like one under another name, and by what, for the middle of a sentence. */
export interface LikelyRename {
  readonly from: Job;
  readonly to: Job;
  readonly evidence: string;
}

/**
 * Which of the removed jobs and the created ones may be one: by the same program, by the same query, or since git says
 * that the model's file was renamed. Only where it is one alone on either side; a batch job has no state to keep. Pure.
 */
export function likelyRenames(
  removed: readonly Job[],
  created: readonly Job[],
  renamedFiles: ReadonlyMap<string, string>,
): readonly LikelyRename[] {
  const found: LikelyRename[] = [];
  const match = (keyOfRemoved: Key, keyOfCreated: Key, evidence: (from: Job, to: Job) => string): void => {
    const isLeft = (job: Job): boolean => !found.some(({ from, to }) => from === job || to === job);
    const tos = aloneByKey(created.filter(isLeft), keyOfCreated);
    for (const [key, from] of aloneByKey(removed.filter(isLeft), keyOfRemoved)) {
      const to = tos.get(key);
      if (to !== undefined) found.push({ from, to, evidence: evidence(from, to) });
    }
  };
  match(wholeDigest, wholeDigest, () => "the same program");
  match(
    ({ origin }) => renamedFiles.get(origin.file ?? "") ?? null,
    ({ origin }) => origin.file,
    ({ origin }, to) => `${origin.file} was renamed to ${to.origin.file}`,
  );
  match(queryDigest, queryDigest, () => "the same query");
  return found;
}

type Key = (job: Job) => string | null;

/** The streaming jobs that share their key with no other. */
function aloneByKey(jobs: readonly Job[], key: Key): ReadonlyMap<string | null, Job> {
  const streaming = jobs.filter(({ program }) => program.runtimeMode === "streaming");
  const groups = groupBy(streaming, key);
  return new Map(
    [...groups].flatMap(([of, [job, ...others]]) =>
      of === null || job === undefined || others.length > 0 ? [] : [[of, job]],
    ),
  );
}

function wholeDigest({ program }: Job): string {
  return programDigest({ ...program, executionConfig: withoutName(program) });
}

/** Apart from the names of the job and its table: what it reads, computes, and how. */
function queryDigest({ program }: Job): string {
  const sink = { kind: "table", name: null, sql: "", origin: { nodeId: null, file: null } } as const;
  const executionConfig = withoutName(program);
  return programDigest({ ...program, executionConfig, sink, insert: queryOf(program), preHooks: [], postHooks: [] });
}

function withoutName({ executionConfig }: Program): Program["executionConfig"] {
  const { "pipeline.name": _name, ...others } = executionConfig;
  return others;
}

/** What stands behind `INSERT INTO table`. */
function queryOf({ insert }: Program): string {
  const tokens = meaningful(tokenize(insert));
  const name = readName(tokens, skipWords(tokens, 0, ["INSERT", "INTO"]));
  return name === null ? insert : insert.slice(tokens[name.next]?.start ?? 0);
}
