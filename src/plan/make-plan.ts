import { createHash } from "node:crypto";
import type { Explanation } from "../planner/explanation.ts";
import type { Finding } from "../project/job.ts";
import { maskSecretsByKey } from "../secrets.ts";
import type { Change, Plan } from "./plan.ts";

export type PlanParts = Omit<Plan, "version" | "digest">;

/** A plan of its parts, with the digest over what a deployment of it would do. */
export function makePlan(parts: PlanParts): Plan {
  return { version: 1, ...parts, digest: planDigest(parts) };
}

/** sha-256 in hex over the changes' names, kinds, programs, upgrade modes and desired states, in the names' order. */
export function planDigest({ environment, flinkVersion, changes }: PlanParts): string {
  const effects = changes
    .filter(({ kind }) => kind !== "none")
    .map(({ kind, job, renamedFrom, before, after }) => [
      job,
      kind,
      renamedFrom,
      before?.digest ?? null,
      after?.digest ?? null,
      after?.upgradeMode ?? null,
      after?.desiredState ?? null,
      // Masked as in the plan file, from which the digest can be worked out again.
      maskSecretsByKey(after?.startFrom ?? ""),
    ])
    .sort(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([environment, flinkVersion, effects]))
    .digest("hex");
}

/** The same change with what Flink's planner says of both sides. */
export function withExplanations(change: Change, before: Explanation | null, after: Explanation | null): Change {
  return { ...change, explainedBefore: before, explainedAfter: after };
}

/** True where a deployment of the plan must not begin: something in it cannot run. */
export function isBlocked(plan: { readonly findings: readonly Finding[] }): boolean {
  return plan.findings.some(({ severity }) => severity === "error");
}
