/**
 * The forward pass cut into stages, and each stage into blocks of rows that are computed by
 * themselves.
 */
import {
  type BlockLimit,
  type Blocks,
  createReflectionPattern,
  csrBlocks,
  csrRows,
  type Neighbourhood,
  pairBlocks,
  reflectionAttention,
  type ReflectionPattern,
  reflectionWeights,
  relationVectors,
} from '@lab/graph';
import {
  createCsr,
  type CsrTensors,
  csrMatMul,
  type HostRows,
  segmentSoftmax,
  tf,
} from '@lab/tensor';
import type { BlockwiseModel } from './blockwise-model.js';
import type { BlockwiseStates } from './blockwise-states.js';
import { encoderParameters } from './encoders.js';
import { featureBlock, type FeatureBlock, type HostInputs } from './host-inputs.js';
import { sharedInteraction } from './local-interaction.js';
import { type RelationEncoder, relationKernels } from './relation-attention.js';

/** Rows of one state as a function of rows of another. */
export interface BlockWork {
  /** The rows that are read; null: features alone are. */
  readonly reads: { readonly from: HostRows; readonly rows: Int32Array } | null;
  /** Where the result goes, at the rows of the block; null: to the caller. */
  readonly writes: HostRows | null;
  /** The parameters that the result depends on. */
  readonly variables: readonly tf.Tensor[];
  /** Rows of the result from the rows read. */
  run(input: tf.Tensor2D | null): tf.Tensor2D;
}

/** A block of a stage on the backend; dispose it when all of its work is done. */
export interface StageBlock {
  /** Local numbers of the entities of the result. */
  readonly rows: Int32Array;
  readonly works: readonly BlockWork[];
  dispose(): void;
}

/** One stage of the forward pass. */
export type Stage = Blocks<StageBlock>;

/** What stages are made for. */
export interface StageContext {
  readonly model: BlockwiseModel;
  readonly near: Neighbourhood;
  readonly states: BlockwiseStates;
  /** Bytes of tensors that a block may take, about. */
  readonly budgetBytes: number;
}

/**
 * Rows of D floats that a block holds at the peak of its backward pass, as measured on wasm with 2
 * modalities.
 */
const MEAN_COST = { row: 3, source: 3 };
const REFLECTION_COST = { row: 4, source: 3, set: 4 };
const LOCAL_COST = { row: 6, perModality: 6 };
const EARLY_COST = { row: 2, perModality: 5 };
/** Largest share of distinct feature rows in a block at which they stand once. */
const MOST_DISTINCT = 0.8;
/** Rows of D floats that the products of distinct rows may take for each entity and modality. */
const PRODUCT_ROWS = 5.5;
/** Floats and integers of a pair in patterns, weights and their gradients. */
const PAIR_NUMBERS = 40;

function limitOf(
  { model, budgetBytes }: StageContext,
  rows: { readonly row: number; readonly source: number; readonly set?: number },
): BlockLimit {
  const bytes = 4 * model.settings.size;
  const cost = {
    row: rows.row * bytes,
    source: rows.source * bytes,
    entry: 4 * PAIR_NUMBERS,
    set: (rows.set ?? 0) * bytes,
  };
  return { cost, most: budgetBytes };
}

/**
 * `h^0 = tanh(mean over the entity and its neighbours of e)`: the start of the structure encoder.
 */
export function meanStage(context: StageContext): Stage {
  const { model, near, states } = context;
  const structure = states.encoders.structure?.[0];
  if (structure === undefined) return noStage;
  const blocks = csrBlocks(
    csrRows(model.inputs.graph.mean, near.entities),
    limitOf(context, MEAN_COST),
  );
  const at = (index: number): StageBlock => {
    const { start, end, matrix, columns } = blocks.at(index);
    const mean = createCsr(matrix);
    const work: BlockWork = {
      reads: { from: model.entity, rows: columns },
      writes: structure,
      variables: [],
      run: (entity) => tf.tidy(() => tf.tanh<tf.Tensor2D>(csrMatMul(mean, entity!))),
    };
    return { rows: rangeOf(start, end), works: [work], dispose: () => mean.dispose() };
  };
  return { count: blocks.count, at };
}

/** Layer l of all encoders: `h^l` from `h^(l-1)`; `layer` counts from 1. */
export function reflectionStage(context: StageContext, layer: number): Stage {
  const { model, near, states } = context;
  const limit = limitOf(context, REFLECTION_COST);
  const blocks = pairBlocks(near.layers[layer - 1]!, model.pairs, limit);
  const at = (index: number): StageBlock => {
    const { start, end, sources, pairs } = blocks.at(index);
    const pattern = createReflectionPattern(pairs);
    const works = model.encoders.map((encoder): BlockWork => {
      const rule = ruleOf(model, encoder, layer);
      return {
        reads: { from: states.encoders[encoder]![layer - 1]!, rows: sources },
        writes: states.encoders[encoder]![layer] ?? null,
        variables: rule.variables,
        run: (h) => tf.tidy(() => rule.run(h!, pattern)),
      };
    });
    return { rows: rangeOf(start, end), works, dispose: () => pattern.dispose() };
  };
  return { count: blocks.count, at };
}

/** How a layer of an encoder passes vectors on, and the parameters that it reads. */
interface LayerRule {
  readonly variables: readonly tf.Tensor[];
  run(h: tf.Tensor2D, pattern: ReflectionPattern): tf.Tensor2D;
}

/** The rules of `propagationStates`, for some rows of the result. */
function ruleOf(model: BlockwiseModel, encoder: RelationEncoder, layer: number): LayerRule {
  const { parameters, settings } = model;
  if (settings.propagation === 'mean') {
    return { variables: [], run: (h, { neighbours }) => tf.tanh(meanOfRows(neighbours, h)) };
  }
  const relation = parameters.get('relation') as tf.Tensor as tf.Tensor2D;
  const kernel = relationKernels(parameters, encoder, layer)[layer - 1]!;
  const run = (h: tf.Tensor2D, pattern: ReflectionPattern) => {
    const input = { pattern, setVectors: relationVectors(relation, pattern), kernel };
    if (settings.propagation === 'reflection') return reflectionAttention(h, input);
    return tf.tanh<tf.Tensor2D>(csrMatMul(pattern.neighbours, h, reflectionWeights(input)));
  };
  return { variables: [relation, kernel], run };
}

function meanOfRows(neighbours: CsrTensors, h: tf.Tensor2D): tf.Tensor2D {
  const equal = tf.zeros([neighbours.entryCount]) as tf.Tensor1D;
  return csrMatMul(neighbours, h, segmentSoftmax(equal, neighbours.rows, neighbours.rowCount));
}

/** `h^0 = tanh(f)`: the start of the joint encoder, from the features of the entity alone. */
export function localStage(context: StageContext): Stage {
  const { model, near, states } = context;
  const joint = states.encoders.joint?.[0];
  if (joint === undefined) return noStage;
  return featureStage(context, {
    ...{ entities: near.entities, cost: LOCAL_COST, writes: joint },
    mostDistinct: mostDistinctOf(model.settings),
    variables: model.localNames
      .filter((name) => name !== 'earlyWeights')
      .map((name) => model.parameters.get(name)),
    run: (block) => {
      const { fused } = sharedInteraction(block, model.parameters, model.settings);
      return tf.tanh<tf.Tensor2D>(fused!);
    },
  });
}

/** tanh(g) of the targets. */
export function earlyStage(context: StageContext): Stage {
  const { model, near, states } = context;
  if (model.modalities.length === 0) return noStage;
  return featureStage(context, {
    entities: near.entities.subarray(0, near.rowCounts.at(-1)),
    ...{ cost: EARLY_COST, mostDistinct: MOST_DISTINCT },
    ...{ writes: states.early, variables: earlyVariables(model) },
    run: (block) => {
      const { early } = sharedInteraction(block, model.parameters, { fusion: 'early-only' });
      return tf.tanh<tf.Tensor2D>(early);
    },
  });
}

/**
 * The same for the low-rank fusion, which keeps the products of all K ranks until they are used.
 */
function mostDistinctOf({ fusion, rank }: BlockwiseModel['settings']): number {
  return fusion === 'low-rank' ? Math.min(MOST_DISTINCT, PRODUCT_ROWS / rank) : MOST_DISTINCT;
}

interface FeatureStage {
  readonly entities: Int32Array;
  readonly cost: { readonly row: number; readonly perModality: number };
  readonly mostDistinct: number;
  readonly writes: HostRows | null;
  readonly variables: readonly tf.Tensor[];
  run(block: FeatureBlock): tf.Tensor2D;
}

/** A stage that reads the features of its own entities only. */
function featureStage(
  { model, budgetBytes }: StageContext,
  { entities, cost, mostDistinct, writes, variables, run }: FeatureStage,
): Stage {
  const { modalities, settings } = model;
  const vectors = cost.row + cost.perModality * modalities.length;
  const rowBytes = 4 * (settings.size * vectors + denseColumns(model.inputs));
  const blockRows = Math.max(1, Math.floor(budgetBytes / rowBytes));
  const { numbers, places, entities: ordered } = model.order;
  const locals = new Int32Array(places.length); // local number of each place
  entities.forEach((entity, local) => {
    locals[places[entity]!] = local;
  });
  const sorted = entities.map((entity) => places[entity]!).sort();
  const at = (index: number): StageBlock => {
    const own = sorted.subarray(index * blockRows, (index + 1) * blockRows);
    const entitiesOfBlock = own.map((place) => ordered[place]!);
    const block = featureBlock(model.inputs, entitiesOfBlock, { numbers, mostDistinct });
    const work: BlockWork = {
      reads: null,
      writes,
      variables,
      run: () => tf.tidy(() => run(block)),
    };
    const rows = own.map((place) => locals[place]!);
    return { rows, works: [work], dispose: () => block.dispose() };
  };
  return { count: Math.ceil(entities.length / blockRows), at };
}

function rangeOf(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, i) => start + i);
}

/** Columns of the features that are dense. */
function denseColumns({ features }: HostInputs): number {
  const dense = Object.values(features).filter((matrix) => !('rowPointers' in matrix));
  return dense.reduce((sum, { columnCount }) => sum + columnCount, 0);
}

const noStage: Stage = {
  count: 0,
  at: () => ({ rows: new Int32Array(0), works: [], dispose: () => undefined }),
};

function earlyVariables({ parameters, modalities }: BlockwiseModel): readonly tf.Tensor[] {
  const encoders = modalities.map((modality) => encoderParameters(parameters, modality));
  return [
    parameters.get('earlyWeights'),
    ...encoders.flatMap(({ weight, bias }) => [weight, bias]),
  ];
}
