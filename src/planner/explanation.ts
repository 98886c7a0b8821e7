/** What Flink's planner says of one job. `plan` has node numbers normalised, so an unchanged plan shows no difference. */
export interface Explanation {
  readonly plan: string;
  readonly advice: string | null;
  readonly graph: readonly GraphNode[];
  /** The compiled plan, canonical JSON; null for a batch job, which has none. */
  readonly compiledPlan: string | null;
}

export interface GraphNode {
  readonly id: number;
  /** A short type for the reader: `GroupAggregate`, `Source: orders`. */
  readonly label: string;
  /** The whole description, for comparing. */
  readonly description: string;
  readonly inputs: readonly number[];
  readonly parallelism: number | null;
}
