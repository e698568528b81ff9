/**
 * How many tokens of a text a model was made for.
 */
import type { Architecture } from './architecture.js';
import type { ConfigFields } from './config-fields.js';

/**
 * Tokens of a text that a model was made for: its learned positions, else what its config says,
 * times the factor that stretches its rotary positions where the config has the number before; null
 * where no end is known.
 *
 * Gemma 3's config has the number after stretching; `dynamic` positions stretch with the text.
 */
export function readContextTokens(
  config: ConfigFields,
  { modelType, positions, blocks }: Pick<Architecture, 'blocks' | 'modelType' | 'positions'>,
): number | null {
  if (positions.kind === 'learned') return positions.count;
  const given = config.optionalCount('max_position_embeddings');
  if (given === null) return null;
  const scalings = blocks.map(({ rotary }) => rotary?.scaling ?? { kind: 'default' as const });
  if (scalings.some(({ kind }) => kind === 'dynamic')) return null;
  const counts = scalings.map((scaling) => {
    if (scaling.kind === 'yarn') return scaling.originalPositions * scaling.factor;
    return scaling.kind === 'linear' && modelType !== 'gemma3_text' ? given * scaling.factor : 0;
  });
  return Math.floor(counts.reduce((most, count) => Math.max(most, count), given));
}
