import { DeployError } from "../errors.ts";
import { shapeOf } from "../project/statement.ts";
import { refusalOf } from "./finding.ts";
import { withoutForeignCode } from "./foreign-code.ts";
import { builtInCatalog, forPlanning } from "./temporary.ts";

interface Session {
  execute(sql: string): Promise<{ readonly rows: readonly (readonly unknown[])[] }>;
}

/** Prepares one session with a project's statements, as far as that leaves no trace (`forPlanning`). */
export interface Rehearsal {
  /** What was not run, since it would change a catalog that may outlive the session. */
  readonly leftOut: readonly string[];
  run(sql: string): Promise<void>;
}

export interface RehearsalOptions {
  /** Whether there can be another catalog than the built-in one. */
  readonly mayOutlive: boolean;
  /** Whether tables that only their catalog can make get a stand-in, whose columns are right and whose plans are not. */
  readonly standIns: boolean;
}

export function rehearse(session: Session, { mayOutlive, standIns }: RehearsalOptions): Rehearsal {
  const leftOut: string[] = [];
  let catalog: string | null = mayOutlive ? null : builtInCatalog;
  const currentCatalog = async (): Promise<string> => {
    catalog ??= String((await session.execute("SHOW CURRENT CATALOG")).rows[0]?.[0]);
    return catalog;
  };
  return {
    leftOut,
    async run(sql) {
      const harmless = withoutForeignCode(sql);
      if (harmless === null) return;
      const planned = forPlanning(harmless, await currentCatalog());
      if (planned.kind === "left-out" || (planned.kind === "stand-in" && !standIns)) {
        leftOut.push(sql);
        return;
      }
      if (mayOutlive && /^\W*use\b/i.test(harmless)) catalog = null;
      // What a DROP does not find here may be there on the cluster.
      if (shapeOf(harmless).kind === "drop") await refusalOf(() => session.execute(planned.sql));
      else await session.execute(planned.sql);
    },
  };
}

/** The same refusal, with what may be its cause. */
export function withLeftOut(refused: DeployError, leftOut: readonly string[]): DeployError {
  if (leftOut.length === 0) return refused;
  return new DeployError("statement-failed", `${refused.message} (${explainLeftOut(leftOut)})`, { cause: refused });
}

/** For a person: what was not run, and what that means. */
export function explainLeftOut(leftOut: readonly string[]): string {
  const heads = leftOut.map((sql) => `\`${sql.trim().replace(/\s+/g, " ").slice(0, 60)}\``);
  return `planning changes nothing in a catalog and did not run ${heads.join(", ")}; what has to be there can be made beforehand`;
}
