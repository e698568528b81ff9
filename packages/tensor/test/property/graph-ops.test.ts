import { createRandom } from '@lab/core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  type CsrArrays,
  createCsr,
  csrMatMul,
  graphAttention,
  segmentSoftmax,
  segmentSum,
  selectBackend,
  tf,
} from '../../src/index.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

interface Edge {
  readonly from: number;
  readonly to: number;
}

/** Rows list what a node receives; entries keep the order of the edges. */
function patternOf(edges: readonly Edge[], nodes: number): CsrArrays {
  const rowPointers = new Int32Array(nodes + 1);
  for (const { to } of edges) rowPointers[to + 1] = (rowPointers[to + 1] as number) + 1;
  for (let i = 0; i < nodes; i++) {
    rowPointers[i + 1] = (rowPointers[i + 1] as number) + (rowPointers[i] as number);
  }
  const sorted = [...edges].sort((a, b) => a.to - b.to);
  const columns = Int32Array.from(sorted, ({ from }) => from);
  return { rowCount: nodes, columnCount: nodes, rowPointers, columns };
}

const graphs = fc.integer({ min: 1, max: 9 }).chain((nodes) => {
  const node = fc.integer({ min: 0, max: nodes - 1 });
  return fc.record({
    nodes: fc.constant(nodes),
    edges: fc.array(fc.record({ from: node, to: node }), { maxLength: 30 }),
    width: fc.integer({ min: 1, max: 21 }),
    seed: fc.integer(),
  });
});

function attend(
  edges: readonly Edge[],
  features: tf.Tensor2D,
  scoreVectors: tf.Tensor3D,
): tf.Tensor2D {
  const csr = createCsr(patternOf(edges, features.shape[0]));
  const slopes = { positiveSlope: 1, negativeSlope: 0.2 };
  const output = graphAttention({ features, scoreVectors, csr, ...slopes });
  csr.dispose();
  return output;
}

function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  const other = b.dataSync();
  const differences = Array.from(a.dataSync(), (value, i) =>
    Math.abs(value - (other[i] as number)),
  );
  return Math.max(0, ...differences);
}

test('attention does not depend on how nodes are numbered', () => {
  fc.assert(
    fc.property(graphs, ({ nodes, edges, width, seed }) => {
      const random = createRandom(seed);
      const order = random.fork('order').permutation(nodes);
      const place = new Int32Array(nodes);
      order.forEach((old, now) => {
        place[old] = now;
      });
      const worst = tf.tidy(() => {
        const values = (name: string, size: number) =>
          random.fork(name).fillNormal(new Float32Array(size));
        const features = tf.tensor2d(values('features', nodes * width), [nodes, width]);
        const vectors = tf.tensor3d(values('vectors', 4 * width), [2, 2, width]);
        const rows = tf.tensor1d(order, 'int32');
        const renamed = edges.map(({ from, to }) => {
          return { from: place[from] as number, to: place[to] as number };
        });
        const moved = tf.gather(features, rows) as tf.Tensor2D;
        const before = attend(edges, features, vectors);
        return largestDifference(attend(renamed, moved, vectors), tf.gather(before, rows));
      });
      expect(worst).toBeLessThan(1e-5);
    }),
    { numRuns: 60 },
  );
});

test('shares of a segment sum to one, and a product with them is an average', () => {
  fc.assert(
    fc.property(graphs, ({ nodes, edges, seed }) => {
      tf.tidy(() => {
        const arrays = patternOf(edges, nodes);
        const csr = createCsr(arrays);
        const scores = createRandom(seed).fillNormal(new Float32Array(edges.length), 0, 30);
        const shares = segmentSoftmax(tf.tensor1d(scores), csr.rows, nodes);
        const sums = segmentSum(shares, csr.rows, nodes).dataSync();
        const averages = csrMatMul(csr, tf.fill([nodes, 3], 7), shares).dataSync();
        for (let i = 0; i < nodes; i++) {
          const isEmpty = arrays.rowPointers[i] === arrays.rowPointers[i + 1];
          expect(sums[i]).toBeCloseTo(isEmpty ? 0 : 1, 5);
          expect(averages[3 * i]).toBeCloseTo(isEmpty ? 0 : 7, 4);
        }
        csr.dispose();
      });
    }),
    { numRuns: 60 },
  );
});
