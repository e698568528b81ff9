import { ModelError } from '@lab/core';
import { tf } from '../tfjs.js';
import type { Parameters } from '../nn/parameters.js';
import { backpropagate, releaseSaved, type TapeNode, tapeBetween } from '../backpropagate.js';
import { recordForward } from '../tape.js';

/** A loss and its gradients; the caller disposes both (or calls inside a scope). */
export interface ValueAndGradients {
  value: tf.Scalar;
  /** By parameter name; a parameter that the loss does not depend on has no entry. */
  gradients: Record<string, tf.Tensor>;
}

/**
 * Value of a scalar function and its gradients with respect to the parameters it uses.
 *
 * Tensors that the forward pass saved are freed as soon as the backward pass has used them, and
 * so are the gradients of intermediate values. When anything throws, every tensor made inside is
 * freed before the error goes on.
 *
 * @param parameters - the trainable tensors.
 * @param f - builds the scalar from the parameters; synchronous.
 * @returns the value and the gradients of the parameters reached.
 * @throws {ModelError} when `f` returns no scalar, reaches no parameter, or uses an operation
 * without a gradient.
 *
 * @example
 * const parameters = createParameters();
 * const x = parameters.add('x', tf.tensor1d([1, 2]));
 * const { value, gradients } = valueAndGradients(parameters, () => tf.sum(tf.square(x)));
 * value.dataSync()[0]; // => 5
 * Array.from(gradients['x']!.dataSync()); // => [2, 4]
 */
export function valueAndGradients(parameters: Parameters, f: () => tf.Scalar): ValueAndGradients {
  let result: ValueAndGradients | undefined;
  eachValueAndGradients(
    parameters,
    () => [f()],
    (found) => {
      result = found;
    },
  );
  return result!;
}

/**
 * Visits the value and gradients of several scalars that share one forward pass, in their order.
 *
 * As `backward(retain_graph=True)` in PyTorch: `f` runs once, then one backward pass per scalar.
 * What the visitor is given belongs to it (dispose it, or call inside a scope).
 *
 * @param parameters - the trainable tensors.
 * @param f - builds the scalars; synchronous.
 * @param visit - called once per scalar.
 * @throws {ModelError} as {@link valueAndGradients}.
 */
export function eachValueAndGradients(
  parameters: Parameters,
  f: () => tf.Scalar[],
  visit: (found: ValueAndGradients, index: number) => void,
): void {
  const names = parameters.names();
  const variables = parameters.variables();
  const engine = tf.engine();
  if (engine.state.gradientDepth > 0) {
    throw new ModelError('tensor/gradients: a gradient was asked for inside another gradient.', {
      help: 'Call valueAndGradients outside of f; second derivatives are not supported.',
    });
  }
  const values = recordForward(() => {
    const built = f();
    built.forEach(assertScalar);
    return built;
  });
  const tape = engine.state.activeTape as unknown as TapeNode[];
  engine.state.activeTape = null as never;
  let visited = 0;
  try {
    for (const [index, value] of values.entries()) {
      const release = index === values.length - 1;
      const path = tapeBetween(tape, variables, value);
      if (release) releaseSaved(tape, new Set(path.map((node) => node.id)));
      const gradients = tf.tidy('backward', () =>
        named(names, backpropagate({ path, value, wanted: variables, release })),
      );
      visited += 1;
      visit({ value, gradients }, index);
    }
  } finally {
    releaseSaved(tape);
    for (const value of values.slice(visited)) value.dispose();
  }
}

function named(names: readonly string[], found: readonly (tf.Tensor | undefined)[]) {
  const gradients: Record<string, tf.Tensor> = {};
  for (const [index, name] of names.entries()) {
    const gradient = found[index];
    if (gradient !== undefined) gradients[name] = gradient;
  }
  if (Object.keys(gradients).length > 0) return gradients;
  throw new ModelError(
    `tensor/gradients: the loss depends on none of the ${names.length} parameters.`,
    { help: 'Build the loss inside f, from the variables of the parameters.', details: { names } },
  );
}

function assertScalar(value: tf.Tensor): void {
  if (value.rank === 0) return;
  throw new ModelError(
    `tensor/gradients: the loss has shape [${value.shape.join(', ')}], a scalar is needed.`,
    { help: 'Reduce it with tf.mean or tf.sum.' },
  );
}
