/** Every way a command can end badly. The key is the `reason` output; the text says what the user should do next. */
export const errorCodes = {
  "inputs-invalid": "Correct the named input; `flink-dbt-deploy <command> --help` lists them all.",
  "python-missing":
    "Install Python 3.8, 3.9 or 3.10 (dbt-core 1.3 runs on no later one), for example with `pyenv install 3.10` or actions/setup-python; or set `dbt-command` to a dbt of your own.",
  "dbt-failed":
    "Read dbt's own message; no cluster was touched by it. If dbt works elsewhere, something is missing here: an environment variable (name it in `dbt-env`), `vars`, `target`, profiles.yml (`profiles-dir`), or a jar that a macro's query needs (`connectors`).",
  "dbt-missing":
    "Set `dbt-command` to a program that can be started here and has dbt-flink-adapter, such as `poetry run dbt`; or leave it empty to have one installed.",
  "manifest-unreadable":
    "Check that `project-dir` is the folder that holds dbt_project.yml, and that `dbt-command` starts dbt 1.3.",
  "no-jobs": "Give at least one model `materialized: table`; only such models become jobs.",
  "hint-unsafe":
    "Take `;`, `=`, `)` and line breaks out of the execution_config value that the message names: dbt-flink-adapter cannot read them.",
  "duplicate-job-name":
    "Give each of the named models a `pipeline.name` of its own in its execution_config; jobs are told apart by nothing else.",
  "model-invalid":
    "Correct the model; Flink's message says what it refuses. A connector or function that Flink does not know belongs in `connectors` or `init-sql`. The job was not touched, unless the message says that it is stopped.",
  "table-differs":
    "A table that a catalog keeps is never changed or dropped by a deployment. Change it by hand (ALTER TABLE, or DROP TABLE where its data may go), or correct the project, or give the model a table of another name; then run the command again. The job was not touched.",
  "base-missing":
    "Run inside the project's git repository, with the base fetched (`fetch-depth: 0` in actions/checkout), or name another `base` or `head`.",
  "worktree-dirty":
    "Commit the changes, or name a `head` to deploy: what is deployed must be found again by its commit.",
  "java-missing":
    "Install Java 11 or 17 (21 will do from Flink 1.19 on), for example with actions/setup-java, or set JAVA_HOME.",
  "maven-missing":
    "Install Maven (`mvn`) on PATH; or give `connectors` as paths of jars, and as `flink-home` a distribution that holds the SQL Gateway.",
  "download-failed":
    "Check the network and the package registries (PyPI and Maven Central, or the mirrors that pip and Maven are set to), then run the command again; nothing half-written is kept.",
  "flink-start-failed":
    "The Flink that plans on this machine did not start, or refused `init-sql`; the cluster is not concerned. Read the cause in the message; `flink-home`, `connectors`, `init-sql` and too little memory are the usual ones.",
  "gateway-unreachable":
    "Check `gateway-url`, and that the SQL Gateway runs and can be reached from here. Then run the same command again: it looks at what took effect first.",
  "not-a-gateway": "Something else answers at the URL; check the port (SQL Gateway: 8083, JobManager REST: 8081).",
  "version-mismatch":
    "Make the two versions in the message agree: leave `flink-version` empty to take the cluster's, give a `flink-home` of that version, run the SQL Gateway and the JobManager from one version.",
  "session-expired":
    "The gateway forgot a session: it was restarted, or the session was idle for too long. Run the same command again; raise `sql-gateway.session.idle-timeout` if it comes back.",
  "statement-failed":
    "The gateway refused a statement, or gave it up. Read Flink's message, mend its cause, and run the same command again.",
  "jobmanager-unreachable":
    "Check `jobmanager-url`, and that it can be reached from here. Then run the same command again: it looks at what took effect first. Leave the input empty to work through the gateway alone, which verifies less.",
  "no-slots":
    "Give the cluster more task slots, or lower the parallelism, then deploy again. The job's result says what runs now: `put back` is the old job, `failed` is none.",
  "savepoint-failed":
    "The job was not stopped. Read Flink's message (the storage of `savepoint-dir` and the checkpoint timeout are the usual causes), then run the command again.",
  "savepoint-dir-missing":
    "Set `savepoint-dir` to a URI that every Flink process can write to, such as `s3://bucket/savepoints`. The job was not stopped.",
  "rolled-back":
    "The new job did not hold, and the old one runs again: from the same savepoint, or empty where `upgrade_mode` is stateless. Read the cause, correct the model, and deploy again.",
  "job-down":
    "A job that should run does not. `flink-dbt-deploy status` shows the savepoint that the ledger has for it. Mend the cause, then run `deploy` again (`resume`, where it was suspended): it starts from that savepoint, or says which path it needs.",
  "needs-operator":
    "The facts do not tell which job or which state is right, and a wrong guess would lose or repeat records. Do what the message says, then run the command again.",
  "unknown-job": "No job matches; `flink-dbt-deploy status` lists the names.",
  "unknown-deployment":
    "No deployment is meant by `to`, or more than one, or there is none to go back to; `flink-dbt-deploy history` lists them.",
  "plan-changed":
    "What would be deployed is not what was planned or reviewed; the message says where they differ. Nothing was touched. Make a new plan and have it reviewed; or, where the difference is meant, deploy without `plan-file`, or with `require-reviewed-plan: warn`.",
  "plan-missing":
    "No reviewed plan of the commit was found, and `require-reviewed-plan: true` asks for one. Nothing was touched. Plan in pull requests with the same `environment` and `comment: update`, or with an uploaded plan file; deploy a direct push with `require-reviewed-plan: warn`.",
  "lock-held":
    "Another run holds the environment's lock, or wrote to its ledger meanwhile. Wait for it to end, then run the same command again; raise `lock-timeout` to wait longer. The lock of a run that died ends by itself after `lock-lease`.",
  "ledger-unreadable":
    "Do not deploy without it. Where a service or a permission failed, mend that and run the same command again; else restore what the message names from a backup, or use the version of flink-dbt-deploy that wrote it.",
  "ledger-lost":
    "The ledger may have expired or been evicted: import a backup with `ledger import`, or set `first-deployment: true` for one run when this really is the first. Nothing was touched.",
  "store-unconfirmed":
    "Make the ledger's store writable (a folder: space, permissions, mount; a repository: the network, the token's rights, rules for the ref; a service: the message says what it answered), then run the same command again. What could not be written down beforehand was not done; the message says where a job is stopped already.",
  "github-failed":
    "The message says what GitHub, or the forge that speaks its API, answered. Where a permission is missing, give it to the job; where the service failed, run the same command again.",
  interrupted:
    "Run the same command again soon; it goes on from where it was stopped. The message says where a job is stopped until then.",
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

/** A message for a line of the log: Flink's own have line breaks. */
export function inOneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}

/** An error's message and those of its causes, joined; for logs and for `cause` texts of others. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
