import { posix } from "node:path";
import type { Finding } from "../project/job.ts";

/** A finding at its place in the change that is reviewed. */
export interface Annotation {
  readonly severity: Finding["severity"];
  readonly title: string;
  readonly message: string;
  /** From the top of the repository. */
  readonly file: string;
  readonly line: number;
}

/** GitHub shows ten of a kind for each step, and one of the errors is how the command ended. */
const most = { error: 9, warning: 10, note: 10 } as const;

/** `folder` is the project's in the repository; what has no line, or lies outside, has no place. */
export function annotationsOf(findings: readonly Finding[], folder: string): readonly Annotation[] {
  return (["error", "warning", "note"] as const).flatMap((severity) => {
    const all = findings.filter((finding) => finding.severity === severity).flatMap((one) => annotation(one, folder));
    return all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at).slice(0, most[severity]);
  });
}

function annotation({ severity, code, message, file, line }: Finding, folder: string): readonly Annotation[] {
  if (file === null || line === null) return [];
  const path = posix.join(folder.replaceAll("\\", "/"), file);
  if (path.startsWith("../") || posix.isAbsolute(path)) return [];
  return [{ severity, title: `flink-dbt-deploy: ${code}`, message, file: path, line }];
}

/** What several jobs have in common, such as a source, is found once for each. */
function isSame(one: Annotation, other: Annotation): boolean {
  return one.file === other.file && one.line === other.line && one.message === other.message;
}
