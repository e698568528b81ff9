/**
 * Which other prompt each prompt gets outputs of heads from.
 */
import { createRandom, DataError } from '@lab/core';
import type { TokenPrompt } from './head-outputs.js';

/** How prompts find their sources: the one in the same place of the list, or one by chance. */
export const pairings = ['order', 'random'] as const;

/** One of {@link pairings}. */
export type Pairing = (typeof pairings)[number];

/**
 * Prompts with the tokens of their sources, for the ablation `patch`.
 *
 * `order` is patching between pairs, such as a harmful request and the same one made harmless;
 * `random` is resampling: what a head gives is replaced by what it gives on some other text.
 * With `random` a prompt never gets itself, and what it gets does not depend on the others.
 *
 * @param seed - of `random`; default 1.
 * @throws {DataError} for other counts with `order`, and where nothing but the prompt is left.
 */
export function withSources(
  prompts: readonly TokenPrompt[],
  sources: readonly TokenPrompt[],
  { pairing = 'order', seed = 1 }: { readonly pairing?: Pairing; readonly seed?: number } = {},
): TokenPrompt[] {
  if (pairing === 'order') {
    if (prompts.length !== sources.length) {
      throw new DataError(
        `sahara/sources: ${prompts.length} prompts and ${sources.length} sources.`,
        { help: 'Give a source for each prompt in their order, or --pairing random.' },
      );
    }
    return prompts.map(({ id, ids }, at) => ({ id, ids, source: sources[at]!.ids }));
  }
  const random = createRandom(seed).fork('prompt-sources');
  const textOf = (ids: readonly number[]) => ids.join(' ');
  return prompts.map(({ id, ids }) => {
    const own = textOf(ids);
    const others = sources.filter((one) => textOf(one.ids) !== own);
    if (others.length === 0) {
      throw new DataError(`sahara/sources: the prompt ${id} has no source but itself.`, {
        help: 'Give a file with other prompts.',
      });
    }
    return { id, ids, source: others[random.fork(id).integer(others.length)]!.ids };
  });
}
