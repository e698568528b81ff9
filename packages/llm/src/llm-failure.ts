/**
 * What can go wrong with a call.
 */
import { LlmError } from '@lab/core';
import type { Paid, Unreported } from './chat.js';

/** Kinds of failures, by what a caller can do about them. */
export type FailureKind =
  | 'aborted'
  | 'auth'
  | 'bad-request'
  | 'budget'
  | 'content-filter'
  | 'context-length'
  | 'network'
  | 'parse'
  | 'quota'
  | 'rate-limit'
  | 'refusal'
  | 'server'
  | 'timeout'
  | 'truncated';

/** What is known of a failure. */
export interface FailureDetails {
  readonly kind: FailureKind;
  /** HTTP status, where an answer came. */
  readonly status?: number | undefined;
  /** Whether the same call may succeed later. */
  readonly isRetryable: boolean;
  /** Requests that were sent. */
  readonly attempts: number;
  /** The last answer, at most 2 KB of it, without secrets. */
  readonly body?: string | undefined;
  readonly help?: string | undefined;
  /** Milliseconds that the server asked to wait, where it named any. */
  readonly retryAfterMs?: number | undefined;
  /** Whether all other calls would fail alike; default true for `auth` and `quota`. */
  readonly endsRun?: boolean | undefined;
  /** What the answers that are of no use did cost. */
  readonly paid?: Paid | undefined;
  /** What requests did cost whose tokens no server counted. */
  readonly unreported?: Unreported | undefined;
  readonly cause?: unknown;
}

/** Kinds whose exit code is not that of a failed server (5): see `exitCodeOf`. */
const codes: { readonly [kind in FailureKind]?: string } = {
  aborted: 'LAB_INTERRUPTED',
  auth: 'LAB_MODEL',
  budget: 'LAB_BUDGET',
};

/** A call that gave no usable answer. */
export class LlmFailure extends LlmError {
  readonly kind: FailureKind;
  readonly status: number | undefined;
  readonly isRetryable: boolean;
  readonly attempts: number;
  readonly body: string | undefined;
  /** Milliseconds that the server asked to wait, where it named any. */
  readonly retryAfterMs: number | undefined;
  /** Whether all other calls would fail alike, so that a run stops, to be resumed later. */
  readonly endsRun: boolean;
  /** What the answers that are of no use did cost; undefined where the server counted no tokens. */
  readonly paid: Paid | undefined;
  /** What requests did cost whose tokens no server counted; undefined for none. */
  readonly unreported: Unreported | undefined;

  constructor(message: string, details: FailureDetails) {
    const { kind, status, isRetryable, attempts, body, help, cause } = details;
    const plain = { kind, status, isRetryable, attempts, body };
    super(message, { code: codes[kind], help, cause, details: plain });
    this.kind = kind;
    this.status = status;
    this.isRetryable = isRetryable;
    this.attempts = attempts;
    this.body = body;
    this.retryAfterMs = details.retryAfterMs;
    this.paid = details.paid;
    this.unreported = details.unreported;
    this.endsRun = details.endsRun ?? (kind === 'auth' || kind === 'quota');
  }
}

/** Failures that say something of what was asked: an answer came, and was paid. */
const answeredKinds: ReadonlySet<FailureKind> = new Set(['content-filter', 'refusal', 'truncated']);

/**
 * Throws the failure of another's call to whoever has joined it. Requests and what they wasted are
 * the other's; the cost of a refusal stays, as that of an answer from the cache does.
 */
export function throwJoined(error: unknown): never {
  if (!(error instanceof LlmFailure)) throw error;
  const { kind, status, isRetryable, body, help, retryAfterMs, endsRun, cause } = error;
  const isAnswered = answeredKinds.has(kind);
  const { estimated } = error.unreported ?? {};
  throw new LlmFailure(error.message, {
    ...{ kind, status, isRetryable, attempts: 0, body, help, retryAfterMs, endsRun, cause },
    paid: isAnswered ? error.paid : undefined,
    unreported: isAnswered && estimated !== undefined ? { estimated } : undefined,
  });
}
