import { createRandom, type Random, ShapeError } from '@lab/core';
import '@lab/core/testing';
import { memoryReport, resetAllocationRecord, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RelationPairs, relationPairs } from '../relation-pairs.js';
import {
  createReflectionPattern,
  type ReflectionPattern,
  reflectionAttention,
  reflectionWeights,
  relationVectors,
} from './reflection.js';

type Numbers = ArrayLike<number>;

function draw(shape: readonly number[], random: Random): tf.Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return tf.tensor(random.fillNormal(values), [...shape]);
}

/** Pairs of lines `[head, relation, tail]`. */
function pairsOf(
  lines: readonly (readonly number[])[],
  { entityCount, relationCount }: { entityCount: number; relationCount: number },
): RelationPairs {
  const column = (at: number) => Int32Array.from(lines, (line) => line[at]!);
  const triples = {
    heads: column(0),
    relations: column(1),
    tails: column(2),
    leftCount: lines.length,
  };
  return relationPairs({ entityCount, triples }, { relationCount });
}

/** Mean of the relations of each set, divided by its length, in float64: `[U][D]`. */
function plainVectors({ averaging }: RelationPairs, rho: Numbers, width: number): number[][] {
  return Array.from({ length: averaging.rowCount }, (_, u) => {
    const [start, end] = [averaging.rowPointers[u]!, averaging.rowPointers[u + 1]!];
    const set = [...averaging.columns.slice(start, end)];
    const sum = Array.from({ length: width }, (__, d) =>
      set.reduce((total, relation) => total + rho[relation * width + d]!, 0),
    );
    const length = Math.hypot(...sum);
    return sum.map((value) => value / length);
  });
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, d) => sum + value * b[d]!, 0);

/** The layer as its equation reads, one message a pair, in float64. */
function plainLayer(
  { neighbours, sets }: RelationPairs,
  { h, r, kernel }: { h: Numbers; r: number[][]; kernel: number[] },
): number[] {
  const width = kernel.length;
  const row = (i: number) => Array.from({ length: width }, (_, d) => h[i * width + d]!);
  return Array.from({ length: neighbours.rowCount }, (_, i) => {
    const [start, end] = [neighbours.rowPointers[i]!, neighbours.rowPointers[i + 1]!];
    const pairs = Array.from({ length: end - start }, (__, k) => start + k);
    const scores = pairs.map((e) => Math.exp(dot(r[sets[e]!]!, kernel)));
    const total = scores.reduce((a, b) => a + b, 0);
    const sum = new Array<number>(width).fill(0);
    for (const [k, e] of pairs.entries()) {
      const [sent, normal] = [row(neighbours.columns[e]!), r[sets[e]!]!];
      const along = 2 * dot(sent, normal);
      for (let d = 0; d < width; d += 1) {
        sum[d]! += (scores[k]! / total) * (sent[d]! - along * normal[d]!);
      }
    }
    return sum.map(Math.tanh);
  }).flat();
}

/** The layer of relation embeddings: h, rho and kernel are the inputs. */
const layerOf = (pattern: ReflectionPattern, inputs: readonly tf.Tensor[]): tf.Tensor2D =>
  tf.tidy(() => {
    const [h, rho, kernel] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    return reflectionAttention(h, { pattern, setVectors: relationVectors(rho, pattern), kernel });
  });

const WIDTH = 5;

// Parallel, opposite, repeated and h = t lines; 1 and 3 reach 2 by one set; 5 has no neighbour
const small = [
  [0, 0, 1],
  [0, 1, 1],
  [1, 2, 0],
  [1, 0, 2],
  [3, 0, 2],
  [3, 0, 2],
  [4, 1, 4],
  [4, 2, 0],
  [3, 1, 0],
];
const pairs = pairsOf(small, { entityCount: 6, relationCount: 3 });

describe.each(['cpu', 'wasm'] as const)('reflectionAttention on %s', (backend) => {
  const random = createRandom(31);
  let pattern: ReflectionPattern;
  beforeAll(async () => {
    await selectBackend(backend);
    pattern = createReflectionPattern(pairs);
  });
  afterAll(() => pattern.dispose());

  const inputs = (): [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D] => [
    draw([6, WIDTH], random) as tf.Tensor2D,
    draw([6, WIDTH], random) as tf.Tensor2D,
    draw([WIDTH], random) as tf.Tensor1D,
  ];
  const layer = (h: tf.Tensor, rho: tf.Tensor, kernel: tf.Tensor): tf.Tensor2D =>
    layerOf(pattern, [h, rho, kernel]);
  const plain = (h: Numbers, rho: Numbers, kernel: Numbers): number[] =>
    plainLayer(pairs, { h, r: plainVectors(pairs, rho, WIDTH), kernel: Array.from(kernel) });

  it('equals the equation, one message a pair', async () => {
    const [h, rho, kernel] = inputs();
    const output = await layer(h, rho, kernel).data();
    const wanted = plain(h.dataSync(), rho.dataSync(), kernel.dataSync());
    expect([...output]).toBeClose(wanted, { rtol: 1e-5, atol: 1e-6 });
    expect([...output.slice(5 * WIDTH)]).toEqual([0, 0, 0, 0, 0]);
  });

  it('has the gradients of the equation for features, relations and kernel', async () => {
    await checkGradient(layer as Parameters<typeof checkGradient>[0], inputs(), {
      reference: plain as (...inputs: Float64Array[]) => number[],
    });
  });

  it('has the gradient for set vectors of any length', async () => {
    const [h, , kernel] = inputs();
    const sets = draw([pairs.averaging.rowCount, WIDTH], random);
    const f = (x: tf.Tensor, setVectors: tf.Tensor) =>
      reflectionAttention(x as tf.Tensor2D, {
        pattern,
        setVectors: setVectors as tf.Tensor2D,
        kernel,
      });
    const k = [...kernel.dataSync()];
    const rowsOf = (x: Numbers) =>
      Array.from({ length: x.length / WIDTH }, (_, u) =>
        Array.from({ length: WIDTH }, (__, d) => x[u * WIDTH + d]!),
      );
    await checkGradient(f as Parameters<typeof checkGradient>[0], [h, sets], {
      reference: (x, r) => plainLayer(pairs, { h: x!, r: rowsOf(r!), kernel: k }),
    });
  });

  it('leaks nothing, forward and backward', async () => {
    const all = inputs();
    await expectNoLeak(() => layer(...all));
    await expectNoLeak(() => tf.grads(layer as (...xs: tf.Tensor[]) => tf.Tensor)(all));
  });

  it('weighs the pairs of each entity with 1 in total', async () => {
    const [, rho, kernel] = inputs();
    const setVectors = relationVectors(rho, pattern);
    const weights = [...(await reflectionWeights({ pattern, setVectors, kernel }).data())];
    const { rowPointers } = pairs.neighbours;
    const totals = Array.from({ length: 6 }, (_, i) =>
      weights.slice(rowPointers[i], rowPointers[i + 1]).reduce((a, b) => a + b, 0),
    );
    expect(totals).toBeClose([1, 1, 1, 1, 1, 0], { atol: 1e-6 });
  });

  it('gives zeros on a graph without triples', async () => {
    const none = createReflectionPattern(pairsOf([], { entityCount: 2, relationCount: 3 }));
    const [h, rho, kernel] = inputs();
    const setVectors = relationVectors(rho, none);
    const two = tf.slice(h, [0, 0], [2, WIDTH]);
    const output = reflectionAttention(two, { pattern: none, setVectors, kernel });
    expect([...(await output.data())]).toEqual(new Array(2 * WIDTH).fill(0));
    none.dispose();
  });

  it('refuses other widths and numbers of rows', () => {
    const [h, rho, kernel] = inputs();
    const setVectors = relationVectors(rho, pattern);
    const narrow = tf.zeros([WIDTH - 1]) as tf.Tensor1D;
    expect(() => reflectionAttention(h, { pattern, setVectors, kernel: narrow })).toThrow(
      'kernel has shape [4], expected [D] with D = 5',
    );
    const few = tf.zeros([5, WIDTH]) as tf.Tensor2D;
    expect(() => reflectionAttention(few, { pattern, setVectors, kernel })).toThrow(ShapeError);
    expect(() => relationVectors(few, pattern)).toThrow(ShapeError);
    expect(() => reflectionAttention(h, { pattern, setVectors: few, kernel })).toThrow(ShapeError);
  });
});

describe('the reflection', () => {
  const random = createRandom(32);
  const single = pairsOf([[0, 0, 1]], { entityCount: 2, relationCount: 1 });
  let pattern: ReflectionPattern;
  beforeAll(async () => {
    await selectBackend('wasm');
    pattern = createReflectionPattern(single);
  });
  afterAll(() => pattern.dispose());

  /** Before tanh: with one neighbour, what the neighbour's row is reflected to. */
  const reflect = (h: tf.Tensor2D, setVectors: tf.Tensor2D): number[] => {
    const kernel = tf.zeros([h.shape[1]]) as tf.Tensor1D;
    return [...reflectionAttention(h, { pattern, setVectors, kernel }).dataSync()].map(Math.atanh);
  };

  it('keeps lengths and distances, and undoes itself', () => {
    const both = relationVectors(draw([2, 4], random) as tf.Tensor2D, pattern);
    const sets = tf.concat([tf.slice(both, [0, 0], [1, 4]), tf.slice(both, [0, 0], [1, 4])]);
    const h = tf.mul(draw([2, 4], random), 0.2) as tf.Tensor2D;
    const given = [...h.dataSync()];
    const once = reflect(h, sets as tf.Tensor2D);
    const length = (x: number[]) => Math.hypot(...x);
    const [first, second] = [once.slice(4), once.slice(0, 4)]; // each row goes to the other entity
    expect(length(first)).toBeCloseTo(length(given.slice(0, 4)), 5);
    expect(length(second)).toBeCloseTo(length(given.slice(4)), 5);
    const gap = (x: number[], y: number[]) => length(x.map((value, d) => value - y[d]!));
    expect(gap(first, second)).toBeCloseTo(gap(given.slice(0, 4), given.slice(4)), 5);
    expect(gap(first, given.slice(0, 4))).toBeGreaterThan(0.01);
    const twice = reflect(tf.tensor2d(once, [2, 4]), sets as tf.Tensor2D);
    expect(twice).toBeClose(given, { rtol: 1e-4, atol: 1e-6 });
  });

  it('turns a vector along the normal round and leaves one in the plane', () => {
    const h = tf.tensor2d([0.3, 0, 0.1, 0.2], [2, 2]);
    const sets = tf.tensor2d([1, 0, 1, 0], [2, 2]);
    expect(reflect(h, sets)).toBeClose([-0.1, 0.2, -0.3, 0], { atol: 1e-6 });
  });
});

describe('memory of reflectionAttention', () => {
  const [entityCount, wanted, width, relationCount] = [5000, 60_000, 64, 40];
  const random = createRandom(33);
  const bytesOf = (rows: number) => rows * width * 4;

  const line = () => [
    random.integer(entityCount),
    random.integer(relationCount),
    random.integer(entityCount),
  ];

  /** Largest single buffer, and all buffers at one time above those of the inputs, in bytes. */
  const use = (body: () => void): { largest: number; peak: number } => {
    const before = memoryReport().tensorBytes;
    resetAllocationRecord();
    const start = memoryReport().peakHeapBytes!;
    body();
    const { largestAllocationBytes, peakHeapBytes, tensorBytes } = memoryReport();
    expect(tensorBytes).toBe(before);
    return { largest: largestAllocationBytes, peak: peakHeapBytes! - start };
  };

  it('is that of rows of entities, never of pairs', async () => {
    await selectBackend('wasm');
    const lines = Array.from({ length: wanted / 2 }, line);
    const crowded = pairsOf(lines, { entityCount, relationCount });
    const pairCount = crowded.sets.length;
    expect(pairCount).toBeGreaterThan(0.99 * wanted);
    expect(crowded.averaging.rowCount).toBeLessThan(entityCount);
    const pattern = createReflectionPattern(crowded);
    const h = draw([entityCount, width], random);
    const rho = draw([2 * relationCount, width], random);
    const kernel = draw([width], random);
    const f = (...inputs: tf.Tensor[]): tf.Tensor => layerOf(pattern, inputs);
    tf.dispose(f(h, rho, kernel)); // places the inputs in the heap
    const forward = use(() => tf.dispose(f(h, rho, kernel)));
    const both = use(() => {
      const { value, grads } = tf.valueAndGrads(f)([h, rho, kernel]);
      tf.dispose([value, ...grads]);
    });
    const gathered = use(() => tf.dispose(tf.gather(h, pattern.neighbours.columns)));
    pattern.dispose();
    expect(gathered.largest).toBeGreaterThanOrEqual(bytesOf(pairCount));
    expect(forward.largest).toBeLessThanOrEqual(bytesOf(entityCount));
    expect(both.largest).toBeLessThanOrEqual(bytesOf(entityCount));
    expect(both.peak).toBeLessThan(bytesOf(pairCount));
  });
});
