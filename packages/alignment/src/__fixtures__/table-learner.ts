import { ModelError, type Random } from '@lab/core';
import { neighbourGraph, normalizeAdjacency } from '@lab/graph';
import {
  createAdamW,
  createCsr,
  createParameters,
  csrMatMul,
  type CsrTensors,
  gatherRows,
  infoNce,
  l2NormalizeRows,
  linear,
  noiseRows,
  normal,
  type Parameters,
  tf,
  torchLinear,
  valueAndGradients,
} from '@lab/tensor';
import { type Modality, modalities } from '../config-fields.js';
import type { AlignmentTask } from '../data.js';
import { entityFeatures } from '../features.js';
import type {
  EmbeddedSides,
  Encoding,
  EntityUncertainty,
  Learner,
  LearnerStep,
  StepRecord,
} from '../learner.js';
import { type SeedBatch, seedBatches } from '../train.js';
import type { TableConfig } from './table-config.js';

/** What a step changes beside parameters and moments: part of a checkpoint. */
export interface Pace {
  /** Factor on the learning rate: larger after a step whose loss fell, smaller after others. */
  factor: number;
  lastLoss: number | null;
}

/** A learner whose pace can be looked at. */
export interface TableLearner extends Learner {
  readonly pace: Readonly<Pace>;
}

/** Rows of all entities by modality. */
type Rows = Partial<Record<Modality, tf.Tensor2D>>;

/** What is known of the entities, on the backend; without a matrix the modality is left out. */
interface Inputs {
  /** Mean over an entity and its neighbours. */
  readonly graph: CsrTensors;
  readonly relation: CsrTensors | null;
  readonly attribute: CsrTensors | null;
  readonly image: tf.Tensor2D | null;
}

interface Model {
  readonly config: TableConfig;
  readonly inputs: Inputs;
  readonly parameters: Parameters;
  readonly modalities: readonly Modality[];
}

/**
 * Means of neighbours' rows in a table of one row per entity, beside projected features, trained by
 * InfoNCE of the seeds.
 */
export function createTableLearner(
  task: AlignmentTask,
  config: TableConfig,
  random: Random,
): TableLearner {
  const inputs = createInputs(task, config, random.fork('images'));
  const parameters = createParameters();
  const model = { config, inputs, parameters, modalities: presentModalities(config, inputs) };
  for (const modality of model.modalities) {
    const stream = random.fork(`parameters/${modality}`);
    const { tableSize, featureSize } = config.model;
    if (modality === 'graph') {
      parameters.add('entity', normal([task.data.entityCount, tableSize], 1, stream));
    } else {
      const width = columnsOf(inputs[modality]!);
      parameters.add(`${modality}.weight`, torchLinear([width, featureSize], stream));
    }
  }
  const optimizer = createAdamW(parameters, { weightDecay: config.training.weightDecay });
  let pace: Pace = { factor: 1, lastLoss: null };
  return {
    parameters,
    modalities: model.modalities,
    optimizer,
    get pace() {
      return pace;
    },
    step: (input) => takeStep(model, optimizer, pace, input),
    encode: (proposal) => encode(model, proposal === undefined ? 1 : 2),
    savedState: () => ({ ...pace }),
    restoreState: (saved) => {
      pace = { ...(saved as Pace) };
    },
    dispose: () => {
      optimizer.dispose();
      parameters.dispose();
      for (const part of Object.values(inputs)) part?.dispose();
    },
  };
}

function createInputs(task: AlignmentTask, { data }: TableConfig, random: Random): Inputs {
  const { relation, attribute, image } = entityFeatures(task, data, random);
  return {
    graph: createCsr(normalizeAdjacency(neighbourGraph(task.data, { selfLoops: true }))),
    relation: relation === null ? null : createCsr(relation),
    attribute: attribute === null ? null : createCsr(attribute),
    image:
      image === null
        ? null
        : tf.tensor2d(image.values, [image.values.length / image.dimension, image.dimension]),
  };
}

const presentModalities = ({ data }: TableConfig, inputs: Inputs) =>
  modalities.filter((modality) => data.modalities.includes(modality) && inputs[modality] !== null);

const columnsOf = (input: CsrTensors | tf.Tensor2D) =>
  'columnCount' in input ? input.columnCount : input.shape[1];

/** One step on the sum of the batches' losses. */
async function takeStep(
  model: Model,
  optimizer: Learner['optimizer'],
  pace: Pace,
  { seeds, random }: LearnerStep,
): Promise<StepRecord> {
  const { training, loss: settings } = model.config;
  const batches = seedBatches(seeds, training.batchSize, random.fork('seeds'));
  const learningRate = training.learningRate * pace.factor;
  const { value, gradients } = valueAndGradients(model.parameters, () => {
    const rows = encodeRows(model);
    return tf.addN(batches.map((batch) => batchLoss(rows, batch, settings))) as tf.Scalar;
  });
  try {
    const loss = (await value.data())[0]!;
    if (!Number.isFinite(loss)) throw new ModelError(`table/train: the loss is ${loss}.`);
    optimizer.step(gradients, learningRate);
    if (pace.lastLoss !== null) pace.factor *= loss < pace.lastLoss ? 1.01 : 0.9;
    pace.lastLoss = loss;
    return { learningRate, loss, batchCount: batches.length };
  } finally {
    tf.dispose([value, gradients]);
  }
}

function batchLoss(rows: Rows, batch: SeedBatch, { temperature }: TableConfig['loss']): tf.Scalar {
  const [left, right] = [fusedRows(rows, batch.left), fusedRows(rows, batch.right)];
  return infoNce(left, right, { temperature, direction: 'both' });
}

/** Rows of all entities, one tensor per modality; inside a scope or a gradient. */
function encodeRows({ inputs, parameters, modalities: present }: Model): Rows {
  const rows: Rows = {};
  for (const modality of present) {
    const name = modality === 'graph' ? 'entity' : `${modality}.weight`;
    const weight = parameters.get(name) as unknown as tf.Tensor2D;
    const input = inputs[modality]!;
    rows[modality] = 'columnCount' in input ? csrMatMul(input, weight) : linear(input, weight);
  }
  return rows;
}

/** Rows of some entities: the parts at norm 1 beside each other, the whole at norm 1. */
function fusedRows(rows: Rows, entities: Int32Array): tf.Tensor2D {
  const at = tf.tensor1d(entities, 'int32');
  const parts = Object.values(rows).map((part) => l2NormalizeRows(gatherRows(part, at)));
  return l2NormalizeRows(tf.concat(parts, 1) as tf.Tensor2D);
}

/** All entities; `loudness` multiplies the noise of rows that are embedded with a stream. */
function encode(model: Model, loudness: number): Encoding {
  const rows = tf.tidy(() => encodeRows(model) as tf.TensorContainer) as Rows;
  const deviation = loudness * model.config.model.noise;
  const embed = (entities: Int32Array, random: Random | null) =>
    tf.tidy(() => {
      const fused = fusedRows(rows, entities);
      if (random === null || deviation === 0) return fused;
      const draw = { width: fused.shape[1], seed32: random.seed32() };
      const at = tf.tensor1d(entities, 'int32');
      const noise = noiseRows(at, { ...draw, distribution: 'normal' });
      return l2NormalizeRows(tf.add(fused, tf.mul(noise, deviation)) as tf.Tensor2D);
    });
  return {
    embed: (sides, random): EmbeddedSides => {
      const left = [embed(sides.left, random?.fork('left') ?? null)];
      const right = [embed(sides.right, random?.fork('right') ?? null)];
      return { left, right, dispose: () => tf.dispose([...left, ...right]) };
    },
    modalityRows: (modality, entities) =>
      tf.tidy(() => l2NormalizeRows(gatherRows(rows[modality]!, tf.tensor1d(entities, 'int32')))),
    uncertainty: rows.graph === undefined ? null : graphUncertainty(rows.graph),
    describe: async () => ({ encodedModalities: Object.keys(rows) }),
    dispose: () => tf.dispose(Object.values(rows)),
  };
}

/** The neighbours of an entity whose row is short point in many directions. */
function graphUncertainty(graph: tf.Tensor2D): EntityUncertainty {
  return {
    label: 'inverse norm of the row',
    values: async () => {
      const inverse = tf.tidy(() => tf.div(1, tf.add(tf.norm(graph, 2, 1), 1)));
      const values = (await inverse.data()) as Float32Array;
      inverse.dispose();
      return values;
    },
  };
}
