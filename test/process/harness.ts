import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

/** Where the two bundles are: `dist`, or what FLINK_DBT_DEPLOY_DIST names while they are being worked on. */
export const distFolder = resolve(process.env.FLINK_DBT_DEPLOY_DIST ?? join(import.meta.dirname, "..", "..", "dist"));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a workflow sees of a step besides its log. */
export interface StepEnded extends Ended {
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** The `::error` commands in the log, as the runner shows them. */
  readonly errors: readonly { readonly title: string; readonly message: string }[];
}

export interface Running {
  readonly process: ChildProcess;
  /** Resolves once the standard error or output holds the text; rejects when the process ends without it. */
  said(text: string | RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  /** Where it is started; the workspace of an action. */
  readonly cwd: string;
  /** Besides a minimal environment with an empty HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The Node to start it with; this process's own unless given. */
  readonly node?: string;
}

/** Folders that a test made, removed together. */
export class Folders implements AsyncDisposable {
  readonly #made: string[] = [];

  /** A new folder with these files; its path has no symbolic link in it. */
  async make(files: Readonly<Record<string, string>> = {}): Promise<string> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "flink-dbt-deploy-test-")));
    this.#made.push(folder);
    await writeFiles(folder, files);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#made) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** The files below a folder, unpacked where they are packed, that hold the text. */
export function filesWith(text: string, folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).includes(text);
    });
}

/** Starts `dist/cli.js` as a user would. */
export async function startCli(args: readonly string[], options: StartOptions): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), "flink-dbt-deploy-home-"));
  const started = start("cli.js", args, options, { HOME: home });
  return { ...started, ended: started.ended.finally(() => rm(home, { recursive: true, force: true })) };
}

export async function runCli(args: readonly string[], options: StartOptions): Promise<Ended> {
  return await (await startCli(args, options)).ended;
}

export interface StepOptions extends StartOptions {
  readonly event?: { readonly name: string; readonly payload: unknown };
}

/** Runs `dist/index.js` as GitHub's runner would: inputs, output files and the event through the environment. */
export async function runAction(inputs: Readonly<Record<string, string>>, options: StepOptions): Promise<StepEnded> {
  const home = await mkdtemp(join(tmpdir(), "flink-dbt-deploy-runner-"));
  const [output, summary, event] = ["output", "summary", "event.json"].map((name) => join(home, "_temp", name)) as [
    string,
    string,
    string,
  ];
  await writeFiles(home, {
    "_temp/output": "",
    "_temp/summary": "",
    "_temp/event.json": JSON.stringify(options.event?.payload ?? {}),
  });
  try {
    const variables = Object.entries(inputs).map(([name, value]) => [inputVariable(name), value]);
    const { ended } = start("index.js", [], options, {
      ...Object.fromEntries(variables),
      HOME: home,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: options.cwd,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_EVENT_NAME: options.event?.name ?? "workflow_dispatch",
      GITHUB_EVENT_PATH: event,
    });
    const result = await ended;
    return {
      ...result,
      outputs: outputsIn(await readFile(output, "utf8")),
      summary: await readFile(summary, "utf8"),
      errors: errorsIn(result.stdout),
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** The runner puts only blanks right: `project-dir` comes as INPUT_PROJECT-DIR. */
const inputVariable = (name: string): string => `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;

function start(
  bundle: string,
  args: readonly string[],
  { cwd, environment = {}, node = process.execPath }: StartOptions,
  given: Readonly<Record<string, string>>,
): Running {
  const child = spawn(node, [join(distFolder, bundle), ...args], {
    cwd,
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", ...given, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  const watchers = new Set<() => void>();
  const heard = (): void => {
    for (const look of watchers) look();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    heard();
  });
  const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, stdout, stderr }));
  const said = (text: string | RegExp): Promise<void> =>
    new Promise((fulfil, reject) => {
      const look = (): void => {
        if (!(typeof text === "string" ? `${stderr}${stdout}`.includes(text) : text.test(`${stderr}${stdout}`))) return;
        watchers.delete(look);
        fulfil();
      };
      watchers.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without saying ${String(text)}:\n${stderr}\n${stdout}`)));
    });
  return { process: child, said, ended };
}

/** GITHUB_OUTPUT as the runner reads it: `name<<delimiter`, lines, delimiter. */
export function outputsIn(file: string): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {};
  const lines = file.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name, delimiter] = /^(.+?)<<(.+)$/.exec(line) ?? [];
    if (name === undefined || delimiter === undefined) {
      if (line !== "") throw new Error(`not an output: ${line}`);
      continue;
    }
    const end = lines.indexOf(delimiter);
    if (end < 0) throw new Error(`output ${name} does not end`);
    outputs[name] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join("\n");
  }
  return outputs;
}

function errorsIn(log: string): StepEnded["errors"] {
  return workflowCommandsIn(log)
    .filter(({ name }) => name === "error")
    .map(({ properties, message }) => ({ title: /title=([^,]*)/.exec(properties)?.[1] ?? "", message }))
    .map(({ title, message }) => ({ title: unescaped(title), message: unescaped(message) }));
}

export interface WorkflowCommand {
  readonly name: string;
  readonly properties: string;
  readonly message: string;
}

/**
 * What the runner would take for a command, as its own parser does: `::name props::message` after blanks at the start of
 * a line, or `##[name props]message` anywhere in it.
 */
export function workflowCommandsIn(log: string): readonly WorkflowCommand[] {
  return log.split(/\r\n|\r|\n/).flatMap((line) => {
    const [, name, properties = "", message = ""] =
      /^[\s\u0085]*::([\w-]+)(?: (.*?))?::(.*)$/.exec(line) ?? /##\[([\w-]+)(?: (.*?))?\](.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, properties, message }];
  });
}

const unescaped = (text: string): string =>
  text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");

export type Door = "command" | "action";

export interface Result extends Ended {
  /** `ok`, or the code that it ended with. */
  readonly reason: string;
  /** What a person reads of a failure. */
  readonly message: string;
  /** Everything that anybody else could read. */
  readonly everything: string;
}

/** The same call through either door. */
export async function run(
  door: Door,
  command: string,
  inputs: Readonly<Record<string, string>>,
  options: StepOptions,
): Promise<Result> {
  if (door === "action") {
    const step = await runAction({ command, ...inputs }, options);
    // Those of findings come first.
    const error = step.errors.at(-1);
    // What the runner is told to hide it does not show either.
    const log = step.stdout.replace(/^::add-mask::.*\n/gm, "");
    const everything = [log, step.stderr, step.summary, JSON.stringify(step.outputs)].join("\n");
    return { ...step, reason: step.outputs.reason ?? "", message: error?.message ?? "", everything };
  }
  // Behind `=`, a value may begin with a dash.
  const flags = Object.entries(inputs).map(([name, value]) => `--${name}=${value}`);
  const ended = await runCli([command, ...flags], options);
  const message = ended.stderr.split("\n").filter((line) => !/^ *\d+\.\d s /.test(line));
  const reason = ended.code === 0 ? "ok" : (/^([a-z-]+): /.exec(message.at(-2) ?? "")?.[1] ?? "");
  return { ...ended, reason, message: message.join("\n").trim(), everything: `${ended.stdout}\n${ended.stderr}` };
}
