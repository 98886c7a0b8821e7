import { describe, expect, test } from "vitest";
import { faults } from "../../matrix/faults.ts";
import { allPoints, type Calm, exactPoint, idOf, isChosen, type Point, sample } from "../../matrix/points.ts";

const calm: Calm = new Map([
  ["suspend", { requests: ["reach", "look", "stop", "stop-status", "stop-status"], writes: ["lock", "unlock"] }],
  [
    "upgrade",
    { requests: ["reach", "prepare", ...Array<"verify">(40).fill("verify"), "tidy"], writes: ["lock", "unlock"] },
  ],
]);
const numbersOf = (points: readonly Point[], scenario: string, fault: string): readonly number[] =>
  points.filter((point) => point.scenario === scenario && point.fault === fault).map(({ number }) => number);

describe("all points", () => {
  const points = allPoints(calm);

  test("an upgrade is killed at every request, at each of three moments", () => {
    for (const fault of ["before", "after-send", "after-answer"]) {
      expect(numbersOf(points, "suspend", fault)).toEqual([1, 2, 3, 4, 5]);
      expect(numbersOf(points, "upgrade", fault)).toHaveLength(43);
    }
  });

  test("what breaks without an end does so at the first, a middle and the last of requests that differ in nothing", () => {
    expect(numbersOf(points, "upgrade", "hang")).toEqual([1, 2, 3, 22, 42, 43]);
    expect(numbersOf(points, "suspend", "gateway")).toEqual([1, 2, 3, 4, 5]);
  });

  test("the store fails at every write", () => {
    for (const fault of ["die-before", "die-after", "fail-before", "fail-after", "disk-full"]) {
      expect(numbersOf(points, "suspend", fault)).toEqual([1, 2]);
    }
  });

  test("a fault that cannot be made is left out", () => {
    expect(new Set(allPoints(calm, ["hang"]).map(({ fault }) => fault))).toEqual(new Set(["hang"]));
  });
});

describe("--only", () => {
  const point: Point = { scenario: "upgrade", number: 17, fault: "after-answer" };

  test.each([
    ["upgrade", true],
    ["upgrade:17", true],
    ["upgrade:17:after-answer", true],
    ["*:*:after-answer", true],
    ["upgrade:1", false],
    ["upgrade-3", false],
    ["suspend,*:*:after-answer", true],
    ["suspend,upgrade:18", false],
    ["race", false],
  ])("%s: %s", (only, expected) => expect(isChosen(only, point)).toBe(expected));
});

describe("a point named in full", () => {
  test("needs no calm run to be found", () => {
    expect(exactPoint("upgrade:17:after-answer")).toEqual({ scenario: "upgrade", number: 17, fault: "after-answer" });
  });

  test.each(["upgrade", "upgrade:17", "upgrade:*:hang", "*:3:hang", "race:3"])("%s is none", (only) => {
    expect(exactPoint(only)).toBeNull();
  });

  test.each(["upgrades:1:hang", "upgrade:1:hangs"])("%s does not exist", (only) => {
    expect(() => exactPoint(only)).toThrow(/there is no point/);
  });
});

describe("a sample", () => {
  const points = allPoints(calm);
  const chosen = sample(points, 16).map(idOf);

  test("is the same every time", () => expect(sample(allPoints(calm), 16).map(idOf)).toEqual(chosen));

  test("has no point twice", () => expect(new Set(chosen).size).toBe(16));

  test("has every group of faults and every scenario in it", () => {
    const parts = sample(points, 16);
    expect(new Set(parts.map(({ fault }) => faults[fault].group))).toEqual(
      new Set(["crash", "network", "process", "store", "disk"]),
    );
    expect(new Set(parts.map(({ scenario }) => scenario))).toEqual(new Set(["suspend", "upgrade"]));
  });

  test("is all there is where that is not more, or where only some groups are left", () => {
    const hangs = points.filter(({ fault }) => fault === "hang");
    expect(sample(hangs, 1000)).toHaveLength(hangs.length);
  });
});
