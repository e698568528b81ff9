/**
 * The model: its parameters, their starts, and the forward pass from inputs to posteriors.
 */
import type { Random } from '@lab/core';
import {
  createParameters,
  normal,
  ones,
  type Parameters,
  tf,
  torchLinear,
  torchLinearBias,
  uniform,
  xavierUniform,
  zeros,
} from '@lab/tensor';
import type { Posterior } from './bottleneck.js';
import type { Modality } from '@lab/alignment';
import type { IbmeaConfig } from './config.js';
import {
  type DropoutSource,
  encodeFeatures,
  encodeGraph,
  type ParameterSource,
} from './encoders.js';
import {
  ATTENTION_SIZE,
  attentionFusion,
  fusedSize,
  fusionSlots,
  jointPosterior,
  type ModalityRows,
  unitShares,
  varianceFusion,
  weightedFusion,
} from './fusion.js';
import type { ModelInputs } from './model-inputs.js';

/** One posterior per present modality. */
export type Posteriors = Partial<Record<Modality, Posterior>>;

/** An IBMEA model over one pair of graphs. */
export interface IbmeaModel {
  readonly config: IbmeaConfig;
  readonly parameters: Parameters;
  /** Modalities that both the data and the config have, in slot order. */
  readonly modalities: readonly Modality[];
  /** 1 where an entity has an image, `[N]`, when the others are masked; else null. */
  readonly imagePresent: Uint8Array | null;
  /** Posteriors of every entity; `dropout` as in training, or `noDropout`. */
  encode(dropout: DropoutSource): Posteriors;
  /** Whether inner results are computed again in the backward pass. */
  readonly isRecomputed: boolean;
  /** Fused rows `[B, 600]` from one vector per modality; parameters default to the model's. */
  fuse(rows: ModalityRows, source?: ParameterSource): tf.Tensor2D;
  /** Shares of the modalities in fused rows of length 1, `[B, M]`; null with attention. */
  shares(rows: ModalityRows, source?: ParameterSource): tf.Tensor2D | null;
  /** Posterior of fused rows, or null without a bottleneck on them. */
  compress(fused: tf.Tensor2D, source?: ParameterSource): Posterior | null;
  /** Frees the parameters (not the inputs). */
  dispose(): void;
}

/** How a model is built beside its config. */
export interface ModelOptions {
  /** Stream of the initial values. */
  readonly random: Random;
  /** See `training.recompute`; default false. */
  readonly isRecomputed?: boolean;
}

/**
 * A model with fresh parameters.
 *
 * Starts: entities N(0, 1/sqrt(N)); diagonal attention weights 1; attention vectors uniform on
 * +-1/sqrt(2 d_g); linear layers as `torch.nn.Linear`; fusion scores 1.
 * Source: sutaoyu/IBMEA, `src/models.py`; equation not verified.
 */
export function createModel(
  config: IbmeaConfig,
  inputs: ModelInputs,
  { random, isRecomputed = false }: ModelOptions,
): IbmeaModel {
  const parameters = createParameters();
  const present = presentIn(config, inputs);
  if (present.includes('graph')) addGraphParameters(parameters, config, inputs, random);
  for (const modality of present) {
    if (modality === 'graph') continue;
    const features = inputs[modality]!;
    const width = features instanceof tf.Tensor ? features.shape[1] : features.columnCount;
    addFeatureParameters(parameters, config, { modality, width }, random);
  }
  addFusionParameters(parameters, present, config, random);
  return {
    config,
    parameters,
    modalities: present,
    imagePresent: inputs.imagePresent ?? null,
    encode: (dropout) => {
      const context = { parameters, config: config.model, inputs, dropout, isRecomputed };
      const posteriors: Posteriors = {};
      // The graph comes first, so that its backward pass, the largest, comes last, when what the
      // other encoders had kept is free again.
      for (const modality of present.toReversed()) {
        posteriors[modality] =
          modality === 'graph'
            ? encodeGraph(context)
            : encodeFeatures(modality, inputs[modality]!, context);
      }
      return posteriors;
    },
    isRecomputed,
    fuse: (rows, source = parameters) => {
      if (config.model.fusion === 'attention') return attentionFusion(source, rows);
      const weights = source.get('fusion.weights') as tf.Tensor1D;
      const fusion = config.model.fusion === 'variance' ? varianceFusion : weightedFusion;
      return fusion(weights, rows);
    },
    shares: (rows, source = parameters) => {
      const { fusion } = config.model;
      if (fusion === 'attention') return null;
      return unitShares(fusion, source.get('fusion.weights') as tf.Tensor1D, rows);
    },
    compress: (fused, source = parameters) =>
      config.model.jointBottleneck ? jointPosterior(source, fused) : null,
    dispose: () => parameters.dispose(),
  };
}

/** The modalities that config and data share, in slot order. */
function presentIn(config: IbmeaConfig, inputs: ModelInputs): Modality[] {
  return fusionSlots.filter(
    (slot): slot is Modality =>
      config.data.modalities.includes(slot as Modality) &&
      (slot === 'graph' || (inputs[slot as 'image' | 'relation' | 'attribute'] ?? null) !== null),
  );
}

/** Width of a modality's posterior. */
export function modalitySize(modality: Modality, config: IbmeaConfig['model']): number {
  return modality === 'graph' ? config.graphSize : config.featureSize;
}

function addGraphParameters(
  parameters: Parameters,
  config: IbmeaConfig,
  inputs: ModelInputs,
  random: Random,
): void {
  const { graphSize, layers, bottlenecks, unusedSlots } = config.model;
  const deviation = 1 / Math.sqrt(inputs.entityCount);
  const entity = normal([inputs.entityCount, graphSize], deviation, random.fork('entity'));
  parameters.add('entity', entity);
  const variational = bottlenecks.includes('graph');
  for (const encoder of variational ? ['graphMean', 'graphScale'] : ['graphMean']) {
    if (config.model.instanceNorm) {
      parameters.add(`${encoder}.instanceNorm.gain`, ones([graphSize]));
      parameters.add(`${encoder}.instanceNorm.bias`, zeros([graphSize]));
    }
    for (let layer = 0; layer < layers; layer += 1) {
      addGraphLayer(parameters, `${encoder}.layer${layer}`, config.model, random);
    }
  }
  if (!variational) return;
  // The released model declares a second LayerNorm that its forward pass does not reach.
  for (const norm of unusedSlots ? ['graphNorm', 'graphScaleNorm'] : ['graphNorm']) {
    parameters.add(`${norm}.gain`, ones([graphSize]));
    parameters.add(`${norm}.bias`, zeros([graphSize]));
  }
}

/** Weights of one graph layer; heads with full matrices are concatenated between layers. */
function addGraphLayer(
  parameters: Parameters,
  name: string,
  { graphSize, heads, structureEncoder, attention }: IbmeaConfig['model'],
  random: Random,
): void {
  if (structureEncoder === 'gcn') {
    parameters.add(`${name}.weight`, ones([graphSize]));
    return;
  }
  const bound = 1 / Math.sqrt(2 * graphSize);
  if (attention === 'diagonal') {
    parameters.add(`${name}.weight`, ones([heads, graphSize]));
    const stream = random.fork(`${name}.attention`);
    parameters.add(`${name}.attention`, uniform([heads, 2 * graphSize], bound, stream));
    return;
  }
  const inputSize = name.endsWith('layer0') ? graphSize : heads * graphSize;
  for (let head = 0; head < heads; head += 1) {
    const part = `${name}.head${head}`;
    const weight = xavierUniform([inputSize, graphSize], random.fork(`${part}.weight`));
    parameters.add(`${part}.weight`, weight);
    const vector = uniform([2 * graphSize], bound, random.fork(`${part}.attention`));
    parameters.add(`${part}.attention`, vector);
  }
}

function addFeatureParameters(
  parameters: Parameters,
  config: IbmeaConfig,
  { modality, width }: { modality: Modality; width: number },
  random: Random,
): void {
  const { featureSize, bottlenecks } = config.model;
  addLinear(parameters, `${modality}.hidden`, [width, featureSize], random);
  if (!bottlenecks.includes(modality)) return;
  addLinear(parameters, `${modality}.mean`, [featureSize, featureSize], random);
  addLinear(parameters, `${modality}.logVariance`, [featureSize, featureSize], random);
}

function addLinear(
  parameters: Parameters,
  name: string,
  [inputSize, outputSize]: [number, number],
  random: Random,
): void {
  const shape = [inputSize, outputSize] as const;
  parameters.add(`${name}.weight`, torchLinear(shape, random.fork(`${name}.weight`)));
  parameters.add(`${name}.bias`, torchLinearBias(shape, random.fork(`${name}.bias`)));
}

function addFusionParameters(
  parameters: Parameters,
  present: readonly Modality[],
  config: IbmeaConfig,
  random: Random,
): void {
  if (config.model.jointBottleneck) {
    const size = fusedSize(present, config.model);
    for (const name of ['hidden', 'mean', 'logVariance']) {
      addLinear(parameters, `fusion.joint.${name}`, [size, size], random);
    }
  }
  if (config.model.fusion !== 'attention') {
    parameters.add('fusion.weights', ones([fusionSlots.length]));
    return;
  }
  for (const modality of present) {
    const size: [number, number] = [modalitySize(modality, config.model), ATTENTION_SIZE];
    addLinear(parameters, `fusion.${modality}`, size, random);
    parameters.add(`fusion.${modality}.gain`, ones([ATTENTION_SIZE]));
    parameters.add(`fusion.${modality}.shift`, zeros([ATTENTION_SIZE]));
  }
  const hidden = random.fork('fusion.hidden');
  parameters.add('fusion.hidden', xavierUniform([ATTENTION_SIZE, ATTENTION_SIZE], hidden));
  const query = random.fork('fusion.query');
  parameters.add('fusion.query', xavierUniform([ATTENTION_SIZE, 1], query));
}
