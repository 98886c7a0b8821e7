import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpointId, deploymentId, jobId, savepointFolder, triggerId } from "../../../src/deploy/ids.ts";

const key = { environment: "production", deployment: "d", job: "totals", since: "" };

describe("ids", () => {
  test("are 32 hex digits, as Flink wants them", () => {
    for (const id of [deploymentId("e", "c", "p"), jobId(key, 1), triggerId(key), checkpointId("j", 1)]) {
      expect(id).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test("are the same whoever derives them", () => {
    expect(jobId({ ...key }, 1)).toBe(jobId(key, 1));
    expect(deploymentId("e", "c", "p")).toBe(deploymentId("e", "c", "p"));
  });

  test("differ with every part, so that none is used for two things", () => {
    const others = [
      { ...key, environment: "staging" },
      { ...key, deployment: "d2" },
      { ...key, job: "sums" },
      { ...key, since: "entry" },
    ];
    const all = [key, ...others].flatMap((one) => [jobId(one, 1), jobId(one, 2), triggerId(one)]);
    expect(new Set(all).size).toBe(all.length);
  });

  test("do not run parts into each other", () => {
    expect(deploymentId("ab", "c", "")).not.toBe(deploymentId("a", "bc", ""));
  });
});

describe("the savepoint folder", () => {
  test("names the environment and the job, and differs with every attempt", () => {
    const folder = savepointFolder("s3://bucket/savepoints/", key);
    expect(folder).toMatch(/^s3:\/\/bucket\/savepoints\/production\/totals\/[0-9a-f]{16}$/);
    expect(savepointFolder("s3://bucket/savepoints", { ...key, since: "entry" })).not.toBe(folder);
  });

  test.each([
    ["..", "~2e~~2e~"],
    ["a b", "a~20~b"],
    ["a_20b", "a_20b"],
  ])("goes up nowhere and is one job's alone: %s", (job, part) => {
    expect(savepointFolder("file:///s", { ...key, job }).split("/")[5]).toBe(part);
  });

  test("is a path of three parts below its folder, whatever the names are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (environment, job) => {
        const parts = savepointFolder("file:///s", { ...key, environment, job })
          .slice("file:///s/".length)
          .split("/");
        expect(parts).toHaveLength(3);
        for (const part of parts) expect(part).toMatch(/^[\w~-]*$/);
      }),
    );
  });
});
