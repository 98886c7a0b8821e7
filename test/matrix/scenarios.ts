import type { CommandRequest } from "./command.ts";

type Step = Pick<CommandRequest, "command" | "commit"> & { readonly mark: string };

export interface Scenario {
  readonly title: string;
  readonly jobs: number;
  /** What is run, undisturbed, before. */
  readonly before: readonly Step[];
  /** What is disturbed, and run again. */
  readonly disturbed: Step;
  /** Whether the jobs run afterwards. */
  readonly runs: boolean;
}

const first: Step = { command: "deploy", commit: "a", mark: "a" };
const second: Step = { command: "deploy", commit: "b", mark: "b" };
const suspend: Step = { command: "suspend", commit: "suspend", mark: "a" };
const resume: Step = { command: "resume", commit: "resume", mark: "a" };

type Alone = Omit<Scenario, "jobs">;

/** `rollback` comes here, with its command, once there is one: before it `first` and `second`, after it mark `a`. */
const alone = {
  first: { title: "first deployment", before: [], disturbed: first, runs: true },
  upgrade: { title: "upgrade", before: [first], disturbed: second, runs: true },
  suspend: { title: "suspend", before: [first], disturbed: suspend, runs: false },
  resume: { title: "resume", before: [first, suspend], disturbed: resume, runs: true },
} as const satisfies Readonly<Record<string, Alone>>;

const several = 3;

/** By the name that points have. */
export const scenarios: Readonly<Record<string, Scenario>> = Object.fromEntries(
  Object.entries<Alone>(alone).flatMap(([name, scenario]) => [
    [name, { ...scenario, jobs: 1 }],
    [`${name}-${several}`, { ...scenario, title: `${scenario.title}, ${several} jobs`, jobs: several }],
  ]),
);
