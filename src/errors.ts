/** Every way a command can end badly. The key is the `reason` output; the text says what the user should do next. */
export const errorCodes = {
  "inputs-invalid": "Correct the named input; `flink-dbt-deploy <command> --help` lists them all.",
  "python-missing":
    "Install Python 3.8, 3.9 or 3.10 (dbt-core 1.3 runs on no later one), for example with `pyenv install 3.10` or actions/setup-python, or set `dbt-command`.",
  "dbt-failed": "Read dbt's own message; the project does not run with dbt either.",
  "dbt-missing":
    "Set `dbt-command` to a dbt with dbt-flink-adapter installed, or leave it empty to have one installed.",
  "manifest-unreadable": "Check that `project-dir` is a dbt project and that dbt 1.3 wrote target/manifest.json.",
  "no-jobs": "Give at least one model `materialized: table`; only such models become jobs.",
  "hint-unsafe": "Take `;`, `=` and `)` out of the named execution_config value: dbt-flink-adapter cannot read it.",
  "duplicate-job-name": "Give each model a `pipeline.name` of its own.",
  "model-invalid": "Correct the model; Flink's message says what it refuses. Nothing on the cluster was touched.",
  "base-missing":
    "Fetch the base first, for example with `fetch-depth: 0` in actions/checkout, or name another `base`.",
  "worktree-dirty": "Commit or stash the changes in the project, so that what is deployed can be found again.",
  "java-missing": "Install Java 11 or 17, for example with actions/setup-java, or set JAVA_HOME.",
  "maven-missing": "Install Maven (`mvn`), or give connectors as jar paths and set `flink-home`.",
  "download-failed":
    "Check the network and the package registry, then run the command again; nothing half-written is kept.",
  "flink-start-failed": "Read the named log; `flink-home`, `connectors` and `init-sql` are the usual causes.",
  "gateway-unreachable": "Check `gateway-url` and that the SQL Gateway runs and can be reached from here.",
  "not-a-gateway": "Something else answers at the URL; check the port (SQL Gateway: 8083, JobManager REST: 8081).",
  "version-mismatch": "Set `flink-version` to the version that the cluster runs.",
  "session-expired": "Run the command again; raise sql-gateway.session.idle-timeout if it happens often.",
  "statement-failed": "Read Flink's message; the statement was refused by the gateway.",
  "jobmanager-unreachable": "Check `jobmanager-url`, or leave it empty to work through the gateway alone.",
  "no-slots": "Give the cluster more task slots, or lower the parallelism; the job was put back.",
  "savepoint-failed": "The job still runs as before. Read Flink's message; then run the command again.",
  "savepoint-dir-missing": "Set `savepoint-dir` to a URI that every Flink process can write to.",
  "rolled-back":
    "The new job did not hold, and the old one runs again from the same savepoint. Correct the model and deploy again.",
  "job-down": "No job runs, and its savepoint is in the ledger. Run `deploy` again once the cause is mended.",
  "needs-operator": "The facts do not tell which job is right. Follow the commands in the message.",
  "unknown-job": "No job matches; `flink-dbt-deploy status` lists the names.",
  "plan-changed": "Make a new plan and have it reviewed: a deployment now would do something else.",
  "lock-held": "Wait for the other deployment to end.",
  "ledger-unreadable":
    "Do not deploy. Restore the named file from a backup, or use the version of flink-dbt-deploy that wrote it.",
  "store-unconfirmed": "Make sure the ledger's store can be written; nothing was stopped.",
  interrupted: "Run the same command again; it goes on from where it was stopped.",
  internal: "This is a defect of flink-dbt-deploy. Please report it with the message.",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * The only error class that reaches the door. `message` is lower case and holds the offending value and what to do;
 * it never holds a secret (texts of others go through `mask` first).
 */
export class DeployError extends Error {
  override readonly name = "DeployError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An error's message and those of its causes, joined; for logs and for `cause` texts of others. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
