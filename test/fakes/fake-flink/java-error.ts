/** A failure as Flink words it: class and message, outermost first. */
export type JavaError = readonly (readonly [className: string, message: string])[];

export const validationError = (message: string): JavaError => [
  ["org.apache.flink.table.api.ValidationException", `SQL validation failed. ${message}`],
  ["org.apache.calcite.runtime.CalciteContextException", message],
  ["org.apache.calcite.sql.validate.SqlValidatorException", message.replace(/^From line .*?: /, "")],
];

export const plainValidationError = (message: string): JavaError => [
  ["org.apache.flink.table.api.ValidationException", message],
];

export const parserError = (message: string): JavaError => [
  ["org.apache.flink.table.api.SqlParserException", `SQL parse failed. ${message}`],
  ["org.apache.calcite.runtime.CalciteException", message],
];

export const submissionError = (jobName: string, cause: JavaError): JavaError => [
  ["org.apache.flink.table.api.TableException", "Failed to execute sql"],
  ["org.apache.flink.util.FlinkException", `Failed to execute job '${jobName}'.`],
  ...cause,
];

export const duplicateJob = (version: string): JavaError => [
  ["org.apache.flink.runtime.client.JobSubmissionException", "Failed to submit JobGraph."],
  /^2\.[3-9]/.test(version)
    ? [
        "org.apache.flink.runtime.client.DuplicateApplicationSubmissionException",
        "Application has already been submitted.",
      ]
    : ["org.apache.flink.runtime.client.DuplicateJobSubmissionException", "Job has already been submitted."],
];

export const noSavepointAt = (path: string): JavaError => [
  ["org.apache.flink.runtime.client.JobInitializationException", "Could not start the JobMaster."],
  [
    "java.io.FileNotFoundException",
    `Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.`,
  ],
];

export const unknownJob = (id: string): JavaError => [
  ["org.apache.flink.runtime.messages.FlinkJobNotFoundException", `Could not find Flink job (${id})`],
];

export const checkpointError = (message: string): JavaError => [
  ["java.util.concurrent.CompletionException", "org.apache.flink.runtime.checkpoint.CheckpointException: failed"],
  ["org.apache.flink.runtime.checkpoint.CheckpointException", message],
];

export const jobError = (message: string): JavaError => [
  ["org.apache.flink.runtime.JobException", "Recovery is suppressed by the restart strategy"],
  ["java.lang.RuntimeException", message],
];

/** With frames, as Java prints it. */
export function printed(error: JavaError): string {
  return error
    .map(([className, message], depth) => {
      const frames = `\tat org.apache.flink.Simulated.run(Simulated.java:${depth + 1})\n\t... ${depth + 7} more`;
      return `${depth === 0 ? "" : "Caused by: "}${className}: ${message}\n${frames}`;
    })
    .join("\n");
}

/** As the gateway wraps what went wrong in a statement. */
export function wrappedByGateway(error: JavaError): readonly string[] {
  const wrapper = "org.apache.flink.table.gateway.api.utils.SqlGatewayException";
  const trace = printed([
    [wrapper, `${wrapper}: Failed to fetchResults.`],
    [wrapper, "Failed to fetchResults."],
    [
      "org.apache.flink.table.gateway.service.utils.SqlExecutionException",
      "Failed to execute the operation 00000000-0000-4000-8000-000000000000.",
    ],
    ...error,
  ]);
  return ["Internal server error.", `<Exception on server side:\n${trace}\n\nEnd of exception on server side>`];
}

export const noFolder = (property: string): JavaError => [
  [
    "org.apache.flink.runtime.rest.handler.RestHandlerException",
    `Config key [execution.checkpointing.savepoint-dir] is not set. Property [${property}] must be provided.`,
  ],
];
