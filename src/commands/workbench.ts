import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { defaultCacheFolder, provideDistribution } from "../flink/distribution.ts";
import { startGateway } from "../flink/embedded.ts";
import { Gateway } from "../flink/gateway.ts";
import type { ProjectInputs } from "../inputs/inputs.ts";
import { openAnswers } from "../planner/answers.ts";
import { openPlanner, type Planner } from "../planner/planner.ts";
import { type DbtCommand, provideDbt } from "../project/python.ts";
import { openSide, type Side } from "../project/side.ts";
import type { Revision } from "./checkout.ts";
import { readInitSql } from "./init-sql.ts";
import type { Shell } from "./shell.ts";

export const defaultFlinkVersion = "1.20.3";

/** What it takes to record and plan: dbt, and the embedded planner, which starts while dbt works. */
export interface Workbench extends AsyncDisposable {
  readonly planner: () => Promise<Planner>;
  openSide(name: string, revision: Revision): Promise<Side>;
}

export interface WorkbenchOptions {
  readonly inputs: ProjectInputs & { readonly initSql: string | null };
  readonly flinkVersion: string;
  readonly folder: string;
  readonly shell: Shell;
}

export async function openWorkbench({ inputs, flinkVersion, folder, shell }: WorkbenchOptions): Promise<Workbench> {
  const opened: AsyncDisposable[] = [];
  const sides: Promise<Side>[] = [];
  // A command that ends at once, for a base that does not exist, does not wait for Flink to start.
  const closing = new AbortController();
  const { environment, signal } = shell;
  const untilClosed = AbortSignal.any([signal, closing.signal]);
  const log = (line: string): void => shell.log(`planner: ${line}`);
  const cacheFolder = inputs.cacheDir === null ? defaultCacheFolder(environment) : resolve(shell.cwd, inputs.cacheDir);
  const initSql = await readInitSql(inputs.initSql, shell.cwd);
  const gateway = start(async () => {
    const distribution = await provideDistribution({
      version: flinkVersion,
      flinkHome: inputs.flinkHome === null ? null : resolve(shell.cwd, inputs.flinkHome),
      connectors: inputs.connectors,
      cacheFolder,
      log,
      signal,
      environment,
    });
    const own = { folder: join(folder, "planner"), signal: untilClosed };
    const embedded = await startGateway({ distribution, ...own, log, environment });
    opened.push(embedded);
    return new Gateway({ url: embedded.url, signal });
  });
  const compiled = join(folder, "compiled");
  const planner = start(async () => {
    await mkdir(compiled, { recursive: true });
    const planner = await openPlanner({
      gateway: await gateway,
      flinkVersion,
      scratchFolder: compiled,
      initSql,
      sessions: 2,
      log,
      signal,
    });
    opened.push(planner);
    return planner;
  });
  const dbt: Promise<DbtCommand> = start(() =>
    provideDbt({
      dbtCommand: inputs.dbtCommand,
      requirements: inputs.dbtRequirements,
      cacheFolder,
      environment,
      log: (line) => shell.log(`dbt: ${line}`),
      signal,
    }),
  );
  const openOne = async (name: string, revision: Revision): Promise<Side> => {
    const answers = openLater(async () => openAnswers({ gateway: await gateway, initSql, signal }));
    const side = await openSide({
      name,
      dbt: await dbt,
      projectFolder: revision.projectFolder,
      profilesFolder: inputs.profilesDir === null ? null : resolve(shell.cwd, inputs.profilesDir),
      target: inputs.target,
      vars: inputs.vars,
      workFolder: join(folder, name),
      environment,
      environmentAllow: inputs.dbtEnv,
      answer: async (statement, before) => (await answers.value()).answer(statement, before),
      signal: untilClosed,
    });
    opened.push(side, answers);
    return side;
  };
  return {
    planner: () => planner,
    openSide(name, revision) {
      const side = start(() => openOne(name, revision));
      sides.push(side);
      return side;
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new DeployError("interrupted", "the command ended before this was done"));
      // What is still being started is waited for, so that nothing is left running.
      await Promise.allSettled([gateway, planner, dbt, ...sides]);
      for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
    },
  };
}

/** Starts at once; whoever awaits it gets the error, and nobody else does. */
function start<T>(work: () => Promise<T>): Promise<T> {
  const promise = work();
  promise.catch(() => undefined);
  return promise;
}

function openLater<T extends AsyncDisposable>(open: () => Promise<T>): { value(): Promise<T> } & AsyncDisposable {
  let opened: Promise<T> | null = null;
  return {
    value() {
      opened ??= open();
      return opened;
    },
    async [Symbol.asyncDispose]() {
      const value = await opened?.catch(() => null);
      await value?.[Symbol.asyncDispose]();
    },
  };
}
