import { DataError, ModelError, ShapeError } from '@lab/core';
import { type AdamWStep, adamwInPlace } from '../kernels/adamw.js';
import { tf } from '../tfjs.js';
import {
  float32Copy,
  type LoadableArray,
  type ParameterArray,
  type Parameters,
} from '../nn/parameters.js';
import { zeros } from '../nn/init.js';
import { adamwFromHost, type HostMoments, takesHostMoments, zeroMoments } from './host-moments.js';

/** Settings of {@link createAdamW}. */
export interface AdamWOptions {
  /** Decay of the first moment, in [0, 1); default 0.9. */
  beta1?: number;
  /** Decay of the second moment, in [0, 1); default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment; default 1e-8. */
  epsilon?: number;
  /** Decoupled weight decay, per step and unit of learning rate; default 0.01. */
  weightDecay?: number;
  /**
   * Parameters of at least this many values keep their moments in the host's memory on the wasm
   * backend, whose heap ends at 4 GiB; the results are the same. Default: none does.
   */
  hostMomentsFrom?: number;
}

/** The optimiser and its moments. */
export interface AdamW {
  /**
   * Changes every parameter that has an entry in `gradients`; the others, and their moments, are
   * left alone. The gradients stay alive.
   *
   * @param gradients - by parameter name.
   * @param learningRate - rate of this step.
   */
  step(gradients: Readonly<Record<string, tf.Tensor>>, learningRate: number): void;
  /** Steps made so far. */
  readonly stepCount: number;
  /**
   * A copy of the moments, as `<parameter>/first` and `<parameter>/second`, and each parameter's
   * own step count as `<parameter>/steps`.
   */
  state(): Promise<Record<string, ParameterArray>>;
  /** Sets moments and step count from {@link AdamW.state}'s form. */
  loadState(record: Readonly<Record<string, LoadableArray>>, stepCount: number): void;
  /** Frees the moments. */
  dispose(): void;
}

/** One array of a saved optimiser state. */
export type AdamWStateArray = LoadableArray;

interface DeviceMoments {
  first: tf.Tensor;
  second: tf.Tensor;
}

interface Slot {
  moments: DeviceMoments | HostMoments;
  steps: number;
}

type Settings = Required<AdamWOptions>;

/**
 * Creates Adam with decoupled weight decay (Loshchilov and Hutter 2019).
 *
 * With rate `r` and `t` the parameter's own step count:
 * `p = p - r lambda p`; `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
 * `p = p - r / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)`.
 * Source: PyTorch/torch/optim/adamw.py, `_single_tensor_adamw`; equation not verified.
 *
 * On the wasm backend parameters and moments change inside their buffers: clones made before change
 * too. Elsewhere each step makes new tensors.
 *
 * @param parameters - the trainable tensors; parameters added later are taken up too.
 * @param options - see {@link AdamWOptions}.
 * @returns the optimiser; dispose it to free the moments.
 * @throws {ModelError} when a setting is out of its range.
 */
export function createAdamW(parameters: Parameters, options: AdamWOptions = {}): AdamW {
  const settings: Settings = {
    beta1: options.beta1 ?? 0.9,
    beta2: options.beta2 ?? 0.999,
    epsilon: options.epsilon ?? 1e-8,
    weightDecay: options.weightDecay ?? 0.01,
    hostMomentsFrom: options.hostMomentsFrom ?? Infinity,
  };
  assertSettings(settings);
  const slots = new Map<string, Slot>();
  let stepCount = 0;
  return {
    get stepCount() {
      return stepCount;
    },
    step(gradients, learningRate) {
      for (const [name, gradient] of Object.entries(gradients)) {
        const variable = parameters.get(name);
        assertSameShape(name, variable, gradient);
        updateParameter(
          { variable, gradient, slot: slotOf(slots, name, { variable, settings }) },
          { settings, learningRate },
        );
      }
      stepCount += 1;
    },
    state: () => stateOf(slots, parameters),
    loadState(record, count) {
      loadSlots({ parameters, slots, settings }, record);
      stepCount = count;
    },
    dispose() {
      for (const slot of slots.values()) disposeSlot(slot);
      slots.clear();
    },
  };
}

interface Update {
  variable: tf.Variable;
  gradient: tf.Tensor;
  slot: Slot;
}

function updateParameter(update: Update, by: { settings: Settings; learningRate: number }): void {
  const { variable, gradient, slot } = update;
  const { beta1, beta2, epsilon, weightDecay } = by.settings;
  slot.steps += 1;
  const step: AdamWStep = {
    beta1,
    beta2,
    epsilon,
    decay: 1 - by.learningRate * weightDecay,
    stepSize: by.learningRate / (1 - beta1 ** slot.steps),
    secondCorrection: Math.sqrt(1 - beta2 ** slot.steps),
  };
  const { moments } = slot;
  if (isOnHost(moments)) {
    adamwFromHost({ parameter: variable, gradient }, moments, step);
    return;
  }
  if (adamwInPlace({ parameter: variable, gradient, ...moments }, step)) return;
  updateComposed({ variable, gradient, moments }, step);
}

function isOnHost(moments: Slot['moments']): moments is HostMoments {
  return moments.first instanceof Float32Array;
}

/** The same step by operations that every backend has; makes new tensors. */
function updateComposed(
  { variable, gradient, moments }: Omit<Update, 'slot'> & { moments: DeviceMoments },
  step: AdamWStep,
): void {
  const { beta1, beta2 } = step;
  const [value, first, second] = tf.tidy(() => {
    const m = tf.add(tf.mul(moments.first, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(moments.second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = tf.add(tf.div(tf.sqrt(v), step.secondCorrection), step.epsilon);
    const move = tf.mul(tf.div(m, root), step.stepSize);
    return [tf.sub(tf.mul(variable, step.decay), move), m, v] as const;
  });
  variable.assign(value);
  value.dispose();
  moments.first.dispose();
  moments.second.dispose();
  moments.first = tf.keep(first);
  moments.second = tf.keep(second);
}

function slotOf(
  slots: Map<string, Slot>,
  name: string,
  { variable, settings }: { variable: tf.Variable; settings: Settings },
): Slot {
  const known = slots.get(name);
  if (known !== undefined) return known;
  const slot: Slot = { moments: newMoments(variable, settings), steps: 0 };
  slots.set(name, slot);
  return slot;
}

/** Whether the settings want the moments of a parameter in the host's memory. */
function areKeptOnHost({ size }: tf.Variable, { hostMomentsFrom }: Settings): boolean {
  return size >= hostMomentsFrom && takesHostMoments();
}

/** Moments of 0, made on the side where they stay. */
function newMoments(variable: tf.Variable, settings: Settings): Slot['moments'] {
  if (areKeptOnHost(variable, settings)) return zeroMoments(variable.size);
  return { first: tf.keep(zeros(variable.shape)), second: tf.keep(zeros(variable.shape)) };
}

/** The moments on the side where the settings want them; the arrays are taken over. */
function placeMoments(
  { first, second }: HostMoments,
  variable: tf.Variable,
  settings: Settings,
): Slot['moments'] {
  if (areKeptOnHost(variable, settings)) return { first, second };
  const { shape } = variable;
  const upload = (values: Float32Array) => tf.keep(tf.tensor(values, shape));
  return { first: upload(first), second: upload(second) };
}

async function stateOf(
  slots: Map<string, Slot>,
  parameters: Parameters,
): Promise<Record<string, ParameterArray>> {
  const state: Record<string, ParameterArray> = {};
  for (const [name, { moments, steps }] of slots) {
    const { shape } = parameters.get(name);
    for (const part of ['first', 'second'] as const) {
      const moment = moments[part];
      const values = moment instanceof Float32Array ? moment : await moment.data<'float32'>();
      state[`${name}/${part}`] = { shape: shape.slice(), data: values.slice() };
    }
    state[`${name}/steps`] = { shape: [], data: Float32Array.of(steps) };
  }
  return state;
}

function loadSlots(
  {
    parameters,
    slots,
    settings,
  }: { parameters: Parameters; slots: Map<string, Slot>; settings: Settings },
  record: Readonly<Record<string, LoadableArray>>,
): void {
  const fresh = new Map<string, { arrays: HostMoments; steps: number }>();
  for (const name of Object.keys(record)) {
    if (!name.endsWith('/steps')) continue;
    const parameter = name.slice(0, -'/steps'.length);
    const variable = parameters.get(parameter);
    const read = (part: 'first' | 'second') =>
      momentArray(`${parameter}/${part}`, variable, record[`${parameter}/${part}`]);
    const arrays = { first: read('first'), second: read('second') };
    fresh.set(parameter, { arrays, steps: Number(record[name]!.data[0]) });
  }
  for (const slot of slots.values()) disposeSlot(slot);
  slots.clear();
  for (const [name, { arrays, steps }] of fresh) {
    slots.set(name, { moments: placeMoments(arrays, parameters.get(name), settings), steps });
  }
}

function momentArray(
  name: string,
  variable: tf.Variable,
  array: LoadableArray | undefined,
): Float32Array {
  if (array !== undefined && array.data.length === variable.size) {
    return float32Copy(array.data);
  }
  const got = array === undefined ? 'nothing' : `[${array.shape.join(', ')}]`;
  const needed = `[${variable.shape.join(', ')}]`;
  throw new DataError(
    `tensor/adamw: the saved state has ${got} for ${name}, ${needed} is needed.`,
    { field: name, help: 'Load the state of a model with the same sizes.' },
  );
}

function disposeSlot({ moments }: Slot): void {
  if (isOnHost(moments)) return;
  tf.dispose([moments.first, moments.second]);
}

function assertSettings(settings: Settings): void {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const isShare = (value: number) => value >= 0 && value < 1;
  if (isShare(beta1) && isShare(beta2) && epsilon >= 0 && weightDecay >= 0) return;
  throw new ModelError(
    `tensor/adamw: beta1 ${beta1}, beta2 ${beta2}, epsilon ${epsilon}, weight decay ` +
      `${weightDecay} are out of range.`,
    { help: 'Betas are in [0, 1), epsilon and weight decay >= 0.', details: { ...settings } },
  );
}

function assertSameShape(name: string, variable: tf.Tensor, gradient: tf.Tensor): void {
  if (tf.util.arraysEqual(variable.shape, gradient.shape)) return;
  const expected = `[${variable.shape.join(', ')}]`;
  const got = `[${gradient.shape.join(', ')}]`;
  throw new ShapeError(`tensor/adamw: the gradient of "${name}" is ${got}, not ${expected}.`, {
    expected,
    got,
    help: 'Take the gradients of these parameters.',
  });
}
