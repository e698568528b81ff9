import { type AlignmentTask, createTraining, type TrainingState } from '@lab/alignment';
import { createRandom, resolveConfig } from '@lab/core';
import { type AlignmentData, splitLinks, syntheticPair } from '@lab/graph';
import type { tf } from '@lab/tensor';
import { type LoginmeaConfig, loginmeaConfig } from '../config.js';
import type { LoginmeaLearner } from '../learner.js';
import { loginmea } from '../method.js';

/** The values of a tensor as plain numbers. */
export const valuesOf = (x: tf.Tensor): number[] => Array.from(x.dataSync());

/** Sizes that make a training of some epochs a matter of milliseconds. */
export const smallSettings = {
  'model.size': 12,
  'model.rank': 2,
  'evaluation.baseline': false,
} as const;

/** A small configuration; `settings` are paths. */
export function smallConfig(
  settings: Readonly<Record<string, unknown>> = {},
  mode: 'official' | 'corrected' = 'corrected',
): LoginmeaConfig {
  return smallResolved(settings, mode).config;
}

/** The same with the origin of every value. */
export function smallResolved(
  settings: Readonly<Record<string, unknown>> = {},
  mode: 'official' | 'corrected' = 'corrected',
) {
  return resolveConfig(loginmeaConfig, { mode, flags: { ...smallSettings, ...settings } });
}

/** Two generated graphs of 40 entities each, without images. */
export function smallData(entities = 40): AlignmentData {
  const random = createRandom(11).fork('small task');
  return { ...syntheticPair({ entities, attributes: 40, random }), name: 'small pair' };
}

/** The graphs with an image vector for every second entity. */
export function withImages(data: AlignmentData, dimension = 5): AlignmentData {
  const entities = Int32Array.from({ length: data.entityCount / 2 }, (_, row) => 2 * row);
  const vectors = new Float32Array(entities.length * dimension);
  createRandom(12).fillNormal(vectors);
  return { ...data, images: { dimension, entities, vectors } };
}

/** The graphs without attributes. */
export function withoutAttributes(data: AlignmentData): AlignmentData {
  return { ...data, attributes: null };
}

/** A small task: half of the links are seeds. */
export async function smallTask(data = smallData(), validationShare = 0): Promise<AlignmentTask> {
  return { data, split: await splitLinks(data, { share: 0.5, validationShare }) };
}

/** A fresh training; the caller disposes it. */
export function smallTraining(
  task: AlignmentTask,
  config: LoginmeaConfig,
): TrainingState<LoginmeaConfig, LoginmeaLearner> {
  // The graphs are small, so that the layout is whole.
  return createTraining(loginmea, task, config) as TrainingState<LoginmeaConfig, LoginmeaLearner>;
}
