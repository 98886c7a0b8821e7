import { DeployError, describeError } from "../../src/errors.ts";
import { type CommandRequest, runCommand } from "./command.ts";
import { faultyStore, type StoreFault } from "./faulty-store.ts";

/**
 * One run of the program as a process of its own, so that it can be killed: `node test/matrix/deploy-process.ts <JSON>`.
 * Progress goes to standard error; the result is one line of JSON on standard output.
 */
export interface ProcessRequest extends CommandRequest {
  readonly storeFault: StoreFault | null;
}

export interface ProcessResult {
  /** The first job's code that is one, or the command's own; `ok` where there is none. */
  readonly reason: string;
  readonly message: string;
}

async function main(request: ProcessRequest): Promise<void> {
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const report = (reason: string, message: string): void => {
    const result: ProcessResult = { reason, message };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = reason === "ok" ? 0 : 1;
  };
  try {
    const outcomes = await runCommand(request, {
      tamper: (store) => faultyStore(store, request.storeFault, log),
      log,
    });
    const failed = outcomes.filter(({ code, ending }) => code !== null || ending === "skipped");
    const message = failed.map(({ job, message }) => `${job}: ${message}`).join("\n");
    report(failed[0]?.code ?? (failed.length > 0 ? "skipped" : "ok"), message);
  } catch (error) {
    report(error instanceof DeployError ? error.code : "internal", describeError(error));
  }
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as ProcessRequest);
