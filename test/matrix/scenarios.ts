import type { CommandRequest } from "./command.ts";

type Step = Pick<CommandRequest, "command" | "commit" | "through"> & { readonly mark: string };

export interface Scenario {
  readonly title: string;
  readonly jobs: number;
  /** What is run, undisturbed, before. */
  readonly before: readonly Step[];
  /** What is disturbed, and run again. */
  readonly disturbed: Step;
  /** Whether the jobs run afterwards. */
  readonly runs: boolean;
  /** Whether the program of before comes again to numbers that the one after it had: then each has its own once. */
  readonly replays: boolean;
}

const through = "jobmanager";
const first: Step = { command: "deploy", commit: "a", mark: "a", through };
const second: Step = { command: "deploy", commit: "b", mark: "b", through };
const suspend: Step = { command: "suspend", commit: "suspend", mark: "a", through };
const resume: Step = { command: "resume", commit: "resume", mark: "a", through };
const rollback: Step = { command: "rollback", commit: "rollback", mark: "a", through };

type Alone = Omit<Scenario, "jobs">;

const once = { replays: false } as const;
const alone = {
  first: { title: "first deployment", before: [], disturbed: first, runs: true, ...once },
  upgrade: { title: "upgrade", before: [first], disturbed: second, runs: true, ...once },
  suspend: { title: "suspend", before: [first], disturbed: suspend, runs: false, ...once },
  resume: { title: "resume", before: [first, suspend], disturbed: resume, runs: true, ...once },
  rollback: { title: "rollback", before: [first, second], disturbed: rollback, runs: true, replays: true },
} as const satisfies Readonly<Record<string, Alone>>;

const several = 3;

/** By the name that points have. */
export const scenarios: Readonly<Record<string, Scenario>> = Object.fromEntries(
  Object.entries<Alone>(alone).flatMap(([name, scenario]) => [
    [name, { ...scenario, jobs: 1 }],
    [`${name}-${several}`, { ...scenario, title: `${scenario.title}, ${several} jobs`, jobs: several }],
    [`${name}-gateway`, { ...throughGateway(scenario), jobs: 1 }],
  ]),
);

/** As for a user who reaches nothing but the SQL Gateway. */
function throughGateway(scenario: Alone): Alone {
  const disturbed: Step = { ...scenario.disturbed, through: "gateway" };
  return { ...scenario, title: `${scenario.title}, through the gateway alone`, disturbed };
}
