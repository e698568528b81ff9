/**
 * Responses of a model with heads ablated, from the first token of the prompt to the last that is
 * written.
 */
import { ConfigError, DataError, formatCounted, type Logger } from '@lab/core';
import {
  createGenerationEngine,
  encodePrompt,
  type FinishReason,
  type GenerationEngine,
  type GenerationStream,
  type Model,
  type PromptFormatOptions,
  type PromptRecord,
  type Tokenizer,
} from '@lab/transformer';
import type { PassChanges } from './ablation.js';

/** How the next token is chosen: the most probable, or one of the five most probable by chance. */
export type Decoding = 'greedy' | 'top-5';

/** How responses are made. */
export interface ResponseOptions extends PromptFormatOptions {
  /**
   * What is changed in every pass: for all prompts alike, or for each its own heads. Default
   * nothing.
   */
  readonly changes?: PassChanges | ((record: PromptRecord) => PassChanges) | undefined;
  /** Default `greedy`. */
  readonly decoding?: Decoding | undefined;
  /** Responses to each prompt; default 1 of `greedy`, 5 of `top-5`. */
  readonly samples?: number | undefined;
  /** Default 128; fewer where the model has no places left behind a prompt. */
  readonly maxNewTokens?: number | undefined;
  /** Of the draws; each prompt and sample has its own. Default 1. */
  readonly seed?: number | undefined;
  /** Responses that are under way together; default 8. */
  readonly maxRows?: number | undefined;
  /** Whether a response is there already, from an earlier run. */
  readonly isDone?: ((id: string, sample: number) => boolean) | undefined;
  /** Told how many prompts were cut. */
  readonly logger?: Logger | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A response. */
export interface Response {
  readonly record: PromptRecord;
  readonly sample: number;
  /** Without special tokens. */
  readonly text: string;
  readonly newTokens: number;
  readonly finishReason: FinishReason;
}

/**
 * Number of responses to each prompt.
 *
 * @throws {ConfigError} for less than one, and for several that would all be the same.
 */
export function sampleCount({
  decoding = 'greedy',
  samples = decoding === 'greedy' ? 1 : 5,
}: Pick<ResponseOptions, 'decoding' | 'samples'>): number {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ConfigError(`sahara/generation: samples is ${samples}.`, {
      help: 'Give a whole number from 1.',
    });
  }
  if (decoding === 'greedy' && samples > 1) {
    throw new ConfigError(`sahara/generation: ${samples} greedy samples are all the same.`, {
      help: 'Take --decoding top-5, or one sample.',
    });
  }
  return samples;
}

/**
 * Responses to prompts, in their order, samples of a prompt one after the other.
 *
 * Changes are made in the pass over the prompt and in every one behind it; kept keys and values are
 * exact because they were made under the same changes. `top-5`: probabilities at temperature 1, cut
 * to the five largest. What a response is does not depend on which others are asked for.
 * Source: Zhou et al., On the Role of Attention Heads in Large Language Model Safety, appendix B.2.
 * Deviation: the released code draws without a seed and encodes the whole text anew at every step.
 *
 * @throws {DataError} for a prompt with more tokens than the model has places, unless it may be
 *   cut; what the engine throws.
 */
export async function* generateResponses(
  { model, tokenizer }: { readonly model: Model; readonly tokenizer: Tokenizer },
  records: readonly PromptRecord[],
  options: ResponseOptions = {},
): AsyncGenerator<Response> {
  const { maxRows = 8, isDone, signal } = options;
  const samples = sampleCount(options);
  const engine = createGenerationEngine(model, { tokenizer, maxRows });
  const underWay: Asked[] = [];
  try {
    const prompts = encodedPrompts(tokenizer, records, {
      ...options,
      places: engine.contextTokens,
    });
    for (const [at, record] of records.entries()) {
      for (let sample = 0; sample < samples; sample += 1) {
        if (isDone?.(record.id, sample) === true) continue;
        const ids = prompts[at]!;
        underWay.push(asked({ engine, ids, options }, record, sample));
        if (underWay.length >= maxRows) yield await finished(underWay.shift()!, signal);
      }
    }
    while (underWay.length > 0) yield await finished(underWay.shift()!, signal);
  } finally {
    // Whoever leaves early wants no more of them; a failure of one is told once.
    for (const { stream } of underWay) {
      stream.abort();
      stream.result.catch(() => undefined);
    }
    await engine.dispose();
  }
}

/**
 * Tokens that a prompt may have: one at least must fit behind it; where prompts may be cut, so many
 * as are asked for, or half of the places. Undefined where there is no bound.
 *
 * @param places - tokens that the model takes; null for any number.
 */
export function promptRoom(
  places: number | null,
  { maxTokens, maxNewTokens = 128, truncate = 'none' }: ResponseOptions,
): number | undefined {
  if (places === null) return maxTokens;
  const most = places - 1;
  if (maxTokens !== undefined) return Math.min(maxTokens, most);
  return truncate === 'none'
    ? most
    : Math.min(most, Math.max(places - maxNewTokens, Math.ceil(places / 2)));
}

/**
 * Ids of all prompts, before any response is made; see {@link promptRoom}.
 *
 * @throws {DataError} naming the prompt that has too many tokens, and may not be cut.
 */
export function encodedPrompts(
  tokenizer: Tokenizer,
  records: readonly PromptRecord[],
  options: ResponseOptions & { readonly places: number | null },
): number[][] {
  const { places, truncate, logger } = options;
  const { format, system, opening } = options;
  const maxTokens = promptRoom(places, options);
  let cut = 0;
  const prompts = records.map(({ id, prompt }) => {
    try {
      const written = { format, system, opening, truncate, maxTokens };
      const { ids, cutTokens } = encodePrompt(tokenizer, prompt, written);
      cut += cutTokens > 0 ? 1 : 0;
      return ids;
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      const message = `sahara/generation: prompt ${id}: ${cause.message}`;
      throw new DataError(message, { cause, help: cause.help });
    }
  });
  if (cut > 0) logger?.warn(`${formatCounted(cut, 'prompt')} cut to ${maxTokens} tokens`);
  return prompts;
}

interface Asked {
  readonly record: PromptRecord;
  readonly sample: number;
  readonly stream: GenerationStream;
}

interface Asking {
  readonly engine: GenerationEngine;
  readonly ids: readonly number[];
  readonly options: ResponseOptions;
}

function asked({ engine, ids, options }: Asking, record: PromptRecord, sample: number): Asked {
  const { changes, decoding = 'greedy', maxNewTokens = 128, seed = 1, signal } = options;
  const own = typeof changes === 'function' ? changes(record) : changes;
  // What does not fit is not asked for.
  const left = (engine.contextTokens ?? Infinity) - ids.length;
  const stream = engine.submit({
    ...{ prompt: ids, sample, maxNewTokens: Math.min(maxNewTokens, left), signal },
    seed: `${seed}/${record.id}`,
    interventions: own?.interventions,
    hooks: own?.hooks,
    ...(decoding === 'top-5' ? { temperature: 1, topK: 5 } : { temperature: 0 }),
  });
  return { record, sample, stream };
}

async function finished(
  { record, sample, stream }: Asked,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { text, usage, finishReason } = await stream.result;
  signal?.throwIfAborted();
  return { record, sample, text, newTokens: usage.newTokens, finishReason };
}
