/**
 * How much memory a training will need, said before it starts.
 */
import { type AlignmentTask, type MemoryExpectation, memoryExpectation } from '@lab/alignment';
import type { LoginmeaConfig } from './config.js';

/** Arrays of the common width per entity at the peak, by what there is: measured, see below. */
const TABLE_ARRAYS = 5;
const STRUCTURE_ARRAYS_PER_LAYER = 4;
const JOINT_ARRAYS = 14;
const MODALITY_ARRAYS = 7;
/** Arrays of the final width per seed pair: rows, their gradients, packed copies. */
const PAIR_ARRAYS = 6;
/** Bytes of code, tables and fragments that do not depend on the data. */
const BASE_BYTES = 48e6;

/** The memory that a training will need on the selected backend. */
export function expectedMemory(task: AlignmentTask, config: LoginmeaConfig): MemoryExpectation {
  return memoryExpectation(estimateTensorBytes(task, config), 'kept');
}

/**
 * Bytes that the tensor backend will hold at the peak of a training, within about a fifth: entity
 * table with moments and gradient, states of the layers with gradients, rows of the modalities, and
 * the rows of the loss.
 */
export function estimateTensorBytes(
  { data, split }: AlignmentTask,
  { data: config, model, training }: LoginmeaConfig,
): number {
  const has = (name: 'image' | 'relation' | 'attribute') =>
    config.modalities.includes(name) &&
    (name === 'relation' || (name === 'image' ? data.images : data.attributes) !== null);
  const features = (['image', 'relation', 'attribute'] as const).filter(has).length;
  const hasGraph = config.modalities.includes('graph');
  const layers = model.layers * STRUCTURE_ARRAYS_PER_LAYER;
  const structure = hasGraph || features === 0 ? TABLE_ARRAYS + layers : 0;
  const joint = features === 0 ? 0 : JOINT_ARRAYS + layers + MODALITY_ARRAYS * features;
  const width = (hasGraph ? model.layers + 1 : 0) + (features === 0 ? 0 : features + model.layers);
  const perEntity = (structure + joint + 3 * width) * model.size;
  const images = has('image') ? 2 * data.images!.dimension : 0;
  const pairs = Math.min(training.batchSize, split.seeds.length / 2);
  const edges = 2 * data.triples.heads.length;
  return (
    BASE_BYTES +
    4 *
      (data.entityCount * (perEntity + images) +
        PAIR_ARRAYS * pairs * width * model.size +
        12 * edges)
  );
}
