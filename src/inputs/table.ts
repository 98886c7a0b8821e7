export const commands = {
  plan: "Show what a change does to the jobs, without touching any cluster.",
  deploy: "Bring the cluster's jobs to the project's state, each with its state, and prove that they run.",
  suspend: "Stop jobs with a savepoint that the ledger keeps.",
  resume: "Start suspended jobs again from their savepoints.",
  rollback: "Bring jobs back to what an earlier deployment ran, from the savepoints that they were left with.",
  savepoint: "Take a savepoint of running jobs, which go on running, and note it in the ledger.",
  history: "Show the deployments that can be rolled back to, and from which savepoints.",
  comment: "Tell a plan that another run made on its pull request; that run may be a fork's.",
  "comment-command":
    "Read a command that somebody wrote on a pull request, `/flink deploy staging`, for a workflow to do.",
  status: "Show what the ledger records beside what the cluster runs.",
  "ledger-export": "Write the ledger into a file of JSON that a person can read.",
  "ledger-import": "Bring what such a file holds into a ledger that holds nothing else.",
} as const;

export type Command = keyof typeof commands;

export type InputKind = "text" | "path" | "list" | "pairs" | "seconds" | "count" | "choice";

export interface InputDescription {
  readonly description: string;
  readonly kind: InputKind;
  /** As text, the way a user would write it; "" where there is none. */
  readonly default: string;
  /** The action's, where GitHub's runner fills in what the command line does not have. */
  readonly actionDefault?: string;
  readonly commands: readonly Command[];
  readonly choices?: readonly string[];
  /** Never given on a command line, which others on the machine can read. */
  readonly secret?: true;
}

const project = ["plan", "deploy"] as const;
/** `resume` and `rollback` ask dbt only for secrets, which the ledger does not keep. */
const recorded = ["plan", "deploy", "resume", "rollback"] as const;
const cluster = ["deploy", "suspend", "resume", "rollback", "savepoint", "status"] as const;
const moving = ["ledger-export", "ledger-import"] as const;
const all = ["plan", "deploy", "suspend", "resume", "rollback", "savepoint", "history", "status", ...moving] as const;
const sessions = ["plan", "deploy", "suspend", "resume", "rollback"] as const;
const operations = ["suspend", "resume", "rollback", "savepoint", "history", "status"] as const;
const changing = ["deploy", "suspend", "resume", "rollback", "savepoint"] as const;
const writing = [...changing, "ledger-import"] as const;
const starting = ["deploy", "resume", "rollback"] as const;

/** What has nothing to do with the ledger too. */
const everywhere = [...all, "comment", "comment-command"] as const;
const posting = ["plan", "deploy", "comment"] as const;

/** Every input. action.yml, the command line's help and the README's table are generated from here. */
export const inputTable = {
  environment: {
    description: "Name of what is deployed to: one cluster with a ledger of its own, such as `production`.",
    kind: "text",
    default: "default",
    commands: everywhere,
  },
  "project-dir": {
    description: "Folder that holds dbt_project.yml, in a git repository; relative to the working directory.",
    kind: "path",
    default: ".",
    commands: [...all, "comment"],
  },
  "profiles-dir": {
    description:
      "Folder that holds profiles.yml. Empty: DBT_PROFILES_DIR, else the project, else ~/.dbt. Its host and port are never used.",
    kind: "path",
    default: "",
    commands: recorded,
  },
  target: {
    description: "dbt's --target. Empty: the one that profiles.yml names.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  vars: {
    description: "dbt's --vars, as YAML or JSON: `{output_dir: /srv/out}`.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  "dbt-command": {
    description:
      "How to start a dbt 1.3 that has dbt-flink-adapter, for example `poetry run dbt`. Empty: `dbt-requirements` are installed into the cache, with a Python 3.8 to 3.10 found on this machine.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  "dbt-requirements": {
    description: "What pip installs where `dbt-command` is empty, separated by commas.",
    kind: "list",
    default: "dbt-core==1.3.8, dbt-flink-adapter==1.3.11",
    commands: recorded,
  },
  "dbt-env": {
    description:
      "Environment variables that the project may read with env_var, as names or globs separated by commas: `DBT_*, KAFKA_BROKERS`. It sees no others but PATH and the like. A glob never passes what looks like a token or password: name it in full.",
    kind: "list",
    default: "",
    commands: recorded,
  },
  base: {
    description:
      "What the plan compares with: a git ref, or `deployed` for what the ledger says is deployed. Empty: the base commit of the pull request or merge queue where there is one, else `deployed`.",
    kind: "text",
    default: "",
    commands: ["plan"],
  },
  head: {
    description:
      "The git ref of the project to take. Empty: the working tree; `deploy` refuses one with changes that are not committed.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  "flink-version": {
    description:
      "Version of Flink to plan with; give `plan` the cluster's. Empty: 1.20.3 for `plan`; for `deploy` the cluster's, which any other must equal.",
    kind: "text",
    default: "",
    commands: project,
  },
  "flink-home": {
    description:
      "Folder of an unpacked Flink distribution to plan with, instead of a downloaded one. Its version must be the one that is planned with.",
    kind: "path",
    default: "",
    commands: project,
  },
  connectors: {
    description:
      "Jars of connectors, formats and catalogs to plan with, as Maven coordinates (each alone, without its dependencies) or paths, separated by commas: `org.apache.flink:flink-connector-kafka:3.4.0-1.20, org.apache.kafka:kafka-clients:3.4.0`. The cluster needs its own.",
    kind: "list",
    default: "",
    commands: project,
  },
  "init-sql": {
    description:
      "SQL file to run first in every session, of the planner and of the cluster: catalogs, functions, modules, jars. It must not start jobs.",
    kind: "path",
    default: "",
    commands: sessions,
  },
  "gateway-url": {
    description:
      "URL of the cluster's SQL Gateway, required: `http://flink-gateway:8083`. User and password in it are sent as basic authorization.",
    kind: "text",
    default: "",
    commands: cluster,
  },
  "jobmanager-url": {
    description:
      "URL of the JobManager's REST API: `http://flink-jobmanager:8081`. Empty: everything goes through the gateway; then checkpoints and restore paths are not verified, and a savepoint whose path is lost has to be found by hand. Required for `savepoint`.",
    kind: "text",
    default: "",
    commands: cluster,
  },
  "flink-token": {
    description:
      "Token that the gateway and the JobManager are sent as `Authorization: Bearer`, and nothing else is. The command takes it from the environment variable only.",
    kind: "text",
    default: "",
    commands: cluster,
    secret: true,
  },
  "flink-header": {
    description:
      "Header that the gateway and the JobManager are sent, and nothing else is, such as `X-Api-Key: ...`; several stand on a line each. The command takes it from the environment variable only.",
    kind: "text",
    default: "",
    commands: cluster,
    secret: true,
  },
  "tls-ca": {
    description:
      "File (PEM) with the certificates of those who may have signed the gateway's and the JobManager's, at https. Empty: those that Node trusts, and the ones that NODE_EXTRA_CA_CERTS names.",
    kind: "path",
    default: "",
    commands: cluster,
  },
  "tls-cert": {
    description:
      "File (PEM) with the certificate to show where the gateway or the JobManager asks for one. It goes with `tls-key`.",
    kind: "path",
    default: "",
    commands: cluster,
  },
  "tls-key": {
    description: "File (PEM) with the private key of `tls-cert`, without a passphrase, readable by this user alone.",
    kind: "path",
    default: "",
    commands: cluster,
  },
  "savepoint-dir": {
    description:
      "URI of the folder that savepoints go to, writable by every Flink process: `s3://bucket/savepoints`. Required to stop a job with its state.",
    kind: "text",
    default: "",
    commands: changing,
  },
  store: {
    description:
      "Where the ledger is kept, one or more of them separated by commas; each write goes to all. `git`: in a ref of the repository `ledger-git`. `file`: in the folder `ledger-dir`. `artifact`: in the artifacts of the repository's workflow runs. `cache`: in the repository's Actions cache.",
    kind: "list",
    choices: ["git", "file", "cache", "artifact"],
    default: "file",
    commands: all,
  },
  "from-savepoint": {
    description:
      "Where `resume` starts a job from instead of the state that the ledger has for it: the path of a savepoint or retained checkpoint, as a URI. `jobs` must name that one job. Suspend a running job first. Where the ledger knows another state, or none of a job that is gone, `allow-replay` must name the job, since what lies between the two is processed again or left out.",
    kind: "text",
    default: "",
    commands: ["resume"],
  },
  "list-command": {
    description:
      "Command that lists everything below a folder of checkpoints or savepoints, a path a line; `{}` stands for the folder's URI: `aws s3 ls --recursive {}`. With it, a job that the cluster forgot goes on from its newest checkpoint. Folders of this machine (`file:`) are listed without it.",
    kind: "text",
    default: "",
    commands: changing,
  },
  "allow-replay": {
    description:
      "Jobs, as names or globs, that may go on from an older checkpoint or savepoint where the newest cannot be told, so that records are processed twice; in a rollback also those that may be cancelled where no savepoint can be taken of them. For one deployment.",
    kind: "list",
    default: "",
    commands: starting,
  },
  "allow-fresh-start": {
    description: "Jobs, as names or globs, that may start without any state where theirs is lost. For one deployment.",
    kind: "list",
    default: "",
    commands: starting,
  },
  to: {
    description:
      "The deployment to go back to: its id or its commit, or at least the first 6 signs of one; `history` lists them. Empty: the one before the newest that changed the jobs; after a rollback, where that one went.",
    kind: "text",
    default: "",
    commands: ["rollback"],
  },
  "keep-progress": {
    description:
      "`true`: the earlier program goes on from what the job has now, so that no record is processed twice, where Flink can restore that state into it. `false`: from the savepoint that it was left with, so that what came since is processed again.",
    kind: "choice",
    choices: ["true", "false"],
    default: "false",
    commands: ["rollback"],
  },
  "keep-savepoints": {
    description:
      "How many savepoints of each job stay, 1 or more: the newest, and those that its last programs were stopped with. Older ones that we took are disposed of at the end of a deployment, through the JobManager. Empty: all stay.",
    kind: "count",
    default: "",
    commands: ["deploy"],
  },
  "keep-savepoints-days": {
    description: "Days for which a savepoint stays whatever `keep-savepoints` says. Empty: age does not matter.",
    kind: "count",
    default: "",
    commands: ["deploy"],
  },
  "warn-suspended-days": {
    description:
      "Days after which a job that is still suspended is warned of, since its sources and sinks may not reach back to its savepoint any more; 0 is never.",
    kind: "count",
    default: "7",
    commands: ["deploy", "status"],
  },
  "note-checkpoints": {
    description:
      "Whether `status` notes in the ledger where each running job has its newest checkpoint, should the cluster forget the job. It needs `jobmanager-url`, and takes the environment's lock for a moment; `false` where it runs every minute, since each note stays.",
    kind: "choice",
    choices: ["true", "false"],
    default: "true",
    commands: ["status"],
  },
  environments: {
    description:
      "The environments that `/flink deploy` may name, separated by commas. Empty: none, so that nothing is deployed by a comment.",
    kind: "list",
    default: "",
    commands: ["comment-command"],
  },
  "drift-issue": {
    description:
      "`true`: on GitHub `status` keeps one issue per environment that tells what is not as it should be: it is opened, brought up to date and closed by itself. It needs `issues: write`. With `plan-file`, a plan of the default branch with `base: deployed`, also which jobs run another program than that branch's; where that file is not there, that the branch could not be planned.",
    kind: "choice",
    choices: ["true", "false"],
    default: "false",
    commands: ["status"],
  },
  "lock-timeout": {
    description:
      "Seconds to wait while another run holds the environment's lock; 0 is not at all. Then the command ends with `lock-held` and names the holder.",
    kind: "seconds",
    default: "600",
    commands: writing,
  },
  "lock-lease": {
    description:
      "Seconds after which the lock of a run that does not renew it any more is taken over. A run whose process or workflow job is known to have ended is not waited for.",
    kind: "seconds",
    default: "120",
    commands: writing,
  },
  "ledger-dir": {
    description:
      "Folder of the `file` store. It must be there for every later run, so neither on a runner that is thrown away nor in the workspace, which actions/checkout empties.",
    kind: "path",
    default: ".flink-dbt-deploy/ledger",
    commands: all,
  },
  "ledger-git": {
    description:
      "Repository of the `git` store: a URL (https, ssh, file), `host:path` for ssh, or the path of a bare repository. Empty: the remote `origin` of the repository that holds `project-dir`.",
    kind: "text",
    default: "",
    commands: all,
  },
  "ledger-git-token": {
    description:
      "Token for `ledger-git` over https; `contents: write` is what GitHub's needs. The user's name, where it matters, stands in the URL. Empty: git's own credentials. The command takes it from the environment variable only.",
    kind: "text",
    default: "",
    commands: all,
    secret: true,
  },
  "ledger-ref": {
    description:
      "Full name of the ref of the `git` store, where the host does not take the usual one: `refs/heads/flink-ledger`. Each environment needs its own. Empty: `refs/flink-dbt-deploy/<environment>`.",
    kind: "text",
    default: "",
    commands: all,
  },
  "github-token": {
    description:
      "Token for GitHub's API: `pull-requests: write` for comments, `statuses: write` for commit statuses, `deployments: write` for the record of a deployment, `actions: read` for the `artifact` store and for reviewed plans. The command takes it from the environment variable only, else GITHUB_TOKEN.",
    kind: "text",
    default: "",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's runner expands it
    actionDefault: "${{ github.token }}",
    commands: everywhere,
    secret: true,
  },
  "artifact-retention-days": {
    description:
      "Days that GitHub keeps what the `artifact` store writes; the repository's own limit goes first. They count from the last write.",
    kind: "count",
    default: "90",
    commands: [...writing, "status"],
  },
  "first-deployment": {
    description:
      "`true` says that an empty ledger is right, where `artifact` and `cache` are the only stores and the cluster knows a job of the project's already: such a job is taken over, or started empty. Set it for one run, never for good.",
    kind: "choice",
    choices: ["true", "false"],
    default: "false",
    commands: ["deploy"],
  },
  "ledger-file": {
    description: "File to write the ledger to (`-` is standard output), or to read it from. Required.",
    kind: "path",
    default: "",
    commands: moving,
  },
  jobs: {
    description:
      "Job names or globs, separated by commas: `orders_*, customers`. Required for `suspend`, `resume` and `savepoint`; elsewhere empty means all.",
    kind: "list",
    default: "",
    commands: operations,
  },
  "require-reviewed-plan": {
    description:
      "What to do on GitHub where a deployment is not what the plan of the commit's pull request showed, or no such plan is found: `true` refuses it before anything is touched, `warn` says so, `false` does not look.",
    kind: "choice",
    choices: ["true", "warn", "false"],
    default: "warn",
    commands: ["deploy"],
  },
  "deployment-record": {
    description:
      "`auto`: on GitHub a deployment is recorded among the repository's deployments, which needs `deployments: write`, unless the workflow job's own `environment:` does so. `off`: it is not.",
    kind: "choice",
    choices: ["auto", "off"],
    default: "auto",
    commands: ["deploy"],
  },
  comment: {
    description:
      "The comment on the pull request, one for each environment and project: `update` edits it in place, `renew` posts it anew and deletes the old one, `off` posts none. Where it cannot be posted, that is said, and nothing fails.",
    kind: "choice",
    choices: ["update", "renew", "off"],
    default: "update",
    commands: posting,
  },
  "pull-request": {
    description:
      "Number of the pull request to comment on, and for `deploy` whose reviewed plan counts. Empty: the one of the event, else the open one that the commit is the head of; for `deploy` the merged one that brought the commit. Outside of a workflow it must be given, with GITHUB_REPOSITORY and a token, for anything to be posted.",
    kind: "count",
    default: "",
    commands: posting,
  },
  "commit-status": {
    description:
      "Whether `plan` sets the status `flink-dbt-deploy / <environment>` of the pull request's head: `success`, `failure` where it finds errors, `error` where there is no plan. It can be made a required check.",
    kind: "choice",
    choices: ["true", "false"],
    default: "true",
    commands: ["plan", "comment"],
  },
  "removed-jobs": {
    description:
      "What to do with a job that no model defines any more: `stop` it with a savepoint, or `keep` it running.",
    kind: "choice",
    choices: ["stop", "keep"],
    default: "stop",
    commands: project,
  },
  renames: {
    description:
      "Jobs whose name changed and that keep their state: `old=new`, separated by commas. It may stay there when it is done.",
    kind: "pairs",
    default: "",
    commands: project,
  },
  "parallel-jobs": {
    description: "How many jobs are worked on at a time.",
    kind: "count",
    default: "4",
    commands: changing,
  },
  "verify-checkpoints": {
    description: "Completed checkpoints that prove a new job. Seen only with `jobmanager-url`.",
    kind: "count",
    default: "1",
    commands: starting,
  },
  "verify-timeout": {
    description: "Seconds within which a new streaming job must hold, or the old one is put back.",
    kind: "seconds",
    default: "180",
    commands: starting,
  },
  "steady-time": {
    description:
      "Seconds that a job must be seen RUNNING without a break where no checkpoint can prove it: it takes none, or `jobmanager-url` is not given.",
    kind: "seconds",
    default: "10",
    commands: starting,
  },
  "batch-timeout": {
    description: "Seconds within which a batch job must finish.",
    kind: "seconds",
    default: "3600",
    commands: starting,
  },
  "plan-file": {
    description:
      "`plan`: where to write the plan as JSON; empty: .flink-dbt-deploy/plan.json. `deploy`: a plan file to carry out as it is, without dbt, while the ledger is as it was planned on; whoever makes the file chooses what the cluster runs, so give one of your own only. Empty: the plan is made. `comment`: the plan file to tell, required. `status`: see `drift-issue`.",
    kind: "path",
    default: "",
    commands: ["plan", "deploy", "comment", "status"],
  },
  "markdown-file": {
    description:
      "Where to write the plan as Markdown too. It is printed in any case, as plain text at a terminal, and in GitHub Actions it is in the job summary.",
    kind: "path",
    default: "",
    commands: ["plan"],
  },
  "cache-dir": {
    description:
      "Where Flink, dbt and connectors are kept once downloaded. Empty: FLINK_DBT_DEPLOY_CACHE, else ~/.cache/flink-dbt-deploy.",
    kind: "path",
    default: "",
    commands: recorded,
  },
} as const satisfies Readonly<Record<string, InputDescription>>;

export type InputName = keyof typeof inputTable;

export const inputNames = Object.keys(inputTable) as readonly InputName[];

export const variablePrefix = "FLINK_DBT_DEPLOY_";

/** The environment variable that stands for an input on the command line. */
export function variableOf(name: InputName): string {
  return `${variablePrefix}${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Whether an environment variable is an input's, of whichever command, or the cache's. */
export function isVariable(name: string): boolean {
  return name === `${variablePrefix}CACHE` || inputNames.some((input) => variableOf(input) === name);
}

/** Whether an input may be given in the environment only. */
export function isSecretInput(name: InputName): boolean {
  return "secret" in inputTable[name];
}

export function inputsOf(command: Command): readonly InputName[] {
  return inputNames.filter((name) => (inputTable[name].commands as readonly Command[]).includes(command));
}
