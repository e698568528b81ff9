import { ModelError } from '@lab/core';
import { addInPlace } from './kernels/in-place.js';
import { fitShape, withNodeInputs } from './node-inputs.js';
import { tf } from './tfjs.js';

/** One recorded operation, as the tfjs engine writes it while a gradient is being taken. */
export interface TapeNode {
  id: number;
  kernelName: string;
  inputs: Record<string, tf.Tensor>;
  /** Set by {@link tapeBetween}, which reduces `inputs`. */
  allInputs?: Record<string, tf.Tensor>;
  outputs: tf.Tensor[];
  /** Tensors kept for the backward pass. */
  saved?: tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/**
 * The operations, in their order, on a path from one of the `sources` to `value`.
 *
 * The inputs of each are reduced to those that depend on a source.
 *
 * @param tape - all recorded operations.
 * @param sources - the tensors to differentiate by.
 * @param value - the scalar to differentiate.
 * @returns copies of the tape's nodes.
 */
export function tapeBetween(
  tape: readonly TapeNode[],
  sources: readonly tf.Tensor[],
  value: tf.Tensor,
): TapeNode[] {
  const fromSource = new Set(sources.map((source) => source.id));
  for (const node of tape) {
    if (!Object.values(node.inputs).some((input) => fromSource.has(input.id))) continue;
    // Comparisons and indices carry no gradient.
    for (const output of node.outputs) {
      if (output.dtype === 'float32') fromSource.add(output.id);
    }
  }
  const toValue = new Set([value.id]);
  const path: TapeNode[] = [];
  for (const node of tape.toReversed()) {
    if (!node.outputs.some((output) => toValue.has(output.id))) continue;
    const inputs = Object.entries(node.inputs).filter(([, input]) => fromSource.has(input.id));
    if (inputs.length === 0) continue;
    for (const [, input] of inputs) toValue.add(input.id);
    path.push({ ...node, inputs: Object.fromEntries(inputs), allInputs: node.inputs });
  }
  return path.reverse();
}

/**
 * Frees the tensors that operations kept for the backward pass.
 *
 * @param tape - the recorded operations.
 * @param except - ids of operations that still need theirs.
 */
export function releaseSaved(tape: readonly TapeNode[], except?: ReadonlySet<number>): void {
  for (const node of tape) {
    if (except?.has(node.id)) continue;
    for (const tensor of node.saved ?? []) tensor.dispose();
  }
}

/**
 * Gradients of `value` with respect to the `wanted` tensors, walking `path` backwards.
 *
 * Runs inside the caller's tidy. A gradient of an intermediate value is freed once the operation
 * that made the value has been passed; with `release`, so are the tensors that it had saved.
 *
 * @param options - `path` from {@link tapeBetween}; `wanted`: the sources given there.
 * @returns one gradient per wanted tensor, undefined where none arrived.
 * @throws {ModelError} when an operation on the path has no gradient.
 */
export function backpropagate(options: {
  path: readonly TapeNode[];
  value: tf.Tensor;
  wanted: readonly tf.Tensor[];
  release: boolean;
  /** Gradient of what the value goes into; ones when left out. */
  dy?: tf.Tensor | null | undefined;
}): (tf.Tensor | undefined)[] {
  const store = new GradientStore();
  store.add(options.value, options.dy ?? tf.ones(options.value.shape));
  const wanted = new Set(options.wanted.map((tensor) => tensor.id));
  for (const node of options.path.toReversed()) {
    const dys = node.outputs.map((output) => store.get(output) ?? null);
    const gradients = inputGradients(node, dys);
    for (const gradient of gradients) store.retain(gradient);
    for (const [index, input] of Object.values(node.inputs).entries()) {
      store.add(input, gradients[index]!);
    }
    for (const gradient of gradients) store.release(gradient);
    for (const output of node.outputs) if (!wanted.has(output.id)) store.remove(output);
    if (options.release) releaseSaved([node]);
  }
  return options.wanted.map((tensor) => store.take(tensor));
}

/** Gradients by tensor; frees those of this backward pass that nobody refers to any more. */
class GradientStore {
  readonly #gradients = new Map<number, tf.Tensor>();
  readonly #references = new Map<tf.Tensor, number>();
  /** Only tensors of this scope are freed: a gradient function may return a tensor of others. */
  readonly #scopeId = tf.engine().state.activeScope.id;

  get(of: tf.Tensor): tf.Tensor | undefined {
    return this.#gradients.get(of.id);
  }

  /** The gradient as a tensor of its own, whoever made it. */
  take(of: tf.Tensor): tf.Tensor | undefined {
    const gradient = this.#gradients.get(of.id);
    if (gradient === undefined) return undefined;
    return this.#isOwn(gradient) ? gradient : tf.clone(gradient);
  }

  /** Whether nobody else refers to the gradient. */
  #isOwn(gradient: tf.Tensor): boolean {
    return gradient.scopeId === this.#scopeId && this.#references.get(gradient) === 1;
  }

  add(of: tf.Tensor, gradient: tf.Tensor): void {
    const known = this.#gradients.get(of.id);
    if (known !== undefined && this.#isOwn(known) && addInPlace(known, gradient)) return;
    const sum = known === undefined ? gradient : tf.add(known, gradient);
    this.retain(sum);
    this.remove(of);
    this.#gradients.set(of.id, sum);
  }

  remove(of: tf.Tensor): void {
    const gradient = this.#gradients.get(of.id);
    if (gradient === undefined) return;
    this.#gradients.delete(of.id);
    this.release(gradient);
  }

  retain(gradient: tf.Tensor): void {
    this.#references.set(gradient, (this.#references.get(gradient) ?? 0) + 1);
  }

  release(gradient: tf.Tensor): void {
    const references = this.#references.get(gradient)! - 1;
    if (references > 0) {
      this.#references.set(gradient, references);
      return;
    }
    this.#references.delete(gradient);
    if (gradient.scopeId === this.#scopeId && !gradient.kept) gradient.dispose();
  }
}

function inputGradients(node: TapeNode, dys: (tf.Tensor | null)[]): tf.Tensor[] {
  const { gradient } = node;
  if (gradient === undefined) {
    throw new ModelError(`tensor/gradients: operation ${node.kernelName} has no gradient.`, {
      help: 'Use another operation, or tf.customGrad.',
      details: { operation: node.kernelName },
    });
  }
  const compute = () => {
    const byName = gradient(dys);
    return Object.entries(node.inputs).map(([name, input]) => {
      const rule = byName[name];
      const dx = rule === undefined ? undefined : tf.tidy(() => fitShape(rule(), input.shape));
      assertGradient(node, input, dx);
      return dx;
    });
  };
  return withNodeInputs(node.allInputs ?? node.inputs, () => tf.tidy(compute));
}

function assertGradient(
  node: TapeNode,
  input: tf.Tensor,
  dx: tf.Tensor | undefined,
): asserts dx is tf.Tensor {
  if (dx === undefined) {
    throw new ModelError(
      `tensor/gradients: operation ${node.kernelName} has no gradient for one of its inputs.`,
      { help: 'Treat that input as a constant.', details: { operation: node.kernelName } },
    );
  }
  const sameShape = tf.util.arraysEqual(dx.shape, input.shape);
  if (dx.dtype === 'float32' && sameShape) return;
  throw new ModelError(
    `tensor/gradients: the gradient of ${node.kernelName} is ${dx.dtype} ` +
      `[${dx.shape.join(', ')}], its input is [${input.shape.join(', ')}].`,
    { help: 'Correct the gradient function of this operation.' },
  );
}
