export const commands = {
  plan: "Show what a change does to the jobs, without touching any cluster.",
  deploy: "Bring the cluster's jobs to the project's state, each with its state, and prove that they run.",
  suspend: "Stop jobs with a savepoint that the ledger keeps.",
  resume: "Start suspended jobs again from their savepoints.",
  status: "Show what the ledger records beside what the cluster runs.",
} as const;

export type Command = keyof typeof commands;

export type InputKind = "text" | "path" | "list" | "pairs" | "seconds" | "count" | "choice";

export interface InputDescription {
  readonly description: string;
  readonly kind: InputKind;
  /** As text, the way a user would write it; "" where there is none. */
  readonly default: string;
  readonly commands: readonly Command[];
  readonly choices?: readonly string[];
}

const project = ["plan", "deploy"] as const;
/** `resume` asks dbt only for secrets, which the ledger does not keep. */
const recorded = ["plan", "deploy", "resume"] as const;
const cluster = ["deploy", "suspend", "resume", "status"] as const;
const all = ["plan", "deploy", "suspend", "resume", "status"] as const;
const sessions = ["plan", "deploy", "suspend", "resume"] as const;
const operations = ["suspend", "resume", "status"] as const;

/** Every input. action.yml, the command line's help and the README's table are generated from here. */
export const inputTable = {
  environment: {
    description: "Name of the cluster that is deployed to, with a ledger of its own: `production`.",
    kind: "text",
    default: "default",
    commands: all,
  },
  "project-dir": {
    description: "Folder of the dbt project, relative to the working directory.",
    kind: "path",
    default: ".",
    commands: recorded,
  },
  "profiles-dir": {
    description: "Folder of profiles.yml. Empty: where dbt looks for it.",
    kind: "path",
    default: "",
    commands: recorded,
  },
  target: { description: "dbt's --target.", kind: "text", default: "", commands: recorded },
  vars: { description: "dbt's --vars, as YAML or JSON.", kind: "text", default: "", commands: recorded },
  "dbt-command": {
    description:
      "How to start dbt 1.3 with dbt-flink-adapter, for example `poetry run dbt`. Empty: it is installed into the cache with a Python 3.8 to 3.10 that is found on this machine.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  "dbt-requirements": {
    description: "What is installed where `dbt-command` is empty, separated by commas.",
    kind: "list",
    default: "dbt-core==1.3.8, dbt-flink-adapter==1.3.11",
    commands: recorded,
  },
  "dbt-env": {
    description:
      "Environment variables that dbt may see besides the harmless ones, as names or globs separated by commas: `DBT_*, KAFKA_BROKERS`.",
    kind: "list",
    default: "",
    commands: recorded,
  },
  base: {
    description:
      "What the plan starts from: a git ref, or `deployed` for what the ledger says is deployed. Empty: the pull request's base, else `deployed`.",
    kind: "text",
    default: "",
    commands: ["plan"],
  },
  head: {
    description: "The git ref to plan or deploy. Empty: the working tree, which must be clean to be deployed.",
    kind: "text",
    default: "",
    commands: recorded,
  },
  "flink-version": {
    description: "Version of Flink to plan with. Empty: the cluster's where `gateway-url` is given, else 1.20.3.",
    kind: "text",
    default: "",
    commands: project,
  },
  "flink-home": {
    description: "An unpacked Flink distribution to plan with, instead of a downloaded one.",
    kind: "path",
    default: "",
    commands: project,
  },
  connectors: {
    description:
      "Connectors and formats to plan with, as Maven coordinates or jar paths separated by commas: `org.apache.flink:flink-connector-kafka:3.4.0-1.20, org.apache.kafka:kafka-clients:3.4.0`.",
    kind: "list",
    default: "",
    commands: project,
  },
  "init-sql": {
    description: "SQL file to run first in every session: catalogs, functions, modules, jars.",
    kind: "path",
    default: "",
    commands: sessions,
  },
  "gateway-url": {
    description: "URL of the cluster's SQL Gateway: `http://flink-gateway:8083`.",
    kind: "text",
    default: "",
    commands: cluster,
  },
  "jobmanager-url": {
    description:
      "URL of the JobManager's REST API: `http://flink-jobmanager:8081`. Empty: everything goes through the gateway, and checkpoints and restore paths cannot be verified.",
    kind: "text",
    default: "",
    commands: cluster,
  },
  "savepoint-dir": {
    description: "URI of the folder that savepoints go to, writable by every Flink process: `s3://bucket/savepoints`.",
    kind: "text",
    default: "",
    commands: ["deploy", "suspend", "resume"],
  },
  store: {
    description: "Where the ledger is kept.",
    kind: "choice",
    choices: ["file"],
    default: "file",
    commands: all,
  },
  "ledger-dir": {
    description: "Folder of the `file` store. Keep it where later runs find it.",
    kind: "path",
    default: ".flink-dbt-deploy/ledger",
    commands: all,
  },
  jobs: {
    description: "Job names or globs, separated by commas: `orders_*, customers`. For `status`, empty means all.",
    kind: "list",
    default: "",
    commands: operations,
  },
  "removed-jobs": {
    description: "What to do with a job that no model defines any more: `stop` it with a savepoint, or `keep` it.",
    kind: "choice",
    choices: ["stop", "keep"],
    default: "stop",
    commands: project,
  },
  renames: {
    description: "Jobs whose `pipeline.name` changed and that keep their state: `old=new`, separated by commas.",
    kind: "pairs",
    default: "",
    commands: project,
  },
  "parallel-jobs": {
    description: "How many jobs are deployed at a time.",
    kind: "count",
    default: "4",
    commands: ["deploy", "suspend", "resume"],
  },
  "verify-checkpoints": {
    description: "Completed checkpoints that prove a new job.",
    kind: "count",
    default: "1",
    commands: ["deploy", "resume"],
  },
  "verify-timeout": {
    description: "Seconds within which a new job must hold, or the old one is put back.",
    kind: "seconds",
    default: "180",
    commands: ["deploy", "resume"],
  },
  "steady-time": {
    description: "Seconds that a job must be seen RUNNING where its checkpoints cannot be seen.",
    kind: "seconds",
    default: "10",
    commands: ["deploy", "resume"],
  },
  "batch-timeout": {
    description: "Seconds within which a batch job must finish.",
    kind: "seconds",
    default: "3600",
    commands: ["deploy", "resume"],
  },
  "plan-file": {
    description: "Where to write the plan as JSON.",
    kind: "path",
    default: ".flink-dbt-deploy/plan.json",
    commands: ["plan"],
  },
  "markdown-file": {
    description: "Where to write the plan as Markdown too. Empty: to standard output and the job summary only.",
    kind: "path",
    default: "",
    commands: ["plan"],
  },
  "cache-dir": {
    description: "Where downloads are kept. Empty: FLINK_DBT_DEPLOY_CACHE, else ~/.cache/flink-dbt-deploy.",
    kind: "path",
    default: "",
    commands: recorded,
  },
} as const satisfies Readonly<Record<string, InputDescription>>;

export type InputName = keyof typeof inputTable;

export const inputNames = Object.keys(inputTable) as readonly InputName[];

/** The environment variable that stands for an input on the command line. */
export function variableOf(name: InputName): string {
  return `FLINK_DBT_DEPLOY_${name.toUpperCase().replaceAll("-", "_")}`;
}

export function inputsOf(command: Command): readonly InputName[] {
  return inputNames.filter((name) => (inputTable[name].commands as readonly Command[]).includes(command));
}
