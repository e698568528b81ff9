/**
 * Posteriors of all entities outside of training, and the fused vectors drawn from them.
 */
import type { EmbeddedSides, Encoding, EntitySides, Modality } from '@lab/alignment';
import type { Random } from '@lab/core';
import { gatherRows, l2NormalizeRows, tf } from '@lab/tensor';
import { sampleRows } from './bottleneck.js';
import { type DropoutSource, noDropout } from './encoders.js';
import { meanVariances } from './fusion.js';
import { maskRows } from './image-mask.js';
import type { IbmeaModel, Posteriors } from './model.js';
import { drawNoise } from './noise.js';

/** An encoding whose posteriors are at hand. */
export interface IbmeaEncoding extends Encoding {
  readonly posteriors: Posteriors;
}

/** How samples are drawn outside of training. */
export interface SampleDraws {
  /** Draws per entity, one tensor each; at least 1. */
  readonly samples: number;
  readonly random: Random;
}

/** How an encoding draws. */
export interface EncodingOptions {
  /** Dropout of training, for proposals; default none. */
  readonly dropout?: DropoutSource;
  /** Draws per entity where a stream is given; default `evaluation.samples`. */
  readonly samples?: number;
}

/** All entities encoded by the model as it is; the caller disposes it. */
export function encode(
  model: IbmeaModel,
  { dropout = noDropout, samples = model.config.evaluation.samples }: EncodingOptions = {},
): IbmeaEncoding {
  const posteriors = encodeOutside(model, dropout);
  const scale = posteriors.graph?.scale ?? null;
  return {
    posteriors,
    embed: (sides, random) =>
      random === null || samples === 0
        ? embedSides(model, posteriors, sides, null)
        : embedSides(model, posteriors, sides, { samples, random }),
    modalityRows: (modality, entities) =>
      tf.tidy(() => {
        const rows = tf.tensor1d(entities, 'int32');
        return l2NormalizeRows(gatherRows(posteriors[modality]!.mean, rows));
      }),
    uncertainty:
      scale === null
        ? null
        : { label: 'mean deviation of the graph posterior', values: () => rowMeans(scale) },
    describe: async () => ({ meanScale: await meanScales(posteriors) }),
    dispose: () => disposePosteriors(posteriors),
  };
}

/**
 * Fused rows of the entities of both sides; without draws from the posterior means.
 *
 * Noise belongs to an entity, and each side has a stream of its own: shared by the two entities of
 * a pair, the noise itself would give the pair away.
 */
export function embedSides(
  model: IbmeaModel,
  posteriors: Posteriors,
  sides: EntitySides,
  draws: SampleDraws | null,
): EmbeddedSides {
  const rows = (side: 'left' | 'right') =>
    Array.from({ length: draws?.samples ?? 1 }, (_, draw) => {
      const stream = draws?.random.fork(`${side}/${draw}`) ?? null;
      return embedOnce(model, posteriors, sides[side], stream);
    });
  const left = rows('left');
  const right = rows('right');
  return { left, right, dispose: () => tf.dispose([...left, ...right]) };
}

/** One tensor of fused rows; without a stream the means. */
function embedOnce(
  model: IbmeaModel,
  posteriors: Posteriors,
  entities: Int32Array,
  random: Random | null,
): tf.Tensor2D {
  const noise = random === null ? null : drawNoise(model.config.model, model.modalities, random);
  return tf.tidy(() => {
    const rows = tf.tensor1d(entities, 'int32');
    const vectors: Partial<Record<Modality, tf.Tensor2D>> = {};
    for (const modality of model.modalities) {
      const draw = noise === null ? null : noise.rows(modality, entities);
      const drawn = sampleRows(posteriors[modality]!, rows, draw);
      vectors[modality] = maskRows(model, modality, { rows: drawn, entities });
    }
    const isByVariance = model.config.model.fusion === 'variance';
    const variances = isByVariance ? meanVariances(posteriors, rows) : {};
    const fusedRows = model.fuse({ ...vectors, variances });
    const joint = model.compress(fusedRows);
    if (joint === null) return l2NormalizeRows(fusedRows);
    const draw = noise === null ? null : noise.rows('joint', entities);
    const noisy = draw === null || joint.scale === null ? null : tf.mul(draw, joint.scale);
    return l2NormalizeRows(noisy === null ? joint.mean : tf.add(joint.mean, noisy));
  });
}

/** Posteriors outside of a gradient, owned by the caller. */
export function encodeOutside(model: IbmeaModel, dropout: DropoutSource = noDropout): Posteriors {
  return tf.tidy(() => model.encode(dropout) as unknown as tf.TensorContainer) as Posteriors;
}

/** Frees the tensors of `encodeOutside`. */
export function disposePosteriors(posteriors: Posteriors): void {
  for (const { mean, scale } of Object.values(posteriors)) {
    mean.dispose();
    scale?.dispose();
  }
}

/** Mean of every row, `[N]`. */
async function rowMeans(x: tf.Tensor2D): Promise<Float32Array> {
  const means = tf.tidy(() => tf.mean(x, 1));
  const values = (await means.data()) as Float32Array;
  means.dispose();
  return values;
}

/** Mean deviation of each variational modality. */
async function meanScales(posteriors: Posteriors): Promise<Partial<Record<Modality, number>>> {
  const means: Partial<Record<Modality, number>> = {};
  for (const [modality, { scale }] of Object.entries(posteriors)) {
    if (scale === null) continue;
    const mean = tf.mean(scale);
    means[modality as Modality] = (await mean.data())[0]!;
    mean.dispose();
  }
  return means;
}
