/** What a statement returns: rows as arrays in the order of the columns. */
export interface GatewayAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

/** What Flink returns for a statement that has nothing to show. */
export const okAnswer: GatewayAnswer = { columns: [{ name: "result", type: "STRING" }], rows: [["OK"]] };

/** What dbt reads from a test that found nothing. */
export const noFailures: GatewayAnswer = {
  columns: ["failures", "should_warn", "should_error"].map((name) => ({ name, type: "STRING" })),
  rows: [[0, false, false]],
};

/**
 * A whole result as one page of the protocol's V1. It is marked as the last one, because the adapter sleeps before it
 * asks for the next.
 */
export function resultReply(answer: GatewayAnswer): unknown {
  return {
    resultType: "EOS",
    resultKind: answer === okAnswer ? "SUCCESS" : "SUCCESS_WITH_CONTENT",
    isQueryResult: answer !== okAnswer,
    nextResultUri: null,
    results: {
      columns: answer.columns.map(({ name, type }) => ({ name, logicalType: { type, nullable: true }, comment: null })),
      rowFormat: "JSON",
      data: answer.rows.map((fields) => ({ kind: "INSERT", fields })),
    },
  };
}

/** The gateway's shape of an error: a line for people, then the text with the cause. */
export function errorReply(text: string): unknown {
  return { errors: ["Internal server error.", text] };
}
