import { afterAll, describe, expect, test } from "vitest";
import { Folders, workflowCommandsIn } from "./harness.ts";
import { hostileClusters } from "./hostile/cluster.ts";
import { hostileInputs } from "./hostile/inputs.ts";
import { hostileFiles } from "./hostile/ledger.ts";
import { hostileProjects } from "./hostile/project.ts";
import { type Got, type HostileRow, tableOf } from "./hostile/row.ts";

const folders = new Folders();
const rows: readonly HostileRow[] = [
  ...(await hostileInputs(folders)),
  ...hostileProjects(folders),
  ...hostileClusters(folders),
  ...hostileFiles(folders),
];
const results = new Map<HostileRow, Got>();
afterAll(async () => {
  await folders[Symbol.asyncDispose]();
  console.log(tableOf([...results].map(([row, result]) => ({ ...row, result }))));
});

describe("hostile input", () => {
  test("is tried in more than 60 ways, each once", () => {
    expect(rows.length).toBeGreaterThan(60);
    expect(new Set(rows.map(({ area, tried }) => `${area} ${tried}`)).size).toBe(rows.length);
  });

  test.each(rows)("$area: $tried → $code", async (row) => {
    const result = await row.got();
    results.set(row, result);
    expect({ code: result.code, line: result.line }).toEqual({ code: row.code, line: expect.stringMatching(row.says) });
    for (const secret of row.hides ?? []) expect(result.everything).not.toContain(secret);
    // No stack trace, and no order to the runner but our own: an error, a warning, and the mask of an input.
    expect(result.everything).not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
    const orders = workflowCommandsIn(result.log).map(({ name }) => name);
    expect(orders.filter((name) => !/^(error|warning|add-mask)$/.test(name))).toEqual([]);
  });
});
