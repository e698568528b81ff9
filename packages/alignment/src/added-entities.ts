/**
 * Entities that come after the training: vectors for them without another training.
 *
 * Everything that a model has learnt belongs to relations, attributes and modalities, but for the
 * table with a row per entity. A second learner is made on the graphs with the added entities and
 * takes over what was learnt; the row of an added entity is the mean of its neighbours' rows.
 */
import { checkOptions, type OptionFields } from '@lab/core';
import { type AlignmentData, type ExtendedData, neighbourGraph } from '@lab/graph';
import type { ParameterArray } from '@lab/tensor';
import { z } from 'zod';
import { type AlignedPair, alignEntities, alignFields, type AlignOptions } from './align.js';
import { candidateTable } from './candidate-table.js';
import { callFields } from './call-fields.js';
import type { AlignmentConfig } from './config-fields.js';
import type { ConfidenceModel } from './confidence.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { createTraining } from './create-training.js';
import type { TrainingState } from './training-state.js';

/** Rounds in which rows pass along links between added entities. */
const ROUNDS = 10;

/** A trained model on the graphs with added entities; the caller disposes `state`. */
export interface ExtendedTraining<
  C extends AlignmentConfig = AlignmentConfig,
  L extends Learner = Learner,
> {
  readonly state: TrainingState<C, L>;
  /** Added entities that no path of new triples joins to a known one; theirs is the mean row. */
  readonly isolated: Int32Array;
}

/**
 * The model of a training on its graphs with added entities, without training: all parameters are
 * kept, an added entity starts from the mean of its neighbours' rows.
 *
 * @param state - a trained model; it stays the caller's.
 * @param data - its data with added entities, from `readAddedEntities`.
 */
export async function extendTraining<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  state: TrainingState<C, L>,
  data: ExtendedData,
): Promise<ExtendedTraining<C, L>> {
  const baseCount = state.task.data.entityCount;
  const trained = await state.learner.parameters.toArrays();
  const extended = createTraining(method, { data, split: state.task.split }, state.config);
  try {
    const { parameters } = extended.learner;
    for (const name of parameters.names()) {
      const [rows] = parameters.get(name).shape;
      const array = trained[name];
      const isTable = array?.shape[0] === baseCount && rows === data.entityCount;
      if (isTable) trained[name] = extendedTable(array, data, baseCount);
    }
    parameters.load(trained);
    extended.epoch = state.epoch;
    extended.seeds = state.seeds;
    const distances = linkDistances(data, baseCount);
    const isolated = range(baseCount, data.entityCount).filter((one) => distances[one] === -1);
    return { state: extended, isolated };
  } catch (error) {
    extended.dispose();
    throw error;
  }
}

/** A table `[N, D]` as `[N', D]`. */
function extendedTable(
  { shape, data: values }: ParameterArray,
  data: ExtendedData,
  baseCount: number,
): ParameterArray {
  const width = shape[1] ?? 1;
  return {
    shape: [data.entityCount, ...shape.slice(1)],
    data: extendRows(data, { values, width, baseCount }),
  };
}

/** What the rows of known entities are, and what the added ones are linked to. */
export interface TableExtension {
  /** Rows of the known entities, `[N, D]`. */
  readonly values: Float32Array;
  readonly width: number;
  /** Known entities, N. */
  readonly baseCount: number;
}

/**
 * Rows of all entities, `[N', D]`: those of known entities as they are; of an added one the mean of
 * its neighbours' rows, each neighbour once. Rows pass along links between added entities for some
 * rounds; an entity that no path joins to a known one has the mean of all rows.
 */
export function extendRows(
  data: Pick<AlignmentData, 'entityCount' | 'triples'>,
  { values, width, baseCount }: TableExtension,
): Float32Array {
  const rows = new Float32Array(data.entityCount * width);
  rows.set(values);
  const { rowPointers, columns } = neighbourGraph(data, { selfLoops: false });
  const distances = linkDistances(data, baseCount);
  const mean = meanRow(rows, { width, entities: range(0, baseCount) });
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = round === 0 ? rows : rows.slice();
    for (let entity = baseCount; entity < data.entityCount; entity += 1) {
      const around = columns.subarray(rowPointers[entity], rowPointers[entity + 1]);
      const hasRow = (one: number) => distances[one]! >= 0 && distances[one]! <= round;
      const entities = around.filter((one) => one !== entity && hasRow(one));
      if (entities.length > 0) rows.set(meanRow(before, { width, entities }), entity * width);
      else rows.set(mean, entity * width);
    }
  }
  return rows;
}

function meanRow(
  rows: Float32Array,
  { width, entities }: { readonly width: number; readonly entities: Int32Array },
): Float32Array {
  const sum = new Float64Array(width);
  for (const entity of entities) {
    for (let d = 0; d < width; d += 1) sum[d] = sum[d]! + rows[entity * width + d]!;
  }
  return Float32Array.from(sum, (value) => value / entities.length);
}

/** Links between each entity and the nearest of the first `baseCount`; -1 where no path leads. */
function linkDistances(
  data: Pick<AlignmentData, 'entityCount' | 'triples'>,
  baseCount: number,
): Int32Array {
  const { rowPointers, columns } = neighbourGraph(data, { selfLoops: false });
  const distances = new Int32Array(data.entityCount).fill(-1).fill(0, 0, baseCount);
  let front = range(baseCount, data.entityCount);
  for (let distance = 1; front.length > 0; distance += 1) {
    const reached = front.filter((entity) =>
      columns
        .subarray(rowPointers[entity], rowPointers[entity + 1])
        .some((other) => distances[other] === distance - 1),
    );
    if (reached.length === 0) break;
    for (const entity of reached) distances[entity] = distance;
    front = front.filter((entity) => distances[entity] === -1);
  }
  return distances;
}

const range = (start: number, end: number) =>
  Int32Array.from({ length: end - start }, (_, at) => start + at);

/** Options of {@link alignAdded}. */
export interface AddedAlignOptions extends AlignOptions {
  readonly confidence?: ConfidenceModel | null | undefined;
}

const addedSchema = z.strictObject({
  ...alignFields,
  confidence: callFields.confidence,
} satisfies OptionFields<AddedAlignOptions>);

/**
 * Pairs of added entities alone: each with its counterpart among all entities of the other graph
 * without a seed. Scores are as in an alignment of all entities.
 *
 * @param state - an extended training.
 * @param added - its added entities, all of one graph.
 */
export async function alignAdded(
  state: TrainingState,
  added: Int32Array,
  options: AddedAlignOptions = {},
): Promise<AlignedPair[]> {
  checkOptions('alignment/alignAdded', options, addedSchema);
  const asking = new Set(added);
  const isRight = added.length > 0 && state.task.data.sides[added[0]!] === 2;
  const side = isRight ? 'target' : 'source';
  const table = await candidateTable(state, { side, signal: options.signal });
  const { confidence = null, matching, minConfidence } = options;
  const pairs = alignEntities(table, confidence, { matching, minConfidence });
  const own = pairs.filter(({ source }) => asking.has(source));
  if (!isRight) return own;
  return own.map((pair) => ({ ...pair, source: pair.target, target: pair.source }));
}
