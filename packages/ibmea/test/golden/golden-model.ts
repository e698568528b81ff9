/** The golden files as inputs of our model: parameters, features, noise and masks of each step. */
import { join } from 'node:path';
import type { Modality, SeedBatch } from '@lab/alignment';
import { resolveConfig } from '@lab/core';
import { createCsr, gatherRows, maskedDropout, tf } from '@lab/tensor';
import { type ArrayRecord, readNpz } from '@lab/tensor/io';
import { type IbmeaConfig, ibmeaConfig } from '../../src/config.js';
import type { DropoutSource } from '../../src/encoders.js';
import { createModel, type IbmeaModel } from '../../src/model.js';
import type { ModelInputs } from '../../src/model-inputs.js';
import type { EpochNoise } from '../../src/noise.js';
import { createRandom } from '@lab/core';

export type Golden = Record<string, ArrayRecord>;

export const goldenModalities = ['image', 'attribute', 'relation', 'graph'] as const;

/** The arrays of one golden file. */
export async function readGolden(name: string): Promise<Golden> {
  return readNpz(join(import.meta.dirname, name));
}

/** One array, or an error that names it. */
export function arrayOf(golden: Golden, key: string): ArrayRecord {
  const array = golden[key];
  if (array === undefined) throw new Error(`the golden file has no array "${key}"`);
  return array;
}

/** Its values as plain numbers. */
export function numbersOf(golden: Golden, key: string): number[] {
  return Array.from(arrayOf(golden, key).data as ArrayLike<number>, Number);
}

function matrixOf(golden: Golden, key: string): tf.Tensor2D {
  const { shape } = arrayOf(golden, key);
  return tf.tensor2d(Float32Array.from(numbersOf(golden, key)), shape as [number, number]);
}

/** A dense array as CSR with explicit values. */
function sparseOf(golden: Golden, key: string) {
  const [rowCount, columnCount] = arrayOf(golden, key).shape as [number, number];
  const dense = numbersOf(golden, key);
  const rowPointers = new Int32Array(rowCount + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < rowCount; i += 1) {
    for (let j = 0; j < columnCount; j += 1) {
      const value = dense[i * columnCount + j]!;
      if (value === 0) continue;
      columns.push(j);
      values.push(value);
    }
    rowPointers[i + 1] = columns.length;
  }
  return createCsr({
    rowCount,
    columnCount,
    rowPointers,
    columns: Int32Array.from(columns),
    values: Float32Array.from(values),
  });
}

/** The undirected pattern with self loops, from the file's sorted pairs. */
function patternOf(golden: Golden, entityCount: number) {
  const edges = numbersOf(golden, 'edges');
  const rowPointers = new Int32Array(entityCount + 1);
  const columns = new Int32Array(edges.length / 2);
  for (let e = 0; e < columns.length; e += 1) {
    rowPointers[edges[2 * e]! + 1]! += 1;
    columns[e] = edges[2 * e + 1]!;
  }
  for (let i = 0; i < entityCount; i += 1) rowPointers[i + 1]! += rowPointers[i]!;
  return createCsr({ rowCount: entityCount, columnCount: entityCount, rowPointers, columns });
}

/** The bottlenecks that the golden files were made with, in both modes. */
const goldenBottlenecks = {
  'model.initialScale': 1,
  'loss.graphBeta': 0.001,
  'loss.relationBeta': 0.01,
  'loss.attributeBeta': 0.001,
};

/** The configuration that the golden files were made with. */
export function goldenConfig(mode: 'official' | 'corrected', clip: number): IbmeaConfig {
  const flags = {
    ...goldenBottlenecks,
    'model.graphSize': 16,
    'model.featureSize': 8,
    'model.unusedSlots': false,
    'training.learningRate': 5e-3,
    'training.schedule': 'constant',
    'training.clip': clip,
  };
  return resolveConfig(ibmeaConfig, { mode, preset: 'dbp15k', flags }).config;
}

/** Our model with the file's features and parameters. */
export function goldenModel(golden: Golden, config: IbmeaConfig, isRecomputed = false): IbmeaModel {
  const entityCount = arrayOf(golden, 'sides').shape[0]!;
  const parts = {
    neighbours: patternOf(golden, entityCount),
    image: matrixOf(golden, 'features.image'),
    relation: sparseOf(golden, 'features.relation'),
    attribute: sparseOf(golden, 'features.attribute'),
  };
  const inputs: ModelInputs = {
    entityCount,
    ...parts,
    dispose: () => Object.values(parts).forEach((part) => part.dispose()),
  };
  const model = createModel(config, inputs, { random: createRandom(0), isRecomputed });
  const start: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const name of model.parameters.names()) {
    const { shape } = arrayOf(golden, `param.${name}`);
    start[name] = { shape, data: Float32Array.from(numbersOf(golden, `param.${name}`)) };
  }
  model.parameters.load(start);
  return model;
}

/** The noise of one step, as the file has it. */
export function goldenNoise(golden: Golden, step: number): EpochNoise & { dispose(): void } {
  const draws = new Map<Modality | 'joint', tf.Tensor2D>(
    goldenModalities.map((modality) => [
      modality,
      matrixOf(golden, `step${step}.noise.${modality}`),
    ]),
  );
  return {
    rows: (modality, entities) =>
      tf.tidy(() => gatherRows(draws.get(modality)!, tf.tensor1d(entities, 'int32'))),
    dispose: () => draws.forEach((draw) => draw.dispose()),
  };
}

/** The dropout masks of one step, as the file has them. */
export function goldenDropout(golden: Golden, step: number, rate: number): DropoutSource {
  return (x, encoder) =>
    maskedDropout(x, matrixOf(golden, `step${step}.mask.${encoder}`), rate) as tf.Tensor2D;
}

/** The seed batches of one step in the file's order. */
export function goldenBatches(golden: Golden, step: number): SeedBatch[] {
  const seeds = numbersOf(golden, 'seeds');
  const [, count] = arrayOf(golden, 'batches').shape as [number, number];
  const order = numbersOf(golden, 'batches').slice(step * count, (step + 1) * count);
  const size = numbersOf(golden, 'batchSize')[0]!;
  const batches: SeedBatch[] = [];
  for (let start = 0; start < count; start += size) {
    const rows = order.slice(start, start + size);
    batches.push({
      left: Int32Array.from(rows, (row) => seeds[2 * row]!),
      right: Int32Array.from(rows, (row) => seeds[2 * row + 1]!),
    });
  }
  return batches;
}
