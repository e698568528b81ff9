/**
 * How similar two entities are by each modality alone.
 */
import { tf } from '@lab/tensor';
import type { Modality } from './config-fields.js';
import type { Encoding } from './learner.js';
import type { TrainingState } from './training-state.js';

/** How similar two entities are by one modality. */
export interface ModalityCosine {
  readonly modality: Modality;
  /** Null where both lack it: what stands for it is the same for all. */
  readonly cosine: number | null;
}

/** A cosine that was measured, whatever the two have. */
interface MeasuredCosine {
  readonly modality: Modality;
  readonly cosine: number;
}

/** Cosine of every modality for every pair, the most similar modality first. */
export async function modalityCosines(
  { learner }: TrainingState,
  encoding: Encoding,
  pairs: readonly { readonly source: number; readonly target: number }[],
): Promise<MeasuredCosine[][]> {
  const sources = Int32Array.from(pairs, ({ source }) => source);
  const targets = Int32Array.from(pairs, ({ target }) => target);
  const found: { modality: Modality; cosines: ArrayLike<number> }[] = [];
  for (const modality of pairs.length === 0 ? [] : learner.modalities) {
    const left = await encoding.modalityRows(modality, sources);
    const right = await encoding.modalityRows(modality, targets);
    const products = tf.tidy(() => tf.sum(tf.mul(left, right), 1));
    tf.dispose([left, right]);
    found.push({ modality, cosines: await products.data() });
    products.dispose();
  }
  return pairs.map((_, at) =>
    found
      .map(({ modality, cosines }) => ({ modality, cosine: cosines[at]! }))
      .sort((a, b) => b.cosine - a.cosine),
  );
}

/**
 * The most similar modality first; last those that both lack, without a cosine.
 *
 * @param cosines - the most similar first.
 */
export function comparable(
  cosines: readonly MeasuredCosine[],
  sourceLacks: readonly Modality[],
  targetLacks: readonly Modality[],
): ModalityCosine[] {
  const isLacked = ({ modality }: MeasuredCosine) =>
    sourceLacks.includes(modality) && targetLacks.includes(modality);
  return [
    ...cosines.filter((one) => !isLacked(one)),
    ...cosines.filter(isLacked).map(({ modality }) => ({ modality, cosine: null })),
  ];
}
