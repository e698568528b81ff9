/**
 * Remarks on results that are there, but may not be what they seem.
 */
import { formatCount } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { WritableArray } from '@lab/tensor/io';
import type { Architecture } from '../architecture.js';
import type { LensLayer } from '../lens.js';

/** Says that texts are longer than those that the model was made for. */
export function sayLongTexts(
  context: CliContext,
  { contextTokens }: Pick<Architecture, 'contextTokens'>,
  length: number,
): void {
  if (contextTokens === null || length <= contextTokens) return;
  context.note(
    `a text has ${formatCount(length)} tokens, the model was made for ` +
      `${formatCount(contextTokens)}: what is behind them may mean little`,
  );
}

/**
 * Says which array is the first with values that are no numbers.
 *
 * @param arrays - in the order of a pass.
 */
export function sayNotANumber(
  context: CliContext,
  arrays: Readonly<Record<string, WritableArray>>,
): void {
  for (const [name, { data }] of Object.entries(arrays)) {
    const count = notNumbers(data);
    if (count === 0) continue;
    context.note(
      `${name}: ${formatCount(count)} of ${formatCount(data.length)} values are not numbers ` +
        '(NaN): look at the weights and changes before this place',
    );
    return;
  }
}

function notNumbers(data: WritableArray['data']): number {
  let count = 0;
  for (let at = 0; at < data.length; at += 1) if (Number.isNaN(data[at])) count += 1;
  return count;
}

/** Says from which layer on a lens shows nothing. */
export function sayBlindLayers(context: CliContext, layers: readonly LensLayer[]): void {
  const blind = layers.find(({ tokens }) =>
    tokens.some((text) => text.some(({ logProbability }) => Number.isNaN(logProbability))),
  );
  if (blind === undefined) return;
  const { layer } = blind;
  const where = layer === 0 ? 'the embedding' : `block ${layer - 1}`;
  context.note(
    `logits of layer ${layer} are not numbers (NaN): look at the weights and changes of ${where}`,
  );
}
