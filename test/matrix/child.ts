import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ProcessRequest, ProcessResult } from "./deploy-process.ts";

const program = join(import.meta.dirname, "deploy-process.ts");
/** Longer than any of its own limits: a run that is still there then hangs. */
const limitMs = 180_000;

export type Ended =
  | { readonly kind: "killed"; readonly log: string }
  | ({ readonly kind: "ended"; readonly log: string } & ProcessResult);

/** One run of the program, in a process of its own. */
export class Child {
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;

  constructor(request: ProcessRequest) {
    this.#process = spawn(process.execPath, [program, JSON.stringify(request)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH },
    });
    this.ended = this.#end();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #end(): Promise<Ended> {
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error("a child without output");
    const timer = setTimeout(() => this.kill(), limitMs);
    const [said, log, [code]] = await Promise.all([
      text(stdout),
      text(stderr),
      once(this.#process, "exit") as Promise<[number | null]>,
    ]);
    clearTimeout(timer);
    if (code === null) return { kind: "killed", log };
    if (said === "") return { kind: "ended", log, reason: "internal", message: `it ended with ${code}` };
    return { kind: "ended", log, ...(JSON.parse(said) as ProcessResult) };
  }
}
