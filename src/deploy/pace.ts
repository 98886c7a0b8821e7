import { setTimeout as wait } from "node:timers/promises";

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

const shortestMs = 10;
/** While nobody processes records, or soon will, and otherwise. */
const longestMs = { urgent: 20, otherwise: 250 };

const realSleep: Sleep = async (ms, signal) => {
  await wait(ms, undefined, { signal }).catch(() => undefined);
};

/** The pauses between two looks: short at first, and as long as it is urgent. An aborted signal ends them early. */
export class Pace {
  readonly #signal: AbortSignal;
  readonly #sleep: Sleep;
  #ms = shortestMs;

  constructor(signal: AbortSignal, sleep: Sleep = realSleep) {
    this.#signal = signal;
    this.#sleep = sleep;
  }

  async sleep(ms: number): Promise<void> {
    await this.#sleep(ms, this.#signal);
  }

  async pause(isUrgent: boolean): Promise<void> {
    const longest = isUrgent ? longestMs.urgent : longestMs.otherwise;
    await this.sleep(Math.min(this.#ms, longest));
    this.#ms = Math.min(this.#ms * 1.3, longestMs.otherwise);
  }

  async pauseLong(): Promise<void> {
    await this.sleep(longestMs.otherwise);
  }

  /** Something was done: its effect may show soon. */
  reset(): void {
    this.#ms = shortestMs;
  }
}
