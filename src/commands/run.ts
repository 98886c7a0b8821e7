import { DeployError, type ErrorCode, errorCodes } from "../errors.ts";
import { type RawInputs, readInputs } from "../inputs/inputs.ts";
import { maskSecrets } from "../secrets.ts";
import { comment } from "./comment.ts";
import { commentCommand } from "./comment-command.ts";
import { deploy } from "./deploy.ts";
import { history } from "./history.ts";
import { exportLedger, importLedger } from "./move-ledger.ts";
import { resume, suspend } from "./operate.ts";
import { plan } from "./plan.ts";
import { projectSecrets } from "./project-secrets.ts";
import { rememberSecrets } from "./remember-secrets.ts";
import { rollback } from "./rollback.ts";
import { savepoint } from "./savepoint.ts";
import type { CommandResult, Shell } from "./shell.ts";
import { status } from "./status.ts";

/** Runs one command to its result; errors become results too. Both doors call this, and nothing else catches. */
export async function runCommand(command: string, raw: RawInputs, shell: Shell): Promise<CommandResult> {
  const masked: Shell = {
    ...shell,
    log: (line) => shell.log(maskSecrets(line)),
    print: (markdown) => shell.print(maskSecrets(markdown)),
    annotate: (annotations) =>
      shell.annotate(annotations.map((one) => ({ ...one, message: maskSecrets(one.message) }))),
  };
  rememberSecrets(raw, shell.environment);
  try {
    return await dispatch(command, raw, masked);
  } catch (error) {
    return failure(error, shell.signal);
  }
}

async function dispatch(command: string, raw: RawInputs, shell: Shell): Promise<CommandResult> {
  const inputs = readInputs(command, raw);
  switch (inputs.command) {
    case "plan":
      return await plan(inputs, shell);
    case "deploy":
      return await deploy(inputs, shell);
    case "suspend":
      return await suspend(inputs, shell);
    case "resume":
      return await resume(inputs, () => projectSecrets(inputs, shell), shell);
    case "rollback":
      return await rollback(inputs, () => projectSecrets(inputs, shell), shell);
    case "savepoint":
      return await savepoint(inputs, shell);
    case "history":
      return await history(inputs, shell);
    case "status":
      return await status(inputs, shell);
    case "comment":
      return await comment(inputs, shell);
    case "comment-command":
      return await commentCommand(inputs, shell);
    case "ledger-export":
      return await exportLedger(inputs, shell);
    case "ledger-import":
      return await importLedger(inputs, shell);
  }
}

function failure(error: unknown, signal: AbortSignal): CommandResult {
  if (error instanceof DeployError) return { reason: error.code, message: maskSecrets(error.message), outputs: {} };
  if (signal.aborted) return { reason: "interrupted", message: "the command was interrupted", outputs: {} };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { reason: "internal", message: maskSecrets(text), outputs: {} };
}

/** A result that is not `ok`, in three lines at most for a person: what happened, its code, and what to do. */
export function describeFailure(reason: ErrorCode, message: string | null): string {
  return [message ?? "", `${reason}: ${errorCodes[reason]}`].filter((line) => line !== "").join("\n");
}
