import { normalisePath } from "../flink/paths.ts";
import { byOrder, type Entry, type Fact } from "./entry.ts";
import { fold, nothing, type RecordedJob } from "./fold.ts";

export interface RetentionPolicy {
  /** How many of each job's savepoints stay, 1 at least: the newest, and those that its last programs were stopped with. */
  readonly keep: number;
  /** One that is younger than this stays whatever the count; null: age does not matter. */
  readonly youngerThanMs: number | null;
}

export interface RetentionContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Paths that models name; they are the persons' who wrote them. */
  readonly named: readonly string[];
}

export interface OldSavepoint {
  /** As it is called now. */
  readonly job: string;
  readonly path: string;
}

/**
 * The savepoints that may be disposed of now, each job's oldest first: only such as we took ourselves, of jobs whose
 * newest attempt ended with a successor that holds, and which nothing that the ledger knows of could need. Pure.
 */
export function savepointsToDispose(
  entries: readonly Entry[],
  policy: RetentionPolicy,
  { now, named }: RetentionContext,
): readonly OldSavepoint[] {
  const unique = [...new Map(entries.map((entry) => [entry.id, entry])).values()].sort(byOrder);
  const gone = new Set(unique.flatMap(({ fact }) => (fact.kind === "disposed" ? [normalisePath(fact.path)] : [])));
  const lives = livesOf(unique);
  const isYoung = ({ at }: Taken): boolean =>
    // The age of what has no time is not known.
    policy.youngerThanMs !== null && !(now - Date.parse(at) >= policy.youngerThanMs);
  const needed = new Set([
    ...named.map(normalisePath),
    ...lives.flatMap((life) => [
      ...life.fromOutside,
      ...pathsHeld(life.recorded),
      ...newest(life, policy.keep, gone),
      ...life.taken.filter(isYoung).map(({ path }) => normalisePath(path)),
    ]),
  ]);
  const chosen = new Map<string, OldSavepoint>();
  for (const { name, taken, isVerified } of lives) {
    if (name === null || !isVerified) continue;
    for (const { path } of taken) {
      const place = normalisePath(path);
      if (!gone.has(place) && !needed.has(place)) chosen.set(place, { job: name, path });
    }
  }
  return [...chosen.values()];
}

/** A savepoint that a stop of ours took, in the folder that was named for it beforehand. */
interface Taken {
  readonly path: string;
  readonly at: string;
  /** The digest of the program that it left; null where that is not known. */
  readonly program: string | null;
}

/** What the ledger tells of one job under all its names; `name` is null where a rename put another in its place. */
interface Life {
  readonly name: string | null;
  readonly recorded: RecordedJob;
  readonly taken: readonly Taken[];
  /** Those of `taken` after which another program ran: what a rollback may start from. */
  readonly left: readonly Taken[];
  /** Paths that came up without a stop of ours: a person named them. Normalised. */
  readonly fromOutside: readonly string[];
  /** The last that became of it is that it runs, and that this was seen. */
  readonly isVerified: boolean;
}

function livesOf(entries: readonly Entry[]): readonly Life[] {
  const byName = new Map<string, Entry[]>();
  const replaced: Entry[][] = [];
  for (const entry of entries) {
    const { job, fact } = entry;
    const own = byName.get(job) ?? [];
    if (fact.kind !== "renamed") {
      byName.set(job, own);
      own.push(entry);
      continue;
    }
    replaced.push(own);
    byName.set(job, byName.get(fact.from) ?? []);
    byName.delete(fact.from);
  }
  return [...[...byName].map(([name, all]) => lifeOf(name, all)), ...replaced.map((all) => lifeOf(null, all))];
}

/** What tells of a job's states, and not of what became of the job. */
const changesNothing: ReadonlySet<Fact["kind"]> = new Set([
  "checkpointed",
  "disposed",
  "savepoint-intended",
  "savepoint-taken",
  "savepoint-missed",
]);

function lifeOf(name: string | null, entries: readonly Entry[]): Life {
  const job = name ?? "";
  const taken: Taken[] = [];
  const left: Taken[] = [];
  const fromOutside: string[] = [];
  let waiting: readonly Taken[] = [];
  let recorded = nothing(job);
  let newestFact: Fact["kind"] | null = null;
  for (const entry of entries) {
    const { fact, at } = entry;
    const before = recorded;
    recorded = fold([{ ...entry, job }], new Map([[job, before]])).get(job) ?? before;
    if (changesNothing.has(fact.kind)) continue;
    newestFact = fact.kind;
    const path = fact.kind === "stopped" ? ownSavepoint(fact, before) : null;
    if (path !== null) {
      const one = { path, at, program: before.settled?.reference?.digest ?? null };
      taken.push(one);
      waiting = [...waiting, one];
    }
    if (fact.kind === "running") {
      left.push(...waiting.filter(({ program }) => program !== fact.reference.digest));
      waiting = [];
    }
    fromOutside.push(...pathsFromOutside(fact, before));
  }
  return { name, recorded, taken, left, fromOutside, isVerified: newestFact === "running" };
}

/** The path of a stop's savepoint, where it is one that we took: what a person named, and checkpoints, are not ours. */
function ownSavepoint(fact: Extract<Fact, { kind: "stopped" }>, { attempt }: RecordedJob): string | null {
  const { savepoint, named = false } = fact;
  const folder = attempt?.stop?.savepointFolder ?? null;
  if (named || savepoint === null || folder === null) return null;
  return isSavepointIn(folder, savepoint) ? savepoint : null;
}

/** Flink makes each savepoint as a folder of its own, `savepoint-<job>-<random>`, right in the one that it was told. */
function isSavepointIn(folder: string, path: string): boolean {
  const place = `${normalisePath(folder)}/`;
  const inside = normalisePath(path);
  return inside.startsWith(place) && /^savepoint-[A-Za-z0-9_-]+$/.test(inside.slice(place.length));
}

/** Where the job may start from, now or once the attempt in hand goes on. Normalised. */
function pathsHeld({ settled, attempt, checkpoint, noted }: RecordedJob): readonly string[] {
  const resting = settled === null ? null : "savepoint" in settled ? settled.savepoint : null;
  const restored = settled?.kind === "running" ? settled.restored : null;
  const tried = attempt?.submissions.map(({ restore }) => restore) ?? [];
  const held = [
    resting,
    restored,
    checkpoint?.path ?? null,
    noted?.path ?? null,
    attempt?.stopped?.savepoint ?? null,
    ...tried,
  ];
  return held.filter((path) => path !== null).map(normalisePath);
}

/** The path that a person named by all appearances: nothing that was known of the job before tells of it. Normalised. */
function pathsFromOutside(fact: Fact, before: RecordedJob): readonly string[] {
  switch (fact.kind) {
    case "stopped":
      return fact.named === true && fact.savepoint !== null ? [normalisePath(fact.savepoint)] : [];
    case "submit-intended":
      return unknownTo(before, fact.restore);
    case "running":
      return unknownTo(before, fact.restored);
    case "suspended":
    case "removed":
    case "down":
      return unknownTo(before, fact.savepoint);
    default:
      return [];
  }
}

function unknownTo(recorded: RecordedJob, path: string | null): readonly string[] {
  if (path === null) return [];
  const place = normalisePath(path);
  return pathsHeld(recorded).includes(place) ? [] : [place];
}

/** Of what is still there: the newest of all, and the newest of those that a rollback may start from. Normalised. */
function newest({ taken, left }: Life, keep: number, gone: ReadonlySet<string>): readonly string[] {
  return [taken, left].flatMap((all) => {
    const there = [...new Set(all.map(({ path }) => normalisePath(path)).reverse())].filter((path) => !gone.has(path));
    return there.slice(0, Math.max(1, keep));
  });
}
