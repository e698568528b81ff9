/**
 * How vectors pass from entity to entity: by reflection, as the method has it, or by one of three
 * simpler rules to compare with.
 */
import {
  graphConvolution,
  type ReflectionPattern,
  reflectionAttention,
  reflectionWeights,
} from '@lab/graph';
import { type CsrTensors, csrMatMul, segmentSoftmax, tf } from '@lab/tensor';

/** The rule by which vectors pass on. */
export type Propagation = 'reflection' | 'gat' | 'gcn' | 'mean';

/** What one encoder passes vectors along, weighted by relations. */
export interface RelationNetwork {
  /** `gat` leaves the reflection out; default `reflection`. */
  readonly propagation?: 'reflection' | 'gat';
  readonly pattern: ReflectionPattern;
  /** r, rows of length 1, `[U, D]`, the same for both encoders: see `relationVectors`. */
  readonly setVectors: tf.Tensor2D;
  /** k of each layer, `[D]`. */
  readonly kernels: readonly tf.Tensor1D[];
}

/** What one encoder passes vectors along by graph convolution. */
export interface ConvolutionNetwork {
  readonly propagation: 'gcn';
  /** Normalised adjacency of all entities with self loops, `[N, N]`. */
  readonly convolution: CsrTensors;
  /** W of each layer, `[D, D]`. */
  readonly weights: readonly tf.Tensor2D[];
}

/** What one encoder passes vectors along by plain means. */
export interface MeanNetwork {
  readonly propagation: 'mean';
  /** Row i holds the neighbours of entity i, `[N, N]`. */
  readonly neighbours: CsrTensors;
  /** L. */
  readonly layers: number;
}

/** What one encoder passes vectors along. */
export type PropagationNetwork = ConvolutionNetwork | MeanNetwork | RelationNetwork;

/** Whether a rule reads the relation table. */
export function usesRelations(propagation: Propagation): boolean {
  return propagation === 'reflection' || propagation === 'gat';
}

/**
 * The states of one encoder: its start and the result of each layer.
 *
 * `h^0 = tanh(start)`; `reflection`: {@link reflectionStates}; `gat`:
 * `h_i^(l+1) = tanh( sum_j a_ij h_j^l )` with the same `a_ij`, from the relations alone; `gcn`:
 * `h^(l+1) = tanh( D^-1/2 (A + I) D^-1/2 h^l W_l )`; `mean`: `h_i^(l+1) = tanh( mean_j h_j^l )`
 * over the neighbours j of i.
 * Source: ablations of the reflection of LoginMEA; equation not verified.
 *
 * @param start - `[N, D]`.
 * @returns h^0 ... h^L, `[N, D]` each.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function propagationStates(start: tf.Tensor2D, network: PropagationNetwork): tf.Tensor2D[] {
  if (network.propagation === 'gcn') {
    const { convolution, weights } = network;
    return statesOf(start, weights, (h, weight) => graphConvolution(h, { weight }, convolution));
  }
  if (network.propagation === 'mean') {
    const { neighbours, layers } = network;
    return tf.tidy(() => {
      const equal = tf.zeros([neighbours.entryCount]) as tf.Tensor1D;
      const shares = segmentSoftmax(equal, neighbours.rows, neighbours.rowCount); // [E]
      const steps = Array.from({ length: layers }, () => shares);
      return statesOf(start, steps, (h, values) => csrMatMul(neighbours, h, values));
    });
  }
  if (network.propagation !== 'gat') return reflectionStates(start, network);
  const { pattern, setVectors, kernels } = network;
  return statesOf(start, kernels, (h, kernel) =>
    csrMatMul(pattern.neighbours, h, reflectionWeights({ pattern, setVectors, kernel })),
  );
}

/**
 * The states of one encoder that reflects: its start and the result of each layer.
 *
 * `h^0 = tanh(start)`, `h_i^(l+1) = tanh( sum_j a_ij (h_j^l - 2 (h_j^l . r_ij) r_ij) )`, `a_ij` the
 * soft-max of `r_ij . k_l` over the neighbours of i: `reflectionAttention` of `@lab/graph`. Without
 * a neighbour `h^1` and all later states are 0.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MrFusionGraphAttention`; equation not verified.
 *
 * @param start - `[N, D]`.
 * @returns h^0 ... h^L, `[N, D]` each, L the number of kernels.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function reflectionStates(
  start: tf.Tensor2D,
  { pattern, setVectors, kernels }: RelationNetwork,
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const states: tf.Tensor2D[] = [tf.tanh(start)];
    for (const kernel of kernels) {
      states.push(reflectionAttention(states.at(-1)!, { pattern, setVectors, kernel }));
    }
    return states;
  });
}

/** `tanh(start)`, and one state more for each of the steps: `tanh(layer(state, step))`. */
function statesOf<T>(
  start: tf.Tensor2D,
  steps: readonly T[],
  layer: (h: tf.Tensor2D, step: T) => tf.Tensor2D,
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const states: tf.Tensor2D[] = [tf.tanh(start)];
    for (const step of steps) states.push(tf.tanh(layer(states.at(-1)!, step)));
    return states;
  });
}
