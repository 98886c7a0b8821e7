import { type Details, type Part, renderDetails } from "./details.ts";

/** What is left out of each job's details, in their order. */
export type Dropped = readonly ReadonlySet<Part>[];

const order: readonly Part[] = ["graph", "plan", "context", "sql"];

/**
 * What to leave out so that all details together take at most `budget` bytes: first what could not stand even alone, then
 * graphs, plans, unchanged lines and SQL, of each kind the largest first. Null where what must stay is more than that.
 */
export function fitDetails(all: readonly Details[], budget: number): Dropped | null {
  const dropped = all.map(() => new Set<Part>());
  const sizes = all.map((details) => bytesOf(renderDetails(details, new Set())));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const drop = (part: Part, atLeast: number): void => {
    const having = all
      .map((details, index) => ({ details, index, size: bytesOf(partOf(details, part) ?? "") }))
      .filter(({ size, index }) => size > atLeast && dropped[index]?.has(part) === false)
      .sort((left, right) => right.size - left.size);
    for (const { details, index } of having) {
      const kept = dropped[index];
      if (total <= budget || kept === undefined) return;
      kept.add(part);
      const size = bytesOf(renderDetails(details, kept));
      total += size - (sizes[index] ?? 0);
      sizes[index] = size;
    }
  };
  for (const part of order) drop(part, budget);
  for (const part of order) drop(part, 0);
  return total <= budget ? dropped : null;
}

function partOf({ graph, plan, sql, briefSql }: Details, part: Part): string | null {
  switch (part) {
    case "graph":
      return graph;
    case "plan":
      return plan;
    case "context":
      return briefSql === null ? null : sql;
    case "sql":
      return briefSql ?? sql;
  }
}

export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
