/**
 * Operations along the edges of graphs, with their twins.
 */
import { createRandom } from '@lab/core';
import {
  type CsrArrays,
  csrMatMul,
  csrSampledProduct,
  gatherRows,
  graphAttention,
  segmentMax,
  segmentMean,
  segmentSoftmax,
  segmentSum,
  tf,
} from '../../src/index.js';
import { raggedPattern } from '../../src/__fixtures__/numbers.js';
import { type Constants, normal, type OpCase } from './op-case.js';
import { build, product, segmentSoftmaxOf, total } from './plain.js';

/** Indices below `high`, in no order, the same in every run. */
function indicesOf(count: number, high: number): Int32Array {
  const random = createRandom(5).fork(`${count}/${high}`);
  return Int32Array.from({ length: count }, () => random.integer(high));
}

const ids = (values: Int32Array): tf.Tensor1D => tf.tensor1d(values, 'int32');

interface Sizes {
  /** Rows of the input, or edges. */
  readonly rows: number;
  readonly width: number;
  /** Rows gathered, or segments; every seventh segment is empty. */
  readonly count: number;
  readonly isLarge?: boolean;
}

const SMALL: Sizes = { rows: 9, width: 5, count: 4 };
const LARGE: Sizes = { rows: 5003, width: 33, count: 301, isLarge: true };

function gatherCase({ rows, width, count, isLarge = false }: Sizes): OpCase {
  const indices = indicesOf(count, rows);
  return {
    name: `gatherRows, ${count} of ${rows} x ${width}`,
    inputs: [normal(rows, width)],
    compute: ([x]) => gatherRows(x as tf.Tensor2D, ids(indices)),
    reference: (x) =>
      build(count * width, (at) => {
        const row = indices[Math.floor(at / width)] as number;
        return x[row * width + (at % width)] as number;
      }),
    isLarge,
  };
}

type Segments = (x: tf.Tensor2D, ids: tf.Tensor1D, count: number) => tf.Tensor2D;

/** Reduces the members of a segment in one column; none give 0. */
type Reduce = (members: number[]) => number;

const sumOf: Reduce = (members) => members.reduce((a, b) => a + b, 0);

const REDUCTIONS: readonly [string, Segments, Reduce][] = [
  ['segmentSum', segmentSum, sumOf],
  ['segmentMean', segmentMean, (members) => sumOf(members) / Math.max(members.length, 1)],
  ['segmentMax', segmentMax, (members) => (members.length === 0 ? 0 : Math.max(...members))],
];

const segmentsOf = ({ rows, count }: Sizes): Int32Array =>
  indicesOf(rows, count).map((segment) => (segment % 7 === 6 ? 0 : segment));

function segmentCase(sizes: Sizes, [name, compute, reduce]: (typeof REDUCTIONS)[number]): OpCase {
  const { rows, width, count, isLarge = false } = sizes;
  const segments = segmentsOf(sizes);
  return {
    name: `${name}, ${rows} x ${width} to ${count}`,
    inputs: [normal(rows, width)],
    compute: ([x]) => compute(x as tf.Tensor2D, ids(segments), count),
    reference: (x) => {
      const members = Array.from({ length: count * width }, (): number[] => []);
      for (const [at, value] of x.entries()) {
        const slot = (segments[Math.floor(at / width)] as number) * width + (at % width);
        members[slot]?.push(value);
      }
      return members.map(reduce);
    },
    isLarge,
  };
}

function segmentSoftmaxCase(sizes: Sizes): OpCase {
  const { rows, count, isLarge = false } = sizes;
  const segments = segmentsOf(sizes);
  return {
    name: `segmentSoftmax, ${rows} in ${count}`,
    inputs: [normal(rows)],
    compute: ([scores]) => segmentSoftmax(scores as tf.Tensor1D, ids(segments), count),
    reference: (scores) => segmentSoftmaxOf(scores, segments),
    isLarge,
  };
}

/** The row of every entry. */
function rowsOf({ rowCount, rowPointers }: CsrArrays): Int32Array {
  const rows: number[] = [];
  for (let i = 0; i < rowCount; i++) {
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e++) rows.push(i);
  }
  return Int32Array.from(rows);
}

/** Sum over the entries of the weight of each times the row of `dense` that it points to. */
function collect(
  pattern: CsrArrays,
  dense: Float64Array,
  weights: ArrayLike<number> | undefined,
): Float64Array {
  const width = dense.length / pattern.columnCount;
  const out = new Float64Array(pattern.rowCount * width);
  rowsOf(pattern).forEach((row, e) => {
    const from = (pattern.columns[e] as number) * width;
    const weight = weights?.[e] ?? 1;
    for (let d = 0; d < width; d++) {
      const to = row * width + d;
      out[to] = (out[to] as number) + weight * (dense[from + d] as number);
    }
  });
  return out;
}

function csrCases(pattern: CsrArrays, width: number, isLarge = false): OpCase[] {
  const { rowCount, columnCount, columns } = pattern;
  const name = `csrMatMul, ${rowCount} x ${columnCount} x ${width}`;
  const dense = normal(columnCount, width);
  return [
    {
      name,
      inputs: [dense],
      compute: ([x], { csr }) => csrMatMul(csr, x as tf.Tensor2D),
      reference: (x) => collect(pattern, x, undefined),
      ...{ graph: pattern, isLarge },
    },
    {
      name: `${name}, weighted`,
      inputs: [dense, normal(columns.length)],
      compute: ([x, w], { csr }) => csrMatMul(csr, x as tf.Tensor2D, w as tf.Tensor1D),
      reference: (x, w) => collect(pattern, x, w),
      ...{ graph: pattern, isLarge },
    },
  ];
}

function sampledCase(pattern: CsrArrays, width: number): OpCase {
  const { rowCount, columnCount, columns } = pattern;
  return {
    name: `csrSampledProduct, ${rowCount} x ${columnCount} x ${width}`,
    inputs: [normal(rowCount, width), normal(columnCount, width)],
    compute: ([x, y], { csr }) => csrSampledProduct(csr, x as tf.Tensor2D, y as tf.Tensor2D),
    reference: (x, y) =>
      Array.from(rowsOf(pattern), (row, e) => {
        const from = (columns[e] as number) * width;
        return total(width, (d) => (x[row * width + d] as number) * (y[from + d] as number));
      }),
    graph: pattern,
  };
}

/** One head of graph attention: features collected with the softmax of the sloped scores. */
export function attentionHead(
  pattern: CsrArrays,
  features: Float64Array,
  scoreOf: (row: number, column: number) => number,
): Float64Array {
  const rows = rowsOf(pattern);
  const scores = rows.reduce((all: number[], row, e) => {
    const sum = scoreOf(row, pattern.columns[e] as number);
    all.push(sum > 0 ? sum : 0.2 * sum);
    return all;
  }, []);
  return collect(pattern, features, segmentSoftmaxOf(scores, rows));
}

function attend(xs: tf.Tensor[], { csr }: Constants): tf.Tensor {
  const [features, scoreVectors, headWeights] = xs;
  return graphAttention({
    ...{ features: features as tf.Tensor2D, scoreVectors: scoreVectors as tf.Tensor3D },
    ...(headWeights === undefined ? {} : { headWeights: headWeights as tf.Tensor2D }),
    ...{ csr, positiveSlope: 1, negativeSlope: 0.2 },
  });
}

function attentionCase(pattern: CsrArrays, heads: number, width: number): OpCase {
  const nodes = pattern.rowCount;
  return {
    name: `graphAttention, ${nodes} nodes, ${heads} heads, ${width} columns`,
    inputs: [normal(nodes, width), normal(heads, 2, width), normal(heads, width)],
    compute: attend,
    reference: (x, vectors, weights) => {
      const size = [nodes, width, 2 * heads] as const;
      const scores = product(x, vectors, { size, transposeB: true });
      const scoreOf = (node: number, vector: number) => scores[node * 2 * heads + vector] as number;
      const out = new Float64Array(nodes * width);
      for (let k = 0; k < heads; k++) {
        const head = attentionHead(pattern, x, (i, j) => scoreOf(i, 2 * k) + scoreOf(j, 2 * k + 1));
        head.forEach((value, at) => {
          out[at] =
            (out[at] as number) + (value * (weights[k * width + (at % width)] as number)) / heads;
        });
      }
      return out;
    },
    graph: pattern,
    isLarge: nodes > 100,
  };
}

/** Gathers, segments, sparse products and graph attention. */
export const GRAPH_OPS: readonly OpCase[] = [
  ...[SMALL, LARGE].flatMap((sizes) => [
    gatherCase(sizes),
    ...REDUCTIONS.map((line) => segmentCase(sizes, line)),
    segmentSoftmaxCase(sizes),
  ]),
  ...csrCases(raggedPattern(9, 6), 5),
  sampledCase(raggedPattern(9, 6), 5),
  ...csrCases(raggedPattern(1501, 997), 37, true),
  ...[1, 2, 3].map((heads) => attentionCase(raggedPattern(7, 7), heads, 5)),
  attentionCase(raggedPattern(1201, 1201), 2, 33),
  attentionCase(raggedPattern(1201, 1201), 3, 18),
];
