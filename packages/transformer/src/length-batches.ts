/**
 * Texts of like length as batches, so that little of what is computed is padding.
 */
import { ConfigError } from '@lab/core';
import type { Architecture } from './architecture.js';
import type { Model } from './model.js';
import type { BatchShape } from './run-outline.js';

/** How {@link lengthBatches} puts texts together. */
export interface LengthBatchRules {
  /** Tokens of a batch at most, padding in them; a longer text is a batch by itself. */
  readonly most: number;
  /** Whether there is memory for a batch of several texts; default always. */
  readonly fits?: ((shape: BatchShape) => boolean) | undefined;
  /** Of the model: where positions depend on the longest text of a batch, lengths are not mixed. */
  readonly architecture?: Pick<Architecture, 'blocks'> | undefined;
  /**
   * Whether batches are as few as they may be, which is right where each of them reads the weights
   * anew; default false.
   */
  readonly isFewest?: boolean | undefined;
}

/**
 * Rules for batches that go through the whole model one by one: where weights do not stay on the
 * backend each of them reads the weights anew, so that batches are as few as may be.
 */
export const passRules = (
  { architecture, residency }: Pick<Model, 'architecture' | 'residency'>,
  most: number,
): LengthBatchRules => ({ most, architecture, isFewest: residency !== 'resident' });

/** Texts that go through a model together, filled up on the left. */
export interface LengthBatch {
  /** Places of its texts among those given. */
  readonly places: readonly number[];
  readonly ids: Int32Array[];
  readonly mask: Uint8Array[];
}

/** Tokens that a batch costs beside its own: calls, and products that do not fill the machine. */
const BATCH_COST = 64;
/** More than all tokens: the number of batches counts first. */
const READING_COST = 1e9;

/** Whether what a text's tokens are turned by depends on the longest text of its batch. */
export const dependsOnLongest = ({ blocks }: Pick<Architecture, 'blocks'>): boolean =>
  blocks.some(({ rotary }) => ['dynamic', 'longrope'].includes(rotary?.scaling.kind ?? ''));

/**
 * Places of texts in groups of like length: of all ways to cut the texts, sorted by length, into
 * groups, the one with the fewest tokens, padding and 64 more for each group counted.
 *
 * @param lengths - tokens of each text.
 * @throws {ConfigError} for groups of less than one token.
 */
export function lengthGroups(
  lengths: readonly number[],
  { most, architecture, isFewest = false, fits = () => true }: LengthBatchRules,
): number[][] {
  if (!(most >= 1)) {
    throw new ConfigError(`transformer/batches: a batch has ${most} tokens.`, {
      help: 'Give at least 1; a batch has at least one text.',
    });
  }
  const areAlike = architecture !== undefined && dependsOnLongest(architecture);
  const cost = isFewest ? READING_COST : BATCH_COST;
  const order = lengths
    .map((_, place) => place)
    .toSorted((a, b) => lengths[a]! - lengths[b]! || a - b);
  const sorted = order.map((place) => lengths[place]!);
  // Of the texts from each one on: what they cost at least, and how many of them go first then.
  const least = new Float64Array(order.length + 1);
  const counts = new Int32Array(order.length);
  for (let start = order.length - 1; start >= 0; start -= 1) {
    least[start] = Infinity;
    for (let end = start + 1; end <= order.length; end += 1) {
      const [count, length] = [end - start, sorted[end - 1]!];
      const shape = { batchSize: count, length };
      const isTooMuch = count > 1 && (count * length > most || !fits(shape));
      if (isTooMuch || (areAlike && length !== sorted[start])) break;
      const sum = count * length + cost + least[end]!;
      if (sum > least[start]!) continue;
      least[start] = sum;
      counts[start] = count;
    }
  }
  const groups: number[][] = [];
  for (let start = 0; start < order.length; start += counts[start]!) {
    groups.push(order.slice(start, start + counts[start]!));
  }
  return groups;
}

/**
 * Batches of texts of like length, see {@link lengthGroups}; the texts of a batch are filled up on
 * the left to its longest.
 *
 * @param texts - ids of each, in any order; results go back by `places`.
 * @throws {ConfigError} as {@link lengthGroups}.
 */
export function lengthBatches(
  texts: readonly ArrayLike<number>[],
  rules: LengthBatchRules,
): LengthBatch[] {
  const groups = lengthGroups(
    texts.map(({ length }) => length),
    rules,
  );
  return groups.map((places) => {
    const length = places.reduce((most, place) => Math.max(most, texts[place]!.length), 0);
    const filled = places.map((place) => {
      const text = texts[place]!;
      const [ids, mask] = [new Int32Array(length), new Uint8Array(length)];
      ids.set(text, length - text.length);
      mask.fill(1, length - text.length);
      return { ids, mask };
    });
    return { places, ids: filled.map(({ ids }) => ids), mask: filled.map(({ mask }) => mask) };
  });
}
