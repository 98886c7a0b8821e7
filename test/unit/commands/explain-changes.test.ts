import { expect, test } from "vitest";
import { explainChanges, explainUnchanged } from "../../../src/commands/explain-changes.ts";
import { diffJobs, type Jobs } from "../../../src/plan/diff.ts";
import type { Planner } from "../../../src/planner/planner.ts";
import type { Finding } from "../../../src/project/job.ts";
import { job } from "../plan/jobs.ts";

const refusal: Finding = { severity: "error", code: "model-invalid", message: "no", job: "a", file: null, line: null };

const another: Finding = { ...refusal, code: "table-differs", message: "another table" };

/** A planner that takes every program but those that hold `broken`. */
function plannerThatIsAsked(): { readonly asked: string[]; readonly planner: () => Promise<Planner> } {
  const asked: string[] = [];
  const planner: Planner = {
    flinkVersion: "1.20.3",
    complete: async () => ({ jobs: [], findings: [] }),
    async explain({ program: { insert } }) {
      asked.push(insert);
      if (insert.includes("broken")) return refusal;
      const compiledPlan = insert.includes("random") ? `${insert} ${asked.length}` : insert;
      return { plan: "p", advice: null, graph: [], compiledPlan };
    },
    tables: async ({ program: { insert } }) => (insert.includes("elsewhere") ? [another] : []),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { asked, planner: async () => planner };
}

const query = (text: string) => job("a", { insert: `INSERT INTO a ${text}` });
const changesOf = (more: Partial<Jobs>) => diffJobs({ base: [], head: [], renames: {}, ...more });

test("an unchanged job is not asked about", async () => {
  const { asked, planner } = plannerThatIsAsked();
  await explainChanges(changesOf({ base: [query("SELECT 1")], head: [query("SELECT 1")] }), planner);
  expect(asked).toEqual([]);
});

test("a program that changes while its job stays suspended is known to run, and has its compiled plan", async () => {
  const { planner } = plannerThatIsAsked();
  const suspended = { suspendedInBase: new Map([["a", null]]), held: new Set(["a"]) };
  const changes = changesOf({ base: [query("SELECT 1")], head: [query("SELECT 2")], ...suspended });
  expect(changes.map(({ kind }) => kind)).toEqual(["none"]);
  const explained = await explainChanges(changes, planner);
  expect(explained.changes[0]?.explainedAfter?.compiledPlan).toBe("INSERT INTO a SELECT 2");

  const broken = changesOf({ base: [query("SELECT 1")], head: [query("SELECT broken")], ...suspended });
  expect((await explainChanges(broken, planner)).findings).toEqual([refusal]);
});

test("a table that a catalog holds otherwise than head declares it is a finding; base's is not in question", async () => {
  const { planner } = plannerThatIsAsked();
  const changes = changesOf({ base: [query("SELECT elsewhere")], head: [query("SELECT elsewhere + 1")] });
  const { changes: explained, findings } = await explainChanges(changes, planner);
  expect(findings).toEqual([another]);
  expect(explained[0]?.explainedAfter?.plan).toBe("p");
});

test("an unchanged job that compiles otherwise than when it was deployed is a warning; another secret is not", async () => {
  const { asked, planner } = plannerThatIsAsked();
  const unchanged = (text: string) => changesOf({ base: [query(text)], head: [query(text)] });
  const from = (text: string, plan: string) => explainUnchanged(unchanged(text), new Map([["a", plan]]), planner);
  expect(await from("SELECT 1", "INSERT INTO a SELECT 1")).toEqual([]);
  expect(await from("SELECT 1, 'k' = 'password=x'", "INSERT INTO a SELECT 1, 'k' = 'password=y'")).toEqual([]);
  expect(await from("SELECT 1", "INSERT INTO a SELECT 2")).toMatchObject([
    { severity: "warning", code: "compiles-differently", job: "a", file: "models/a.sql" },
  ]);
  expect(await from("SELECT broken", "INSERT INTO a SELECT 2")).toMatchObject([
    { severity: "warning", code: "model-invalid", message: "It would not start again: no" },
  ]);
  expect(await from("SELECT random", "INSERT INTO a SELECT random 0")).toEqual([]);
  asked.length = 0;
  const changed = changesOf({ base: [query("SELECT 1")], head: [query("SELECT 2")] });
  expect(await explainUnchanged(changed, new Map([["a", "INSERT INTO a SELECT 1"]]), planner)).toEqual([]);
  expect(await explainUnchanged(unchanged("SELECT 1"), new Map(), planner)).toEqual([]);
  expect(asked).toEqual([]);
});
