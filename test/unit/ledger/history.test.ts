import { describe, expect, test } from "vitest";
import type { Entry, Fact, JobReference } from "../../../src/ledger/entry.ts";
import { historyOf, inUtc } from "../../../src/ledger/history.ts";
import { restAt } from "../../../src/ledger/rests.ts";
import { type EntryOptions, entry } from "./entries.ts";

const a: JobReference = { digest: "a", value: "value-a" };
const b: JobReference = { digest: "b", value: "value-b" };

const running = (jobId: string, reference: JobReference, restored: string | null = null): Fact => ({
  kind: "running",
  jobId,
  reference,
  restored,
});
const stop = (jobId: string, purpose: "upgrade" | "suspend" | "remove" = "upgrade"): Fact => ({
  kind: "stop-intended",
  purpose,
  jobId,
  triggerId: "t",
  withSavepoint: true,
  savepointFolder: "file:///f",
});
const stopped = (jobId: string, savepoint: string | null): Fact => ({ kind: "stopped", jobId, savepoint });
const submit = (jobId: string, reference: JobReference, restore: string | null): Fact => ({
  kind: "submit-intended",
  role: "new",
  jobId,
  reference,
  restore,
});
const back = (to: string): Fact => ({ kind: "rollback-begun", to, reference: a, restore: "s1", keepsProgress: false });

type Said = readonly [where: EntryOptions, ...facts: readonly Fact[]];
/** One entry a fact, a minute apart. */
function ledger(...said: readonly Said[]): readonly Entry[] {
  const all = said.flatMap(([where, ...facts]) => facts.map((fact) => ({ where, fact })));
  return all.map(({ where, fact }, index) => {
    const at = `2026-01-01T00:${String(index + 1).padStart(2, "0")}:00.000Z`;
    return entry(fact, { at, ...where, sequence: index + 1 });
  });
}
const deploy = (id: string, job = "totals") => ({ deployment: id, commit: `commit-${id}`, project: "shop", job });
const command = (id: string, job = "totals") => ({ deployment: id, job });

const upgrade: readonly Said[] = [
  [deploy("d1"), submit("j1", a, null), running("j1", a)],
  [deploy("d2"), stop("j1"), stopped("j1", "s1"), submit("j2", b, "s1"), running("j2", b, "s1")],
];
const restsOf = (...said: readonly Said[]) => historyOf(ledger(...said)).rests.get("totals") ?? [];
const changesOf = (...said: readonly Said[]) =>
  historyOf(ledger(...said)).deployments.map(({ ids, kind, changes }) => [
    ids.join("+"),
    kind,
    changes.map(({ job, what }) => `${job} ${what}`).join(", "),
  ]);

describe("the rests of a job", () => {
  test("of nothing are none", () => {
    expect(historyOf([])).toEqual({ rests: new Map(), deployments: [] });
  });

  test("tell what ran when, and what it was stopped with", () => {
    expect(restsOf(...upgrade)).toEqual([
      {
        sequence: 2,
        deployment: "d1",
        commit: "commit-d1",
        at: "2026-01-01T00:02:00.000Z",
        kind: "running",
        by: null,
        jobId: "j1",
        reference: a,
        restored: null,
        left: { path: "s1", at: "2026-01-01T00:04:00.000Z", of: a },
      },
      {
        sequence: 6,
        deployment: "d2",
        commit: "commit-d2",
        at: "2026-01-01T00:06:00.000Z",
        kind: "running",
        by: null,
        jobId: "j2",
        reference: b,
        restored: "s1",
        left: null,
      },
    ]);
  });

  test("are the same however often and in which order the entries come", () => {
    const all = ledger(...upgrade);
    expect(historyOf([...all.toReversed(), ...all])).toEqual(historyOf(all));
  });

  test("do not know what a job left that was stopped without a savepoint", () => {
    const named = "theirs";
    const said = [deploy("d2"), stop("j1"), stopped("j1", null), submit("j2", b, named), running("j2", b)] as const;
    expect(restsOf([deploy("d1"), running("j1", a)], said)[0]).toMatchObject({ left: null });
  });

  test("know the savepoint that was taken of it while it ran, where it was stopped without one", () => {
    const saved: Said = [command("s1"), { kind: "savepoint-taken", jobId: "j1", path: "mine" }];
    const replaced = [deploy("d2"), stop("j1"), stopped("j1", null), submit("j2", b, null), running("j2", b)] as const;
    const [first, second] = restsOf([deploy("d1"), running("j1", a)], saved, replaced);
    expect(first).toMatchObject({ left: { path: "mine", at: "2026-01-01T00:02:00.000Z", of: a } });
    expect(second).toMatchObject({ left: null });
    expect(restsOf([deploy("d1"), running("j1", a)], saved, ...upgrade.slice(1))[0]).toMatchObject({
      left: { path: "s1" },
    });
  });

  test("do not know a savepoint any more that was disposed of", () => {
    const disposed: Said = [deploy("d2"), { kind: "disposed", path: "s1" }];
    expect(restsOf(...upgrade, disposed)[0]).toMatchObject({ jobId: "j1", left: null });
  });

  test("of one that was gone: it left what its successor was started from", () => {
    const said = [deploy("d2"), submit("j2", b, "chk-7"), running("j2", b, "chk-7")] as const;
    expect(restsOf([deploy("d1"), running("j1", a)], said)[0]).toMatchObject({
      left: { path: "chk-7", at: null, of: a },
    });
  });

  test.each([
    [{ kind: "suspended", by: "command", reference: a, savepoint: "s1" }, { kind: "suspended", by: "command" }, a],
    [{ kind: "suspended", by: "model", reference: a, savepoint: "s1", of: b }, { kind: "suspended", by: "model" }, b],
    [{ kind: "removed", reference: a, savepoint: "s1" }, { kind: "removed" }, a],
    [{ kind: "down", reference: a, savepoint: "s1", cause: "no slots" }, { kind: "down" }, a],
  ] as const)("rest with what they were stopped with: %o", (fact, rest, of) => {
    const [running1, at] = restsOf(
      [deploy("d1"), running("j1", a)],
      [deploy("d2"), stop("j1"), stopped("j1", "s1"), fact],
    );
    const left = { path: "s1", at: "2026-01-01T00:03:00.000Z" };
    expect(running1).toMatchObject({ left: { ...left, of: a } });
    expect(at).toMatchObject({ ...rest, jobId: null, reference: a, left: { ...left, of } });
  });

  test("do not know when a savepoint was taken that a person named", () => {
    const fact = { kind: "suspended", by: "model", reference: a, savepoint: "theirs", of: null } as const;
    expect(restsOf([deploy("d1"), fact])).toMatchObject([{ left: { path: "theirs", at: null, of: null } }]);
  });

  test("have the commit that was deployed, which a command does not change", () => {
    const fact = { kind: "suspended", by: "command", reference: a, savepoint: "s1" } as const;
    expect(
      restsOf([deploy("d1"), running("j1", a)], [command("s"), stop("j1"), stopped("j1", "s1"), fact]),
    ).toMatchObject([{ commit: "commit-d1" }, { commit: "commit-d1", deployment: "s" }]);
  });

  test("follow it to its new name, and the old name begins anew", () => {
    const renamed = { kind: "renamed", from: "totals" } as const;
    const { rests } = historyOf(
      ledger(
        [deploy("d1"), running("j1", a)],
        [deploy("d2", "sums"), renamed, stop("j1"), stopped("j1", "s1"), running("j2", b, "s1")],
        [deploy("d3"), running("j9", a)],
      ),
    );
    expect(rests.get("sums")).toMatchObject([{ jobId: "j1", left: { path: "s1" } }, { jobId: "j2" }]);
    expect(rests.get("totals")).toMatchObject([{ jobId: "j9" }]);
  });

  test("tell what it was once a deployment was done", () => {
    const { rests, deployments } = historyOf(ledger(...upgrade));
    const all = rests.get("totals") ?? [];
    expect(deployments.map(({ until }) => restAt(all, until)?.jobId)).toEqual(["j1", "j2"]);
    expect(restAt(all, 1)).toBeNull();
  });
});

describe("deployments", () => {
  test("are those that changed a job, with what they did to which", () => {
    const all = historyOf(ledger(...upgrade)).deployments;
    expect(all).toEqual([
      {
        ids: ["d1"],
        kind: "deploy",
        to: null,
        commit: "commit-d1",
        at: "2026-01-01T00:02:00.000Z",
        changes: [{ job: "totals", what: "created" }],
        until: 2,
      },
      {
        ids: ["d2"],
        kind: "deploy",
        to: null,
        commit: "commit-d2",
        at: "2026-01-01T00:06:00.000Z",
        changes: [{ job: "totals", what: "upgraded" }],
        until: 6,
      },
    ]);
  });

  test("of every kind", () => {
    const suspended = (reference: JobReference, savepoint: string): Fact => ({
      kind: "suspended",
      by: "command",
      reference,
      savepoint,
    });
    expect(
      changesOf(
        ...upgrade,
        [command("s"), stop("j2", "suspend"), stopped("j2", "s2"), suspended(b, "s2")],
        [command("r"), submit("j3", b, "s2"), running("j3", b, "s2")],
        [command("back"), back("d1"), stop("j3"), stopped("j3", "s3"), submit("j4", a, "s1"), running("j4", a, "s1")],
        [deploy("d3"), stop("j4", "remove"), stopped("j4", "s4"), { kind: "removed", reference: a, savepoint: "s4" }],
        [deploy("d4"), submit("j5", a, "s4"), { kind: "down", reference: a, savepoint: "s4", cause: "no slots" }],
        [deploy("d5"), submit("j6", a, "s4"), running("j6", a, "s4")],
      ),
    ).toEqual([
      ["d1", "deploy", "totals created"],
      ["d2", "deploy", "totals upgraded"],
      ["s", "suspend", "totals suspended"],
      ["r", "resume", "totals resumed"],
      ["back", "rollback", "totals upgraded"],
      ["d3", "deploy", "totals removed"],
      ["d4", "deploy", "totals created"],
      ["d5", "deploy", "totals resumed"],
    ]);
  });

  test("are not those that put a job back, nor those that left all as it was", () => {
    expect(
      changesOf(
        ...upgrade,
        [deploy("d3"), stop("j2"), stopped("j2", "s2"), running("j3", b, "s2")],
        [deploy("d4"), { kind: "checkpointed", jobId: "j3", path: "chk-1" }, running("j3", { ...b, value: "other" })],
      ),
    ).toEqual([
      ["d1", "deploy", "totals created"],
      ["d2", "deploy", "totals upgraded"],
    ]);
  });

  test("are those too that began to change a job, as long as it does not rest", () => {
    const begun = [...upgrade, [deploy("d3"), stop("j2")] as const];
    expect(changesOf(...begun).at(-1)).toEqual(["d3", "deploy", "totals begun"]);
    expect(changesOf(...begun, [deploy("d3"), stopped("j2", "s2"), running("j3", a, "s2")]).at(-1)).toEqual([
      "d3",
      "deploy",
      "totals upgraded",
    ]);
    expect(changesOf(...upgrade, [command("s"), stop("j2", "suspend")])).toHaveLength(2);
  });

  const other = (id: string, commit: string, job: string) => ({ ...deploy(id, job), commit });

  test("are one where runs of the same commit finish one another's work", () => {
    expect(
      changesOf(
        [other("d1", "c1", "totals"), running("j1", a)],
        [other("d1", "c1", "sums"), running("k1", a)],
        [other("d2", "c2", "totals"), running("j2", b)],
        [other("d3", "c2", "sums"), running("k2", b)],
      ),
    ).toEqual([
      ["d1", "deploy", "totals created, sums created"],
      ["d2+d3", "deploy", "totals upgraded, sums upgraded"],
    ]);
  });

  test("are two where a run of the same commit changes a job again", () => {
    expect(
      changesOf([other("d1", "c1", "totals"), running("j1", a)], [other("d2", "c1", "totals"), running("j2", b)]),
    ).toEqual([
      ["d1", "deploy", "totals created"],
      ["d2", "deploy", "totals upgraded"],
    ]);
  });

  test("are one where rollbacks to the same deployment finish one another's work", () => {
    expect(
      changesOf(
        [deploy("d1"), running("j1", a)],
        [deploy("d1", "sums"), running("k1", a)],
        [deploy("d2"), running("j2", b)],
        [deploy("d2", "sums"), running("k2", b)],
        [command("r1"), back("d1"), running("j3", a)],
        [command("r2", "sums"), back("d1"), running("k3", a)],
      ).at(-1),
    ).toEqual(["r1+r2", "rollback", "totals upgraded, sums upgraded"]);
  });

  test("of which the same one comes again are told apart by when", () => {
    const again = [deploy("d1"), stop("j2"), stopped("j2", "s2"), running("j3", a, "s2")] as const;
    expect(historyOf(ledger(...upgrade, again)).deployments.map(({ ids, until }) => [...ids, until])).toEqual([
      ["d1", 2],
      ["d2", 6],
      ["d1", 9],
    ]);
  });
});

test("a moment is told in UTC", () => {
  expect(inUtc("2026-01-31T12:00:00.123Z")).toBe("2026-01-31 12:00:00 UTC");
});
