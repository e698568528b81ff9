/**
 * The bits of our kernels: the same with any number of threads, and on wasm the same as machine
 * code and as wasm.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activeKernels } from '../../src/active-kernels.js';
import { bytesOf, expectSameBits } from '../../src/__fixtures__/thread-bits.js';
import {
  createAdamW,
  createParameters,
  iclLoss,
  infoNce,
  layerNorm,
  multiSimilarity,
  tf,
  valueAndGradients,
} from '../../src/index.js';
import { matrix } from '../../src/__fixtures__/numbers.js';
import { BACKENDS, describeBackends } from './backends.js';
import { type Computation, normal, outputsOf, unit } from './op-case.js';
import { OPS } from './ops.js';

type Sides = [tf.Tensor2D, tf.Tensor2D];

/** Blocks for several threads, the last one smaller, and rows past whole vectors. */
const [ROWS, WIDTH, BLOCK] = [211, 37, 48];
const SIDES = [unit(ROWS, WIDTH), unit(ROWS, WIDTH)];

/** What the suite against float64 has in small sizes alone. */
const LARGER: readonly Computation[] = [
  {
    name: 'infoNce, large',
    inputs: SIDES,
    compute: (xs) =>
      infoNce(...(xs as Sides), { temperature: 0.1, direction: 'both', blockRows: BLOCK }),
  },
  {
    name: 'iclLoss, large',
    inputs: SIDES,
    compute: (xs) => iclLoss(...(xs as Sides), { temperature: 0.1, blockRows: BLOCK }),
  },
  {
    name: 'multiSimilarity, large',
    inputs: SIDES,
    compute: (xs) =>
      multiSimilarity(...(xs as Sides), { alpha: 2, beta: 50, lambda: 0.5, blockRows: BLOCK }),
  },
  {
    name: 'layerNorm, large',
    inputs: [normal(ROWS, 301), normal(301), normal(301)],
    compute: ([x, gain, bias]) =>
      layerNorm(x as tf.Tensor, gain as tf.Tensor1D, bias as tf.Tensor1D),
  },
];

/** More values than one block of the kernel of AdamW has. */
const TRAINED = [301, 233] as const;

/** A matrix after three steps of AdamW. */
function trained(from: () => tf.Tensor = () => matrix('w', ...TRAINED)): tf.Tensor[] {
  const parameters = createParameters();
  parameters.add('w', from());
  const optimiser = createAdamW(parameters, { weightDecay: 0.01 });
  for (let step = 0; step < 3; step++) {
    const loss = () => tf.sum(tf.square(tf.add(parameters.get('w'), 0.5))) as tf.Scalar;
    const { value, gradients } = valueAndGradients(parameters, loss);
    optimiser.step(gradients, 1e-2);
    tf.dispose([value, gradients]);
  }
  const found = tf.clone(parameters.get('w') as tf.Tensor);
  optimiser.dispose();
  parameters.dispose();
  return [found];
}

type Case = readonly [name: string, compute: () => tf.Tensor[]];

const caseOf = (op: Computation): Case => [op.name, () => outputsOf(op)];
const TRAINING: Case = ['three steps of AdamW', () => trained()];
const SHARED: readonly Case[] = [
  ...[...OPS.filter(({ isLarge }) => isLarge === true), ...LARGER].map(caseOf),
  TRAINING,
];
const ALL: readonly Case[] = [...[...OPS, ...LARGER].map(caseOf), TRAINING];

const backendOf = (name: string) => BACKENDS.find((backend) => backend.name === name)!;

const THREADED = ['wasm, machine code, 3 threads', 'tensorflow, 3 threads'].map(backendOf);

describeBackends(
  'one thread and three give the same bits',
  () => {
    test.each(SHARED)('%s', (_, compute) => expectSameBits(compute));
  },
  THREADED,
);

describeBackends(
  'training',
  () => {
    // TensorFlow works on the very array where it lies on a whole cache line, of 64 bytes.
    test('gives the same bits wherever its values lay in JavaScript', () => {
      const size = TRAINED[0] * TRAINED[1];
      const values = matrix('w', ...TRAINED);
      const room = new Float32Array(size + 16);
      const found = Array.from({ length: 16 }, (_, start) => {
        const place = room.subarray(start, start + size);
        place.set(values.dataSync());
        return bytesOf(() => trained(() => tf.tensor(place, [...TRAINED])));
      });
      values.dispose();
      for (const [bytes] of found) expect(bytes?.equals(found[0]?.[0] as Buffer)).toBe(true);
    });
  },
  ['wasm, 1 thread', 'wasm, machine code, 1 thread', 'tensorflow, 1 thread'].map(backendOf),
);

const [relaxed, machineCode] = ['wasm, 3 threads', 'wasm, machine code, 3 threads'].map(backendOf);
const title = 'machine code and wasm give the same bits';

if (machineCode?.needs?.isThere !== true) {
  test.skipIf(true)(`${title} (needs tensorflow)`, () => undefined);
} else {
  describe(title, () => {
    let wanted: Buffer[][] = [];

    beforeAll(async () => {
      await relaxed?.start();
      expect(activeKernels()?.simd).toBe('relaxed');
      wanted = ALL.map(([, compute]) => bytesOf(compute));
      await machineCode.start();
    });
    afterAll(() => machineCode.stop?.());

    test.each(ALL.map(([name, compute], i) => [name, compute, i] as const))('%s', (_, f, i) => {
      const found = bytesOf(f);
      expect(found).toHaveLength(wanted[i]?.length as number);
      expect(found.map((bytes, k) => bytes.equals(wanted[i]?.[k] as Buffer))).not.toContain(false);
    });
  });
}
