import { DeployError, describeError } from "../errors.ts";
import type { Gateway, ResultSet } from "../flink/gateway.ts";
import type { Config, RuntimeMode } from "../project/job.ts";
import { withoutForeignConfig } from "./foreign-code.ts";
import { namesCatalog } from "./temporary.ts";

/** Sessions of the planner's gateway, as many side by side as it may use. */
export interface Sessions extends AsyncDisposable {
  readonly sideBySide: number;
  /** Runs `work` in a new session in which init SQL ran, once one of the places is free; closes the session after. */
  use<T>(mode: RuntimeMode, work: (session: PlannerSession) => Promise<T>): Promise<T>;
}

export interface PlannerSession {
  /** True where init SQL brings in a catalog, which may outlive the session. */
  readonly hasCatalog: boolean;
  /** Runs a statement in the session's runtime mode; a view takes the mode over in which it is made. */
  execute(sql: string, config?: Config): Promise<ResultSet>;
}

interface Options {
  readonly gateway: Gateway;
  readonly initSql: readonly string[];
  readonly sessions: number;
  readonly signal?: AbortSignal;
}

/**
 * No executor has this name, so Flink refuses to submit anything, at once and whatever the project's SQL says;
 * DDL, EXPLAIN and COMPILE PLAN need none.
 */
const withoutExecutor: Config = { "execution.target": "planner-only" };

export function openSessions(options: Options): Sessions {
  const sideBySide = Math.max(1, Math.floor(options.sessions));
  const closing = new AbortController();
  const signal = options.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, options.signal]);
  const waiting: (() => void)[] = [];
  let free = sideBySide;

  const takePlace = async (): Promise<Disposable> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      },
    };
  };

  return {
    sideBySide,
    use: async (mode, work) => {
      using _place = await takePlace();
      signal.throwIfAborted();
      await using session = await options.gateway.openSession({ name: "flink-dbt-deploy planner" });
      for (const sql of options.initSql) await runInit(() => session.execute(sql, { signal }), sql);
      return await work({
        hasCatalog: namesCatalog(options.initSql),
        execute: (sql, config = {}) => {
          const executionConfig = {
            ...withoutForeignConfig(config),
            "execution.runtime-mode": mode,
            ...withoutExecutor,
          };
          return session.execute(sql, { executionConfig, signal });
        },
      });
    },
    [Symbol.asyncDispose]: async () => closing.abort(new DeployError("interrupted", "the planner was closed")),
  };
}

async function runInit(run: () => Promise<unknown>, sql: string): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== "statement-failed") throw error;
    const keyword = /^[\s(]*(\w+(?:\s+\w+)?)/.exec(sql)?.[1] ?? "a statement";
    throw new DeployError("flink-start-failed", `init-sql: ${keyword} was refused: ${describeError(error)}`, {
      cause: error,
    });
  }
}
