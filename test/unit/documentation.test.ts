import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { outputNames } from "../../src/commands/shell.ts";
import { errorCodes } from "../../src/errors.ts";
import { type RawInputs, readInputs } from "../../src/inputs/inputs.ts";
import {
  type Command,
  commands,
  type InputDescription,
  inputNames,
  inputsOf,
  inputTable,
  variableOf,
} from "../../src/inputs/table.ts";

const root = join(import.meta.dirname, "..", "..");

interface Page {
  readonly path: string;
  /** Without fenced blocks. */
  readonly prose: string;
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
}

const fence = /^(`{3,})(\w*)\n([\s\S]*?)^\1$/gm;

function readPage(path: string): Page {
  const text = readFileSync(path, "utf8");
  const blocks = [...text.matchAll(fence)].map(([, , language = "", block = ""]) => ({ language, text: block }));
  return { path: relative(root, path), prose: text.replace(fence, ""), blocks };
}

const inFolder = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("dbt_packages"))
    .map((name) => join(root, folder, name));
const pages = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"].map((name) => join(root, name)),
  ...inFolder("docs"),
  ...inFolder("examples"),
].map(readPage);

const shellLines = pages.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language }) => ["sh", "bash", "console"].includes(language))
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .map((line) => ({ path, line: line.trim() })),
);

/** A line's words as a shell takes them apart; no variables, no nesting. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_all, single, double) => single ?? double));
}

/** What a page exports before its commands, by the inputs' names. */
function exportsOf(page: string): RawInputs {
  const exported = shellLines.flatMap(({ path, line }) => {
    const [, name = "", value = ""] = /^export (FLINK_DBT_DEPLOY_\w+)=(.*)$/.exec(line) ?? [];
    return path === page && name !== "" ? [[inputOf(name), wordsOf(value).join(" ")] as const] : [];
  });
  return Object.fromEntries(exported);
}

function inputOf(variable: string): string {
  const name = inputNames.find((one) => variableOf(one) === variable);
  if (name === undefined) throw new Error(`no input has the variable ${variable}`);
  return name;
}

/** Every flag must be one of the command's, with a value, as the command line has it. */
function readCommandLine([first = "", ...others]: readonly string[], page: string): void {
  const [second = "", ...rest] = others;
  const [command, args] = first === "ledger" ? [`${first}-${second}`, rest] : [first, others];
  if (!Object.hasOwn(commands, command)) throw new Error(`there is no command ${command}`);
  const options = Object.fromEntries(inputsOf(command as Command).map((name) => [name, { type: "string" } as const]));
  const { values } = parseArgs({ args: [...args], options, strict: true });
  const ofCommand = Object.entries(exportsOf(page)).filter(([name]) => Object.hasOwn(options, name));
  readInputs(command, { ...Object.fromEntries(ofCommand), ...values } as RawInputs);
}

describe("command lines in the documentation", () => {
  const lines = shellLines.filter(({ line }) => line.startsWith("flink-dbt-deploy "));

  test("there are some, for four of the commands at least", () => {
    expect(new Set(lines.map(({ line }) => wordsOf(line)[1])).size).toBeGreaterThanOrEqual(4);
  });

  test.each(lines)("$path: $line", ({ path, line }) => {
    expect(() => readCommandLine(wordsOf(line).slice(1), path)).not.toThrow();
  });

  test("npm scripts exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const texts = [...shellLines.map(({ line }) => line), ...pages.map(({ prose }) => prose)];
    const named = texts.flatMap((text) => [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name));
    expect(named).toContain("demo");
    expect(named.filter((name) => !Object.hasOwn(scripts, name ?? ""))).toEqual([]);
  });
});

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

describe("workflows in the documentation", () => {
  const workflows = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language, text }) => language === "yaml" && /^jobs:/m.test(text))
      .map(({ text }) => ({ title: `${path}: ${text.split("\n")[0]}`, workflow: parse(text) as Workflow })),
  );
  const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps = [] }) => steps);
  const ours = workflows.flatMap(({ title, workflow }) =>
    stepsOf(workflow)
      .filter(({ uses }) => uses?.includes("/flink-dbt-deploy@"))
      .map((step) => ({ title, step, workflow })),
  );

  test("there is one that plans and one that deploys", () => {
    expect(ours.map(({ step }) => step.with?.command)).toEqual(expect.arrayContaining(["plan", "deploy"]));
  });

  test.each(ours)("$title gives inputs that the command has and takes", ({ step }) => {
    const { command, ...given } = step.with ?? {};
    const known: readonly string[] = inputsOf(command as Command);
    expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([]);
    const raw = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
    expect(() => readInputs(String(command), raw)).not.toThrow();
  });

  test.each(ours)("$title asks for no more than it needs", ({ step, workflow }) => {
    const posts = { "pull-requests": "write", statuses: "write" };
    const holds = { actions: "read", "pull-requests": "write", deployments: "write" };
    const isPlan = step.with?.command === "plan";
    expect(workflow.permissions).toEqual({ contents: "read", ...(isPlan ? posts : holds) });
    const secrets = Object.values(step.env ?? {}).filter((value) => /\$\{\{\s*secrets\./.test(String(value)));
    const isOfPullRequests = JSON.stringify(workflow.on).includes("pull_request");
    if (isOfPullRequests) expect(secrets).toEqual([]);
    expect(JSON.stringify(workflow.on)).not.toContain("pull_request_target");
    const checkout = stepsOf(workflow).find(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkout?.with?.["persist-credentials"]).toBe(false);
  });
});

describe("the README's start on GitHub", () => {
  const readme = readPage(join(root, "README.md"));
  const read = (path: string): Workflow => parse(readFileSync(join(root, path), "utf8")) as Workflow;
  const copied = readme.blocks.filter(({ language }) => language === "yaml").map(({ text }) => text);

  test("is two files, which are those of examples/github", () => {
    const names = copied.map((text) => /^# \.github\/workflows\/(\S+)$/m.exec(text)?.[1]);
    expect(names).toEqual(["flink-plan.yml", "flink-deploy.yml"]);
    expect(copied.map((text) => parse(text))).toEqual(names.map((name) => read(`examples/github/${name}`)));
  });

  test("names each permission of each workflow, and no other", () => {
    const [table = ""] = /^\| Permission .*\n(?:\|.*\n)+/m.exec(readme.prose) ?? [];
    const rows = table.trim().split("\n");
    const cells = rows.map((row) => row.split("|").map((cell) => cell.trim().replaceAll("`", "")));
    const [head = [], , ...body] = cells;
    for (const workflow of head.slice(2, -2)) {
      const column = head.indexOf(workflow);
      const said = body.flatMap((row) => (row[column] === "" ? [] : [[row[1], row[column]] as const]));
      const { jobs } = read(`examples/github/flink-${workflow}.yml`);
      expect({ workflow, ...Object.fromEntries(said) }).toEqual({ workflow, ...Object.values(jobs)[0]?.permissions });
    }
    expect(head.slice(2, -2)).toEqual(["plan", "comment", "deploy", "operate", "drift", "commands"]);
  });
});

describe("a sentence", () => {
  test("stands on one page only", () => {
    const sentences = pages
      .filter(({ path }) => path === "README.md" || /^docs\/[^/]+$/.test(path))
      .flatMap(({ path, prose }) =>
        prose
          .replace(/<!-- (\w+) -->[\s\S]*?<!-- \/\1 -->/g, "")
          .split(/\n\n|(?<=[.:]) |\n(?=[-|#\d])|\|/)
          .map((text) => ({
            path,
            text: text
              .replace(/\s+/g, " ")
              .replace(/\]\([^)]*\)/g, "]")
              .trim(),
          })),
      )
      .filter(({ text }) => text.split(" ").length >= 8);
    const firsts = new Map(sentences.toReversed().map(({ path, text }) => [text, path]));
    const repeated = sentences.filter(({ path, text }) => firsts.get(text) !== path);
    expect(repeated).toEqual([]);
  });
});

describe.each(pages)("$path", ({ path, prose, blocks }) => {
  /** GitHub's anchors of a page's headings. */
  const anchorsOf = (page: Page): readonly string[] =>
    [...page.prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .trim()
        .replaceAll(" ", "-"),
    );

  test("its links lead somewhere", () => {
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? join(root, path) : resolve(root, dirname(path), file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("names in code that look like an input, a code or a fact are one", () => {
    const known: readonly string[] = [
      ...Object.keys(errorCodes),
      ...Object.keys(commands),
      ...inputNames,
      ...Object.keys(outputNames),
      // Facts of the ledger, and names of others.
      ...["stop-intended", "stop-failed", "submit-intended", "submit-failed", "rollback-begun"],
      ...["savepoint-intended", "savepoint-taken"],
      ...["flink-dbt-deploy", "dbt-flink-adapter", "query-comment", "flink-drift", "runs-on", "pull-requests"],
    ];
    const named = [...prose.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  /** What stands between backticks, on one line or broken over two. */
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));

  test("flags that it names are a command's", () => {
    const others = ["--force-with-lease", "--target", "--vars", "--flags", "--only", "--sample"];
    const flags = spans
      .filter((span) => /^(?:--|flink-dbt-deploy |ledger )/.test(span))
      .flatMap((span) => span.match(/(?<=^| )--[a-z-]+/g) ?? [])
      .filter((flag) => !["--help", ...others].includes(flag));
    const known: readonly string[] = inputNames.map((name) => `--${name}`);
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
  });

  test("values that it gives to inputs are among their choices", () => {
    const given = spans.flatMap((span) => {
      const [, name = "", value = ""] = /^(?:--)?([a-z-]+)(?:: | )(\S+)$/.exec(span) ?? [];
      const input: InputDescription | undefined = Object.entries(inputTable).find(([one]) => one === name)?.[1];
      return input?.choices === undefined ? [] : value.split(",").map((one) => ({ span, one, choices: input.choices }));
    });
    expect(given.filter(({ one, choices }) => !choices?.includes(one)).map(({ span }) => span)).toEqual([]);
  });

  test("files of this repository that it names are there", () => {
    const files = spans.filter((span) =>
      /^(?:src|docs|test|bench|scripts|schemas|examples|\.github)\/[\w./-]+$/.test(span),
    );
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test("it names no place of one machine", () => {
    const text = [prose, ...blocks.map((block) => block.text)].join("\n");
    expect(text.match(/(?<![\w.])\/(?:root|home|tmp|work|Users)\/\S*/g) ?? []).toEqual([]);
  });
});
