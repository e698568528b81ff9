/**
 * The settings of a continuation, checked and filled in.
 */
import { ConfigError, DataError, formatCount } from '@lab/core';
import { tokenBatch } from '../token-batch.js';
import type { Tokenizer } from '../tokenizer.js';
import type { StepChanges } from './changed-passes.js';
import type { GenerationRequest } from './engine.js';

/** New tokens where a request does not say. */
export const DEFAULT_NEW_TOKENS = 128;

/** What an engine knows. */
export interface EngineLimits {
  readonly vocabularySize: number;
  readonly tokenizer: Tokenizer | undefined;
  readonly contextTokens: number | null;
  readonly maxCachedTokens: number;
  readonly stopIds: readonly number[];
}

/** A request with nothing left out. */
export interface RequestSettings {
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly minNewTokens: number;
  readonly stopIds: ReadonlySet<number>;
  readonly stop: readonly string[];
  readonly changes: StepChanges;
}

/**
 * Checks a request.
 *
 * @param changes - those of its interventions and hooks.
 * @throws {ConfigError} {@link DataError} as `GenerationEngine.submit`.
 */
export function requestSettings(
  request: GenerationRequest,
  limits: EngineLimits,
  changes: StepChanges,
): RequestSettings {
  checkNumbers(request);
  const prompt = promptIds(request, limits);
  const { minNewTokens = 0, ignoreEos = false, stop = [], stopIds = limits.stopIds } = request;
  if (stop.length > 0 && limits.tokenizer === undefined) {
    throw new ConfigError('transformer/generate: stop texts need a tokenizer.', {
      help: 'Give a tokenizer, or stopIds.',
    });
  }
  if (stop.includes('')) {
    throw new ConfigError('transformer/generate: a stop text is empty.', {
      help: 'Leave it out.',
    });
  }
  return {
    ...{ prompt, minNewTokens, stop, changes },
    maxNewTokens: newTokens(request, prompt.length, limits),
    stopIds: new Set(ignoreEos ? [] : stopIds),
  };
}

function promptIds(
  { prompt }: GenerationRequest,
  { tokenizer, vocabularySize }: EngineLimits,
): readonly number[] {
  if (typeof prompt === 'string' && tokenizer === undefined) {
    throw new ConfigError('transformer/generate: a prompt that is a text needs a tokenizer.', {
      help: 'Give a tokenizer, or token ids.',
    });
  }
  const ids = typeof prompt === 'string' ? tokenizer!.encode(prompt) : Array.from(prompt);
  if (ids.length === 0) {
    throw new DataError('transformer/generate: a prompt has no tokens.', {
      help: 'Begin it with one token at least, such as that for the begin of a text.',
    });
  }
  tokenBatch({ ids: [ids] }, vocabularySize);
  return ids;
}

/** Most new tokens: as many as are asked for, else as there is room for. */
function newTokens(
  { maxNewTokens }: GenerationRequest,
  promptTokens: number,
  { contextTokens, maxCachedTokens }: EngineLimits,
): number {
  const most = Math.min(contextTokens ?? Infinity, maxCachedTokens);
  const wanted = maxNewTokens ?? Math.min(DEFAULT_NEW_TOKENS, Math.max(most - promptTokens, 1));
  const total = promptTokens + wanted;
  const asked = `${formatCount(promptTokens)} tokens and ${formatCount(wanted)} new ones`;
  if (contextTokens !== null && total > contextTokens) {
    throw new DataError(
      `transformer/generate: ${asked} are more than the ${formatCount(contextTokens)} places of ` +
        'the model.',
      {
        help:
          'Shorten the prompt, or lower maxNewTokens (--max-new-tokens); where positions are not ' +
          'learned, contextTokens (--context) allows more.',
      },
    );
  }
  if (total > maxCachedTokens) {
    throw new DataError(
      `transformer/generate: ${asked} are more than the ${formatCount(maxCachedTokens)} that are ` +
        'kept together.',
      { help: 'Lower maxNewTokens, or raise maxCachedTokens or cacheBytes.' },
    );
  }
  return wanted;
}

interface NumberRule {
  readonly isGood: (value: number) => boolean;
  readonly wanted: string;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
const counts: NumberRule = { isGood: isCount, wanted: 'a whole number from 0 on' };
const positive: NumberRule = {
  isGood: (value) => isCount(value) && value > 0,
  wanted: 'a whole number from 1 on',
};
const isFromZero = (value: number) => Number.isFinite(value) && value >= 0;

const RULES = {
  maxNewTokens: positive,
  minNewTokens: counts,
  temperature: { isGood: isFromZero, wanted: 'a number from 0 on' },
  topK: positive,
  topP: { isGood: (value) => value > 0 && value <= 1, wanted: 'above 0, at most 1' },
  topLogprobs: counts,
  sample: counts,
} as const satisfies Readonly<Record<string, NumberRule>>;

function checkNumbers(request: GenerationRequest): void {
  for (const [name, { isGood, wanted }] of Object.entries<NumberRule>(RULES)) {
    const value = request[name as keyof typeof RULES];
    if (value === undefined || isGood(value)) continue;
    throw new ConfigError(`transformer/generate: ${name} is ${value}, expected ${wanted}.`);
  }
}
