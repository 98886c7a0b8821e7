import { DeployError } from "../errors.ts";
import { holdsPassword, mask } from "../secrets.ts";
import { type AccessInputs, accessInputs } from "./access.ts";
import { type Command, commands, type InputName, inputTable, isSecretInput } from "./table.ts";

/** How dbt is run to record a project. Paths are as the user gave them; null is "not given". */
export interface RecordingInputs {
  readonly projectDir: string;
  readonly profilesDir: string | null;
  readonly target: string | null;
  readonly vars: string | null;
  readonly dbtCommand: string | null;
  readonly dbtRequirements: readonly string[];
  readonly dbtEnv: readonly string[];
  readonly head: string | null;
  readonly cacheDir: string | null;
}

/** How a project is recorded and planned. */
export interface ProjectInputs extends RecordingInputs {
  readonly flinkVersion: string | null;
  readonly flinkHome: string | null;
  readonly connectors: readonly string[];
  readonly removedJobs: "stop" | "keep";
  readonly renames: Readonly<Record<string, string>>;
}

export type StoreKind = "git" | "file" | "cache" | "artifact";

export interface StoreInputs {
  readonly environment: string;
  readonly store: readonly StoreKind[];
  readonly ledgerDir: string;
  /** Its repository's `origin` is where the `git` store is unless `ledgerGit` says so. */
  readonly projectDir: string;
  readonly ledgerGit: string | null;
  readonly ledgerGitToken: string | null;
  /** Null: the one that is named after the environment. */
  readonly ledgerRef: string | null;
  /** Null: the environment's own. */
  readonly githubToken: string | null;
  readonly artifactRetentionDays: number;
  /** The user says that no ledger was lost. */
  readonly firstDeployment: boolean;
}

/** Times in ms. */
export interface LockInputs {
  readonly lockLeaseMs: number;
  /** 0: not at all. */
  readonly lockTimeoutMs: number;
}

export interface CommentInputs {
  readonly comment: "update" | "renew" | "off";
  /** Null: that of the event, or of the commit. */
  readonly pullRequest: number | null;
}

export interface ClusterInputs {
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string | null;
  readonly access: AccessInputs;
}

/** Times in ms. */
export interface RunInputs {
  readonly savepointDir: string | null;
  readonly parallelJobs: number;
  readonly initSql: string | null;
  readonly listCommand: string | null;
}

export interface RetentionInputs {
  /** Null: all stay. */
  readonly keepSavepoints: { readonly keep: number; readonly youngerThanMs: number | null } | null;
}

export interface WarningInputs {
  /** Null: never. */
  readonly warnSuspendedMs: number | null;
}

/** Job names or globs. */
export interface ConsentInputs {
  readonly allowReplay: readonly string[];
  readonly allowFreshStart: readonly string[];
}

export interface VerifyInputs {
  readonly verifyCheckpoints: number;
  readonly verifyTimeoutMs: number;
  readonly steadyTimeMs: number;
  readonly batchTimeoutMs: number;
}

export type PlanInputs = { readonly command: "plan" } & ProjectInputs &
  StoreInputs &
  CommentInputs & {
    readonly commitStatus: boolean;
    readonly base: string | null;
    readonly initSql: string | null;
    readonly planFile: string;
    readonly markdownFile: string | null;
  };
/** How a deployment is held against what was planned and reviewed, and where it is told. */
export interface ReviewInputs {
  /** Null: the plan is made. */
  readonly planFile: string | null;
  readonly requireReviewedPlan: "true" | "warn" | "false";
  readonly deploymentRecord: "auto" | "off";
}

export type DeployInputs = { readonly command: "deploy" } & ProjectInputs &
  ReviewInputs &
  CommentInputs &
  StoreInputs &
  LockInputs &
  ClusterInputs &
  RunInputs &
  RetentionInputs &
  WarningInputs &
  ConsentInputs &
  VerifyInputs;
export type SuspendInputs = { readonly command: "suspend"; readonly jobs: readonly string[] } & StoreInputs &
  LockInputs &
  ClusterInputs &
  RunInputs;
export type ResumeInputs = {
  readonly command: "resume";
  readonly jobs: readonly string[];
  /** Then `jobs` is one name. */
  readonly fromSavepoint: string | null;
} & RecordingInputs &
  StoreInputs &
  LockInputs &
  ClusterInputs &
  RunInputs &
  ConsentInputs &
  VerifyInputs;
export type RollbackInputs = {
  readonly command: "rollback";
  /** Empty: all that differ. */
  readonly jobs: readonly string[];
  readonly to: string | null;
  readonly keepProgress: boolean;
} & RecordingInputs &
  StoreInputs &
  LockInputs &
  ClusterInputs &
  RunInputs &
  ConsentInputs &
  VerifyInputs;
export type SavepointInputs = { readonly command: "savepoint"; readonly jobs: readonly string[] } & StoreInputs &
  LockInputs &
  ClusterInputs &
  RunInputs & { readonly jobmanagerUrl: string; readonly savepointDir: string };
export type HistoryInputs = { readonly command: "history"; readonly jobs: readonly string[] } & StoreInputs;
export type StatusInputs = {
  readonly command: "status";
  readonly jobs: readonly string[];
  readonly noteCheckpoints: boolean;
  readonly driftIssue: boolean;
  /** Of the default branch against what is deployed, for the issue; null: not compared. */
  readonly planFile: string | null;
} & StoreInputs &
  ClusterInputs &
  WarningInputs;
export interface CommentCommandInputs {
  readonly command: "comment-command";
  readonly environment: string;
  /** That may be deployed to. */
  readonly environments: readonly string[];
  readonly githubToken: string | null;
}
/** Of the command `comment`. */
export type PostInputs = {
  readonly command: "comment";
  readonly planFile: string;
  readonly environment: string;
  readonly projectDir: string;
  readonly githubToken: string | null;
  readonly commitStatus: boolean;
} & CommentInputs;
export type LedgerExportInputs = { readonly command: "ledger-export"; readonly ledgerFile: string } & StoreInputs;
export type LedgerImportInputs = { readonly command: "ledger-import"; readonly ledgerFile: string } & StoreInputs &
  LockInputs;
export type Inputs =
  | PlanInputs
  | DeployInputs
  | SuspendInputs
  | ResumeInputs
  | RollbackInputs
  | SavepointInputs
  | HistoryInputs
  | StatusInputs
  | PostInputs
  | CommentCommandInputs
  | LedgerExportInputs
  | LedgerImportInputs;

/** What the user gave, by input name; an absent or empty value means the default. */
export type RawInputs = Readonly<Partial<Record<InputName, string>>>;

/** Reads the inputs of a command, or throws `inputs-invalid` naming the input and its value. */
export function readInputs(commandText: string, raw: RawInputs): Inputs {
  const command = commandOf(commandText);
  const read = new Reader(raw);
  const store = (): StoreInputs => ({
    environment: read.name("environment"),
    store: read.choices("store", ["git", "file", "cache", "artifact"]),
    ledgerDir: read.text("ledger-dir"),
    projectDir: read.text("project-dir"),
    ledgerGit: read.textOrNull("ledger-git"),
    ledgerGitToken: read.textOrNull("ledger-git-token"),
    ledgerRef: read.refOrNull("ledger-ref"),
    githubToken: read.textOrNull("github-token"),
    artifactRetentionDays: read.days("artifact-retention-days"),
    firstDeployment: command === "deploy" && read.choice("first-deployment", ["true", "false"]) === "true",
  });
  const comment = (): CommentInputs => ({
    comment: read.choice("comment", ["update", "renew", "off"]),
    pullRequest: read.numberOrNull("pull-request"),
  });
  const cluster = (): ClusterInputs => {
    const [gatewayUrl, jobmanagerUrl] = [read.url("gateway-url"), read.urlOrNull("jobmanager-url")];
    return { gatewayUrl, jobmanagerUrl, access: accessInputs(read, [gatewayUrl, jobmanagerUrl ?? gatewayUrl]) };
  };
  const run = (): RunInputs => ({
    savepointDir: read.uriOrNull("savepoint-dir"),
    parallelJobs: read.count("parallel-jobs"),
    initSql: read.textOrNull("init-sql"),
    listCommand: read.textOrNull("list-command"),
  });
  const consent = (): ConsentInputs => ({
    allowReplay: read.list("allow-replay"),
    allowFreshStart: read.list("allow-fresh-start"),
  });
  const lock = (): LockInputs => ({
    lockLeaseMs: read.milliseconds("lock-lease"),
    lockTimeoutMs: read.milliseconds("lock-timeout", 0),
  });
  const warning = (): WarningInputs => ({ warnSuspendedMs: read.daysOrNull("warn-suspended-days", 0) || null });
  const verify = (): VerifyInputs => ({
    verifyCheckpoints: read.count("verify-checkpoints"),
    verifyTimeoutMs: read.milliseconds("verify-timeout"),
    steadyTimeMs: read.milliseconds("steady-time"),
    batchTimeoutMs: read.milliseconds("batch-timeout"),
  });
  switch (command) {
    case "plan":
      return {
        command,
        ...projectInputs(read),
        ...store(),
        ...comment(),
        commitStatus: read.choice("commit-status", ["true", "false"]) === "true",
        base: read.textOrNull("base"),
        initSql: read.textOrNull("init-sql"),
        planFile: read.textOrNull("plan-file") ?? ".flink-dbt-deploy/plan.json",
        markdownFile: read.textOrNull("markdown-file"),
      };
    case "deploy":
      return {
        command,
        ...projectInputs(read),
        planFile: read.textOrNull("plan-file"),
        requireReviewedPlan: read.choice("require-reviewed-plan", ["true", "warn", "false"]),
        deploymentRecord: read.choice("deployment-record", ["auto", "off"]),
        ...comment(),
        ...store(),
        ...lock(),
        ...cluster(),
        ...run(),
        ...retentionInputs(read),
        ...warning(),
        ...consent(),
        ...verify(),
      };
    case "suspend":
      return { command, jobs: read.someJobs(), ...store(), ...lock(), ...cluster(), ...run() };
    case "resume":
      return {
        command,
        jobs: read.someJobs(),
        fromSavepoint: fromSavepoint(read),
        ...recordingInputs(read),
        ...store(),
        ...lock(),
        ...cluster(),
        ...run(),
        ...consent(),
        ...verify(),
      };
    case "rollback":
      return {
        command,
        jobs: read.list("jobs"),
        to: read.beginningOrNull("to"),
        keepProgress: read.choice("keep-progress", ["true", "false"]) === "true",
        ...recordingInputs(read),
        ...store(),
        ...lock(),
        ...cluster(),
        ...run(),
        ...consent(),
        ...verify(),
      };
    case "savepoint":
      return {
        command,
        jobs: read.someJobs(),
        ...store(),
        ...lock(),
        ...cluster(),
        ...run(),
        jobmanagerUrl: savepointNeeds(read.urlOrNull("jobmanager-url"), "jobmanager-url"),
        savepointDir: savepointNeeds(read.uriOrNull("savepoint-dir"), "savepoint-dir"),
      };
    case "history":
      return { command, jobs: read.list("jobs"), ...store() };
    case "status":
      return {
        command,
        jobs: read.list("jobs"),
        noteCheckpoints: read.choice("note-checkpoints", ["true", "false"]) === "true",
        driftIssue: read.choice("drift-issue", ["true", "false"]) === "true",
        planFile: read.textOrNull("plan-file"),
        ...store(),
        ...cluster(),
        ...warning(),
      };
    case "comment":
      return {
        command,
        planFile: read.text("plan-file"),
        environment: read.name("environment"),
        projectDir: read.text("project-dir"),
        githubToken: read.textOrNull("github-token"),
        commitStatus: read.choice("commit-status", ["true", "false"]) === "true",
        ...comment(),
      };
    case "comment-command": {
      const environment = read.name("environment");
      const environments = read.list("environments");
      return { command, environment, environments, githubToken: read.textOrNull("github-token") };
    }
    case "ledger-export":
      return { command, ledgerFile: read.text("ledger-file"), ...store() };
    case "ledger-import":
      return { command, ledgerFile: read.text("ledger-file"), ...store(), ...lock() };
  }
}

function commandOf(text: string): Command {
  if (Object.hasOwn(commands, text)) return text as Command;
  const known = Object.keys(commands).join(", ");
  throw new DeployError("inputs-invalid", `command: ${JSON.stringify(text)} is none of ${known}`);
}

function fromSavepoint(read: Reader): string | null {
  const path = read.uriOrNull("from-savepoint");
  const [name = "", ...others] = read.someJobs();
  if (path !== null && (others.length > 0 || /[*?]/.test(name))) {
    throw new DeployError(
      "inputs-invalid",
      `from-savepoint: ${path} is the state of one job; name that one in \`jobs\``,
    );
  }
  return path;
}

/** Through the gateway alone a savepoint is taken only by stopping the job. */
function savepointNeeds(value: string | null, name: InputName): string {
  if (value !== null) return value;
  const why =
    name === "jobmanager-url"
      ? "is required for `savepoint`: through the gateway alone Flink takes a savepoint only by stopping the job, which `suspend` does, and `resume` starts it again"
      : "is required for `savepoint`: the folder that it goes to";
  throw new DeployError("inputs-invalid", `${name}: ${why}`);
}

function recordingInputs(read: Reader): RecordingInputs {
  return {
    projectDir: read.text("project-dir"),
    profilesDir: read.textOrNull("profiles-dir"),
    target: read.textOrNull("target"),
    vars: read.textOrNull("vars"),
    dbtCommand: read.textOrNull("dbt-command"),
    dbtRequirements: read.list("dbt-requirements"),
    dbtEnv: read.list("dbt-env"),
    head: read.textOrNull("head"),
    cacheDir: read.textOrNull("cache-dir"),
  };
}

function retentionInputs(read: Reader): RetentionInputs {
  const keep = read.countOrNull("keep-savepoints");
  const youngerThanMs = read.daysOrNull("keep-savepoints-days");
  if (keep !== null) return { keepSavepoints: { keep, youngerThanMs } };
  if (youngerThanMs === null) return { keepSavepoints: null };
  throw new DeployError(
    "inputs-invalid",
    "keep-savepoints-days: says nothing without `keep-savepoints`, since all savepoints stay; give that too",
  );
}

function projectInputs(read: Reader): ProjectInputs {
  return {
    ...recordingInputs(read),
    flinkVersion: read.versionOrNull("flink-version"),
    flinkHome: read.textOrNull("flink-home"),
    connectors: read.list("connectors"),
    removedJobs: read.choice("removed-jobs", ["stop", "keep"]),
    renames: read.pairs("renames"),
  };
}

class Reader {
  readonly #raw: RawInputs;

  constructor(raw: RawInputs) {
    this.#raw = raw;
  }

  textOrNull(name: InputName): string | null {
    const given = this.#raw[name]?.trim() ?? "";
    const value = given === "" ? inputTable[name].default : given;
    if (value.includes("\0")) throw this.#invalid(name, value, "must not hold a NUL character");
    return value === "" ? null : value;
  }

  text(name: InputName): string {
    const value = this.textOrNull(name);
    if (value === null) throw new DeployError("inputs-invalid", `${name}: is required and was not given`);
    return value;
  }

  /** A part of paths, refs and URIs. */
  name(name: InputName): string {
    const value = this.text(name);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(value) || value.includes("..")) {
      throw this.#invalid(name, value, "must be letters, digits, `.`, `_` and `-`, at most 63 of them");
    }
    return value;
  }

  /** As `git check-ref-format` has it, in a narrower set of signs. */
  refOrNull(name: InputName): string | null {
    const value = this.textOrNull(name);
    const part = "(?!\\.)(?:(?!\\.\\.)[A-Za-z0-9._-])+(?<!\\.|\\.lock)";
    if (value !== null && !new RegExp(`^refs(?:/${part}){2,}$`).test(value))
      throw this.#invalid(name, value, "must be the full name of a ref, such as refs/heads/flink-ledger");
    return value;
  }

  /** Of an id or a commit; fewer signs would soon mean several. */
  beginningOrNull(name: InputName): string | null {
    const value = this.textOrNull(name);
    if (value !== null && !/^[0-9a-f]{6,64}$/.test(value)) {
      throw this.#invalid(name, value, "must be at least 6 signs of an id or a commit (0 to 9, a to f)");
    }
    return value;
  }

  choice<const Choice extends string>(name: InputName, choices: readonly Choice[]): Choice {
    const value = this.text(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.#invalid(name, value, `must be one of ${choices.join(", ")}`);
    return found;
  }

  /** One or more of them, each once. */
  choices<const Choice extends string>(name: InputName, choices: readonly Choice[]): readonly Choice[] {
    const found = this.list(name).map((value) => {
      const choice = choices.find((one) => one === value);
      if (choice === undefined) throw this.#invalid(name, value, `must be one or more of ${choices.join(", ")}`);
      return choice;
    });
    if (new Set(found).size < found.length) throw this.#invalid(name, this.text(name), "names one of them twice");
    return found;
  }

  list(name: InputName): readonly string[] {
    return (this.textOrNull(name) ?? "")
      .split(/[,\n]/)
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }

  someJobs(): readonly string[] {
    const jobs = this.list("jobs");
    if (jobs.length === 0) throw new DeployError("inputs-invalid", "jobs: is required; `*` means every job");
    return jobs;
  }

  pairs(name: InputName): Readonly<Record<string, string>> {
    const pairs = this.list(name).map((item) => {
      const [key, value, ...rest] = item.split("=").map((part) => part.trim());
      if (!key || !value || rest.length > 0) throw this.#invalid(name, item, "must be written `old=new`");
      return [key, value] as const;
    });
    for (const index of [0, 1] as const) {
      const twice = pairs.find((pair, at) => pairs.findIndex((other) => other[index] === pair[index]) !== at);
      if (twice !== undefined) throw this.#invalid(name, twice.join("="), `names ${twice[index]} twice`);
    }
    return Object.fromEntries(pairs);
  }

  count(name: InputName): number {
    return this.#whole(name, 1, 1000);
  }

  /** GitHub keeps artifacts for 400 days at most. */
  days(name: InputName): number {
    return this.#whole(name, 1, 400);
  }

  /** Of a pull request. */
  numberOrNull(name: InputName): number | null {
    return this.textOrNull(name) === null ? null : this.#whole(name, 1, 1_000_000_000);
  }

  countOrNull(name: InputName): number | null {
    return this.textOrNull(name) === null ? null : this.count(name);
  }

  /** In ms. */
  daysOrNull(name: InputName, least = 1): number | null {
    return this.textOrNull(name) === null ? null : this.#whole(name, least, 3_650) * 24 * 3_600_000;
  }

  milliseconds(name: InputName, leastSeconds = 1): number {
    return this.#whole(name, leastSeconds, 7 * 24 * 3600) * 1000;
  }

  versionOrNull(name: InputName): string | null {
    const value = this.textOrNull(name);
    if (value !== null && !/^\d+\.\d+\.\d+$/.test(value))
      throw this.#invalid(name, value, "must be a version such as 1.20.3");
    return value;
  }

  urlOrNull(name: InputName): string | null {
    const value = this.textOrNull(name);
    if (value === null) return null;
    if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
      // What stands before an `@` may be a password, also where it is no URL yet.
      const shown = value.replace(/^.*@/s, `${mask}@`);
      throw this.#invalid(name, shown, "must be a URL that begins with http:// or https://");
    }
    // As the URL standard writes it: a password with `@`, `/` or a quote in it is then found where it is to be masked.
    return new URL(value).href.replaceAll("'", "%27").replace(/\/+$/, "");
  }

  url(name: InputName): string {
    this.text(name);
    return this.urlOrNull(name) ?? "";
  }

  /** A Flink path; without a scheme it would mean another place on every machine. */
  uriOrNull(name: InputName): string | null {
    const value = this.textOrNull(name);
    if (value !== null && !/^[a-z][a-z0-9+.-]*:\/\S+$/i.test(value)) {
      throw this.#invalid(
        name,
        value,
        "must be a URI with its scheme, such as s3://bucket/savepoints or file:///savepoints",
      );
    }
    if (value !== null && holdsPassword(value)) {
      const shown = value.replace(/:\/\/.*@/s, `://${mask}@`);
      throw this.#invalid(
        name,
        shown,
        "must hold no password, which would be stored; Flink takes it from its configuration",
      );
    }
    return value;
  }

  /** The error for an input whose value must not be shown, or does not matter. */
  refused(name: InputName, rule: string): DeployError {
    // What stands behind `...-token:` would be masked.
    return new DeployError("inputs-invalid", `${name}${isSecretInput(name) ? "" : ":"} ${rule}`);
  }

  #whole(name: InputName, least: number, most: number): number {
    const value = this.text(name);
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) {
      throw this.#invalid(name, value, `must be a whole number from ${least} to ${most}`);
    }
    return number;
  }

  #invalid(name: InputName, value: string, rule: string): DeployError {
    if (isSecretInput(name)) return this.refused(name, rule);
    const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value;
    return new DeployError("inputs-invalid", `${name}: ${withoutHiddenSigns(JSON.stringify(shown))} ${rule}`);
  }
}

/** A mark of writing direction would make a value look like another one. */
function withoutHiddenSigns(text: string): string {
  return text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}
