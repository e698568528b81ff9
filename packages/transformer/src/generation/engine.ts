/**
 * Continuations of many texts at once, which come and go between two steps.
 */
import type { Hook } from '../hooks.js';
import type { Intervention } from '../interventions.js';
import type { Model } from '../model.js';
import type { Tokenizer } from '../tokenizer.js';
import { EngineLoop } from './engine-loop.js';

/** How the next token is taken from the probabilities of all. */
export interface SamplingOptions {
  /** Divisor of the logits; 0 takes the most probable token (greedy). Default 0. */
  readonly temperature?: number | undefined;
  /** So many of the most probable tokens are kept; default all. */
  readonly topK?: number | undefined;
  /**
   * The fewest most probable tokens whose probabilities add up to so much are kept, in (0, 1];
   * default 1.
   */
  readonly topP?: number | undefined;
  /** Of the draws, with temperature; equal seeds give equal tokens. Default 0. */
  readonly seed?: number | string | undefined;
  /** Tells apart continuations of one seed: each has draws of its own. Default 0. */
  readonly sample?: number | undefined;
}

/** When a continuation ends. */
export interface StopOptions {
  /** Most new tokens, at least 1; default 128. */
  readonly maxNewTokens?: number | undefined;
  /** Before so many new tokens no stop id can be taken and no stop text ends it; default 0. */
  readonly minNewTokens?: number | undefined;
  /** Ids that end it; default those of generation_config.json or config.json. */
  readonly stopIds?: readonly number[] | undefined;
  /** Texts that end it; what stands before the first of them is kept. Needs a tokenizer. */
  readonly stop?: readonly string[] | undefined;
  /** Whether stop ids are tokens as others; default false. */
  readonly ignoreEos?: boolean | undefined;
}

/** What every continuation may have, whoever asks for it. */
export interface ContinuationOptions extends SamplingOptions, StopOptions {
  /** Whether events tell the log-probability of their token, before any cut; default false. */
  readonly logprobs?: boolean | undefined;
  /** So many of the most probable tokens at each place come with it; default 0. */
  readonly topLogprobs?: number | undefined;
  /**
   * Changes of the passes. What a step gives is what a pass over all tokens so far gives with the
   * changes of that step: keys and values made under other changes are made again.
   */
  readonly interventions?: readonly Intervention[] | undefined;
  /**
   * Called at their places with the tokens that are new in a pass, `[1, T, ...]`, after
   * interventions; their place tells `step` and `start`.
   */
  readonly hooks?: readonly Hook[] | undefined;
  /**
   * Whether keys and values of earlier tokens are kept; false makes every step a pass over all
   * tokens. Default true.
   */
  readonly useCache?: boolean | undefined;
}

/** One text to be continued. */
export interface GenerationRequest extends ContinuationOptions {
  /** Token ids, at least one; or a text, with the tokenizer's own special tokens added. */
  readonly prompt: ArrayLike<number> | string;
  /** Ends this continuation with the reason `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** A token and the logarithm of its probability, natural. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

/** A new token. */
export interface GenerationEvent {
  readonly id: number;
  /**
   * Text that is certain now: empty within a character of several tokens, while it may be the begin
   * of a stop text, for a stop id, and without a tokenizer. All of them together are the result's
   * text.
   */
  readonly text: string;
  /** With `logprobs` or `topLogprobs`. */
  readonly logprob?: number;
  /** With `topLogprobs`: most probable first. */
  readonly topLogprobs?: readonly TokenLogprob[];
}

/**
 * `stop`: a stop id or text; `length`: `maxNewTokens`, or the places of the model are used up;
 * `aborted`: its signal, `abort()`, or the end of the engine.
 */
export type FinishReason = 'aborted' | 'length' | 'stop';

/** A continuation at its end. */
export interface GenerationResult {
  /** New tokens, a stop id at the end included. */
  readonly ids: readonly number[];
  /** Their text without special tokens, up to a stop text; empty without a tokenizer. */
  readonly text: string;
  readonly finishReason: FinishReason;
  /** The stop id or text that ended it, else null. */
  readonly stoppedBy: number | string | null;
  /** What the events told. */
  readonly events: readonly GenerationEvent[];
  readonly usage: GenerationUsage;
}

/** Tokens that were read and made. */
export interface GenerationUsage {
  readonly promptTokens: number;
  readonly newTokens: number;
}

/**
 * A continuation under way: its events as they come, for one reader, and its end.
 *
 * Events wait for their reader without limit, at most `maxNewTokens`. Leaving the loop early aborts
 * it. A failure is thrown by the loop and rejects `result`; an abort does neither.
 */
export interface GenerationStream extends AsyncIterable<GenerationEvent> {
  readonly result: Promise<GenerationResult>;
  readonly promptTokens: number;
  /** Ends it with the reason `aborted`; its row is free with the next step. */
  abort(): void;
}

/** What an engine may hold. */
export interface GenerationEngineOptions {
  /** For prompts that are texts, texts of events and stop texts. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Continuations that go on together; others wait in order. Default 8. */
  readonly maxRows?: number | undefined;
  /**
   * Tokens whose keys and values are kept, of all continuations together: prompts and
   * `maxNewTokens` of those that go on. Default as many as `cacheBytes` holds.
   */
  readonly maxCachedTokens?: number | undefined;
  /** Bytes of keys and values; default a quarter of the memory of backend or machine. */
  readonly cacheBytes?: number | undefined;
  /**
   * Tokens of a prompt and its continuation, at most; default those that the model was made for,
   * `architecture.contextTokens`. More makes sense where positions are not learned.
   */
  readonly contextTokens?: number | undefined;
  /** Tokens of prompts in one step, so that others go on meanwhile; default 256. */
  readonly prefillTokens?: number | undefined;
}

/** What an engine is doing. */
export interface GenerationLoad {
  /** Continuations that have a row. */
  readonly activeRows: number;
  /** Continuations that wait for one. */
  readonly waitingRequests: number;
  /** Tokens that rows have taken of `maxCachedTokens`. */
  readonly reservedTokens: number;
  /** Bytes of keys and values that are kept now. */
  readonly cachedBytes: number;
  readonly maxRows: number;
  readonly maxCachedTokens: number;
}

/** Continues texts with one model; made by {@link createGenerationEngine}. */
export interface GenerationEngine {
  /**
   * Continues a text. It begins with the next step, or waits for a row.
   *
   * @throws {ConfigError} for settings out of range, a text without a tokenizer, and names of
   *   places that are not there.
   * @throws {DataError} for an empty prompt, ids that the vocabulary does not have, and more tokens
   *   than the model has places or the engine keeps.
   */
  submit(request: GenerationRequest): GenerationStream;
  /** Most tokens of prompt and continuation; null where no end is known. */
  readonly contextTokens: number | null;
  /** Ids that end a continuation that names none. */
  readonly stopIds: readonly number[];
  readonly load: GenerationLoad;
  /** Aborts what goes on and waits, and frees all keys and values; the model stays. */
  dispose(): Promise<void>;
}

/**
 * An engine that continues texts together: every step is one pass for up to 16 rows, each with its
 * own length, and reads the weights once for them; longer parts of prompts have their own. Texts
 * enter and leave between steps; a long prompt is read in parts while others go on. Tokens do not
 * depend on who else is there.
 *
 * Source: Yu et al., Orca (iteration-level scheduling); prompts in parts: Agrawal et al., Sarathi.
 *
 * @param model - stays the caller's, and must live until `dispose`.
 * @throws {ConfigError} for limits below 1.
 */
export function createGenerationEngine(
  model: Model,
  options: GenerationEngineOptions = {},
): GenerationEngine {
  return new EngineLoop(model, options);
}
