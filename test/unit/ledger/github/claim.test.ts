import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ListedArtifact } from "../../../../src/ledger/stores/github/artifact-list.ts";
import { newestOf, standingOf } from "../../../../src/ledger/stores/github/claim.ts";

const artifact = (id: number, number: number, isExpired = false): ListedArtifact => ({
  id,
  name: `claim ${id}`,
  number,
  isExpired,
  digest: null,
  createdAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-04-01T00:00:00Z",
});
const base = artifact(10, 6);
const mine = artifact(20, 7);
const standing = (...others: readonly ListedArtifact[]) => standingOf(mine.name, base, others);

describe("a claim", () => {
  test("that the list does not show is unseen", () => {
    expect(standing(base)).toEqual({ kind: "unseen" });
  });

  test("holds where it is the only one of its number, made from the only one before", () => {
    expect(standing(mine, base)).toEqual({ kind: "held", mine });
    expect(standingOf(mine.name, null, [mine])).toEqual({ kind: "held", mine });
  });

  test("is not in the way of what expired", () => {
    expect(standing(mine, base, artifact(15, 7, true))).toMatchObject({ kind: "held" });
  });

  test("waits for those of its number that came later", () => {
    expect(standing(artifact(21, 7), mine, base)).toEqual({ kind: "contested" });
  });

  test("is lost to one of its number that came earlier", () => {
    expect(standing(mine, artifact(19, 7), base)).toEqual({ kind: "lost" });
  });

  test("is lost with what it was made from, and waits while that is contested itself", () => {
    expect(standing(mine)).toEqual({ kind: "lost" });
    expect(standing(mine, artifact(11, 6), base)).toEqual({ kind: "contested" });
  });

  test("is passed by a higher number", () => {
    expect(standing(artifact(30, 8), mine, base)).toEqual({ kind: "passed" });
  });
});

describe("the newest", () => {
  test("is the one of the highest number", () => {
    expect(newestOf([])).toEqual({ kind: "none" });
    expect(newestOf([mine, base])).toEqual({ kind: "found", artifact: mine });
  });

  test("is nobody's while two claim it", () => {
    const rival = artifact(21, 7);
    expect(newestOf([rival, mine, base])).toEqual({ kind: "contested", artifacts: [rival, mine] });
  });

  test("that expired is not replaced by an older one that did not", () => {
    const expired = artifact(20, 7, true);
    expect(newestOf([expired, base])).toEqual({ kind: "expired", artifact: expired });
  });
});

/** What came into being and went, in order; a list shows the first so many of these. */
type Event = { readonly made: Made } | { readonly gone: number };
interface Made extends ListedArtifact {
  readonly entries: readonly string[];
}

/** Each step of a writer takes a lag: so many of the newest events does its look at the list not show. */
type Writer = Generator<void, void, number>;

/** As the store does it: look, claim, look until it stands or falls, withdraw or tidy up. */
function* writer(name: string, writes: number, events: Event[], confirmed: Set<string>): Writer {
  const look = function* (): Generator<void, readonly Made[], number> {
    const lag = yield;
    const shown = events.slice(0, Math.max(0, events.length - lag));
    const gone = new Set(shown.map((event) => ("gone" in event ? event.gone : null)));
    const made = shown.flatMap((event) => ("made" in event ? [event.made] : []));
    return made.filter(({ id }) => !gone.has(id)).toReversed();
  };
  const uploads: number[] = [];
  for (let write = 0; write < writes; ) {
    const newest = newestOf(yield* look());
    if (newest.kind === "contested") continue;
    const from = newest.kind === "found" ? (newest.artifact as Made) : null;
    const entry = `${name} ${write}`;
    if (from?.entries.includes(entry)) {
      write += 1;
      continue;
    }
    yield;
    const id = events.length + 1;
    const claim: Made = { ...artifact(id, (from?.number ?? 0) + 1), entries: [...(from?.entries ?? []), entry] };
    events.push({ made: claim });
    let isHeld = false;
    for (let looks = 0; looks < 6; looks += 1) {
      const shown = yield* look();
      const { kind } = standingOf(claim.name, from, shown);
      if (kind === "unseen" || kind === "contested") continue;
      isHeld = kind === "held" || (kind === "passed" && containsNow(shown, entry));
      break;
    }
    if (!isHeld) {
      yield;
      events.push({ gone: id });
      continue;
    }
    confirmed.add(entry);
    write += 1;
    uploads.push(id);
    while (uploads.length > 2) {
      yield;
      events.push({ gone: uploads.shift() ?? 0 });
    }
  }
}

function containsNow(shown: readonly Made[], entry: string): boolean {
  const newest = newestOf(shown);
  return newest.kind === "found" && (newest.artifact as Made).entries.includes(entry);
}

describe("writers who see a list that lags", () => {
  const moves = fc.array(fc.record({ who: fc.nat(3), lag: fc.nat(5) }), { maxLength: 120 });

  test("lose nothing that was confirmed to them, however they take turns", () => {
    fc.assert(
      fc.property(moves, (all) => {
        const events: Event[] = [];
        const confirmed = new Set<string>();
        const writers = ["a", "b", "c", "d"].map((name) => writer(name, 2, events, confirmed));
        for (const one of writers) one.next(0);
        for (const { who, lag } of all) writers[who]?.next(lag);
        // Whatever is under way is ended by one after the other, so that the last look shows all there is.
        for (const one of writers) for (let step = 0; step < 200; step += 1) if (one.next(0).done === true) break;
        const gone = new Set(events.map((event) => ("gone" in event ? event.gone : null)));
        const left = events.flatMap((event) => ("made" in event && !gone.has(event.made.id) ? [event.made] : []));
        const newest = newestOf(left);
        expect(newest.kind).toBe("found");
        if (newest.kind !== "found") return;
        expect([...confirmed].filter((entry) => !(newest.artifact as Made).entries.includes(entry))).toEqual([]);
        expect(confirmed.size).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);
});
