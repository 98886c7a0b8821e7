/**
 * A cancelled workflow gives 7.5 s after its first signal and 2.5 s after its second (facts 5), so what is in hand has this
 * long to come to where records are processed again, and then still time to be told.
 */
const graceMs = 8_500;

export interface Interruption {
  readonly signal: AbortSignal;
  readonly deadline: AbortSignal;
}

/** Aborts `signal` at the first SIGINT or SIGTERM, and `deadline` when the time that a runner gives is nearly up. */
export function watchSignals(log: (line: string) => void): Interruption {
  const interrupt = new AbortController();
  const deadline = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (interrupt.signal.aborted) return;
      const reason = new Error(`${name} received`);
      log(`${name} received: nothing new is begun, and what is in hand has ${graceMs / 1000} s`);
      interrupt.abort(reason);
      setTimeout(() => deadline.abort(reason), graceMs).unref();
    });
  }
  return { signal: interrupt.signal, deadline: deadline.signal };
}
