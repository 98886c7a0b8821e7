import { DeployError, describeError, type ErrorCode } from "../errors.ts";
import { type Answer, ask, OversizedAnswer, type Question, shown } from "./web.ts";

/** What came of an attempt at a request. */
export type Attempt =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly cause: unknown };

export type Verdict =
  | { readonly kind: "done"; readonly answer: Answer }
  /** `isRefused`: the server did nothing; else it may have done what it was asked, and the answer was lost. */
  | { readonly kind: "again"; readonly afterMs: number; readonly why: string; readonly isRefused: boolean }
  | { readonly kind: "over"; readonly why: string };

export interface Patience {
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => Date;
  readonly log: (line: string) => void;
  /** What it ends with when it is given up. */
  readonly code: ErrorCode;
}

/** Between attempts at something that fails; then it is given up. */
const pausesMs = [1_000, 2_000, 4_000, 8_000];
/** A lease of the environment's lock is 120 s unless set, so waiting for longer would lose it. */
const longestWaitMs = 60_000;

/**
 * Whether to ask again: after what passes by itself, which is a lost connection, a 5xx or a rate limit that ends soon.
 * Every other answer is one. `made` counts the attempts so far. Pure.
 */
export function judge(attempt: Attempt, made: number, now: Date): Verdict {
  const pauseMs = pausesMs[made - 1];
  if (attempt.kind === "failed") {
    if (attempt.cause instanceof OversizedAnswer) return { kind: "over", why: attempt.cause.message };
    const why = `it failed ${made} times (${describeError(attempt.cause)})`;
    return pauseMs === undefined ? { kind: "over", why } : { kind: "again", afterMs: pauseMs, why, isRefused: false };
  }
  const { answer } = attempt;
  const limitedMs = rateLimitMs(answer, now);
  if (limitedMs !== null) {
    const until = new Date(now.getTime() + limitedMs).toISOString().slice(0, 19);
    const why = `its rate limit is used up until ${until}Z`;
    if (limitedMs > longestWaitMs || pauseMs === undefined) return { kind: "over", why };
    return { kind: "again", afterMs: Math.max(limitedMs, 1_000), why, isRefused: true };
  }
  // 501 says that the server has no such thing, which does not pass.
  if (answer.status < 500 || answer.status === 501) return { kind: "done", answer };
  const why = `it answered ${answer.status} ${made} times`;
  return pauseMs === undefined ? { kind: "over", why } : { kind: "again", afterMs: pauseMs, why, isRefused: false };
}

/**
 * For how long GitHub asks to wait; null where it does not. Its primary limit says so by `x-ratelimit-remaining: 0`, its
 * secondary one by `retry-after`, or by nothing but the text of a 403, which otherwise means a missing permission.
 */
function rateLimitMs({ status, headers, body }: Answer, now: Date): number | null {
  if (status !== 403 && status !== 429) return null;
  const retryAfter = Number(headers["retry-after"]);
  if (headers["retry-after"] !== undefined && Number.isFinite(retryAfter)) return retryAfter * 1000;
  if (headers["x-ratelimit-remaining"] === "0") {
    const reset = Number(headers["x-ratelimit-reset"]);
    return Number.isFinite(reset) ? Math.max(0, reset * 1000 - now.getTime()) : 60_000;
  }
  return status === 429 || /secondary rate limit/i.test(body.toString("utf8")) ? 60_000 : null;
}

/**
 * Asks until there is an answer. What may not be done twice is given `look`, which tells whether it was done after all:
 * null is that it was. Throws `code` when it is given up.
 */
export async function askPatiently(question: Question, patience: Patience): Promise<Answer>;
export async function askPatiently(
  question: Question,
  patience: Patience,
  look: () => Promise<boolean>,
): Promise<Answer | null>;
export async function askPatiently(
  question: Question,
  patience: Patience,
  look: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<Answer | null> {
  for (let made = 1; ; made += 1) {
    const attempt = await ask(question).then(
      (answer): Attempt => ({ kind: "answered", answer }),
      (cause: unknown): Attempt => ({ kind: "failed", cause }),
    );
    const verdict = judge(attempt, made, patience.now());
    if (verdict.kind === "done") return verdict.answer;
    if (verdict.kind === "over") {
      const cause = attempt.kind === "failed" ? { cause: attempt.cause } : {};
      throw new DeployError(patience.code, `${shown(question)} was given up: ${verdict.why}`, cause);
    }
    patience.log(`${shown(question)}: ${verdict.why}; asking again in ${Math.ceil(verdict.afterMs / 1000)} s`);
    await patience.sleep(verdict.afterMs);
    if (!verdict.isRefused && (await look())) return null;
  }
}
