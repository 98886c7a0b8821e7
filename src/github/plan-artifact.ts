import { boolean, type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import type { GithubApi } from "./api.ts";

/** The artifact of a workflow run that holds the plan file for an environment, and nothing else. */
export function planArtifactName(environment: string): string {
  return `flink-plan-${environment}`;
}

export interface PlanArtifact {
  readonly id: number;
  readonly run: number;
  /** Packed. */
  readonly size: number;
}

const permission = "actions: read";

interface Listed extends Omit<PlanArtifact, "run"> {
  readonly isExpired: boolean;
  readonly run: {
    readonly id: number | null;
    readonly head: string | null;
    readonly repository: number | null;
    readonly headRepository: number | null;
  } | null;
}

const listed: Decoder<Listed> = fields((it) => ({
  id: it.get("id", number),
  size: it.get("size_in_bytes", number),
  isExpired: it.get("expired", boolean),
  run: it.get(
    "workflow_run",
    nullable(
      fields((run) => ({
        id: run.get("id", nullable(number)),
        head: run.get("head_sha", nullable(string)),
        repository: run.get("repository_id", nullable(number)),
        headRepository: run.get("head_repository_id", nullable(number)),
      })),
    ),
  ),
}));

/**
 * The plans of a commit that this repository's own runs uploaded, newest first. A run of a fork's commit may upload whatever it
 * likes, so those do not count; nor do runs that failed, which had no plan to show.
 */
export async function planArtifacts(
  api: GithubApi,
  { environment, head }: { readonly environment: string; readonly head: string },
): Promise<readonly PlanArtifact[]> {
  const name = encodeURIComponent(planArtifactName(environment));
  const all = await api.pages(`/actions/artifacts?name=${name}`, { decoder: listed, permission, within: "artifacts" });
  const found: PlanArtifact[] = [];
  for (const { id, size, isExpired, run } of all.toSorted((a, b) => b.id - a.id)) {
    if (isExpired || run === null || run.id === null || run.head !== head) continue;
    if (run.headRepository === null || run.headRepository !== run.repository) continue;
    if (await succeeded(api, run.id)) found.push({ id, size, run: run.id });
  }
  return found;
}

async function succeeded(api: GithubApi, run: number): Promise<boolean> {
  const decoder = fields((it) => it.get("conclusion", nullable(string)));
  return (await api.find(`/actions/runs/${run}`, { decoder, permission })) === "success";
}

/** The artifact's zip file; null where it is gone. */
export async function downloadArtifact(api: GithubApi, id: number, maxBytes: number): Promise<Buffer | null> {
  return await api.download(`/actions/artifacts/${id}/zip`, { permission, maxBytes });
}
