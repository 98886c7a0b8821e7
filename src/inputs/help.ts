import { type Command, commands, inputsOf, inputTable, isSecretInput, variableOf } from "./table.ts";

/** The command line's help, of one command or of all; generated from the one table of inputs. */
export function helpText(command: string | null): string {
  if (command === null) {
    const rows = Object.entries(commands).map(([name, description]) => `  ${name.padEnd(17)}${description}`);
    return [
      "Plan and deploy the Apache Flink jobs that a dbt project defines, without losing their state.",
      "",
      "Usage: flink-dbt-deploy <command> [--input value ...]",
      "",
      ...rows,
      "",
      "`flink-dbt-deploy <command> --help` lists the inputs of a command.",
      "",
    ].join("\n");
  }
  const named = command as Command;
  const inputs = inputsOf(named).flatMap((name) => {
    const { default: standard, description } = inputTable[name];
    const fallback = standard === "" ? "" : ` [${standard}]`;
    const flag = isSecretInput(name) ? variableOf(name) : `--${name}`;
    return [`  ${flag}${fallback}`, ...wrapped(description, 92).map((line) => `      ${line}`)];
  });
  return [
    `Usage: flink-dbt-deploy ${named} [--input value ...]`,
    "",
    commands[named],
    "",
    ...inputs,
    "",
    `Every input can be given as an environment variable too: ${variableOf("gateway-url")} for --gateway-url.`,
    "",
  ].join("\n");
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
