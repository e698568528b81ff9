import { ShapeError } from '@lab/core';
import { backpropagate, releaseSaved, type TapeNode, tapeBetween } from './backpropagate.js';
import { tf } from './tfjs.js';

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
  keep<T extends tf.Tensor>(tensor: T): T;
  tidy<T>(name: string, body: () => T): T;
  gradients: typeof gradients;
}

const engine = () => tf.engine() as unknown as RecordingEngine;

function backward(y: tf.Tensor, xs: readonly tf.Tensor[], dy: tf.Tensor | null | undefined) {
  const { state } = engine();
  const tape = state.activeTape ?? [];
  const path = tapeBetween(tape, xs, y);
  const release = state.gradientDepth === 0;
  if (release) releaseSaved(tape, new Set(path.map((node) => node.id)));
  const grads = backpropagate({ path, value: y, wanted: xs, release, dy });
  return { pathLength: path.length, grads };
}

/**
 * What `f` returns, with the tape on; when it throws, frees what operations had saved.
 *
 * tfjs marks what an operation saves for its gradient as kept, so that no scope frees it; only the
 * backward pass does, which an error never reaches. Saving happens inside kernels; tensors that
 * the caller keeps elsewhere in `f` are left alone.
 */
export function recordForward<T extends tf.TensorContainer>(f: () => T): T {
  const current = engine();
  const { keep } = current;
  const saved: tf.Tensor[] = [];
  current.keep = (tensor) => {
    if (current.state.kernelDepth > 0) saved.push(tensor);
    return keep.call(current, tensor) as typeof tensor;
  };
  current.startTape();
  try {
    return current.tidy('forward', f);
  } catch (error) {
    for (const tensor of saved) tensor.dispose();
    throw error;
  } finally {
    current.endTape();
    current.keep = keep;
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
    const value = recordForward(f);
    return current.tidy('backward', () => {
      const { pathLength, grads } = backward(value, xs, dy);
      if (pathLength === 0 && !allowNoGradients) {
        throw new ShapeError('tensor: the value does not depend on the tensors to differentiate.');
      }
      return { value, grads };
    });
  } finally {
    if (current.state.gradientDepth === 0) {
      releaseSaved(current.state.activeTape ?? []);
      current.state.activeTape = null;
    }
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
 * @param f - function of the inputs; a scalar unless `dy` is given.
 * @param dy - gradient of what the value goes into, in its shape; default ones.
 * @returns the value and one gradient per input; zeros for an input that `f` does not use.
 */
export function isolatedGradients<T extends tf.Tensor, Y extends tf.Tensor>(
  f: (...inputs: T[]) => Y,
  inputs: readonly T[],
  dy?: tf.Tensor,
): { value: Y; gradients: T[] } {
  const { state } = engine();
  const { activeTape, gradientDepth, kernelDepth } = state;
  Object.assign(state, { activeTape: null, gradientDepth: 0, kernelDepth: 0 });
  try {
    return tf.tidy(() => {
      const { value, grads } = gradients(() => f(...(inputs as T[])), inputs, dy, true);
      const found = inputs.map((x, i) => (grads[i] ?? tf.zerosLike(x)) as T);
      return { value: value as Y, gradients: found };
    });
  } finally {
    Object.assign(state, { activeTape, gradientDepth, kernelDepth });
  }
}
