import type { ErrorCode } from "../errors.ts";
import type { Annotation } from "../report/annotations.ts";

/** What a command needs of the world around it; the two doors make one each. */
export interface Shell {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Once aborted, nothing new is begun. */
  readonly signal: AbortSignal;
  /** Once aborted, what is in hand ends as it stands. */
  readonly deadline: AbortSignal;
  /** A line of progress. */
  readonly log: (line: string) => void;
  /** The command's result as Markdown: to standard output, and to the job summary where there is one. */
  readonly print: (markdown: string) => Promise<void>;
  /** Shows findings at their places in the files, where whoever started the command has a way to. */
  readonly annotate: (annotations: readonly Annotation[]) => void;
  /** Text for another program, as it is, to standard output; null where that is a log. */
  readonly writeOut: ((text: string) => Promise<void>) | null;
  /** The base commit that the event names, for a pull request; else null. */
  readonly eventBase: string | null;
  readonly now: () => Date;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Ends early, without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The names of a command's outputs; every one is text. */
export const outputNames = {
  reason: "`ok`, or the code that the command ended with; the troubleshooting table lists them.",
  "has-changes": "`true` when the plan or the deployment changes a job.",
  jobs: "JSON: a list of jobs, each with its name and what happens or happened to it; of `history` a list of deployments.",
  "plan-file": "Path of the plan as JSON (`plan`).",
  "plan-digest": "What the plan would do, as a digest (`plan` and `deploy`).",
  savepoints:
    "JSON: the path of the savepoint that each job was stopped with, rests with, was started from, or was asked to take, by job (all that change jobs).",
  operation:
    "What a comment asks for: `plan`, `deploy`, `suspend`, `resume`, `status`, or `none` (`comment-command`, as the next four).",
  target: "The environment that it is asked for.",
  "target-jobs": "The jobs that it is asked for, as the input `jobs` takes them.",
  head: "The newest commit of the pull request, which is the one that was planned.",
  base: "The branch that it would be merged into, as a clone knows it: `origin/main`.",
  deployment: "Id of the deployment (`deploy`, `suspend`, `resume`, `rollback`).",
} as const;

export type Outputs = Readonly<Partial<Record<keyof typeof outputNames, string>>>;

export interface CommandResult {
  readonly reason: "ok" | ErrorCode;
  /** For people, where `reason` is not `ok`. */
  readonly message: string | null;
  readonly outputs: Outputs;
}
