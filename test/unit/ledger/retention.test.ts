import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSamePath } from "../../../src/flink/paths.ts";
import { byOrder, type Entry, type Fact } from "../../../src/ledger/entry.ts";
import { type Deployed, fold, type RecordedJob } from "../../../src/ledger/fold.ts";
import { type RetentionPolicy, savepointsToDispose } from "../../../src/ledger/retention.ts";
import { entry, facts, reference } from "./entries.ts";

const newYear = Date.parse("2026-01-01T00:00:00.000Z");
const dayMs = 24 * 3_600_000;
const keepOne = { keep: 1, youngerThanMs: null };

const program = (number: number) => ({ digest: `d${number}`, value: `v${number}` });
const savepoint = (number: number) => `file:/s/totals/${number}/savepoint-abc-${number}`;

/** The stop of the job that runs, whose savepoint has this number. */
const stopped = (number: number): readonly Fact[] => [
  {
    kind: "stop-intended",
    purpose: "upgrade",
    jobId: "j",
    triggerId: `t${number}`,
    withSavepoint: true,
    savepointFolder: `file:///s/totals/${number}`,
  },
  { kind: "stopped", jobId: "j", savepoint: savepoint(number) },
];

/** A program's start from there, which holds. */
const started = (number: number, restore: string | null, role: "new" | "put-back" = "new"): readonly Fact[] => [
  { kind: "submit-intended", role, jobId: "j", reference: program(number), restore },
  { kind: "submitted", jobId: "j" },
  { kind: "running", jobId: "j", reference: program(number), restored: restore },
];

/** Program `number` takes the place of the one that runs, which leaves savepoint `number`. */
const upgraded = (number: number): readonly Fact[] => [...stopped(number), ...started(number, savepoint(number))];

/** Programs 0 to `last`, one after the other. */
const upgradedTo = (last: number): readonly Fact[] => [
  ...started(0, null),
  ...Array.from({ length: last }, (_, index) => upgraded(index + 1)).flat(),
];

function ledger(...all: readonly Fact[]): readonly Entry[] {
  return all.map((fact, index) => entry(fact, { sequence: index + 1 }));
}

function chosen(
  entries: readonly Entry[],
  policy: RetentionPolicy = keepOne,
  named: readonly string[] = [],
  now = newYear,
): readonly string[] {
  return savepointsToDispose(entries, policy, { now, named }).map(({ path }) => path);
}

describe("of a job that was upgraded four times", () => {
  test.each([
    [1, [1, 2, 3]],
    [2, [1, 2]],
    [3, [1]],
    [4, []],
    [1000, []],
  ])("with the newest %i kept, the others may go, oldest first", (keep, gone) => {
    expect(chosen(ledger(...upgradedTo(4)), { keep, youngerThanMs: null })).toEqual(gone.map(savepoint));
  });

  test("the last one stays, whatever the count and though the job goes on from a checkpoint", () => {
    const lost = started(4, "file:/c/j/chk-9");
    expect(chosen(ledger(...upgradedTo(4), ...lost), { keep: 0, youngerThanMs: null })).toEqual(
      [1, 2, 3].map(savepoint),
    );
  });

  test("none goes twice", () => {
    const disposed: Fact = { kind: "disposed", path: "file:///s/totals/1/savepoint-abc-1/" };
    expect(chosen(ledger(...upgradedTo(4), disposed))).toEqual([2, 3].map(savepoint));
  });

  test("what was disposed of does not count among the newest", () => {
    const disposed: Fact = { kind: "disposed", path: savepoint(3) };
    expect(chosen(ledger(...upgradedTo(4), disposed), { keep: 2, youngerThanMs: null })).toEqual([savepoint(1)]);
  });

  test("one that a model names stays, however it is written", () => {
    expect(chosen(ledger(...upgradedTo(4)), keepOne, ["file:///s/totals/2/savepoint-abc-2/"])).toEqual(
      [1, 3].map(savepoint),
    );
  });

  test.each([
    ["30 days later, those younger than 29 days stay", 30, 29, [1, 2, 3]],
    ["30 days later, those younger than 31 days stay", 30, 31, []],
    ["by a clock that is behind, all are young", -1, 1, []],
  ])("%s", (_name, days, young, gone) => {
    const policy = { keep: 1, youngerThanMs: young * dayMs };
    expect(chosen(ledger(...upgradedTo(4)), policy, [], newYear + days * dayMs)).toEqual(gone.map(savepoint));
  });

  test("one whose age cannot be read stays where age matters", () => {
    const all = ledger(...upgradedTo(4)).map((one) => ({ ...one, at: "yesterday" }));
    expect(chosen(all, { keep: 1, youngerThanMs: dayMs })).toEqual([]);
    expect(chosen(all)).toHaveLength(3);
  });
});

describe("nothing goes while the newest attempt", () => {
  test.each<readonly [string, readonly Fact[]]>([
    ["is to stop the job", stopped(5).slice(0, 1)],
    ["has stopped it", stopped(5)],
    ["has submitted the new one", [...stopped(5), ...started(5, savepoint(5)).slice(0, 2)]],
    ["has failed to stop it", [...stopped(5).slice(0, 1), { kind: "stop-failed", jobId: "j", cause: "disk full" }]],
    ["left it down", [...stopped(5), { kind: "down", reference: program(4), savepoint: savepoint(5), cause: "x" }]],
    [
      "suspended it",
      [...stopped(5), { kind: "suspended", by: "model", reference: program(4), savepoint: savepoint(5) }],
    ],
    ["removed it", [...stopped(5), { kind: "removed", reference: program(4), savepoint: savepoint(5) }]],
    ["saw it finish", [{ kind: "finished", jobId: "j", reference: program(4) }]],
    ["took over a stranger", [{ kind: "adopted", jobId: "x" }]],
  ])("%s", (_name, facts) => {
    expect(chosen(ledger(...upgradedTo(4), ...facts))).toEqual([]);
  });
});

test("what is noted of a running job's checkpoints changes nothing", () => {
  const noted: Fact = { kind: "checkpointed", jobId: "j", path: "file:/c/j/chk-7" };
  expect(chosen(ledger(...upgradedTo(4), noted))).toEqual([1, 2, 3].map(savepoint));
});

test("a savepoint that was taken while the job ran on is never chosen, and keeps no other from it", () => {
  const saved = savepoint(3).replace("abc", "mine");
  const noted: readonly Fact[] = [
    { kind: "savepoint-intended", jobId: "j", triggerId: "t", savepointFolder: "file:///s/totals/3" },
    { kind: "savepoint-taken", jobId: "j", path: saved },
  ];
  expect(chosen(ledger(...upgradedTo(3), ...noted, ...upgraded(4)))).toEqual([1, 2, 3].map(savepoint));
  expect(chosen(ledger(...upgradedTo(4), ...noted))).toEqual([1, 2, 3].map(savepoint));
});

describe("what a rollback may need stays", () => {
  test("though the job was suspended and resumed since", () => {
    const rested: readonly Fact[] = [3, 4].flatMap((number) => [
      ...stopped(number),
      { kind: "suspended", by: "command", reference: program(2), savepoint: savepoint(number) } as const,
      ...started(2, savepoint(number)),
    ]);
    // 2: what program 1 was stopped with. 4: the newest, from which program 2 goes on.
    expect(chosen(ledger(...upgradedTo(2), ...rested))).toEqual([1, 3].map(savepoint));
  });

  test("though a program was put back since", () => {
    const putBack: readonly Fact[] = [3, 4].flatMap((number) => [
      ...stopped(number),
      ...started(9, savepoint(number)).slice(0, 2),
      { kind: "submit-failed", jobId: "j", cause: "it is FAILED" } as const,
      ...started(2, savepoint(number), "put-back"),
    ]);
    expect(chosen(ledger(...upgradedTo(2), ...putBack))).toEqual([1, 3].map(savepoint));
  });
});

describe("only what we took goes:", () => {
  /** An upgrade whose old job ended with this state. */
  const leaving = (path: string, more: { readonly named?: boolean; readonly keepsCheckpoint?: boolean } = {}) => {
    const [stop] = stopped(1) as [Extract<Fact, { kind: "stop-intended" }>];
    const { named, keepsCheckpoint } = more;
    return [
      { ...stop, ...(keepsCheckpoint ? { withSavepoint: false, keepsCheckpoint, savepointFolder: null } : {}) },
      { kind: "stopped", jobId: "j", savepoint: path, ...(named === undefined ? {} : { named }) } as const,
      ...started(1, path),
    ];
  };
  const later = [...upgraded(2), ...upgraded(3)];

  test.each<readonly [string, readonly Fact[]]>([
    ["a checkpoint", leaving("file:/c/j/chk-7", { keepsCheckpoint: true })],
    ["a checkpoint in our folder", leaving("file:/s/totals/1/chk-7")],
    ["a savepoint of someone else", leaving("file:/mine/savepoint-abc-1")],
    ["a savepoint beside our folder", leaving("file:/s/totals/11/savepoint-abc-1")],
    ["a savepoint out of our folder in a roundabout way", leaving("file:/s/totals/1/../0/savepoint-abc-1")],
    ["what lies deeper", leaving("file:/s/totals/1/more/savepoint-abc-1")],
    ["what a person named, in our folder too", leaving(savepoint(1), { named: true })],
  ])("%s stays", (_name, facts) => {
    expect(chosen(ledger(...started(0, null), ...facts, ...later))).toEqual([savepoint(2)]);
  });

  test("what a person named does not count among the newest", () => {
    const answer: Fact = { kind: "stopped", jobId: "j", savepoint: savepoint(3), named: true };
    const answered = [...stopped(3).slice(0, 1), answer, ...started(3, savepoint(3))];
    expect(chosen(ledger(...upgradedTo(2), ...answered))).toEqual([savepoint(1)]);
  });

  test("what a person named stays, also where the job had started from it before", () => {
    const answer: Fact = { kind: "stopped", jobId: "j", savepoint: savepoint(2), named: true };
    const answered = [...stopped(3).slice(0, 1), answer, ...started(3, savepoint(2))];
    expect(chosen(ledger(...upgradedTo(2), ...answered, ...upgraded(4), ...upgraded(5)))).toEqual(
      [1, 4].map(savepoint),
    );
  });

  test("one that a person started the job from later stays for good", () => {
    const lost: readonly Fact[] = started(4, savepoint(1));
    expect(chosen(ledger(...upgradedTo(4), ...lost, ...upgraded(5), ...upgraded(6)))).toEqual(
      [2, 3, 4, 5].map(savepoint),
    );
  });

  test("one that another job was started from stays", () => {
    const all = ledger(...upgradedTo(4));
    const other = started(7, savepoint(2)).map((fact, at) =>
      entry(fact, { job: "sums", sequence: all.length + 1 + at }),
    );
    expect(chosen([...all, ...other])).toEqual([1, 3].map(savepoint));
  });
});

describe("a renamed job", () => {
  const all = ledger(...upgradedTo(4));
  const next = all.length + 1;
  const renamed = entry({ kind: "renamed", from: "totals" }, { job: "sums", sequence: next });

  test("takes its savepoints along", () => {
    const choice = savepointsToDispose([...all, renamed], keepOne, { now: newYear, named: [] });
    expect(choice).toEqual([1, 2, 3].map((number) => ({ job: "sums", path: savepoint(number) })));
  });

  test("is not the job that takes its old name later", () => {
    const other = started(9, null).map((fact, at) => entry(fact, { sequence: next + 1 + at }));
    const choice = savepointsToDispose([...all, renamed, ...other], keepOne, { now: newYear, named: [] });
    expect(choice.map(({ job }) => job)).toEqual(["sums", "sums", "sums"]);
  });

  test("keeps the one that a job of its new name was started from before", () => {
    const other: readonly Fact[] = [...started(7, savepoint(2)), { kind: "removed", reference, savepoint: null }];
    const early = other.map((fact, at) => entry(fact, { job: "sums", sequence: next + at }));
    const last = entry({ kind: "renamed", from: "totals" }, { job: "sums", sequence: next + other.length });
    expect(chosen([...all, ...early, last])).toEqual([1, 3].map(savepoint));
  });

  test("leaves alone what a job of its new name had left", () => {
    const earlier = ledger(...upgradedTo(4), { kind: "removed", reference: program(4), savepoint: null }).map(
      ({ fact, sequence }) => entry(fact, { job: "sums", sequence }),
    );
    const own = started(0, null).map((fact, at) => entry(fact, { sequence: earlier.length + 1 + at }));
    const last = entry({ kind: "renamed", from: "totals" }, { job: "sums", sequence: earlier.length + 9 });
    expect(chosen([...earlier, ...own, last])).toEqual([]);
  });
});

/* Whatever the ledger. */

const number = fc.integer({ min: 1, max: 9 });
/** The same place in another spelling, or a place that is not ours. */
const someState = fc.oneof(
  { weight: 4, arbitrary: number.map(savepoint) },
  number.map((one) => `file:///s/totals/${one}/savepoint-abc-${one}/`),
  number.map((one) => `file:/c/j/chk-${one}`),
  number.map((one) => `file:/s/totals/${one}/chk-${one}`),
  fc.constant("s3://mine/savepoint-1"),
);
const maybe = fc.option(someState, { nil: null });
const suspended = (savepoint: string | null): Fact => ({ kind: "suspended", by: "model", reference, savepoint });

/** What one attempt writes, of whose savepoint this is the number; a process that dies leaves the first part of it. */
const attempt = (at: number): fc.Arbitrary<readonly Fact[]> => {
  const whole: fc.Arbitrary<readonly Fact[]> = fc.oneof(
    { weight: 20, arbitrary: fc.constant(upgraded(at)) },
    { weight: 2, arbitrary: number.map((before) => [...stopped(at), ...started(before, savepoint(at), "put-back")]) },
    { weight: 2, arbitrary: fc.constant([...stopped(at), suspended(savepoint(at)), ...started(at, savepoint(at))]) },
    fc.constant([...stopped(at), suspended(savepoint(at))]),
    fc.constant([...stopped(at), { kind: "removed" as const, reference, savepoint: savepoint(at) }]),
    fc.constant([...stopped(at), { kind: "down" as const, reference, savepoint: savepoint(at), cause: "x" }]),
    someState.map((path) => [
      ...stopped(at).slice(0, 1),
      { kind: "stopped" as const, jobId: "j", savepoint: path, named: true },
      ...started(at, path),
    ]),
    fc.constant([...stopped(at).slice(0, 1), { kind: "stop-failed" as const, jobId: "j", cause: "x" }]),
    maybe.map((path) => started(at, path)),
    maybe.map((path) => [suspended(path)]),
    someState.map((path) => [{ kind: "disposed" as const, path }]),
    someState.map((path) => [{ kind: "checkpointed" as const, jobId: "j", path }]),
    fc.constantFrom("totals", "sums").map((from) => [{ kind: "renamed" as const, from }]),
    facts.map((fact) => [fact]),
  );
  return whole.chain((all) =>
    fc.oneof(
      { weight: 9, arbitrary: fc.constant(all) },
      fc.nat(all.length).map((end) => all.slice(0, end)),
    ),
  );
};

const anyLedger: fc.Arbitrary<readonly Entry[]> = fc
  .array(fc.tuple(fc.constantFrom("totals", "totals", "totals", "sums"), fc.nat(20), number), {
    minLength: 1,
    maxLength: 9,
    size: "max",
  })
  .chain((all) =>
    fc.tuple(
      ...all.map(([job, day, other], at) =>
        // Now and then a path that another attempt has too, which Flink never makes.
        attempt(other === 1 ? other : at + 1).map((facts) => facts.map((fact) => ({ fact, job, day }))),
      ),
    ),
  )
  .chain((all) => {
    // Mostly the last that became of it is that it holds.
    const last = upgraded(99).map((fact) => ({ fact, job: "totals", day: 20 }));
    return fc.constantFrom(all.flat(), [...all.flat(), ...last]);
  })
  .map((all) =>
    all.map(({ fact, job, day }, at) =>
      entry(fact, { sequence: at + 1, job, at: new Date(newYear + day * dayMs).toISOString() }),
    ),
  );
const anyPolicy = fc.record({
  keep: fc.integer({ min: 1, max: 3 }),
  youngerThanMs: fc.option(
    fc.nat(25).map((days) => days * dayMs),
    { nil: null, freq: 2 },
  ),
});
const anyCase = fc.record({ entries: anyLedger, policy: anyPolicy, named: fc.array(someState, { maxLength: 1 }) });

const now = newYear + 20 * dayMs;

function heldBy({ settled, attempt, checkpoint }: RecordedJob): readonly (string | null)[] {
  const own = settled === null ? [] : ["savepoint" in settled ? settled.savepoint : null];
  const restored = settled?.kind === "running" ? [settled.restored] : [];
  const tried = attempt?.submissions.map(({ restore }) => restore) ?? [];
  return [...own, ...restored, ...tried, attempt?.stopped?.savepoint ?? null, checkpoint?.path ?? null];
}

const isAmong = (path: string, all: readonly (string | null)[]): boolean =>
  all.some((one) => one !== null && isSamePath(one, path));

/** Paths that came into a job's record though nothing in it had told of them. */
function fromOutside(entries: readonly Entry[]): readonly string[] {
  let before: Deployed = new Map();
  return entries.flatMap((one) => {
    const known = before;
    before = fold([one], known);
    const { job, fact } = one;
    const path = fact.kind === "submit-intended" ? fact.restore : fact.kind === "suspended" ? fact.savepoint : null;
    const recorded = known.get(job);
    return path === null || (recorded !== undefined && isAmong(path, heldBy(recorded))) ? [] : [path];
  });
}

/** By name, the stops of each job under all its names. */
function stopsOf(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const stops = new Map<string, readonly Entry[]>();
  for (const one of entries) {
    const { job, fact } = one;
    if (fact.kind === "stopped") stops.set(job, [...(stops.get(job) ?? []), one]);
    if (fact.kind !== "renamed") continue;
    stops.set(job, stops.get(fact.from) ?? []);
    stops.delete(fact.from);
  }
  return stops;
}

describe("whatever the ledger and the policy,", () => {
  const always = (
    holds: (one: { entries: readonly Entry[]; policy: RetentionPolicy; named: readonly string[] }) => void,
  ) => fc.assert(fc.property(anyCase, holds), { numRuns: 200 });
  const choice = (one: { entries: readonly Entry[]; policy: RetentionPolicy; named: readonly string[] }) =>
    savepointsToDispose(one.entries, one.policy, { now, named: one.named });

  test("what is chosen was taken by a stop of ours, is no checkpoint, and is there", () => {
    always((one) => {
      for (const { path } of choice(one)) {
        expect(path).toMatch(/^file:\/s\/totals\/\d\/savepoint-/);
        const at = one.entries.findIndex(({ fact }) => fact.kind === "stopped" && fact.savepoint === path);
        const folders = one.entries
          .slice(0, at)
          .flatMap(({ fact }) => (fact.kind === "stop-intended" ? (fact.savepointFolder ?? []) : []));
        expect(folders.some((folder) => isSamePath(`${folder}/${path.split("/").at(-1)}`, path))).toBe(true);
        const disposed = one.entries.flatMap(({ fact }) => (fact.kind === "disposed" ? fact.path : []));
        expect(isAmong(path, disposed)).toBe(false);
      }
    });
  });

  test("nothing is chosen that any job runs from, rests with or is about to start from", () => {
    always((one) => {
      const deployed = [...fold(one.entries).values()];
      for (const { path } of choice(one)) expect(isAmong(path, deployed.flatMap(heldBy))).toBe(false);
    });
  });

  test("nothing is chosen of a job unless the last that became of it is that it holds", () => {
    always((one) => {
      const deployed = fold(one.entries);
      for (const { job } of choice(one)) {
        const recorded = deployed.get(job);
        expect(recorded).toMatchObject({ attempt: null, settled: { kind: "running" } });
        const last = one.entries.find(({ id }) => id === recorded?.since);
        expect(last?.fact.kind).toBe("running");
      }
    });
  });

  test("each job keeps its newest ones, so never loses the last", () => {
    always((one) => {
      const all = choice(one);
      const gone = [
        ...one.entries.flatMap(({ fact }) => (fact.kind === "disposed" ? fact.path : [])),
        ...all.map(({ path }) => path),
      ];
      const stops = stopsOf(one.entries);
      for (const { job, path } of all) {
        const paths = (stops.get(job) ?? []).map(({ fact }) => ("savepoint" in fact ? (fact.savepoint ?? "") : ""));
        const newer = paths.slice(paths.findLastIndex((other) => isSamePath(other, path)) + 1);
        const left = new Set(newer.filter((other) => other.includes("/savepoint-abc-") && !isAmong(other, gone)));
        expect(left.size).toBeGreaterThanOrEqual(one.policy.keep);
      }
    });
  });

  test("nothing is chosen that a person named", () => {
    always((one) => {
      const theirs = [...one.named, ...fromOutside(one.entries)];
      const marked = one.entries.flatMap(({ fact }) =>
        fact.kind === "stopped" && fact.named === true ? (fact.savepoint ?? []) : [],
      );
      for (const { path } of choice(one)) expect(isAmong(path, [...theirs, ...marked])).toBe(false);
    });
  });

  test("nothing is chosen that is too young", () => {
    always((one) => {
      const { youngerThanMs } = one.policy;
      const chosenPaths = choice(one).map(({ path }) => path);
      for (const { fact, at } of one.entries) {
        if (fact.kind !== "stopped" || fact.savepoint === null || !isAmong(fact.savepoint, chosenPaths)) continue;
        expect(now - Date.parse(at)).toBeGreaterThanOrEqual(youngerThanMs ?? 0);
      }
    });
  });

  test("the order in which entries come does not matter, and once it is recorded nothing is left to do", () => {
    let count = 0;
    always((one) => {
      const all = choice(one);
      count += all.length;
      expect(choice({ ...one, entries: one.entries.toSorted((a, b) => byOrder(b, a)) })).toEqual(all);
      const recorded = all.map(({ job, path }, at) =>
        entry({ kind: "disposed", path }, { job, sequence: one.entries.length + 1 + at }),
      );
      expect(choice({ ...one, entries: [...one.entries, ...recorded] })).toEqual([]);
    });
    // What is never chosen proves nothing.
    expect(count).toBeGreaterThan(80);
  });

  test("who keeps more disposes of no other", () => {
    always((one) => {
      const fewer = choice({ ...one, policy: { ...one.policy, keep: one.policy.keep + 1 } });
      const more = choice(one).map(({ path }) => path);
      expect(fewer.filter(({ path }) => !isAmong(path, more))).toEqual([]);
    });
  });
});
