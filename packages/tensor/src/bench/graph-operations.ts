import type { Random } from '@lab/core';
import { type CsrTensors, createCsr } from '../ops/csr.js';
import { gatherRows } from '../ops/gather.js';
import { graphAttention } from '../ops/graph-attention.js';
import { segmentMax, segmentSoftmax, segmentSum } from '../ops/segment.js';
import { csrMatMul } from '../ops/sparse.js';
import { tf } from '../tfjs.js';
import {
  asDetails,
  type BenchOperation,
  floatBytes,
  normalTensor,
  onTensors,
  type PreparedOperation,
} from './operation.js';

const NODES = 15_000;
const EDGES = 200_000;
const WIDTH = 300;

/** 200,000 distinct edges of 15,000 nodes, sorted by target. */
function randomGraph(random: Random): CsrTensors {
  const places = new Set<number>();
  while (places.size < EDGES) places.add(random.integer(NODES * NODES));
  const sorted = Float64Array.from(places).sort();
  const rowPointers = new Int32Array(NODES + 1);
  for (const place of sorted) (rowPointers[Math.floor(place / NODES) + 1] as number)++;
  for (let i = 0; i < NODES; i++) {
    rowPointers[i + 1] = (rowPointers[i + 1] as number) + (rowPointers[i] as number);
  }
  const columns = Int32Array.from(sorted, (place) => place % NODES);
  return createCsr({ rowCount: NODES, columnCount: NODES, rowPointers, columns });
}

/** An operation on a graph and tensors, which all live until `dispose`. */
function onGraph<T extends tf.Tensor[]>(
  shapes: readonly (readonly number[])[],
  run: (csr: CsrTensors, ...inputs: T) => tf.Tensor | tf.Tensor[],
): (random: Random) => PreparedOperation {
  return (random) => {
    const csr = randomGraph(random);
    const inputs = shapes.map((shape) => normalTensor(random, shape)) as T;
    const prepared = onTensors<T>([...inputs], (...tensors) => run(csr, ...tensors));
    return {
      run: prepared.run,
      dispose() {
        prepared.dispose();
        csr.dispose();
      },
    };
  };
}

function gatBy(csr: CsrTensors, heads: number) {
  return (x: tf.Tensor, weight: tf.Tensor, target: tf.Tensor, source: tf.Tensor): tf.Tensor => {
    const features: tf.Tensor2D = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D);
    const vectors = tf.reshape(tf.concat([target, source]), [heads, 2, WIDTH]) as tf.Tensor3D;
    return graphAttention({
      ...{ features, scoreVectors: vectors, csr },
      ...{ positiveSlope: 1, negativeSlope: 0.2 },
    });
  };
}

const gatShapes = [[NODES, WIDTH], [WIDTH, WIDTH], [WIDTH], [WIDTH]];
const productWork = 2 * EDGES * WIDTH;
const projectionWork = 2 * NODES * WIDTH * WIDTH;

const csrOperations: readonly BenchOperation[] = [
  {
    name: 'csr-matmul-forward',
    work: { flop: productWork },
    prepare: onGraph<[tf.Tensor1D, tf.Tensor2D]>([[EDGES], [NODES, WIDTH]], (csr, values, x) =>
      csrMatMul(csr, x, values),
    ),
  },
  {
    name: 'csr-matmul-gradients',
    work: { flop: 3 * productWork },
    prepare: onGraph([[EDGES], [NODES, WIDTH], [NODES, WIDTH]], (csr, values, x, dy) => {
      const f = (v: tf.Tensor, t: tf.Tensor) => csrMatMul(csr, t as tf.Tensor2D, v as tf.Tensor1D);
      return tf.grads(f)([values, x], dy);
    }),
  },
];

const attentionOperations: readonly BenchOperation[] = [
  {
    name: 'gat-layer-forward',
    work: { flop: productWork + projectionWork },
    prepare: onGraph<[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]>(gatShapes, (csr, ...inputs) =>
      gatBy(csr, 1)(...inputs),
    ),
  },
  {
    name: 'gat-layer-gradients',
    work: { flop: 3 * (productWork + projectionWork) },
    prepare: onGraph([[NODES, WIDTH], ...gatShapes], (csr, dy, ...inputs) =>
      tf.grads(gatBy(csr, 1))(inputs, dy),
    ),
  },
];

const details: readonly BenchOperation[] = [
  {
    name: 'gather-200k-300-gradient',
    work: { bytes: floatBytes(NODES * WIDTH, 2 * EDGES * WIDTH, EDGES, NODES * WIDTH) },
    prepare: onGraph(
      [
        [EDGES, WIDTH],
        [NODES, WIDTH],
      ],
      (csr, dy, x) => tf.grad((t) => gatherRows(t as tf.Tensor2D, csr.columns))(x, dy),
    ),
  },
  {
    name: 'segment-max-200k-300',
    work: { bytes: floatBytes(EDGES * WIDTH, EDGES, NODES * WIDTH) },
    prepare: onGraph<[tf.Tensor2D]>([[EDGES, WIDTH]], (csr, x) => segmentMax(x, csr.rows, NODES)),
  },
  {
    name: 'segment-softmax-200k',
    work: { bytes: floatBytes(2 * EDGES, EDGES) },
    prepare: onGraph<[tf.Tensor1D]>([[EDGES]], (csr, x) => segmentSoftmax(x, csr.rows, NODES)),
  },
];

/** Gathers, segment sums, sparse products and graph attention, with gradients. */
export const graphOperations: readonly BenchOperation[] = [
  {
    name: 'gather-200k-300',
    work: { bytes: floatBytes(NODES * WIDTH, EDGES * WIDTH, EDGES) },
    prepare: onGraph<[tf.Tensor2D]>([[NODES, WIDTH]], (csr, x) => gatherRows(x, csr.columns)),
  },
  {
    name: 'segment-sum-200k-300',
    work: { bytes: floatBytes(EDGES * WIDTH, EDGES, NODES * WIDTH) },
    prepare: onGraph<[tf.Tensor2D]>([[EDGES, WIDTH]], (csr, x) => segmentSum(x, csr.rows, NODES)),
  },
  ...csrOperations,
  ...attentionOperations,
  ...asDetails(details),
];
