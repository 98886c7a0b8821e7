import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type RawInputs, readInputs } from "../../src/inputs/inputs.ts";
import { type Command, commands, inputNames, inputsOf, variableOf } from "../../src/inputs/table.ts";

const root = join(import.meta.dirname, "..", "..");

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly "continue-on-error"?: unknown;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly permissions?: unknown;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly concurrency?: { readonly "cancel-in-progress": boolean };
  readonly steps?: readonly Step[];
}
interface Called {
  readonly inputs?: Readonly<Record<string, { readonly required?: boolean; readonly description?: string }>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>> & { readonly workflow_call?: Called };
  readonly permissions: unknown;
  readonly concurrency?: { readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), "utf8");
      return { name, path: `${folder}/${name}`, text, workflow: parse(text) as Workflow };
    });
type Permissions = Readonly<Record<string, "read" | "write">>;
const both = (one: Permissions, other: Permissions): Permissions => {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(names.map((name) => [name, [one[name], other[name]].includes("write") ? "write" : "read"]));
};
const expression = (name: string): string => `\${{ ${name} }}`;
const ours = read(".github/workflows");
const reusable = ours.filter(({ workflow }) => workflow.on.workflow_call !== undefined);
const callers = read("examples/github");
const jobsOf = (name: string) => ours.find((one) => one.name === name)?.workflow.jobs ?? {};

describe.each([...ours, ...callers])("$path", ({ text, workflow }) => {
  test("pins what it uses of others to a commit, with the version beside it", () => {
    const uses = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, used = ""]) => used);
    const others = uses.filter(
      (used) => !used.startsWith("./") && !used.startsWith("your-organisation/flink-dbt-deploy/"),
    );
    expect(others.filter((used) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used))).toEqual([]);
  });

  test("gives each job its own permissions, and a reason beside each", () => {
    const granted = [
      ...text.matchAll(
        /^\s+(?:actions|checks|contents|deployments|id-token|issues|packages|pull-requests|statuses): (?:read|write)\b.*$/gm,
      ),
    ].map(([line]) => line);
    expect(granted.filter((line) => !/: (read|write) # \S/.test(line))).toEqual([]);
    if (workflow.on.workflow_call !== undefined || !text.includes("name: ci\n")) {
      expect(workflow.permissions).toEqual({});
      expect(Object.values(workflow.jobs).filter(({ permissions }) => permissions === undefined)).toEqual([]);
    }
  });

  test("keeps no token on the disk, and expands no expression in a script", () => {
    const steps = Object.values(workflow.jobs).flatMap(({ steps = [] }) => steps);
    for (const { uses, run, with: given } of steps) {
      if (uses?.startsWith("actions/checkout@")) expect(given?.["persist-credentials"]).toBe(false);
      expect(run ?? "").not.toContain("${{");
    }
    expect(text).not.toMatch(/pull_request_target|secrets: inherit/);
  });
});

describe.each(reusable)("$path", ({ text, workflow }) => {
  const steps = Object.values(workflow.jobs).flatMap(({ steps: all = [] }) => all);
  const own = steps.filter(({ uses }) => uses?.startsWith("./"));

  test("says of every input and secret what it is", () => {
    const { inputs = {}, secrets = {} } = workflow.on.workflow_call ?? {};
    const said = Object.values({ ...inputs, ...secrets }) as readonly { readonly description?: string }[];
    expect(said.filter(({ description }) => (description ?? "").length < 5)).toEqual([]);
  });

  test("uses every input that it has, and no other", () => {
    const { inputs = {}, secrets = {} } = workflow.on.workflow_call ?? {};
    const used = [...text.matchAll(/\binputs\.([a-z-]+)/g)].map(([, input]) => input);
    expect([...new Set(used)].sort()).toEqual(Object.keys(inputs).sort());
    const secret = [...text.matchAll(/\bsecrets\.([a-z-]+)/g)].map(([, input]) => input);
    expect([...new Set(secret)].sort()).toEqual(Object.keys(secrets).sort());
  });

  test("runs the action of its own commit, with inputs that the command has", () => {
    expect(own.length).toBeGreaterThan(0);
    for (const step of own) {
      const { command, ...given } = step.with ?? {};
      const all = Object.hasOwn(commands, String(command)) ? inputsOf(command as Command) : inputNames;
      expect(Object.keys(given).filter((input) => !(all as readonly string[]).includes(input))).toEqual([]);
    }
    const action = steps.filter(({ with: given }) => given?.repository === expression("job.workflow_repository"));
    expect(action.map(({ with: given }) => given?.ref)).toEqual(action.map(() => expression("job.workflow_sha")));
    expect(action).not.toEqual([]);
  });
});

test("a deployment waits for another and is never cancelled; an operation is in no group, whose waiting runs GitHub drops", () => {
  expect(jobsOf("deploy.yml").deploy?.concurrency?.["cancel-in-progress"]).toBe(false);
  expect(jobsOf("operate.yml").operate?.concurrency).toBeUndefined();
  const example = callers.find(({ name }) => name === "flink-operate.yml")?.text;
  expect(example).toContain(`group: flink-operate-${expression("github.run_id")}`);
  for (const name of ["deploy.yml", "operate.yml"]) {
    const step = Object.values(jobsOf(name))[0]?.steps?.find(({ uses }) => uses === "./.flink-dbt-deploy/action");
    expect(step?.with?.["lock-timeout"]).toBe(expression("inputs.lock-timeout"));
  }
});

test("what dbt needs of secrets is handled in one way, wherever dbt may be asked", () => {
  const scripts = ["deploy.yml", "operate.yml", "drift.yml"].map((name) =>
    Object.values(jobsOf(name)).flatMap(({ steps = [] }) =>
      steps.flatMap(({ run }) => (run?.includes("DBT_SECRETS") === true ? [run] : [])),
    ),
  );
  expect(scripts[0]).toEqual([expect.stringContaining("::add-mask::")]);
  expect(scripts).toEqual(scripts.map(() => scripts[0]));
});

test("the end of a plan's run without a plan is told too", () => {
  const download = jobsOf("comment.yml").comment?.steps?.find(({ uses }) => uses?.includes("download-artifact"));
  expect(download?.["continue-on-error"]).toBe(expression("github.event.workflow_run.conclusion != 'success'"));
});

/** Why an input of a called workflow is not offered to those who call commands.yml. */
const leftOut: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plan: {
    "runs-on": "the plan's runner is one that is thrown away, never that of `runs-on`",
  },
  deploy: {
    "allow-replay": "a consent is given for one deployment, by a person, and not in a file",
    "allow-fresh-start": "as allow-replay",
    "first-deployment": "as allow-replay",
  },
  operate: {
    path: "of restore, which is no command of a comment",
    to: "of rollback, which is no command of a comment",
    "keep-progress": "as to",
    "allow-replay": "a consent is given for one operation, by a person, and not in a file",
    "allow-fresh-start": "as allow-replay",
  },
};

test.each(Object.keys(leftOut))("commands.yml forwards every input and secret of %s.yml, or has a reason", (name) => {
  const job = jobsOf("commands.yml")[name];
  const called = reusable.find((one) => one.name === `${name}.yml`)?.workflow.on.workflow_call;
  const { inputs = {}, secrets = {} } = called ?? {};
  const forwarded = [...Object.keys(job?.with ?? {}), ...Object.keys(leftOut[name] ?? {})];
  expect(forwarded.sort()).toEqual(Object.keys(inputs).sort());
  expect(Object.keys(job?.secrets ?? {}).sort()).toEqual(Object.keys(secrets).sort());
});

test("the issue of a drift is told that a plan was due, also where there is none", () => {
  const status = jobsOf("drift.yml").drift?.steps?.find(({ with: given }) => given?.command === "status");
  expect(status?.with?.["plan-file"]).toContain("inputs.compare && (steps.plan.outputs.plan-file || ");
});

test("a plan has no right but to read, and no secret", () => {
  const { text, workflow } = reusable.find(({ name }) => name === "plan.yml") ?? { text: "", workflow: null };
  expect(workflow?.jobs.plan?.permissions).toEqual({ contents: "read" });
  expect(text).not.toMatch(/secrets\.|github\.token/);
});

test("a deployment by a comment is of the planned commit, and is held against the plan of its pull request", () => {
  expect(jobsOf("commands.yml").deploy?.with).toMatchObject({
    ref: expression("needs.read.outputs.head"),
    "pull-request": expression("github.event.issue.number"),
    "require-reviewed-plan": expression("needs.read.outputs.operation == 'deploy' && 'true' || 'warn'"),
  });
  const deploy = jobsOf("deploy.yml").deploy?.steps?.find(({ with: given }) => given?.command === "deploy");
  expect(deploy?.with?.["pull-request"]).toBe(expression("inputs.pull-request"));
});

test("a plan by a comment is told although it has findings, which fail its job", () => {
  const condition = expression("!cancelled() && needs.read.outputs.operation == 'plan'");
  expect(jobsOf("commands.yml").tell?.if).toBe(condition);
});

test("every choice of an operation is a command, or a restore", () => {
  const operate = callers.find(({ name }) => name === "flink-operate.yml");
  const dispatch = operate?.workflow.on.workflow_dispatch as {
    readonly inputs: Readonly<Record<string, { readonly options?: readonly string[]; readonly description: string }>>;
  };
  const options = dispatch.inputs.operation?.options ?? [];
  expect(options.filter((option) => !Object.hasOwn(commands, option))).toEqual(["restore"]);
  const told = reusable.find(({ name }) => name === "operate.yml")?.workflow.on.workflow_call?.inputs?.operation;
  for (const option of options) expect(told?.description).toContain(`\`${option}\``);
});

describe.each(callers)("$path", ({ workflow }) => {
  test.each(Object.entries(workflow.jobs))("calls %s as that is to be called", (_name, job) => {
    const file = /^your-organisation\/flink-dbt-deploy\/\.github\/workflows\/(.+)@v0$/.exec(job.uses ?? "")?.[1];
    const called = reusable.find(({ name }) => name === file)?.workflow;
    expect(called, `${job.uses} is no workflow of ours`).toBeDefined();
    const { inputs = {}, secrets = {} } = called?.on.workflow_call ?? {};
    expect(Object.keys(job.with ?? {}).filter((input) => !Object.hasOwn(inputs, input))).toEqual([]);
    const required = Object.keys(inputs).filter((input) => inputs[input]?.required);
    expect(required.filter((input) => job.with?.[input] === undefined)).toEqual([]);
    expect(Object.keys(job.secrets ?? {}).filter((secret) => !Object.hasOwn(secrets, secret))).toEqual([]);
    // GitHub refuses a called job that wants more than its caller has.
    const wanted = Object.values(called?.jobs ?? {}).map(({ permissions }) => permissions as Permissions);
    expect(job.permissions).toEqual(wanted.reduce(both, {}));
  });
});

describe("the examples for other systems", () => {
  const files = ["gitlab/.gitlab-ci.yml", "jenkins/Jenkinsfile", "shell/deploy.sh"].map((name) => ({
    name,
    text: readFileSync(join(root, "examples", name), "utf8"),
  }));

  test.each(files)("$name calls commands that exist, with flags that they have", ({ text }) => {
    const lines = text.split("\n").filter((line) => !/^\s*(#|\/\/)/.test(line));
    const calls = lines.flatMap((line) =>
      [...line.matchAll(/flink-dbt-deploy ([a-z]+(?: [^'\n]*)?)/g)].map(([, call]) => call),
    );
    const called = calls.filter((call) => Object.hasOwn(commands, call?.split(" ")[0] ?? ""));
    expect(called.length).toBeGreaterThan(1);
    for (const call of called) {
      const words = (call ?? "").match(/(?:"[^"]*"|\S)+/g) ?? [];
      const [command = "", ...args] = words.map((word) => word.replace(/^"(.*)"$/, "$1"));
      const options = Object.fromEntries(
        inputsOf(command as Command).map((name) => [name, { type: "string" } as const]),
      );
      const { values } = parseArgs({ args: [...args], options, strict: true });
      const variables = { "gateway-url": "http://g:1", "jobmanager-url": "http://j:1", "savepoint-dir": "file:///s" };
      expect(() => readInputs(command, { ...variables, ...values } as RawInputs)).not.toThrow();
    }
  });

  test.each(files)("$name sets variables that stand for inputs", ({ text }) => {
    const known = inputNames.map(variableOf);
    const set = [...text.matchAll(/\bFLINK_DBT_DEPLOY_[A-Z_]+\b/g)].map(([name]) => name);
    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("GitLab's is YAML whose jobs belong to its stages", () => {
    const {
      stages,
      default: _default,
      variables: _variables,
      ...jobs
    } = parse(files[0]?.text ?? "") as {
      readonly stages: readonly string[];
    } & Readonly<Record<string, { readonly stage?: string; readonly extends?: string }>>;
    const lost = Object.values(jobs).filter((job) => !("extends" in job) && !stages.includes(job.stage ?? ""));
    expect(lost).toEqual([]);
  });
});
