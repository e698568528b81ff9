/**
 * A probe that learns which tokens of a prompt to look at, together with what to read there.
 */
import { setImmediate } from 'node:timers/promises';
import { createRandom } from '@lab/core';
import { adamStep, createAdam, logitProbabilities } from '@lab/metrics';
import type { Config } from './config.js';

/** All tokens of prompts at one state. */
export interface TokenSamples {
  /** Prompt by prompt, `[T, D]`. */
  readonly values: Float32Array;
  /** D. */
  readonly width: number;
  /** First row of each prompt, and the end, `[N + 1]`. */
  readonly starts: ArrayLike<number>;
  /** Class of each prompt as its place among the classes, `[N]`. */
  readonly labels: Int32Array;
}

/** How {@link fitAttentionProbe} learns. */
export interface AttentionOptions {
  /** C. */
  readonly classCount: number;
  /** Prompts to learn from, as places among all. */
  readonly train: Int32Array;
  /** Rate, decay, batches and end of the training: those of `mlp`. */
  readonly settings: Pick<Config, 'mlp' | 'seed'>;
  readonly signal?: AbortSignal | undefined;
}

/** A probe with its attention. */
export interface AttentionProbe {
  /** Whether the loss came to rest. */
  readonly converged: boolean;
  /** Mean loss of each epoch, nats. */
  readonly losses: readonly number[];
  /**
   * Scores of prompts of the samples it was fitted on: one for two classes, above 0 for the second;
   * else one a class. `[M, O]`.
   */
  margins(prompts: Int32Array): Float64Array;
  /** How much each token of a prompt counts; sums to 1. */
  attention(prompt: number): Float64Array;
}

/** What is learnt. */
export interface AttentionParameters {
  /** q, `[D]`. */
  readonly query: Float64Array;
  /** w, `[O, D]`. */
  readonly weights: Float64Array;
  /** b, `[O]`. */
  readonly biases: Float64Array;
}

/**
 * Fits a probe on all tokens of prompts.
 *
 * `p_t = softmax_t(q . z_t / sqrt D)`, `score_c = w_c . (sum_t p_t z_t) / sqrt D + b_c`, z the
 * tokens in units of mean and deviation of the training tokens. Loss: mean log-loss plus
 * `alpha (|q|^2 + |w|^2) / (2 batch)`; Adam; q and w begin as 0, that is as the mean of all tokens.
 * Source: attention probes as McKenzie et al., Detecting High-Stakes Interactions with Activation
 * Probes (2025), have them; equation not verified.
 *
 * @throws what `signal` was aborted with.
 */
export async function fitAttentionProbe(
  samples: TokenSamples,
  { classCount, train, settings, signal }: AttentionOptions,
): Promise<AttentionProbe> {
  const { mlp, seed } = settings;
  const outputs = classCount === 2 ? 1 : classCount;
  const parameters: AttentionParameters = {
    query: new Float64Array(samples.width),
    weights: new Float64Array(outputs * samples.width),
    biases: new Float64Array(outputs),
  };
  const scale = tokenScale(samples, train);
  const adam = createAdam();
  const random = createRandom(seed).fork('attention-probe');
  const losses: number[] = [];
  let [best, idle] = [Number.POSITIVE_INFINITY, 0];
  while (losses.length < mlp.maxEpochs && idle <= mlp.patience) {
    await setImmediate();
    signal?.throwIfAborted();
    const order = random.shuffle(Int32Array.from(train));
    let sum = 0;
    for (let from = 0; from < order.length; from += mlp.batchSize) {
      const batch = order.subarray(from, from + mlp.batchSize);
      const { loss, gradients } = batchGradients({ samples, scale, parameters, batch });
      addDecay(gradients, parameters, mlp.alpha / batch.length);
      adamStep(adam, { parameters, gradients, learningRate: mlp.learningRate });
      sum += loss;
    }
    losses.push(sum / order.length);
    idle = losses.at(-1)! > best - mlp.tolerance ? idle + 1 : 0;
    best = Math.min(best, losses.at(-1)!);
  }
  const reader = readerOf({ samples, scale, parameters });
  return {
    ...{ converged: idle > mlp.patience, losses },
    margins: (prompts) => {
      const out = new Float64Array(prompts.length * outputs);
      for (const [at, prompt] of prompts.entries()) out.set(reader(prompt).scores, at * outputs);
      return out;
    },
    attention: (prompt) => reader(prompt).shares,
  };
}

/** Mean and one over the deviation of each feature over the training tokens. */
export interface TokenScale {
  readonly means: Float64Array;
  readonly inverses: Float64Array;
}

/** The scale of the tokens of training prompts; 0 for features that do not vary. */
export function tokenScale({ values, width, starts }: TokenSamples, train: Int32Array): TokenScale {
  const [means, squares] = [new Float64Array(width), new Float64Array(width)];
  let count = 0;
  const eachToken = (of: (first: number) => void) => {
    for (const prompt of train) {
      for (let row = starts[prompt]!; row < starts[prompt + 1]!; row += 1) of(row * width);
    }
  };
  eachToken((first) => {
    count += 1;
    for (let d = 0; d < width; d += 1) means[d]! += values[first + d]!;
  });
  for (let d = 0; d < width; d += 1) means[d]! /= count;
  eachToken((first) => {
    for (let d = 0; d < width; d += 1) squares[d]! += (values[first + d]! - means[d]!) ** 2;
  });
  // Rounding of float32 alone is no deviation.
  const inverses = squares.map((sum, d) => {
    const deviation = Math.sqrt(sum / count);
    return deviation > 1e-6 * Math.abs(means[d]!) && deviation > 0 ? 1 / deviation : 0;
  });
  return { means, inverses };
}

interface Fitting {
  readonly samples: TokenSamples;
  readonly scale: TokenScale;
  readonly parameters: AttentionParameters;
}

/** What a prompt gives. */
interface Reading {
  /** `[O]`. */
  readonly scores: Float64Array;
  /** p, one a token. */
  readonly shares: Float64Array;
  /** What each token alone would say, without bias, `[T, O]`. */
  readonly said: Float64Array;
}

/**
 * Reads prompts with parameters as they are now; the scale is worked into them, so that tokens are
 * read where they are.
 */
function readerOf({ samples, scale, parameters }: Fitting): (prompt: number) => Reading {
  const { values, width, starts } = samples;
  const { query, weights, biases } = parameters;
  const root = Math.sqrt(width);
  const scaled = (vector: Float64Array) =>
    vector.map((value, at) => (value * scale.inverses[at % width]!) / root);
  const [q, w] = [scaled(query), scaled(weights)];
  const shifts = biases.map((_, o) => -dot(w, o * width, { values: scale.means, from: 0, width }));
  return (prompt) => {
    const [first, end] = [starts[prompt]!, starts[prompt + 1]!];
    const outputs = biases.length;
    const [shares, said] = [
      new Float64Array(end - first),
      new Float64Array((end - first) * outputs),
    ];
    for (let row = first; row < end; row += 1) {
      const token = { values, from: row * width, width };
      shares[row - first] = dot(q, 0, token);
      for (let o = 0; o < outputs; o += 1) {
        said[(row - first) * outputs + o] = dot(w, o * width, token) + shifts[o]!;
      }
    }
    toShares(shares);
    const scores = biases.slice();
    for (let at = 0; at < said.length; at += 1) {
      scores[at % outputs]! += shares[Math.floor(at / outputs)]! * said[at]!;
    }
    return { scores, shares, said };
  };
}

interface Token {
  readonly values: Float32Array | Float64Array;
  readonly from: number;
  readonly width: number;
}

function dot(vector: Float64Array, at: number, { values, from, width }: Token): number {
  let sum = 0;
  for (let d = 0; d < width; d += 1) sum += vector[at + d]! * values[from + d]!;
  return sum;
}

/** Softmax, in place. */
function toShares(values: Float64Array): void {
  const most = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) {
    values[at] = Math.exp(values[at]! - most);
    sum += values[at]!;
  }
  for (let at = 0; at < values.length; at += 1) values[at]! /= sum;
}

/** Prompts, and what reads them. */
export interface AttentionBatch extends Fitting {
  readonly batch: Int32Array;
}

/** Sum of the losses of a batch, and gradients of their mean; decay is not among them. */
export function batchGradients({ samples, scale, parameters, batch }: AttentionBatch) {
  const { values, width, starts, labels } = samples;
  const outputs = parameters.biases.length;
  const read = readerOf({ samples, scale, parameters });
  const gradients: AttentionParameters = {
    query: new Float64Array(width),
    weights: new Float64Array(outputs * width),
    biases: new Float64Array(outputs),
  };
  let loss = 0;
  for (const prompt of batch) {
    const { scores, shares, said } = read(prompt);
    const { errors, lost } = errorsOf(scores, labels[prompt]!);
    loss += lost;
    for (let t = 0; t < shares.length; t += 1) {
      const share = shares[t]!;
      const from = (starts[prompt]! + t) * width;
      let pull = 0;
      for (let o = 0; o < outputs; o += 1) {
        const error = errors[o]!;
        pull += error * (said[t * outputs + o]! - (scores[o]! - parameters.biases[o]!));
        addTo(gradients.weights, o * width, { values, from, width, factor: error * share });
      }
      addTo(gradients.query, 0, { values, from, width, factor: share * pull });
    }
    for (const [o, error] of errors.entries()) gradients.biases[o]! += error;
  }
  scaleGradients(gradients, scale, batch.length);
  return { loss, gradients };
}

interface Addend extends Token {
  readonly factor: number;
}

function addTo(target: Float64Array, at: number, { values, from, width, factor }: Addend): void {
  for (let d = 0; d < width; d += 1) target[at + d]! += factor * values[from + d]!;
}

/** Log-loss of a prompt and its gradient by the scores. */
function errorsOf(scores: Float64Array, label: number) {
  const errors = logitProbabilities(scores, scores.length);
  const isBinary = errors.length === 1;
  const found = isBinary && label === 0 ? 1 - errors[0]! : errors[isBinary ? 0 : label]!;
  if (isBinary) errors[0]! -= label;
  else errors[label]! -= 1;
  return { errors, lost: -Math.log(Math.max(Number.EPSILON, found)) };
}

/** From sums over raw tokens to means over prompts of tokens in units of the scale. */
function scaleGradients(gradients: AttentionParameters, scale: TokenScale, count: number): void {
  const { means, inverses } = scale;
  const width = means.length;
  const root = Math.sqrt(width);
  for (const [o, error] of gradients.biases.entries()) {
    for (let d = 0; d < width; d += 1) {
      const raw = gradients.weights[o * width + d]! - error * means[d]!;
      gradients.weights[o * width + d] = (raw * inverses[d]!) / (root * count);
    }
    gradients.biases[o] = error / count;
  }
  // What pulls at the tokens of a prompt sums to 0, so that means are nothing to the query.
  for (let d = 0; d < width; d += 1) gradients.query[d]! *= inverses[d]! / (root * count);
}

function addDecay(
  gradients: AttentionParameters,
  { query, weights }: AttentionParameters,
  decay: number,
): void {
  for (let d = 0; d < query.length; d += 1) gradients.query[d]! += decay * query[d]!;
  for (let at = 0; at < weights.length; at += 1) gradients.weights[at]! += decay * weights[at]!;
}
