import { LabError, ShapeError } from '@lab/core';
import { tf } from './tfjs.js';

/** One recorded operation, as the engine of tfjs keeps it. */
interface TapeNode {
  readonly kernelName: string;
  readonly inputs: tf.NamedTensorMap;
  readonly outputs: readonly tf.Tensor[];
  readonly saved?: readonly tf.Tensor[];
  readonly gradient?: (
    dys: (tf.Tensor | null)[],
  ) => Readonly<Record<string, (() => tf.Tensor) | undefined>>;
}

/** The fields of the engine's state that recording uses. */
interface TapeState {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
  kernelDepth: number;
}

/** The engine's calls that recording uses. */
interface RecordingEngine {
  readonly state: TapeState;
  startTape(): void;
  endTape(): void;
  tidy<T>(name: string, body: () => T): T;
  gradients: typeof gradients;
}

type GradientMap = Map<number, tf.Tensor>;

const engine = () => tf.engine() as unknown as RecordingEngine;

let nodeInputs: tf.NamedTensorMap | undefined;

/**
 * Shape of an input of the operation whose gradient is being computed.
 *
 * Lets a gradient that needs only shapes save no tensor for the backward pass.
 */
export function inputShape(name: string | number): number[] {
  const input = nodeInputs?.[name];
  if (input !== undefined) return input.shape;
  throw new LabError(`tensor: the gradient asks for the shape of "${name}" outside its node.`, {
    code: 'LAB_GRADIENT',
    help: 'Choose the backend by selectBackend, which installs the gradients of this package.',
  });
}

/** Runs `body` with these tensors as the inputs that `inputShape` speaks of. */
export function withNodeInputs<T>(inputs: tf.NamedTensorMap, body: () => T): T {
  const outer = nodeInputs;
  nodeInputs = inputs;
  try {
    return body();
  } finally {
    nodeInputs = outer;
  }
}

/** Whether gradients can pass: comparisons, casts to integers and the like are constants. */
const isSmooth = ({ outputs }: TapeNode): boolean =>
  outputs.some((output) => output.dtype === 'float32');

/** Nodes on a path from `xs` to `y`, with the names of the inputs that depend on `xs`. */
function pathNodes(tape: readonly TapeNode[], xs: readonly tf.Tensor[], y: tf.Tensor) {
  const fromX = new Set(xs.map((x) => x.id));
  for (const { inputs, outputs } of tape) {
    if (!Object.values(inputs).some((input) => fromX.has(input.id))) continue;
    // Comparisons and indices carry no gradient.
    for (const output of outputs) if (output.dtype === 'float32') fromX.add(output.id);
  }
  const toY = new Set([y.id]);
  const path: { node: TapeNode; names: string[] }[] = [];
  for (const node of [...tape].reverse()) {
    if (!node.outputs.some((output) => toY.has(output.id) && fromX.has(output.id))) continue;
    for (const input of Object.values(node.inputs)) toY.add(input.id);
    const names = Object.keys(node.inputs).filter((name) =>
      fromX.has((node.inputs[name] as tf.Tensor).id),
    );
    if (names.length > 0) path.push({ node, names });
  }
  return path;
}

/** `dx` summed over broadcast dimensions and given the shape of the input it belongs to. */
export function fitShape(dx: tf.Tensor, shape: number[]): tf.Tensor {
  if (tf.util.arraysEqual(dx.shape, shape)) return dx;
  if (dx.size === tf.util.sizeFromShape(shape)) return tf.reshape(dx, shape);
  const axes = tf.broadcast_util.getReductionAxes(shape, dx.shape);
  return tf.reshape(tf.sum(dx, axes), shape);
}

function addGradient(sums: GradientMap, x: tf.Tensor, dx: tf.Tensor): void {
  const sum = sums.get(x.id);
  if (sum === undefined) {
    sums.set(x.id, dx);
    return;
  }
  sums.set(x.id, tf.add(sum, dx));
  disposeUnshared(sums, sum);
  disposeUnshared(sums, dx);
}

/** Disposes of a gradient unless it is (also) the gradient of another tensor. */
function disposeUnshared(sums: GradientMap, gradient: tf.Tensor): void {
  for (const other of sums.values()) if (other === gradient) return;
  gradient.dispose();
}

function inputGradient(node: TapeNode, compute: (() => tf.Tensor) | undefined, name: string) {
  if (compute === undefined) {
    throw new LabError(`tensor: ${node.kernelName} has no gradient for its input "${name}".`, {
      code: 'LAB_GRADIENT',
    });
  }
  return tf.tidy(() => fitShape(compute(), (node.inputs[name] as tf.Tensor).shape));
}

function backThrough(node: TapeNode, names: readonly string[], sums: GradientMap): void {
  const { gradient } = node;
  if (gradient === undefined) {
    throw new LabError(`tensor: the operation ${node.kernelName} has no gradient.`, {
      code: 'LAB_GRADIENT',
      help: 'Compose the function of operations that have one.',
    });
  }
  withNodeInputs(node.inputs, () => {
    const dys = node.outputs.map((output) => sums.get(output.id) ?? null);
    const computes = gradient(dys);
    for (const name of names) {
      const dx = inputGradient(node, computes[name], name);
      addGradient(sums, node.inputs[name] as tf.Tensor, dx);
    }
  });
}

/** Frees what the node kept and the gradients of its outputs, which nothing needs any more. */
function releaseNode(node: TapeNode, sums: GradientMap, wanted: ReadonlySet<number>): void {
  for (const tensor of node.saved ?? []) tensor.dispose();
  for (const { id } of node.outputs) {
    const gradient = sums.get(id);
    if (gradient === undefined || wanted.has(id)) continue;
    sums.delete(id);
    disposeUnshared(sums, gradient);
  }
}

function releaseTape(state: TapeState): void {
  for (const { saved } of state.activeTape ?? []) {
    for (const tensor of saved ?? []) tensor.dispose();
  }
  state.activeTape = null;
}

function backward(y: tf.Tensor, xs: readonly tf.Tensor[], dy: tf.Tensor | null | undefined) {
  const { state } = engine();
  const path = pathNodes(state.activeTape ?? [], xs, y);
  const isOutermost = state.gradientDepth === 0;
  if (isOutermost) {
    const onPath = new Set(path.map(({ node }) => node));
    for (const node of state.activeTape ?? []) {
      if (!onPath.has(node)) for (const tensor of node.saved ?? []) tensor.dispose();
    }
  }
  const wanted = new Set(xs.map((x) => x.id));
  const sums: GradientMap = new Map([[y.id, dy ?? tf.ones(y.shape)]]);
  for (const { node, names } of path) {
    backThrough(node, names, sums);
    if (isOutermost) releaseNode(node, sums, wanted);
  }
  return { pathLength: path.length, grads: xs.map((x) => sums.get(x.id)) };
}

function record(f: () => tf.Tensor): tf.Tensor {
  const current = engine();
  current.startTape();
  try {
    return current.tidy('forward', f);
  } finally {
    current.endTape();
  }
}

/**
 * Value of `f` and its gradients with respect to `xs`: takes the place of the engine's function.
 *
 * It differs in memory and on errors: what an operation kept and the gradient of its output are
 * freed as soon as the operation is passed, not at the end, and a throw leaves nothing behind.
 * Gradients of broadcast inputs are summed here, so that gradient functions need no input for
 * its shape alone.
 */
function gradients(
  f: () => tf.Tensor,
  xs: readonly tf.Tensor[],
  dy?: tf.Tensor | null,
  allowNoGradients = false,
): { value: tf.Tensor; grads: (tf.Tensor | undefined)[] } {
  const current = engine();
  try {
    const value = record(f);
    return current.tidy('backward', () => {
      const { pathLength, grads } = backward(value, xs, dy);
      if (pathLength === 0 && !allowNoGradients) {
        throw new ShapeError('tensor: the value does not depend on the tensors to differentiate.');
      }
      return { value, grads };
    });
  } finally {
    if (current.state.gradientDepth === 0) releaseTape(current.state);
  }
}

/** Puts {@link gradients} in the place of the engine's function, for `tf.grad` and its kin. */
export function installTape(): void {
  engine().gradients = gradients;
}

/**
 * Value and gradients of `f`, apart from any recording that is going on.
 *
 * The engine has one tape: computing a gradient inside a gradient function, or inside the forward
 * pass of a custom gradient, would spoil it. Here its state is set aside and put back.
 *
 * @param f - scalar of the inputs.
 * @returns the value and one gradient per input; zeros for an input that `f` does not use.
 */
export function isolatedGradients<T extends tf.Tensor>(
  f: (...inputs: T[]) => tf.Scalar,
  inputs: readonly T[],
): { value: tf.Scalar; gradients: T[] } {
  const { state } = engine();
  const { activeTape, gradientDepth, kernelDepth } = state;
  Object.assign(state, { activeTape: null, gradientDepth: 0, kernelDepth: 0 });
  try {
    return tf.tidy(() => {
      const { value, grads } = gradients(() => f(...(inputs as T[])), inputs, undefined, true);
      const found = inputs.map((x, i) => (grads[i] ?? tf.zerosLike(x)) as T);
      return { value: value as tf.Scalar, gradients: found };
    });
  } finally {
    Object.assign(state, { activeTape, gradientDepth, kernelDepth });
  }
}
