import { createRandom, resolveConfig } from '@lab/core';
import { type AlignmentData, splitLinks, syntheticPair } from '@lab/graph';
import type { tf } from '@lab/tensor';
import type { AlignmentTask } from '../data.js';
import { createTraining } from '../create-training.js';
import type { TrainingState } from '../training-state.js';
import { type TableConfig, tableConfig } from './table-config.js';
import type { TableLearner } from './table-learner.js';
import { tableMethod } from './table-method.js';

/** The values of a tensor as plain numbers. */
export const valuesOf = (x: tf.Tensor): number[] => Array.from(x.dataSync());

/** Settings of a training of milliseconds. */
export const smallSettings = { 'evaluation.baseline': false } as const;

/** A small configuration; `settings` are paths. */
export function smallConfig(
  settings: Readonly<Record<string, unknown>> = {},
  mode: 'official' | 'corrected' = 'corrected',
): TableConfig {
  return smallResolved(settings, mode).config;
}

/** The same with the origin of every value. */
export function smallResolved(
  settings: Readonly<Record<string, unknown>> = {},
  mode: 'official' | 'corrected' = 'corrected',
) {
  return resolveConfig(tableConfig, { mode, flags: { ...smallSettings, ...settings } });
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

/** A small task: half of the links are seeds. */
export async function smallTask(data = smallData(), validationShare = 0): Promise<AlignmentTask> {
  return { data, split: await splitLinks(data, { share: 0.5, validationShare }) };
}

/** A fresh training of the table method; the caller disposes it. */
export function smallTraining(
  task: AlignmentTask,
  config: TableConfig,
): TrainingState<TableConfig, TableLearner> {
  return createTraining(tableMethod, task, config);
}
