/**
 * Encoders: from what is known of an entity to the mean and deviation of its posterior.
 *
 * The graph is read by two attention networks of the same form, one for the mean and one for the
 * deviation, over one table of free entity embeddings. Images, relations and attributes each go
 * through one hidden layer with two heads.
 */
import { diagonalAttention, fullAttention, graphConvolution, instanceNorm } from '@lab/graph';
import { type CsrTensors, csrMatMul, layerNorm, linear, recompute, tf } from '@lab/tensor';
import type { Posterior } from './bottleneck.js';
import type { Modality } from '@lab/alignment';
import type { IbmeaConfig } from './config.js';
import type { ModelInputs } from './model-inputs.js';

/** The two graph networks: one makes the mean, one the deviation. */
export type GraphEncoder = 'graphMean' | 'graphScale';

/** Dropout of the first graph layer's input; a network without dropout returns its input. */
export type DropoutSource = (x: tf.Tensor2D, encoder: GraphEncoder) => tf.Tensor2D;

/** Keeps every value: the dropout of evaluation. */
export const noDropout: DropoutSource = (x) => x;

/** Slope of LeakyReLU for negative attention logits. */
const LEAKY_SLOPE = 0.2;

/** Parameters by name: the model's, or stand-ins while a part is recomputed. */
export interface ParameterSource {
  names(): string[];
  get(name: string): tf.Tensor;
}

/** What the two kinds of encoder read. */
export interface EncoderContext {
  readonly parameters: ParameterSource;
  /** Compute each network again in the backward pass, so that its inner results are not kept. */
  readonly isRecomputed: boolean;
  readonly config: IbmeaConfig['model'];
  readonly inputs: ModelInputs;
  readonly dropout: DropoutSource;
}

/**
 * Posterior of the graph modality.
 *
 * `mean = LayerNorm(GAT_mean(x))`, `scale = ELU(GAT_scale(x))` (released form, may be negative) or
 * `initialScale softplus(GAT_scale(x)) + 1e-4`.
 * Source: sutaoyu/IBMEA, `src/models.py`; equation not verified.
 *
 * @returns mean and scale, `[N, d_g]`; without bottleneck the plain network's output.
 */
export function encodeGraph(context: EncoderContext): Posterior {
  const { config } = context;
  if (!config.bottlenecks.includes('graph')) {
    const mean = inPart(context, ['entity', 'graphMean.'], (part) =>
      graphNetwork('graphMean', part),
    );
    return { mean, scale: null };
  }
  return {
    mean: inPart(context, ['entity', 'graphMean.', 'graphNorm.'], graphMean),
    scale: inPart(context, ['entity', 'graphScale.'], graphScale),
  };
}

function graphMean(context: EncoderContext): tf.Tensor2D {
  const hidden = graphNetwork('graphMean', context);
  const gain = context.parameters.get('graphNorm.gain') as tf.Tensor1D;
  const bias = context.parameters.get('graphNorm.bias') as tf.Tensor1D;
  const mean = layerNorm(hidden, gain, bias, 1e-5);
  hidden.dispose();
  return mean;
}

function graphScale(context: EncoderContext): tf.Tensor2D {
  const raw = graphNetwork('graphScale', context);
  const { graphScale: form, initialScale } = context.config;
  const scale =
    form === 'elu'
      ? tf.elu(raw)
      : tf.tidy(() => tf.add(tf.mul(tf.softplus(raw), initialScale), 1e-4));
  raw.dispose();
  return scale as tf.Tensor2D;
}

/**
 * The result of a part of the model; where the context says so, what the part computes inside is
 * not kept for the backward pass but computed again.
 *
 * @param prefixes - names, or starts of names, of the parameters that the part uses.
 */
function inPart(
  context: EncoderContext,
  prefixes: readonly string[],
  part: (context: EncoderContext) => tf.Tensor2D,
): tf.Tensor2D {
  const { parameters } = context;
  if (!context.isRecomputed) return part(context);
  const names = parameters.names().filter((name) => prefixes.some((p) => name.startsWith(p)));
  const tensors = names.map((name) => parameters.get(name));
  return recompute(tensors, (...inputs) => {
    const inputOf = new Map(names.map((name, index) => [name, inputs[index]!]));
    const source = { names: () => names, get: (name: string) => inputOf.get(name)! };
    return part({ ...context, parameters: source });
  });
}

/**
 * Output of one graph network, `[N, d_g]`: attention layers with ELU between them.
 *
 * Intermediate tensors are released as soon as the next one exists: at 200,000 entities each of
 * them is 240 MB.
 */
function graphNetwork(encoder: GraphEncoder, context: EncoderContext): tf.Tensor2D {
  const { parameters, config } = context;
  const entity = parameters.get('entity') as tf.Tensor2D;
  const input = config.instanceNorm ? normalisedEntities(entity, encoder, parameters) : entity;
  let h = context.dropout(input, encoder);
  if (input !== entity && h !== input) input.dispose();
  for (let layer = 0; layer < config.layers; layer += 1) {
    const next = graphLayer(h, layer, `${encoder}.layer${layer}`, context);
    if (h !== entity) h.dispose();
    h = next;
    if (layer < config.layers - 1) {
      h = tf.elu(next);
      next.dispose();
    }
  }
  return h;
}

/**
 * Entity embeddings normalised per feature over all entities, `[N, d_g]`.
 *
 * Deviation: the released code hands `[N, d_g]` to a layer of d_g channels, which reads entities as
 * channels; here every feature is normalised over the entities, as that layer is meant.
 * Source: sutaoyu/IBMEA, `src/models.py`, `GAT` with `instance_normalization`; equation not
 * verified.
 */
function normalisedEntities(
  entity: tf.Tensor2D,
  encoder: GraphEncoder,
  parameters: ParameterSource,
): tf.Tensor2D {
  return instanceNorm(entity, {
    gain: parameters.get(`${encoder}.instanceNorm.gain`) as tf.Tensor1D,
    bias: parameters.get(`${encoder}.instanceNorm.bias`) as tf.Tensor1D,
  });
}

/** One layer without its activation; the last one averages heads, the others may concatenate. */
function graphLayer(x: tf.Tensor2D, layer: number, name: string, context: EncoderContext) {
  const { parameters, config, inputs } = context;
  const csr = inputs.neighbours;
  if (config.structureEncoder === 'gcn') {
    return graphConvolution(x, { weight: parameters.get(`${name}.weight`) as tf.Tensor1D }, csr);
  }
  const graph = { csr, slope: LEAKY_SLOPE, sign: -1 } as const;
  if (config.attention === 'full') {
    const heads = Array.from({ length: config.heads }, (_, head) => ({
      weight: parameters.get(`${name}.head${head}.weight`) as tf.Tensor2D, // [I, D]
      attention: parameters.get(`${name}.head${head}.attention`) as tf.Tensor1D, // [2 D]
    }));
    const combine = layer === config.layers - 1 ? 'mean' : 'concat';
    return fullAttention(x, heads, { ...graph, combine });
  }
  const weights = parameters.get(`${name}.weight`) as tf.Tensor2D; // [K, D]
  const attention = parameters.get(`${name}.attention`) as tf.Tensor2D; // [K, 2 D]
  return diagonalAttention(x, { weights, attention }, graph);
}

/**
 * Posterior of images, relations or attributes.
 *
 * `u = ReLU(x W0 + b0)`, `mean = u W1 + b1`, `l = u W2 + b2`, `scale = exp(l / 2)`,
 * in mode corrected times `model.initialScale`.
 * Source: sutaoyu/IBMEA, `src/models.py`; equation not verified.
 *
 * @returns mean and scale, `[N, d_m]`; without bottleneck `x W0 + b0` alone.
 */
export function encodeFeatures(
  modality: Exclude<Modality, 'graph'>,
  features: CsrTensors | tf.Tensor2D,
  context: EncoderContext,
): Posterior {
  const { parameters, config } = context;
  const matrix = (name: string) => parameters.get(`${modality}.${name}.weight`) as tf.Tensor2D;
  const bias = (name: string) => parameters.get(`${modality}.${name}.bias`) as tf.Tensor1D;
  const projected = projectFeatures(features, matrix('hidden'), bias('hidden'));
  if (!config.bottlenecks.includes(modality)) return { mean: projected, scale: null };
  const hidden = tf.relu(projected); // [N, d_m]
  projected.dispose();
  const mean = linear(hidden, matrix('mean'), bias('mean'));
  // Half of the weights gives exactly half of the logarithm, and one array less to keep.
  const half = <T extends tf.Tensor>(x: T) => tf.mul(x, 0.5) as T;
  const shift = tf.add<tf.Tensor1D>(half(bias('logVariance')), Math.log(config.initialScale));
  const logScale = linear(hidden, half(matrix('logVariance')), shift);
  const scale = tf.exp(logScale);
  for (const inner of [hidden, logScale]) inner.dispose();
  return { mean, scale };
}

/** `x W + b`, `[N, d_m]`. */
function projectFeatures(
  features: CsrTensors | tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  if (features instanceof tf.Tensor) return linear(features, weight, bias);
  const product = csrMatMul(features, weight);
  const projected = tf.add<tf.Tensor2D>(product, bias);
  product.dispose();
  return projected;
}
