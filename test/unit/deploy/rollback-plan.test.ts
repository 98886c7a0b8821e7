import { describe, expect, test } from "vitest";
import { findTarget, shown, startOf } from "../../../src/deploy/rollback-plan.ts";
import type { JobChange, PastDeployment } from "../../../src/ledger/history.ts";
import { job } from "./jobs.ts";

let until = 0;
function past(id: string, what: JobChange["what"], more: Partial<PastDeployment> = {}): PastDeployment {
  until += 1;
  const changes = [{ job: "totals", what }];
  return { ids: [id], kind: "deploy", to: null, commit: null, at: "", changes, until, ...more };
}

const d1 = past("aaaaaa1", "created", { commit: "c0ffee1" });
const d2 = past("bbbbbb2", "upgraded", { commit: "c0ffee2" });
const d3 = past("cccccc3", "upgraded", { commit: "c0ffee3" });
const targetOf = (deployments: readonly PastDeployment[], to: string | null = null, jobs = ["totals"]) =>
  findTarget({ rests: new Map(), deployments }, to, jobs).ids.join();

describe("a rollback goes back to", () => {
  test("the deployment before the newest that changed a program", () => {
    expect(targetOf([d1, d2, d3])).toBe("bbbbbb2");
  });

  test("the one before that where jobs were only suspended and resumed since", () => {
    const since = [past("s", "suspended", { kind: "suspend" }), past("r", "resumed", { kind: "resume" })];
    expect(targetOf([d1, d2, ...since])).toBe("aaaaaa1");
  });

  test("the one before the newest that changed one of the jobs that are named", () => {
    const other = past("dddddd4", "created", { changes: [{ job: "sums", what: "created" }] });
    expect(targetOf([d1, d2, other], null, ["totals"])).toBe("aaaaaa1");
    expect(targetOf([d1, d2, other], null, ["sums"])).toBe("bbbbbb2");
    expect(targetOf([d1, d2, other], null, ["totals", "sums"])).toBe("bbbbbb2");
  });

  test("where the newest rollback went: again is no further", () => {
    expect(targetOf([d1, d2, d3, past("back", "upgraded", { kind: "rollback", to: "aaaaaa1" })])).toBe("aaaaaa1");
  });

  test("the rollback itself once something was deployed since", () => {
    const back = past("eeeeee5", "upgraded", { kind: "rollback", to: "aaaaaa1" });
    expect(targetOf([d1, d2, back, past("ffffff6", "upgraded")])).toBe("eeeeee5");
  });

  test.each([
    ["an id", "bbbbbb2", "bbbbbb2"],
    ["the beginning of one", "bbbbbb", "bbbbbb2"],
    ["a commit", "c0ffee3", "cccccc3"],
  ])("what is named by %s", (_, to, expected) => {
    expect(targetOf([d1, d2, d3], to)).toBe(expected);
  });

  test("the newest of those that have one id or commit", () => {
    const again = past("bbbbbb2", "upgraded", { at: "later" });
    expect(findTarget({ rests: new Map(), deployments: [d1, d2, d3, again] }, "bbbbbb2", [])).toBe(again);
  });

  test("one that several runs made, whichever is named", () => {
    const both = past("", "upgraded", { ids: ["abcdef1", "abcdef2"] });
    expect(targetOf([d1, both, d3], "abcdef1")).toBe("abcdef1,abcdef2");
  });

  test.each([
    ["none is named so", [d1], "123456", "no deployment that changed a job has an id or a commit 123456"],
    ["several are", [d1, d2], "c0ffee", "c0ffee may be any of c0ffee1, c0ffee2"],
    ["there is none", [], null, "the ledger has none that changed these jobs"],
    ["there is one only", [d1], null, "aaaaaa1 of commit c0ffee1 is the first one"],
  ] as const)("nothing where %s", (_, deployments, to, why) => {
    expect(() => targetOf(deployments, to)).toThrow(why);
    expect(() => targetOf(deployments, to)).toThrow(expect.objectContaining({ code: "unknown-deployment" }));
  });

  test("a deployment that is named to people by its newest id and its commit", () => {
    expect(shown({ ...d1, ids: ["0".repeat(32), "1".repeat(32)], commit: "a".repeat(40) })).toBe(
      "111111111111 of commit aaaaaaaaaa",
    );
  });
});

describe("an earlier program starts", () => {
  const left = { path: "file:/s", at: null, of: null };
  const no = { keepsProgress: false, mayStartEmpty: false };
  const stateless = job({ upgradeMode: "stateless" });

  test.each([
    ["from the savepoint that it was left with", left, job(), no, { kind: "left", left }],
    ["from its own even where it is stateless", left, stateless, no, { kind: "left", left }],
    ["from what the job has now", left, job(), { ...no, keepsProgress: true }, { kind: "progress" }],
    ["not at all where nothing is known", null, job(), no, { kind: "none" }],
    ["empty where a person agreed", null, job(), { ...no, mayStartEmpty: true }, { kind: "empty" }],
    ["empty where it is stateless", null, stateless, no, { kind: "empty" }],
    [
      "empty where it is stateless, whatever is to be kept",
      left,
      stateless,
      { ...no, keepsProgress: true },
      { kind: "empty" },
    ],
    ["empty where it is a batch job", left, job({ runtimeMode: "batch" }), no, { kind: "empty" }],
    ["from the savepoint that is being taken", "in-hand", job(), no, { kind: "in-hand" }],
  ] as const)("%s", (_, from, program, options, expected) => {
    expect(startOf(from, program, options)).toMatchObject(expected);
  });
});
