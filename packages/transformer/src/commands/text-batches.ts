/**
 * Texts in batches of about as many tokens.
 */
import { ConfigError } from '@lab/core';
import type { CliInput, CliOption } from '@lab/core/cli';
import type { Architecture } from '../architecture.js';
import { tokenBatch, type TokenInput } from '../token-batch.js';

/** Tokens that are computed together. */
export const batchTokensOption: CliOption = {
  flags: '--batch-tokens <n>',
  summary: 'tokens that go through a block together',
  kind: 'integer',
  default: 4096,
};

/** How many that option gives. */
export function batchTokensOf(verb: string, { options }: CliInput): number {
  const tokens = options['batchTokens'] as number;
  if (tokens > 0) return tokens;
  throw new ConfigError(`transformer/${verb}: --batch-tokens is ${tokens}.`, {
    help: 'Give at least 1; a batch has at least one text.',
  });
}

/**
 * The texts, so many together that their tokens, padding in them, are at most `most`, but at least
 * one; all together where positions depend on the longest text of a batch.
 *
 * @throws as `Model.forward` for texts that it would refuse, all of them looked at.
 */
export function textBatches(
  texts: TokenInput,
  { blocks, vocabularySize }: Architecture,
  most: number,
): TokenInput[] {
  const { batchSize, length } = tokenBatch(texts, vocabularySize);
  const isWhole = blocks.some(({ rotary }) =>
    ['dynamic', 'longrope'].includes(rotary?.scaling.kind ?? ''),
  );
  const size = isWhole ? batchSize : Math.max(1, Math.floor(most / length));
  return Array.from({ length: Math.ceil(batchSize / size) }, (_, at) => ({
    ids: texts.ids.slice(at * size, (at + 1) * size),
    mask: texts.mask?.slice(at * size, (at + 1) * size),
  }));
}
