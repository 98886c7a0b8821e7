import { relative, resolve } from "node:path";
import { error, getInput, info, notice, setOutput, setSecret, summary, warning } from "@actions/core";
import { watchSignals } from "./commands/interruption.ts";
import { secretInputs } from "./commands/remember-secrets.ts";
import { describeFailure, runCommand } from "./commands/run.ts";
import { sleep } from "./flink/http.ts";
import { pullRequestBase } from "./github/event.ts";
import { readEventFile } from "./github/event-file.ts";
import { withoutWorkflowCommands } from "./github/workflow-commands.ts";
import type { RawInputs } from "./inputs/inputs.ts";
import { inputNames, inputTable } from "./inputs/table.ts";
import { renderFailure } from "./report/failure.ts";
import { maskSecrets } from "./secrets.ts";

const show = { error, warning, note: notice };

/** The action: inputs from the runner, the result to the job summary and the outputs. */
async function main(): Promise<number> {
  const raw: RawInputs = Object.fromEntries(inputNames.map((name) => [name, getInput(name)]));
  const command = getInput("command");
  // The runner then hides them in the log of every later step too.
  for (const secret of secretInputs(raw)) setSecret(secret);
  warnOfWorkspace(command, getInput("store"), getInput("ledger-dir"));
  const startedAt = performance.now();
  const log = (line: string): void =>
    info(withoutWorkflowCommands(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s ${line}`));
  let isTold = false;
  const result = await runCommand(command, raw, {
    cwd: process.cwd(),
    environment: process.env,
    ...watchSignals(log),
    log,
    print: async (markdown) => {
      isTold = true;
      info(withoutWorkflowCommands(markdown));
      await summarise(markdown);
    },
    annotate: (annotations) => {
      for (const { severity, title, message, file, line } of annotations) {
        show[severity](message, { title, file, startLine: line });
      }
    },
    writeOut: null,
    eventBase: await pullRequestBase(process.env, readEventFile, log),
    now: () => new Date(),
    clock: () => performance.now(),
    sleep,
  });
  setOutput("reason", result.reason);
  for (const [name, value] of Object.entries(result.outputs)) setOutput(name, maskSecrets(value));
  if (result.reason === "ok") return 0;
  await summarise(renderFailure(result.reason, isTold ? null : result.message));
  error(describeFailure(result.reason, result.message), { title: `flink-dbt-deploy: ${result.reason}` });
  return 1;
}

/** actions/checkout clears the workspace at the next run, and a hosted runner keeps nothing at all. */
function warnOfWorkspace(command: string, stores: string, given: string): void {
  const ledgerDir = given.trim() || inputTable["ledger-dir"].default;
  const isUsed = /\bfile\b/.test(stores.trim() || inputTable.store.default);
  const workspace = process.env.GITHUB_WORKSPACE ?? "";
  const isInside = workspace !== "" && !relative(workspace, resolve(ledgerDir)).startsWith("..");
  if (command === "plan" || !isUsed || !isInside) return;
  warning(
    `ledger-dir ${ledgerDir} lies in the workspace, which the next run may find empty: name a folder that stays, or save and restore it in the workflow`,
  );
}

async function summarise(markdown: string): Promise<void> {
  if (process.env.GITHUB_STEP_SUMMARY) await summary.addRaw(markdown, true).write();
}

process.exitCode = await main();
