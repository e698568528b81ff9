/**
 * What can go wrong with a call.
 */
import { LlmError } from '@lab/core';

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
  readonly cause?: unknown;
}

/** A call that gave no usable answer. */
export class LlmFailure extends LlmError {
  readonly kind: FailureKind;
  readonly status: number | undefined;
  readonly isRetryable: boolean;
  readonly attempts: number;
  readonly body: string | undefined;

  constructor(message: string, details: FailureDetails) {
    const { kind, status, isRetryable, attempts, body, help, cause } = details;
    super(message, { help, cause, details: { kind, status, isRetryable, attempts, body } });
    this.kind = kind;
    this.status = status;
    this.isRetryable = isRetryable;
    this.attempts = attempts;
    this.body = body;
  }
}
