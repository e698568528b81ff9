// CPU time of the losses and of the evaluation at the sizes of 15,000 pairs with 30 % seeds:
// `pnpm exec vitest bench --run --project unit bench/losses.bench.ts`.
import { afterAll, beforeAll, bench, describe } from 'vitest';
import {
  iclLoss,
  infoNce,
  l2NormalizeRows,
  modalContrast,
  multiSimilarity,
  nearestPairs,
  rankPairs,
  selectBackend,
  tf,
} from '../src/index.js';

const pairCount = 4500;

const testCount = 10_500;

interface Result {
  name: string;
  /** Multiply-adds that the method needs when nothing is computed twice. */
  products: number;
  cpuMs: number[];
}

const results = new Map<string, Result>();

const prepared = new Map<string, [tf.Tensor2D, tf.Tensor2D]>();

/** The inputs of a size, made once and outside the time that is measured. */
function sides(rowCount: number, width: number): [tf.Tensor2D, tf.Tensor2D] {
  const name = `${rowCount} ${width}`;
  const inputs = prepared.get(name) ?? similarSides(rowCount, width);
  prepared.set(name, inputs);
  return inputs;
}

/** Unit rows; the right ones resemble the left ones. */
function similarSides(rowCount: number, width: number): [tf.Tensor2D, tf.Tensor2D] {
  const noise = (seed: number) => tf.randomNormal([rowCount, width], 0, 1, 'float32', seed);
  const unit = (x: tf.Tensor) => tf.div<tf.Tensor2D>(x, tf.norm(x, 2, 1, true));
  return tf.tidy(() => {
    const left = unit(noise(1));
    return [left, unit(tf.add(left, tf.mul(unit(noise(2)), 0.7)))];
  });
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** One benchmark: two runs, the better one counts. */
function measure(
  name: string,
  { rowCount, width, products }: Size,
  run: (left: tf.Tensor2D, right: tf.Tensor2D) => Promise<void>,
): void {
  const result: Result = { name, products, cpuMs: [] };
  results.set(name, result);
  const timed = async () => {
    const [left, right] = sides(rowCount, width);
    const start = cpuMs();
    await run(left, right);
    result.cpuMs.push(cpuMs() - start);
  };
  bench(name, timed, { iterations: 2, time: 0, warmupIterations: 0, warmupTime: 0 });
}

interface Size {
  rowCount: number;
  width: number;
  products: number;
}

type Loss = (left: tf.Tensor2D, right: tf.Tensor2D) => tf.Scalar;

function measureGradients(name: string, size: Size, loss: Loss): void {
  measure(`${name}, D = ${size.width}`, size, async (left, right) => {
    const gradients = tf.grads((l, r) => loss(l as tf.Tensor2D, r as tf.Tensor2D))([left, right]);
    await gradients[0]?.data();
    tf.dispose(gradients);
  });
}

/** InfoNCE of three modalities, and multi-similarity of them joined. */
function modalLoss(left: tf.Tensor2D, right: tf.Tensor2D): tf.Scalar {
  const parts = (x: tf.Tensor2D) =>
    tf.split(x, [300, 100, 100], 1).map((part) => l2NormalizeRows(part as tf.Tensor2D));
  const others = parts(right);
  const modalities = parts(left).map((part, at) => ({ left: part, right: others[at]! }));
  const equal = tf.fill([pairCount, 3], Math.sqrt(1 / 3)) as tf.Tensor2D;
  const { total } = modalContrast(
    { modalities, shares: { left: equal, right: equal } },
    {
      infoNce: { temperature: 0.1, direction: 'left-to-right' },
      multiSimilarity: { alpha: 5, beta: 40, lambda: 0.5 },
    },
  );
  return total;
}

beforeAll(async () => {
  await selectBackend('wasm');
});

afterAll(() => {
  const lines = [...results.values()].map(({ name, products, cpuMs: times }) => {
    const best = Math.min(...times);
    const speed = (2 * products) / best / 1e6;
    return `${name.padEnd(44)} ${best.toFixed(0).padStart(7)} CPU ms ${speed.toFixed(1)} GFLOP/s`;
  });
  process.stdout.write(`${lines.join('\n')}\n`);
});

describe('value and gradients of 4,500 pairs', () => {
  for (const width of [100, 300]) {
    const products = 3 * pairCount ** 2 * width;
    for (const direction of ['left-to-right', 'both'] as const) {
      measureGradients(
        `infoNce ${direction}`,
        { rowCount: pairCount, width, products },
        (left, right) => infoNce(left, right, { temperature: 0.1, direction }),
      );
    }
  }
  // Half of the similarities by symmetry, all of the gradient.
  const size = { rowCount: pairCount, width: 600, products: 6 * pairCount ** 2 * 600 };
  measureGradients('multiSimilarity', size, (left, right) =>
    multiSimilarity(left, right, { alpha: 5, beta: 40, lambda: 0.5 }),
  );
  measureGradients('iclLoss', size, (left, right) => iclLoss(left, right, { temperature: 0.1 }));
  // Products of left and right once for both terms; halves within a side, all of the gradients.
  const modal = { rowCount: pairCount, width: 500, products: 6 * pairCount ** 2 * 500 };
  measureGradients('modalContrast of 300 + 100 + 100', modal, modalLoss);
});

describe('evaluation of 10,500 by 10,500', () => {
  const products = testCount ** 2 * 600;
  const gold = Int32Array.from({ length: testCount }, (_, row) => row);
  const size = { rowCount: testCount, width: 600 };
  measure('rankPairs with CSLS', { ...size, products: 2 * products }, async (left, right) => {
    await rankPairs({ left, right, gold, csls: true });
  });
  measure('nearestPairs, k = 10', { ...size, products }, async (left, right) => {
    await nearestPairs({ left, right, k: 10 });
  });
});
