import type { Consent } from "../deploy/step.ts";
import type { ConsentInputs } from "../inputs/inputs.ts";
import { matchesAny } from "./names.ts";

/** What the inputs agree to, job by job. */
export function consentOf({ allowReplay, allowFreshStart }: ConsentInputs): (job: string) => Consent {
  return (job) => ({ toReplay: matchesAny(job, allowReplay), toStartEmpty: matchesAny(job, allowFreshStart) });
}
