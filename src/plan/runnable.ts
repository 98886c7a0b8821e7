import { DeployError } from "../errors.ts";
import { programDigest } from "../project/digest.ts";
import type { Job } from "../project/job.ts";
import { mask } from "../secrets.ts";

/**
 * Whether a plan file holds this job's whole program: not where secrets were masked in it. Throws `inputs-invalid` where
 * the program is not the one of the digest beside it. Pure.
 */
export function isRunnable({ name, program, digest }: Job): boolean {
  if (programDigest(program) === digest) return true;
  if (JSON.stringify(program).includes(mask)) return false;
  throw new DeployError(
    "inputs-invalid",
    `the plan file's program of ${name} is not the one that its digest is of; make the plan again`,
  );
}
