/**
 * Where answers are kept by the hash of their request.
 */

/** An answer as it is kept: what {@link ChatResult} needs, as plain JSON. */
export interface StoredAnswer {
  readonly hash: string;
  /** As the server calls it. */
  readonly servedModel: string;
  readonly text: string;
  readonly reasoning: string | null;
  readonly logprobs: unknown;
  readonly finish: string;
  readonly usage: Readonly<Record<string, number | boolean>>;
  /** Rounded milliseconds that the answer took. */
  readonly latencyMs: number;
}

/** A store of answers; doubled entries are harmless. */
export interface AnswerStore {
  get(hash: string): Promise<StoredAnswer | undefined>;
  /** Resolves once the answer is safe on disk. */
  put(answer: StoredAnswer): Promise<void>;
  has(hash: string): boolean;
  iterate(): AsyncIterable<StoredAnswer>;
  close(): Promise<void>;
}

/** `read`: only look; `write`: only keep; `refresh`: ask anew and keep. */
export type CacheMode = 'off' | 'read' | 'read-write' | 'refresh' | 'write';
