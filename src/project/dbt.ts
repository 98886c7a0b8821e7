import { join } from "node:path";
import { DeployError } from "../errors.ts";
import { runChild, TooMuchOutput } from "./child-process.ts";
import { scrubEnvironment } from "./dbt-environment.ts";
import { dbtMessage } from "./dbt-message.ts";
import type { DbtCommand } from "./python.ts";

/** Where and how one side's dbt runs: its own HOME, target and log folder, and nothing of ours in its environment. */
export interface DbtRun {
  readonly command: DbtCommand;
  readonly projectFolder: string;
  /** A folder of ours that becomes HOME; `.dbt/profiles.yml` in it is the redirected profile. */
  readonly home: string;
  readonly targetFolder: string;
  readonly target: string | null;
  /** YAML or JSON text for `--vars`. */
  readonly vars: string | null;
  readonly environment: NodeJS.ProcessEnv;
  /** Names, or patterns with `*`, of variables that the project may read with `env_var`. */
  readonly environmentAllow: readonly string[];
  /** Which side it is, for messages: `base`, `head`. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/** Where `dbt deps` writes its log, from the project's folder. */
export const dependencyLogs = ".flink-dbt-deploy-logs";

/** A project of 500 models takes half a minute; a template that never ends must not hold a runner. */
const timeLimitMs = 30 * 60_000;

/** What package downloads may need besides: proxies are of no use to the rest, which stays on loopback. */
const forDownloads = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** Runs one dbt command, such as `["compile"]`; throws `dbt-failed` with dbt's own message. */
export async function runDbt(subcommand: readonly string[], run: DbtRun): Promise<void> {
  const limit = AbortSignal.timeout(timeLimitMs);
  const finished = await runChild([...run.command.command, ...argumentsOf(subcommand, run)], {
    cwd: run.home,
    environment: environmentOf(subcommand, run),
    signal: run.signal === undefined ? limit : AbortSignal.any([run.signal, limit]),
  }).catch((cause: unknown) => {
    if (cause instanceof TooMuchOutput) {
      throw new DeployError("dbt-failed", `dbt ${subcommand[0]} of ${run.name} was ended: ${cause.message}`, { cause });
    }
    if (!limit.aborted) throw cause;
    const minutes = timeLimitMs / 60_000;
    throw new DeployError("dbt-failed", `dbt ${subcommand[0]} of ${run.name} did not end within ${minutes} minutes`, {
      cause,
    });
  });
  if (finished.code === 0) return;
  const message = dbtMessage(finished);
  throw new DeployError("dbt-failed", `dbt ${subcommand[0]} of ${run.name} failed: ${message}${adviceFor(message)}`);
}

/** The words after the dbt command itself. */
export function argumentsOf([verb = "", ...rest]: readonly string[], run: DbtRun): readonly string[] {
  const global = [
    "--log-format",
    "json",
    "--no-use-colors",
    "--quiet",
    "--no-anonymous-usage-stats",
    "--partial-parse",
  ];
  const context = ["--project-dir", run.projectFolder, "--profiles-dir", join(run.home, ".dbt")];
  if (run.target !== null) context.push("--target", run.target);
  if (run.vars !== null) context.push("--vars", run.vars);
  // One thread: the session's order is then the recording's, and more are slower (facts 1).
  if (verb !== "deps")
    context.push("--threads", "1", "--target-path", run.targetFolder, "--log-path", join(run.home, "logs"));
  return [...global, verb, ...context, ...rest];
}

function environmentOf([verb]: readonly string[], run: DbtRun): NodeJS.ProcessEnv {
  return {
    ...scrubEnvironment(
      run.environment,
      verb === "deps" ? [...run.environmentAllow, ...forDownloads] : run.environmentAllow,
    ),
    HOME: run.home,
    // `deps` has no flag for it, and dbt lower-cases what it reads here: so a path within the project, removed after.
    DBT_LOG_PATH: dependencyLogs,
    DBT_SEND_ANONYMOUS_USAGE_STATS: "false",
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
    PYTHONUTF8: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    // Python orders sets by hash: a fixed seed keeps two runs of one project alike.
    PYTHONHASHSEED: "0",
  };
}

function adviceFor(message: string): string {
  const missing = /Env var required but not provided: '([^']+)'/.exec(message)?.[1];
  return missing === undefined ? "" : `\n(name ${missing} in \`dbt-env\` to pass it to dbt)`;
}
