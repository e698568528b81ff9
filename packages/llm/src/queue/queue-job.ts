/**
 * What stands in the queue: requests, and what became of them.
 */
import type { ChatRequest, ChatResult, Paid, Unreported } from '../chat.js';
import type { LlmClient } from '../llm-client.js';
import { type FailureKind, LlmFailure } from '../llm-failure.js';
import { isSampleFailure } from '../rows/row-record.js';

/** A request in the queue; the id of its job is the request's hash. */
export interface QueuedRequest {
  readonly request: Omit<ChatRequest, 'signal'>;
  /** Milliseconds that servers have made it wait for their limits. */
  readonly limitedMs: number;
}

/** What a worker made of a request: an answer, or why there is none. */
export type QueuedAnswer =
  | { readonly result: ChatResult; readonly failure?: undefined }
  | { readonly result?: undefined; readonly failure: QueuedFailure };

/** An {@link LlmFailure} as plain JSON. */
export interface QueuedFailure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly attempts: number;
  readonly isRetryable: boolean;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  readonly help?: string | undefined;
  readonly paid?: Paid | undefined;
  readonly unreported?: Unreported | undefined;
}

/**
 * The queue of a model: servers and models of different names have different queues, so that a
 * process that was started otherwise takes no job that it would answer otherwise.
 */
export function queueName(client: LlmClient): string {
  return `llm-${client.hashOf({ messages: [] }).slice(0, 16)}`;
}

/** A failure as it goes through the queue. */
export function toQueued(failure: LlmFailure): QueuedFailure {
  const { kind, message, attempts, isRetryable, status, body, help, paid, unreported } = failure;
  return { kind, message, attempts, isRetryable, status, body, help, paid, unreported };
}

/** The failure that was meant. */
export function fromQueued({ message, ...details }: QueuedFailure): LlmFailure {
  return new LlmFailure(message, details);
}

/** Whether an answer of an earlier run is as good as a new one. */
export function isFinal(answer: QueuedAnswer): boolean {
  return answer.failure === undefined || isSampleFailure(answer.failure.kind);
}
