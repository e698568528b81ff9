/**
 * What goes back over the wire, as data: sent by the server, kept by the offline batch.
 */

/** Tokens that a model worked for. */
export interface FakeUsage {
  readonly prompt: number;
  readonly completion: number;
}

/** A whole answer, good or bad. */
export interface JsonReply {
  readonly kind: 'json';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What is paid for; none for a rejection. */
  readonly usage: FakeUsage | undefined;
}

/** An answer in parts, as server-sent events. */
export interface StreamReply {
  readonly kind: 'stream';
  readonly headers: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** What is paid for; none for a stream that ends in an error. */
  readonly usage: FakeUsage | undefined;
}

/** An answer that never ends well. */
export interface BrokenReply {
  readonly kind: 'cut' | 'hang';
  readonly at: 'before-headers' | 'mid-body' | 'within-headers';
  /** What the answer would have been. */
  readonly whole: JsonReply | StreamReply;
}

/** What a request gets. */
export type FakeReply = BrokenReply | JsonReply | StreamReply;

const noHeaders: Readonly<Record<string, string>> = {};

/** A good answer. */
export function goodReply(
  body: string,
  usage?: FakeUsage,
  headers: Readonly<Record<string, string>> = noHeaders,
): JsonReply {
  return { kind: 'json', status: 200, headers, body, usage };
}

/** What OpenAI's interface says of an error. */
export interface FakeErrorFacts {
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly param?: string | undefined;
}

/** An answer that rejects a request, in the form of OpenAI's interface. */
export function errorReply(
  status: number,
  facts: FakeErrorFacts,
  headers: Readonly<Record<string, string>> = noHeaders,
): JsonReply {
  const { message, type, code, param = null } = facts;
  const body = JSON.stringify({ error: { message, type, param, code } });
  return { kind: 'json', status, headers, body, usage: undefined };
}
