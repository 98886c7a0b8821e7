import { stringify } from "yaml";
import { outputNames } from "../src/commands/shell.ts";
import { errorCodes } from "../src/errors.ts";
import { commands, type InputDescription, type InputName, inputNames, inputTable } from "../src/inputs/table.ts";
import { crashPoints, otherFaults, pointNames } from "../test/matrix/crash-points.ts";

/** The action's metadata file. */
export function actionYml(): string {
  const inputs = Object.fromEntries(
    inputNames.map((name) => {
      const { description } = inputTable[name];
      return [name, { description, required: false, default: actionDefault(name) }];
    }),
  );
  const command = { description: `What to do: ${Object.keys(commands).join(", ")}.`, required: true };
  const action = {
    name: "flink-dbt-deploy",
    description: "Plan and deploy the Apache Flink jobs that a dbt project defines, without losing their state.",
    branding: { icon: "shuffle", color: "orange" },
    inputs: { command, ...inputs },
    outputs: Object.fromEntries(Object.entries(outputNames).map(([name, description]) => [name, { description }])),
    runs: { using: "node24", main: "dist/index.js" },
  };
  return `# Generated from src/inputs/table.ts by \`npm run generate\`.\n${stringify(action, { lineWidth: 0 })}`;
}

function actionDefault(name: InputName): string {
  const input: InputDescription = inputTable[name];
  return input.actionDefault ?? input.default;
}

/** The README with its generated parts, which stand between `<!-- name -->` and `<!-- /name -->`, made anew. */
export function readme(text: string): string {
  const parts: Readonly<Record<string, string>> = {
    commands: table(
      ["Command", "What it does"],
      Object.entries(commands).map(([name, text]) => [`\`${name}\``, text]),
    ),
    inputs: table(
      ["Input", "Commands", "Default", "Description"],
      inputNames.map((name) => {
        const { commands: of, description } = inputTable[name];
        const standard = actionDefault(name);
        return [`\`${name}\``, namesOf(of), standard === "" ? "" : `\`${standard}\``, description];
      }),
    ),
    outputs: table(
      ["Output", "Description"],
      Object.entries(outputNames).map(([name, text]) => [`\`${name}\``, text]),
    ),
    troubleshooting: table(
      ["Code", "What to do"],
      Object.entries(errorCodes).map(([code, text]) => [`\`${code}\``, text]),
    ),
  };
  return Object.entries(parts).reduce((all, [name, part]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!place.test(all)) throw new Error(`README.md has no place for the generated part ${name}`);
    return all.replace(place, (_whole, open: string, close: string) => `${open}${part}\n${close}`);
  }, text);
}

function namesOf(of: readonly string[]): string {
  const others = Object.keys(commands).filter((command) => !of.includes(command));
  if (others.length > 2) return of.join(", ");
  return others.length === 0 ? "all" : `all but ${others.join(" and ")}`;
}

/** What happens when something dies, from the list of points that the crash matrix tries. */
export function recoveryPage(): string {
  return `<!-- Generated from test/matrix/crash-points.ts by \`npm run generate\`. -->

# What happens if it dies

A deployment may die at any moment: run the same command again, and it finishes the work. It looks at the ledger and at the
cluster and takes the step that is next, as it does in every run; there is no separate way for recovery
([how it works](how-it-works.md#deploying)). No state is lost, and no record comes twice.

These are all the points at which a command can die, in the order of a deployment. \`npm run matrix\` kills it at every
request that it makes, on a real Flink: before the request is sent, before the answer comes, and after it; and before and
after every write to the ledger. Then it runs the same command again, and reads from the files that the jobs write whether
every number came once.

## The command dies

${table(
  ["While", "What is known then", "What the next run does"],
  pointNames.map((name) => [crashPoints[name].point, crashPoints[name].known, crashPoints[name].next]),
)}

## Something else breaks

The command goes on if it can, and is run again if it cannot.

${table(
  ["What breaks", "What happens", "If the command ends, what the next run does"],
  otherFaults.map(({ fault, during, next }) => [fault, during, next]),
)}
`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
