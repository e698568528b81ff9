/**
 * When a request is sent again, and the loop that does so.
 */
import type { Random } from '@lab/core';
import type { CallProblem } from './call-problem.js';
import type { EndSignal } from './call-signal.js';
import type { Paid, Unreported } from './chat.js';
import type { Clock } from './clock.js';
import { LlmFailure } from './llm-failure.js';
import { type CostOptions, type WastedCost, WastedRequests } from './unreported.js';

/** How often and how long requests are repeated. */
export interface RetryLimits {
  /** Requests that may fail for reasons that pass; default 6. */
  readonly maxAttempts?: number | undefined;
  /** Requests that may run out of time; default 2. */
  readonly maxTimeouts?: number | undefined;
  /** Requests that may bring nothing, or broken JSON; default 2. */
  readonly maxEmpty?: number | undefined;
  /** Repeats of what was refused or filtered; default 0. */
  readonly refusalRetries?: number | undefined;
  /** Longest wait that a server may ask for; default 10 min. */
  readonly maxRetryAfterMs?: number | undefined;
  /** What one request waits for rate limits in all; default 30 min. */
  readonly maxRateLimitedMs?: number | undefined;
}

/** The limits of the table. */
export const defaultRetryLimits: { readonly [name in keyof RetryLimits]-?: number } = {
  maxAttempts: 6,
  maxTimeouts: 2,
  maxEmpty: 2,
  refusalRetries: 0,
  maxRetryAfterMs: 600_000,
  maxRateLimitedMs: 1_800_000,
};

/** The limits of the table, where no others are given. */
export function retryLimits(own: RetryLimits = {}): typeof defaultRetryLimits {
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...defaultRetryLimits, ...Object.fromEntries(given) };
}

/** What has happened to one request so far. */
export interface RetryHistory {
  /** Failures that count, the last one among them. */
  failures: number;
  timeouts: number;
  empty: number;
  refusals: number;
  rateLimits: number;
  rateLimitedMs: number;
  /** What they cost. */
  readonly wasted: WastedRequests;
  /** Parameters that were left out or renamed. */
  readonly parameters: Set<string>;
}

/** A history without failures. */
export const createHistory = (): RetryHistory => ({
  ...{ failures: 0, timeouts: 0, empty: 0, refusals: 0, rateLimits: 0, rateLimitedMs: 0 },
  wasted: new WastedRequests(),
  parameters: new Set(),
});

/** What to do after a failure. */
export type RetryDecision =
  | { readonly isRetried: true; readonly waitMs: number }
  | { readonly isRetried: false };

const never: RetryDecision = { isRetried: false };
const after = (waitMs: number): RetryDecision => ({ isRetried: true, waitMs });

const TRANSIENT_BASE_MS = 1000;
const RATE_LIMIT_BASE_MS = 2000;
const EMPTY_WAIT_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/**
 * Whether to send a request again, and after which wait. Pure: the same history, problem and draw
 * give the same decision.
 *
 * @param history - with the failure in question counted, see {@link countFailure}.
 * @param draw - uniform in [0, 1), for the jitter.
 */
export function decideRetry(
  problem: CallProblem,
  history: RetryHistory,
  options: { readonly draw: number; readonly limits: typeof defaultRetryLimits },
): RetryDecision {
  const { draw, limits } = options;
  switch (problem.class) {
    case 'rate-limit': {
      const waitMs =
        problem.retryAfterMs === null
          ? jittered(RATE_LIMIT_BASE_MS, history.rateLimits, draw)
          : Math.min(problem.retryAfterMs, limits.maxRetryAfterMs);
      return history.rateLimitedMs + waitMs > limits.maxRateLimitedMs ? never : after(waitMs);
    }
    case 'transient':
      if (history.failures >= limits.maxAttempts) return never;
      return after(jittered(TRANSIENT_BASE_MS, history.failures, draw));
    case 'timeout':
      if (history.timeouts >= limits.maxTimeouts) return never;
      if (history.failures >= limits.maxAttempts) return never;
      return after(jittered(TRANSIENT_BASE_MS, history.failures, draw));
    case 'empty':
      return history.empty >= limits.maxEmpty ? never : after(EMPTY_WAIT_MS);
    case 'refused':
      return history.refusals > limits.refusalRetries ? never : after(0);
    case 'parameter': {
      const { parameter } = problem;
      if (parameter === undefined || history.parameters.has(parameter)) return never;
      return after(0);
    }
    case 'final':
      return never;
  }
}

/** Full jitter: anything up to `base * 2^(failures - 1)`, which grows to a minute at most. */
function jittered(baseMs: number, failures: number, draw: number): number {
  return Math.round(draw * Math.min(MAX_BACKOFF_MS, baseMs * 2 ** (failures - 1)));
}

/** Counts a failure; rate limits and refused parameters take no attempt. */
export function countFailure(history: RetryHistory, problem: CallProblem): void {
  if (problem.class === 'rate-limit') history.rateLimits += 1;
  if (problem.class === 'transient' || problem.class === 'timeout') history.failures += 1;
  if (problem.class === 'timeout') history.timeouts += 1;
  if (problem.class === 'empty') history.empty += 1;
  if (problem.class === 'refused') history.refusals += 1;
  history.wasted.add(problem);
}

/** What one sending brought. */
export type Attempt<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: CallProblem };

/** How {@link withRetries} works. */
export interface RetryOptions extends CostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: typeof defaultRetryLimits;
  readonly signal?: EndSignal | undefined;
  /** Leaves out or renames a parameter; whether that could be done. */
  readonly adapt?: ((problem: CallProblem) => boolean) | undefined;
  readonly onRetry?: ((problem: CallProblem, waitMs: number) => void) | undefined;
}

/** A value and the number of requests that it took. */
export interface Retried<T> {
  readonly value: T;
  readonly attempts: number;
  /** What answers before it did cost that were of no use. */
  readonly lost?: Paid | undefined;
  /** The same of requests whose tokens no server counted. */
  readonly unreported?: Unreported | undefined;
}

/**
 * The value of the first sending that brings one.
 *
 * @param send - sends once; gets the number of requests sent before.
 * @throws {LlmFailure} when the table says that it is no use.
 */
export async function withRetries<T>(
  send: (sent: number) => Promise<Attempt<T>>,
  options: RetryOptions,
): Promise<Retried<T>> {
  let history: RetryHistory | null = null;
  for (let attempts = 1; ; attempts += 1) {
    const outcome =
      history === null
        ? await send(attempts - 1)
        : await sendAgain(() => send(attempts - 1), history, options);
    if (outcome.problem === undefined) {
      const { value } = outcome;
      if (history === null) return { value, attempts };
      const { paid: lost, unreported } = await history.wasted.cost(options);
      return { value, attempts, lost, unreported };
    }
    history ??= createHistory();
    const waitMs = nextWait(outcome.problem, history, options);
    if (waitMs === null) {
      throw failureOf(outcome.problem, attempts, await history.wasted.cost(options));
    }
    options.onRetry?.(outcome.problem, waitMs);
    if (waitMs > 0 && !(await sleepUnlessAborted(waitMs, options))) {
      throw abortedFailure(attempts, options.signal?.reason, await history.wasted.cost(options));
    }
  }
}

function nextWait(
  problem: CallProblem,
  history: RetryHistory,
  { random, limits, adapt }: RetryOptions,
): number | null {
  countFailure(history, problem);
  const decision = decideRetry(problem, history, { draw: random.uniform(), limits });
  if (!decision.isRetried) return null;
  if (problem.class === 'rate-limit') history.rateLimitedMs += decision.waitMs;
  if (problem.class === 'parameter') {
    if (adapt?.(problem) !== true) return null;
    history.parameters.add(problem.parameter ?? '');
  }
  return decision.waitMs;
}

/** Sends once more; where that is stopped, what was sent before is told all the same. */
async function sendAgain<T>(
  send: () => Promise<Attempt<T>>,
  { wasted }: RetryHistory,
  options: RetryOptions,
): Promise<Attempt<T>> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof LlmFailure) || error.kind !== 'aborted') throw error;
    throw abortedFailure(error.attempts, error.cause, await wasted.cost(options));
  }
}

/** Whether the wait came to its end. */
async function sleepUnlessAborted(
  waitMs: number,
  { clock, signal }: RetryOptions,
): Promise<boolean> {
  try {
    await clock.sleep(waitMs, signal);
    return true;
  } catch (cause) {
    if (signal?.aborted !== true) throw cause;
    return false;
  }
}

/** The failure of a call that was stopped from outside. */
export function abortedFailure(
  attempts: number,
  cause?: unknown,
  cost: WastedCost = {},
): LlmFailure {
  const details = { kind: 'aborted', isRetryable: true, attempts, cause, ...cost } as const;
  return new LlmFailure('llm/client: the call was aborted.', details);
}

const passing = new Set(['rate-limit', 'transient', 'timeout', 'empty']);

/** The failure that a caller sees. */
export function failureOf(
  problem: CallProblem,
  attempts: number,
  cost: WastedCost = {},
): LlmFailure {
  const { kind, message, status, body, help, cause } = problem;
  if (kind === 'aborted') return abortedFailure(attempts, cause, cost);
  const tries = attempts > 1 ? ` (${attempts} requests)` : '';
  // What servers say often ends with a full stop of its own.
  const said = message.replace(/[\s.]+$/, '');
  return new LlmFailure(`llm/client: ${said}${tries}.`, {
    ...{ kind, status, body, help, attempts, cause, ...cost },
    isRetryable: passing.has(problem.class),
    retryAfterMs: problem.retryAfterMs ?? undefined,
  });
}
