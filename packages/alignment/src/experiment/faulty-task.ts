/**
 * The task of a cell: fewer seeds, and data with a deliberate fault.
 */
import { createRandom } from '@lab/core';
import {
  addImageNoise,
  dropImages,
  flipAttributes,
  flipFeatures,
  noiseImages,
  swapAttributeRows,
  swapFeatureRows,
  swapImages,
} from '@lab/graph';
import type { AlignmentConfig } from '../config-fields.js';
import type { AlignmentTask } from '../data.js';
import { relationBags } from '../features.js';
import type { AblationCell, Corruption } from './cell.js';

/** The task of one cell; its fault depends on the seed of the config alone. */
export function cellTask(
  task: AlignmentTask,
  cell: AblationCell,
  config: AlignmentConfig,
): AlignmentTask {
  return corruptedTask(fewerSeeds(task, cell.seedShare ?? 1), cell, config);
}

/** The task with only the first share of its seeds; the test pairs stay. */
function fewerSeeds(task: AlignmentTask, share: number): AlignmentTask {
  if (share >= 1) return task;
  const count = Math.max(2, Math.round((task.split.seeds.length / 2) * share));
  return { ...task, split: { ...task.split, seeds: task.split.seeds.slice(0, 2 * count) } };
}

/** The task with the cell's fault. */
function corruptedTask(
  task: AlignmentTask,
  { corruption }: AblationCell,
  config: AlignmentConfig,
): AlignmentTask {
  if (corruption === undefined) return task;
  const { kind, probability, strength } = corruption;
  const random = createRandom(config.seed).fork('corruption');
  const fault = { probability, random };
  const ofRelations = { probability, random: random.fork('relations') };
  const bags = () => relationBags(task, config.data);
  const faults: Record<Corruption['kind'], () => Partial<AlignmentTask>> = {
    'swap-rows': () => ({
      data: swapAttributeRows(task.data, { probability, random: random.fork('attributes') }),
      relationBags: swapFeatureRows(bags(), task.data, ofRelations),
    }),
    'flip-attributes': () => ({ data: flipAttributes(task.data, fault) }),
    'flip-relations': () => ({ relationBags: flipFeatures(bags(), ofRelations) }),
    'noise-images': () => ({ data: noiseImages(task.data, fault) }),
    'drop-images': () => ({ data: dropImages(task.data, fault) }),
    'swap-images': () => ({ data: swapImages(task.data, fault) }),
    'blur-images': () => ({
      data: addImageNoise(task.data, { ...fault, strength: strength ?? 1 }),
    }),
  };
  return { ...task, ...faults[kind]() };
}
