/**
 * The tuned lens: a small affine map for each state, so that the output reads it as it will read
 * the last one.
 */
import { ConfigError, createRandom, ModelError } from '@lab/core';
import {
  createAdamW,
  createParameters,
  logSoftmax,
  type Parameters,
  tf,
  warmupCosine,
} from '@lab/tensor';
import { type Model, outputGradient } from '@lab/transformer';
import { rowLogits } from './row-output.js';
import { assertOfModel, type CallOptions, type StateRows } from './state-rows.js';
import { assertState } from './state-store.js';

/** The map of one state: `h' = h + A h + b`. */
export interface Translator {
  readonly state: number;
  /** A, `[D, D]`, row by row. */
  readonly weight: Float32Array;
  /** b, `[D]`. */
  readonly bias: Float32Array;
  /** Mean KL divergence from the last state's distribution before and after training, nats. */
  readonly before: number;
  readonly after: number;
}

/** Maps of a model's states. */
export interface TunedLens {
  /** SHA-256 of the model, see `checkpointFingerprint`. */
  readonly modelFingerprint: string;
  /** D. */
  readonly width: number;
  /** L + 1. */
  readonly stateCount: number;
  readonly translators: readonly Translator[];
}

/** How {@link trainTunedLens} trains. */
export interface TunedLensOptions extends CallOptions {
  readonly modelFingerprint: string;
  /** Default all but the last. */
  readonly states?: readonly number[] | undefined;
  /** Steps of each state; default 250. */
  readonly steps?: number | undefined;
  /** Rows of a step; default 256. */
  readonly batchSize?: number | undefined;
  /** Of Adam, falling to 0 as half a cosine; default .001. */
  readonly learningRate?: number | undefined;
  /** Of the order of rows; default 42. */
  readonly seed?: number | undefined;
}

/**
 * Trains a translator for each state on rows of states: A and b begin as 0, and the divergence from
 * the last state's distribution is made small.
 *
 * `min KL( softmax(Norm(u_L) W_U) || softmax(Norm(u_l + A u_l + b) W_U) )`, mean over rows, in
 * float32.
 * Source: Belrose et al., Eliciting Latent Predictions from Transformers with the Tuned Lens, by
 * its abstract; equation not verified.
 * Deviation: Adam in place of their SGD; rows are those given, such as a store's last tokens.
 *
 * @param rows - states of the model; many rows of many texts (a store of all tokens) are better.
 * @throws {ConfigError} for settings out of range and states that are not there.
 * @throws {ShapeError} for states of another model.
 * @throws {ModelError} for a loss that is not finite.
 */
export async function trainTunedLens(
  model: Model,
  rows: StateRows,
  options: TunedLensOptions,
): Promise<TunedLens> {
  const { modelFingerprint, signal, onProgress } = options;
  const { width, stateCount, rowCount } = rows;
  const last = stateCount - 1;
  const { states = Array.from({ length: last }, (_, state) => state) } = options;
  assertOfModel(model, rows, 'weak-probe/tuned-lens');
  for (const state of states) assertState(state, last);
  assertSettings(options);
  const end = await rows.readState(last);
  const translators: Translator[] = [];
  for (const [done, state] of states.entries()) {
    signal?.throwIfAborted();
    const own = await rows.readState(state);
    translators.push(await trained(model, { own, end, width, rowCount, state }, options));
    onProgress?.(done + 1, states.length);
  }
  return { modelFingerprint, width, stateCount, translators };
}

function assertSettings({ steps = 1, batchSize = 1, learningRate = 1 }: TunedLensOptions): void {
  const wrong = Object.entries({ steps, batchSize, learningRate }).find(([name, value]) => {
    return !(value > 0) || (name !== 'learningRate' && !Number.isInteger(value));
  });
  if (wrong === undefined) return;
  throw new ConfigError(`weak-probe/tuned-lens: ${wrong[0]} is ${wrong[1]}.`, {
    help: 'Give a number above 0; steps and batchSize whole ones.',
  });
}

interface TrainingRows {
  readonly state: number;
  /** At the state and at the last one, `[N, D]`. */
  readonly own: Float32Array;
  readonly end: Float32Array;
  readonly width: number;
  readonly rowCount: number;
}

async function trained(
  model: Model,
  rows: TrainingRows,
  options: TunedLensOptions,
): Promise<Translator> {
  const { steps = 250, batchSize = 256, learningRate = 1e-3, seed = 42, signal } = options;
  const { state, width, rowCount } = rows;
  const parameters = createParameters();
  const optimizer = createAdamW(parameters, { weightDecay: 0 });
  const rate = warmupCosine({ warmup: 0, horizon: steps });
  const order = createRandom(seed).fork(`tuned-lens/${state}`);
  try {
    parameters.add('weight', tf.zeros([width, width]));
    parameters.add('bias', tf.zeros([width]));
    const translate = (x: tf.Tensor2D) => translated(x, parameters);
    const all = Array.from({ length: rowCount }, (_, row) => row);
    const lossOf = (size: number) =>
      meanDivergence(all, size, (part) => stepOf(model, { rows, part, translate }));
    const before = await lossOf(batchSize);
    let queue: number[] = [];
    for (let step = 0; step < steps; step += 1) {
      signal?.throwIfAborted();
      if (queue.length === 0) queue = [...order.permutation(rowCount)];
      const part = queue.splice(0, batchSize);
      const { gradients } = await stepOf(model, { rows, part, translate }, true);
      optimizer.step(gradients, learningRate * rate(step));
      tf.dispose(gradients);
    }
    const after = await lossOf(batchSize);
    const found = await parameters.toArrays();
    const [weight, bias] = [found['weight']!.data, found['bias']!.data];
    return { state, weight, bias, before, after };
  } finally {
    optimizer.dispose();
    parameters.dispose();
  }
}

/** `x + x A^T + b`, `[n, D]`. */
function translated(x: tf.Tensor2D, parameters: Parameters): tf.Tensor2D {
  return tf.tidy(() => {
    const moved = tf.matMul(x, parameters.get('weight') as tf.Tensor as tf.Tensor2D, false, true);
    return tf.add<tf.Tensor2D>(tf.add(x, moved), parameters.get('bias'));
  });
}

async function meanDivergence(
  rows: readonly number[],
  size: number,
  of: (part: readonly number[]) => Promise<{ readonly loss: number }>,
): Promise<number> {
  let sum = 0;
  for (let start = 0; start < rows.length; start += size) {
    const part = rows.slice(start, start + size);
    sum += part.length * (await of(part)).loss;
  }
  return sum / rows.length;
}

interface Step {
  readonly rows: TrainingRows;
  /** Rows of the step. */
  readonly part: readonly number[];
  readonly translate: (x: tf.Tensor2D) => tf.Tensor2D;
}

/** Loss of some rows, and gradients of the parameters where they are wanted. */
async function stepOf(
  model: Model,
  { rows: { own, end, width, state }, part, translate }: Step,
  isWanted = false,
): Promise<{ readonly loss: number; readonly gradients: Record<string, tf.Tensor> }> {
  const held: tf.Tensor[] = [];
  const hold = <T extends tf.Tensor>(tensor: T): T => {
    held.push(tensor);
    return tensor;
  };
  try {
    const x = hold(picked(own, part, width));
    const wanted = hold(await rowLogits(model, hold(picked(end, part, width))));
    const moved = hold(translate(x));
    const logits = hold(await rowLogits(model, moved));
    const { loss, gradients } = tf.tidy(() => {
      const [p, q] = [logSoftmax(wanted), logSoftmax(logits)];
      const shares = tf.exp(p);
      return {
        loss: tf.div(tf.sum(tf.mul(shares, tf.sub(p, q))), part.length),
        gradients: tf.div<tf.Tensor2D>(tf.sub(tf.exp(q), shares), part.length),
      };
    });
    hold(loss);
    hold(gradients);
    const value = (await loss.data())[0]!;
    if (!Number.isFinite(value)) throw diverged(state, value);
    if (!isWanted) return { loss: value, gradients: {} };
    const back = hold(await outputGradient(model, { rows: moved, logits, gradients }));
    return {
      loss: value,
      gradients: tf.tidy(() => ({
        weight: tf.matMul(back, x, true, false),
        bias: tf.sum(back, 0),
      })),
    };
  } finally {
    tf.dispose(held);
  }
}

const diverged = (state: number, loss: number) =>
  new ModelError(`weak-probe/tuned-lens: the loss of state ${state} is ${loss}.`, {
    help: 'Lower learningRate.',
  });

function picked(rows: Float32Array, part: readonly number[], width: number): tf.Tensor2D {
  const own = new Float32Array(part.length * width);
  for (const [at, row] of part.entries()) {
    own.set(rows.subarray(row * width, (row + 1) * width), at * width);
  }
  return tf.tensor2d(own, [part.length, width]);
}
