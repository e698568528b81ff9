/**
 * The fields of a request that say how answers are made, of both kinds of completions.
 */
import { formatCount } from '@lab/core';
import { isJsonObject } from '../json-file.js';
import type { ContinuationOptions } from '../generation/engine.js';
import { invalid, tooLong, unsupported } from './api-problem.js';
import { type RequestFields, wrongType } from './request-fields.js';

/** Texts that end an answer, at most. */
export const MOST_STOPS = 16;
/** Letters of one of them, at most. */
const MOST_STOP_LETTERS = 1000;
/** Answers to one prompt, at most. */
const MOST_ANSWERS = 128;
/** Most probable tokens at each place, at most. */
const MOST_TOP = 20;
const SAFE = Number.MAX_SAFE_INTEGER;

/** How a request wants its answers. */
export interface AnswerSettings {
  readonly options: ContinuationOptions;
  /** Null where the request does not say. */
  readonly seed: number | null;
  readonly answersPerPrompt: number;
  readonly isStreamed: boolean;
  readonly hasUsage: boolean;
}

/** Reads what both kinds share; `max_tokens` and logprobs stand elsewhere. */
export function answerSettings(fields: RequestFields): AnswerSettings {
  const isStreamed = fields.flag('stream');
  assertPlainText(fields);
  return {
    options: {
      temperature: fields.number('temperature', { least: 0, most: 2 }) ?? 1,
      topP: topPOf(fields),
      topK: topKOf(fields),
      stop: stopsOf(fields),
    },
    seed: fields.integer('seed', { least: -SAFE, most: SAFE }) ?? null,
    answersPerPrompt: fields.integer('n', { least: 1, most: MOST_ANSWERS }) ?? 1,
    ...{ isStreamed, hasUsage: usageOf(fields, isStreamed) },
  };
}

function topPOf(fields: RequestFields): number {
  const value = fields.number('top_p', { least: 0, most: 1 }) ?? 1;
  if (value > 0) return value;
  throw invalid('top_p', "'top_p' is 0, it must be above 0; take temperature 0 for no choice.");
}

/** Below 1 servers take it for all tokens. */
function topKOf(fields: RequestFields): number | undefined {
  const value = fields.integer('top_k', { least: -1, most: SAFE }) ?? 0;
  return value < 1 ? undefined : value;
}

function stopsOf(fields: RequestFields): readonly string[] {
  const value = fields.value('stop') ?? [];
  const stops: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (stops.length > MOST_STOPS) {
    const count = formatCount(stops.length);
    throw invalid('stop', `'stop' has ${count} texts, at most ${MOST_STOPS} are allowed.`);
  }
  for (const stop of stops) {
    if (typeof stop !== 'string') throw wrongType('stop', 'a string or a list of strings', stop);
    if (stop !== '' && stop.length <= MOST_STOP_LETTERS) continue;
    throw invalid('stop', `'stop' needs texts of 1 to ${formatCount(MOST_STOP_LETTERS)} letters.`);
  }
  return stops as readonly string[];
}

function usageOf(fields: RequestFields, isStreamed: boolean): boolean {
  const options = fields.object('stream_options');
  if (options === undefined) return false;
  if (!isStreamed) {
    throw invalid('stream_options', "'stream_options' is for streams; set 'stream', too.");
  }
  const hasUsage = options.flag('include_usage');
  options.value('include_obfuscation');
  options.assertAllRead('stream_options.');
  return hasUsage;
}

function assertPlainText(fields: RequestFields): void {
  const format = fields.value('response_format');
  if (format === undefined) return;
  if (!isJsonObject(format)) throw wrongType('response_format', 'an object', format);
  const type = String(format['type']).slice(0, 100);
  if (type === 'text') return;
  throw unsupported('response_format', `'response_format' of type '${type}'`);
}

/** The log-probabilities that a chat wants. */
export function chatLogprobs(fields: RequestFields): ContinuationOptions {
  const logprobs = fields.flag('logprobs');
  const topLogprobs = fields.integer('top_logprobs', { least: 0, most: MOST_TOP });
  if (topLogprobs === undefined) return { logprobs };
  if (logprobs) return { logprobs, topLogprobs };
  throw invalid('top_logprobs', "'top_logprobs' needs 'logprobs': true.");
}

/** The log-probabilities that a completion wants: a number of alternatives. */
export function completionLogprobs(fields: RequestFields): ContinuationOptions {
  const topLogprobs = fields.integer('logprobs', { least: 0, most: MOST_TOP });
  return topLogprobs === undefined ? {} : { logprobs: true, topLogprobs };
}

/** Room for prompts and answers. */
export interface TokenRoom {
  /** Tokens of a prompt and its answer, at most. */
  readonly contextTokens: number;
  /** New tokens where the request does not say, if there is room. */
  readonly defaultNewTokens: number;
  /** Field that prompts come from. */
  readonly param: string;
}

/**
 * Most new tokens of an answer to each of the prompts.
 *
 * @throws {ApiProblem} where a prompt and they do not fit.
 */
export function newTokensFor(
  fields: RequestFields,
  prompts: readonly (readonly number[])[],
  { contextTokens, defaultNewTokens, param }: TokenRoom,
): readonly number[] {
  const range = { least: 1, most: SAFE };
  const older = fields.integer('max_tokens', range);
  const asked = fields.integer('max_completion_tokens', range) ?? older;
  return prompts.map(({ length }) => {
    const wanted = asked ?? Math.min(defaultNewTokens, Math.max(contextTokens - length, 1));
    if (length + wanted > contextTokens) throw tooLong({ length, wanted, contextTokens, param });
    return wanted;
  });
}
