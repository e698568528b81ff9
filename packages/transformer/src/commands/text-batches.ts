/**
 * Texts of a file in batches of like length.
 */
import { ConfigError } from '@lab/core';
import type { CliInput, CliOption } from '@lab/core/cli';
import type { Architecture } from '../architecture.js';
import { dependsOnLongest, lengthBatches } from '../length-batches.js';
import type { BatchShape } from '../run-outline.js';
import { type IdRows, tokenBatch, type TokenInput } from '../token-batch.js';

/** Tokens that are computed together. */
export const batchTokensOption: CliOption = {
  flags: '--batch-tokens <n>',
  summary: 'most tokens that go through a block together; fewer where memory is short',
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

/** Texts that go through a model together, and where they stand in the file. */
export interface TextBatch extends TokenInput {
  readonly ids: IdRows;
  readonly mask: IdRows;
  /** Rows of the file. */
  readonly places: readonly number[];
  /** Columns of each row that are computed: those before and behind are padding. */
  readonly columns: readonly (readonly [start: number, end: number])[];
}

/** How texts are put together. */
export interface TextBatchRules {
  /** Tokens of a batch at most, padding in them; it has one text at least. */
  readonly most: number;
  /** As of {@link lengthBatches}. */
  readonly fits?: ((shape: BatchShape) => boolean) | undefined;
  /** Whether rows stay as they are, padding in them, and in their order; default false. */
  readonly isFixed?: boolean | undefined;
  /** As of {@link lengthBatches}. */
  readonly isFewest?: boolean | undefined;
}

/**
 * The texts of a file as batches of like length, without their padding; all together and as they
 * are where positions depend on the longest text of a batch.
 *
 * @throws as `Model.forward` for texts that it would refuse, all of them looked at.
 */
export function textBatches(
  texts: TokenInput,
  architecture: Architecture,
  { most, fits, isFixed = false, isFewest }: TextBatchRules,
): TextBatch[] {
  const { batchSize, length } = tokenBatch(texts, architecture.vocabularySize);
  const mask = texts.mask ?? texts.ids.map((row) => new Uint8Array(row.length).fill(1));
  const isWhole = dependsOnLongest(architecture);
  if (isWhole || isFixed) {
    const size = isWhole ? batchSize : fixedSize(length, { most, fits });
    return Array.from({ length: Math.ceil(batchSize / size) }, (_, at) => {
      const ids = texts.ids.slice(at * size, (at + 1) * size);
      return {
        ...{ ids, mask: mask.slice(at * size, (at + 1) * size) },
        places: ids.map((_row, row) => at * size + row),
        columns: ids.map(() => [0, length] as const),
      };
    });
  }
  const columns = mask.map((row) => {
    const counts = Array.from(row);
    return [counts.indexOf(1), counts.lastIndexOf(1) + 1] as const;
  });
  const own = (rows: IdRows, place: number) => {
    return Array.from(rows[place]!).slice(...columns[place]!);
  };
  const rows = texts.ids.map((_, place) => own(texts.ids, place));
  return lengthBatches(rows, { most, fits, isFewest }).map((batch) => {
    // Where tokens within a text do not count, they still do not.
    for (const [row, place] of batch.places.entries()) {
      const counts = own(mask, place);
      batch.mask[row]!.set(counts, batch.mask[row]!.length - counts.length);
    }
    return { ...batch, columns: batch.places.map((place) => columns[place]!) };
  });
}

/** Texts of a length that go together. */
function fixedSize(length: number, { most, fits }: Pick<TextBatchRules, 'fits' | 'most'>): number {
  let batchSize = Math.max(1, Math.floor(most / length));
  while (batchSize > 1 && fits?.({ batchSize, length }) === false) batchSize -= 1;
  return batchSize;
}
