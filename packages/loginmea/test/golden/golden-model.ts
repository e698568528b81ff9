/** Our model with the inputs and starts of the golden files. */
import { createRandom } from '@lab/core';
import type { LoadableArray, tf } from '@lab/tensor';
import { type Features } from '../../src/encoders.js';
import { type Modality, modalities, type PerModality } from '../../src/modalities.js';
import { type ModelSettings } from '../../src/model-settings.js';
import { createModel, type LoginmeaModel, type ModelInputs } from '../../src/model.js';
import { createRelationGraph } from '../../src/relation-attention.js';
import { arrayOf, type Golden, numbersOf, sparseOf, tensorOf } from './golden-file.js';

/** What a golden file was made with. */
export interface GoldenCase {
  readonly file: string;
  readonly present: readonly Modality[];
  /** Modalities that an entity lacks are masked. */
  readonly isMasked: boolean;
  /** Repeated lines are dropped. */
  readonly isDistinct: boolean;
  /** Proxies of the matching; default none. */
  readonly proxies?: number;
  /** Epochs in the file. */
  readonly steps: number;
}

export const goldenCases: readonly GoldenCase[] = [
  { file: 'official', present: modalities, isMasked: false, isDistinct: false, steps: 10 },
  { file: 'corrected', present: modalities, isMasked: false, isDistinct: true, steps: 10 },
  { file: 'masked', present: modalities, isMasked: true, isDistinct: true, steps: 3 },
  { file: 'bare', present: modalities, isMasked: true, isDistinct: true, steps: 3 },
  { file: 'proxy', present: modalities, isMasked: false, isDistinct: true, proxies: 5, steps: 3 },
  {
    file: 'noimage',
    present: ['relation', 'attribute'],
    isMasked: false,
    isDistinct: false,
    steps: 3,
  },
];

/** Widths of the problem. */
const sizes = { size: 8, rank: 4, layers: 2 };

/** A model with its inputs; `dispose()` frees both. */
export interface GoldenModel {
  readonly inputs: ModelInputs;
  readonly model: LoginmeaModel;
  dispose(): void;
}

function triplesOf(problem: Golden, isDistinct: boolean) {
  const flat = numbersOf(problem, 'triples');
  const lines = Array.from({ length: flat.length / 3 }, (_, e) => flat.slice(3 * e, 3 * e + 3));
  const kept = isDistinct
    ? [...new Map(lines.map((line) => [line.join(' '), line])).values()]
    : lines;
  const column = (at: number) => Int32Array.from(kept, (line) => line[at]!);
  return { heads: column(0), relations: column(1), tails: column(2), leftCount: 0 };
}

function featuresOf(golden: Golden, modality: Modality): Features {
  const key = `features.${modality}`;
  return modality === 'image' ? tensorOf<tf.Tensor2D>(golden, key) : sparseOf(golden, key);
}

/** The start of one parameter: from the problem, or, of what an option adds, from the file. */
export function startOf(problem: Golden, golden: Golden, name: string): LoadableArray {
  const key = `param.${name}`;
  const file = problem[key] === undefined ? golden : problem;
  return { shape: arrayOf(file, key).shape, data: numbersOf(file, key) };
}

/** The graph from the lines, features and mask from the file, starts from the problem. */
export function goldenModel(
  problem: Golden,
  golden: Golden,
  { present, isMasked, isDistinct, proxies = 0 }: GoldenCase,
  settings: Pick<ModelSettings, 'variant' | 'proxies'> = {},
): GoldenModel {
  const features: PerModality<Features> = {};
  for (const modality of present) features[modality] = featuresOf(golden, modality);
  const available = isMasked ? tensorOf<tf.Tensor2D>(golden, 'available') : null;
  const [entityCount] = arrayOf(golden, 'available').shape as [number, number];
  const graph = createRelationGraph({ entityCount, triples: triplesOf(problem, isDistinct) });
  const inputs = { graph, features, available };
  const model = createModel(inputs, { ...sizes, proxies, ...settings }, createRandom(0));
  const start: Record<string, LoadableArray> = {};
  for (const name of model.parameters.names()) {
    start[name] = startOf(problem, golden, name);
  }
  model.parameters.load(start);
  return {
    inputs,
    model,
    dispose() {
      model.dispose();
      graph.dispose();
      available?.dispose();
      for (const matrix of Object.values(features)) matrix.dispose();
    },
  };
}
