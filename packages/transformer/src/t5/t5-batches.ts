/**
 * The texts of both sides of a T5 as batches, checked against each other.
 */
import { ShapeError } from '@lab/core';
import type { TokenBatch } from '../positions.js';
import { tokenBatch } from '../token-batch.js';
import type { T5Input } from './t5-model.js';

const DECODER_NAMES = { ids: 'decoderIds', mask: 'decoderMask' } as const;

/**
 * The batch of the decoder.
 *
 * @throws {ShapeError} where rows differ in length, or are not one for each text of the encoder.
 * @throws {DataError} for an id that the vocabulary does not have.
 */
export function decoderBatch(
  { ids, decoderIds, decoderMask }: Pick<T5Input, 'decoderIds' | 'decoderMask' | 'ids'>,
  vocabularySize: number,
): TokenBatch {
  const batch = tokenBatch({ ids: decoderIds, mask: decoderMask }, vocabularySize, DECODER_NAMES);
  if (batch.batchSize === ids.length) return batch;
  throw new ShapeError(
    `transformer/forward: decoderIds are ${batch.batchSize} rows, ids ${ids.length}.`,
    {
      expected: `[${ids.length}, T]`,
      got: `[${batch.batchSize}, ${batch.length}]`,
      help: 'Give one row of each to every text; repeat a text to ask for several decoders.',
    },
  );
}
