/**
 * The method as the training loop takes it, for graphs whose tensors would not fit: entity table,
 * moments, inputs and states stay in the host's memory, and rows travel in blocks.
 */
import {
  type AlignmentTask,
  type Encoding,
  entityFeatures,
  type EntitySides,
  type HostEmbedOptions,
  type HostSides,
  type Learner,
  type LearnerStep,
  type Modality,
} from '@lab/alignment';
import { ModelError, type Random } from '@lab/core';
import {
  type AdamW,
  createCsr,
  HostRows,
  l2NormalizeRows,
  type LoadableArray,
  type ParameterArray,
  type Parameters,
  tf,
} from '@lab/tensor';
import { csrRows, normalizeRowsInPlace } from '@lab/graph';
import { embedBlocks } from './blockwise-embed.js';
import { type BlockwiseModel, createBlockwiseModel, loadBlockwise } from './blockwise-model.js';
import {
  type BlockwiseOptimizer,
  blockwiseTrainStep,
  createBlockwiseOptimizer,
} from './blockwise-step.js';
import type { LoginmeaConfig } from './config.js';
import { encodeModality, encoderParameters } from './encoders.js';
import { epochRecord, planEpoch } from './epoch-plan.js';
import { createHostGraph, type HostFeatures, type HostInputs } from './host-inputs.js';
import { modelSettings } from './learner.js';
import { type PerModality, presentModalities } from './modalities.js';

/** A LoginMEA model in training, its large parts in the host's memory. */
export interface BlockwiseLearner extends Learner {
  readonly model: BlockwiseModel;
}

/** What a step changes. */
interface Training {
  readonly task: AlignmentTask;
  readonly config: LoginmeaConfig;
  readonly model: BlockwiseModel;
  readonly budgetBytes: number;
  optimizer: BlockwiseOptimizer;
}

/**
 * A learner with fresh parameters: the values and the numbers of `createLearner`, up to rounding.
 *
 * @throws {ConfigError} as `createLearner`, for `propagation: gcn`, and in a step for the loss
 *   `hard-sample`, which reads all entities.
 */
export function createBlockwiseLearner(
  task: AlignmentTask,
  config: LoginmeaConfig,
  random: Random,
): BlockwiseLearner {
  const inputs = hostInputs(task, config, random.fork('images'));
  const settings = modelSettings(config, inputs.features);
  const model = createBlockwiseModel(inputs, settings, random.fork('parameters'));
  const { weightDecay, blockMegabytes } = config.training;
  const optimizer = createBlockwiseOptimizer(model, weightDecay);
  const budgetBytes = blockMegabytes * 1e6;
  const training: Training = { task, config, model, budgetBytes, optimizer };
  const hasGraph = model.settings.encoders !== 'joint';
  const modalities: Modality[] = [...model.modalities, ...(hasGraph ? ['graph' as const] : [])];
  return {
    model,
    modalities,
    parameters: allParameters(model),
    get optimizer() {
      return bothMoments(training);
    },
    step: (input) => step(training, input),
    encode: () => encodeBlocks(training),
    savedState: () => null,
    restoreState: () => {},
    dispose: () => {
      training.optimizer.dispose();
      model.dispose();
    },
  };
}

/** What the model reads, as arrays. */
function hostInputs(
  task: AlignmentTask,
  { data: config }: LoginmeaConfig,
  random: Random,
): HostInputs {
  const { image, relation, attribute } = entityFeatures(task, config, random);
  const features: PerModality<HostFeatures> = {};
  const rowCount = task.data.entityCount;
  if (image !== null) {
    features.image = { rowCount, columnCount: image.dimension, values: image.values };
  }
  if (relation !== null) features.relation = relation;
  if (attribute !== null) features.attribute = attribute;
  const present = image?.present ?? null;
  if (present === null) return { graph: createHostGraph(task.data), features, available: null };
  const names = presentModalities(features);
  const available = new Float32Array(rowCount * names.length).fill(1);
  const column = names.indexOf('image');
  present.forEach((flag, entity) => {
    available[entity * names.length + column] = flag;
  });
  return { graph: createHostGraph(task.data), features, available };
}

/** The small parameters and the entity table as one set, to be saved and loaded. */
function allParameters(model: BlockwiseModel): Parameters {
  const { parameters, entity } = model;
  const table = (): ParameterArray => ({
    shape: [entity.rowCount, entity.columnCount],
    data: entity.values.slice(),
  });
  const hasTable = entity.rowCount > 0;
  return {
    ...parameters,
    count: () => parameters.count() + entity.rowCount * entity.columnCount,
    toArrays: async () => ({
      ...(hasTable ? { entity: table() } : {}),
      ...(await parameters.toArrays()),
    }),
    load: (record) => loadBlockwise(model, record),
  };
}

/** The moments of both optimisers as one state, to be saved and loaded. */
function bothMoments({ optimizer, model }: Training): AdamW {
  const { entity } = model;
  const array = (data: Float32Array): ParameterArray => ({
    shape: [entity.rowCount, entity.columnCount],
    data: data.slice(),
  });
  const { parameters, entity: table } = optimizer;
  return {
    step: () => {
      throw new ModelError('loginmea/blockwise-learner: steps are taken by the learner.');
    },
    get stepCount() {
      return optimizer.stepCount;
    },
    state: async () => ({
      'entity/first': array(table.moments.first),
      'entity/second': array(table.moments.second),
      ...(await parameters.state()),
    }),
    loadState: (record, stepCount) => {
      const { 'entity/first': first, 'entity/second': second, ...rest } = record;
      const values = (saved: LoadableArray | undefined) =>
        Float32Array.from((saved?.data ?? []) as ArrayLike<number>);
      table.loadState({ first: values(first), second: values(second) }, stepCount);
      parameters.loadState(rest, stepCount);
    },
    dispose: () => {},
  };
}

/** One optimiser step over all seed batches, shuffled, and what is recorded of it. */
async function step(training: Training, input: LearnerStep) {
  const { task, config, model, budgetBytes } = training;
  const plan = planEpoch(task, config, input);
  if (plan.isReset) {
    training.optimizer.dispose();
    training.optimizer = createBlockwiseOptimizer(model, config.training.weightDecay);
  }
  const losses = await blockwiseTrainStep(model, training.optimizer, { ...plan, budgetBytes });
  return epochRecord(model, plan, losses);
}

/** The model as it is; entities are embedded when their rows are asked for. */
function encodeBlocks(training: Training): Encoding {
  const asTensor = ({ values, rowCount, columnCount }: HostRows) =>
    tf.tensor2d(values, [rowCount, columnCount]);
  return {
    embed: async (sides) => {
      const rows = await embedSides(training, sides);
      const [left, right] = [[asTensor(rows.left)], [asTensor(rows.right)]];
      return { left, right, dispose: () => tf.dispose([...left, ...right]) };
    },
    embedHost: (sides, options) => embedSides(training, sides, options),
    modalityRows: async (modality, entities) => {
      const { model } = training;
      if (modality !== 'graph') return featureRows(model, modality, entities);
      const { layers, size } = model.settings;
      const rows = asTensor(await embedRows(training, entities));
      const structure = tf.tidy(() =>
        l2NormalizeRows(tf.slice(rows, [0, 0], [-1, (layers + 1) * size])),
      );
      rows.dispose();
      return structure;
    },
    dispose: () => {},
  };
}

/** Final rows of some entities at length 1, in their order; an entity may occur twice. */
async function embedRows(
  { model, budgetBytes }: Training,
  entities: Int32Array,
  options: HostEmbedOptions = {},
): Promise<HostRows> {
  const rows = new HostRows(entities.length, model.width);
  const places = new Map<number, number[]>();
  entities.forEach((entity, place) => {
    const known = places.get(entity);
    if (known === undefined) places.set(entity, [place]);
    else known.push(place);
  });
  if (places.size === 0) return rows;
  const distinct = Int32Array.from(places.keys());
  for await (const block of embedBlocks(model, { ...options, entities: distinct, budgetBytes })) {
    normalizeRowsInPlace(block.rows, model.width);
    block.entities.forEach((entity, at) => {
      const row = block.rows.subarray(at * model.width, (at + 1) * model.width);
      for (const place of places.get(entity)!) {
        rows.values.subarray(place * model.width, (place + 1) * model.width).set(row);
      }
    });
  }
  return rows;
}

/** Final rows of both sides, computed in one pass over the entities that they receive from. */
async function embedSides(
  training: Training,
  { left, right }: EntitySides,
  options?: HostEmbedOptions,
): Promise<HostSides> {
  const entities = new Int32Array(left.length + right.length);
  entities.set(left);
  entities.set(right, left.length);
  const { values, columnCount } = await embedRows(training, entities, options);
  const border = left.length * columnCount;
  return {
    left: new HostRows(left.length, columnCount, values.subarray(0, border)),
    right: new HostRows(right.length, columnCount, values.subarray(border)),
  };
}

/** z_m of some entities at length 1. */
function featureRows(
  { inputs, parameters }: BlockwiseModel,
  modality: Exclude<Modality, 'graph'>,
  entities: Int32Array,
): tf.Tensor2D {
  const features = inputs.features[modality]!;
  return tf.tidy(() => {
    const weights = encoderParameters(parameters, modality);
    if (!('rowPointers' in features)) {
      const { columnCount, values } = features;
      const rows = new Float32Array(entities.length * columnCount);
      entities.forEach((entity, row) => {
        const start = entity * columnCount;
        rows.set(values.subarray(start, start + columnCount), row * columnCount);
      });
      const dense = tf.tensor2d(rows, [entities.length, columnCount]);
      return l2NormalizeRows(encodeModality(dense, weights));
    }
    const sparse = createCsr(csrRows(features, entities));
    const rows = l2NormalizeRows(encodeModality(sparse, weights));
    sparse.dispose();
    return rows;
  });
}
