/**
 * The randomness of one epoch: one draw per entity, modality and dimension, whatever the batches.
 *
 * The draws of an entity are a function of the epoch's stream and its number, so only the rows that
 * the loss looks at are made, when it does, and a row is shared by every batch of the epoch, as if
 * the whole graph had been sampled once.
 */
import type { Random } from '@lab/core';
import { dropout, type NoiseOptions, noiseRows, tf } from '@lab/tensor';
import type { Modality } from '@lab/alignment';
import type { IbmeaConfig } from './config.js';
import type { DropoutSource } from './encoders.js';
import { fusedSize } from './fusion.js';
import { modalitySize } from './model.js';

/** The draws of one epoch. */
export interface EpochNoise {
  /** Rows `[B, d_m]` of the draws of these entities, or null where that posterior has none. */
  rows(posterior: Modality | 'joint', entities: Int32Array): tf.Tensor2D | null;
}

/**
 * The draws of one epoch.
 *
 * Normal for the graph; uniform on [0, 1) for the other modalities when the config says
 * `official`, as the released code calls `rand`.
 *
 * @param present - modalities of the data.
 * @param random - the epoch's noise stream.
 */
export function drawNoise(
  config: IbmeaConfig['model'],
  present: readonly Modality[],
  random: Random,
): EpochNoise {
  const drawn = new Map<Modality | 'joint', NoiseOptions>();
  const draw = (name: Modality | 'joint', width: number) => {
    const isUniform = config.noise === 'official' && name !== 'graph';
    const distribution = isUniform ? 'uniform' : 'normal';
    drawn.set(name, { width, seed32: random.fork(name).seed32(), distribution });
  };
  for (const modality of present) {
    if (config.bottlenecks.includes(modality)) draw(modality, modalitySize(modality, config));
  }
  if (config.jointBottleneck) draw('joint', fusedSize(present, config));
  return {
    rows: (posterior, entities) => {
      const options = drawn.get(posterior);
      if (options === undefined) return null;
      return tf.tidy(() => noiseRows(tf.tensor1d(entities, 'int32'), options));
    },
  };
}

/** Dropout of one epoch: the same mask whenever the same network is run again in that epoch. */
export function epochDropout(rate: number, random: Random): DropoutSource {
  if (rate === 0) return (x) => x;
  const seeds = {
    graphMean: random.fork('graphMean').seed32(),
    graphScale: random.fork('graphScale').seed32(),
  };
  return (x, encoder) => dropout(x, rate, seeds[encoder]) as tf.Tensor2D;
}
