import type { Plan } from "../plan/plan.ts";
import { planText } from "./plan-text.ts";

export interface RenderOptions {
  /** The most bytes of UTF-8 that the text may have; no limit unless given. */
  readonly maxBytes?: number;
}

/** The plan for a job summary, a file or a terminal. */
export function renderPlan(plan: Plan, { maxBytes = Number.POSITIVE_INFINITY }: RenderOptions = {}): string {
  return planText(plan, { maxBytes, files: null, whole: "The plan file has everything.", notice: null, links: [] });
}
