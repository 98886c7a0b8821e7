import { join } from "node:path";
import type { ResumeInputs, RollbackInputs } from "../inputs/inputs.ts";
import { type Secrets, secretsIn } from "../ledger/stored-job.ts";
import { recordSide } from "../project/record.ts";
import { findCheckout, makeScratch, openRevision } from "./checkout.ts";
import type { Shell } from "./shell.ts";
import { defaultFlinkVersion, openWorkbench } from "./workbench.ts";

/** The secrets that the project would send now: what opens the ledger's programs, which are stored without them. */
export async function projectSecrets(inputs: ResumeInputs | RollbackInputs, shell: Shell): Promise<Secrets> {
  shell.log("the program holds secrets, which the ledger does not keep: asking dbt for them");
  await using scratch = await makeScratch();
  const checkout = await findCheckout(shell.cwd, inputs.projectDir);
  await using revision = await openRevision(checkout, inputs.head, join(scratch.folder, "head-tree"));
  const planning = { flinkVersion: null, flinkHome: null, connectors: [], removedJobs: "keep", renames: {} } as const;
  await using workbench = await openWorkbench({
    inputs: { ...inputs, ...planning },
    flinkVersion: defaultFlinkVersion,
    folder: scratch.folder,
    shell,
  });
  const recording = await recordSide(await workbench.openSide("head", revision), null);
  return secretsIn(recording.statements);
}
