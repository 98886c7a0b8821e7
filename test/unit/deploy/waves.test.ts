import fc from "fast-check";
import { expect, test } from "vitest";
import { wavesOf } from "../../../src/deploy/waves.ts";
import type { Job } from "../../../src/project/job.ts";
import { job } from "./jobs.ts";

/** A job that reads the tables of the jobs named. */
function reading(name: string, others: readonly string[]): Job {
  const one = job({ name });
  const setup = others.map((other) => {
    const origin = { nodeId: `model.shop.${other}`, file: null };
    return { kind: "table", name: other, sql: `CREATE TABLE ${other} (n BIGINT)`, origin } as const;
  });
  return { ...one, program: { ...one.program, setup: [...one.program.setup, ...setup] } };
}

const names = (jobs: readonly Job[]) => wavesOf(jobs).map((wave) => wave.map(({ name }) => name));

test("jobs that read each other's tables follow each other, others go together", () => {
  const jobs = [reading("c", ["b"]), reading("a", []), reading("b", ["a"]), reading("d", [])];
  expect(names(jobs)).toEqual([["a", "d"], ["b"], ["c"]]);
});

test("a job that reads two comes after the later one", () => {
  expect(names([reading("a", []), reading("b", ["a"]), reading("c", ["a", "b"])])).toEqual([["a"], ["b"], ["c"]]);
});

test("no jobs are no waves", () => {
  expect(wavesOf([])).toEqual([]);
});

test("every job is in one wave, whatever they read, even themselves and each other", () => {
  const all = ["a", "b", "c", "d", "e"];
  const graph = fc.tuple(...all.map(() => fc.subarray(all)));
  fc.assert(
    fc.property(graph, (reads) => {
      const jobs = all.map((name, index) => reading(name, reads[index] ?? []));
      expect(names(jobs).flat().toSorted()).toEqual(all);
    }),
  );
});

test("without cycles, a job is always in a later wave than those it reads", () => {
  const all = ["a", "b", "c", "d", "e", "f"];
  const graph = fc.tuple(...all.map((_, index) => fc.subarray(all.slice(0, index))));
  fc.assert(
    fc.property(graph, (reads) => {
      const jobs = all.map((name, index) => reading(name, reads[index] ?? [])).reverse();
      const wave = new Map(names(jobs).flatMap((wave, level) => wave.map((name) => [name, level] as const)));
      for (const [index, name] of all.entries()) {
        for (const other of reads[index] ?? []) expect(wave.get(name)).toBeGreaterThan(wave.get(other) ?? 99);
      }
    }),
  );
});
