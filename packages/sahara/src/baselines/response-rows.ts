/**
 * Prompts with their responses as token rows, for what is calibrated on responses.
 */
import { DataError } from '@lab/core';
import {
  encodePrompt,
  type PromptFormatOptions,
  type PromptRecord,
  promptSpans,
  type Tokenizer,
} from '@lab/transformer';
import type { CalibrationRow } from './linear-inputs.js';

/** Which tokens count. */
export interface ResponseRowOptions extends PromptFormatOptions {
  /** `response` (default), or all. */
  readonly tokens?: 'all' | 'response' | undefined;
}

/**
 * Rows of prompts with the response that is right, or else the begin of one that a data set has
 * (`target`). Where all tokens count, a prompt without either is a text by itself. With `maxTokens`
 * prompts are cut, never responses.
 *
 * @throws {DataError} for a prompt without either, where the response counts.
 */
export function responseRows(
  tokenizer: Tokenizer,
  records: readonly PromptRecord[],
  { tokens = 'response', maxTokens, ...format }: ResponseRowOptions = {},
): CalibrationRow[] {
  return records.map(({ id, prompt, response, target }) => {
    const text = response ?? target;
    if (text === undefined && tokens === 'all') {
      return { ids: encodePrompt(tokenizer, prompt, { ...format, maxTokens }).ids, from: 0 };
    }
    if (text === undefined) {
      throw new DataError(`sahara/response-rows: the prompt ${id} has no response and no target.`, {
        help: 'Give a file with a column response or target.',
      });
    }
    const { ids: whole, answer } = promptSpans(tokenizer, prompt, { ...format, opening: text });
    const { ids: cut, cutTokens } = encodePrompt(tokenizer, prompt, { ...format, maxTokens });
    const before = cutTokens === 0 ? whole.slice(0, answer[0]) : cut;
    const ids = [...before, ...whole.slice(answer[0])];
    return { ids, from: tokens === 'all' ? 0 : Math.min(before.length, ids.length - 1) };
  });
}
