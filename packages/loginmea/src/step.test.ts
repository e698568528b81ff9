import type { SeedBatch } from '@lab/alignment';
import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { smallModel } from './__fixtures__/small-model.js';
import { contrastiveLoss } from './losses.js';
import { createOptimizer, stepGradients, trainStep } from './step.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const first: SeedBatch = { left: Int32Array.of(0, 1, 4), right: Int32Array.of(2, 3, 1) };
const second: SeedBatch = { left: Int32Array.of(1, 4), right: Int32Array.of(3, 0) };

let ours: ReturnType<typeof smallModel>;
beforeEach(() => {
  ours = smallModel({ fusionStart: 'unit' });
});
afterEach(() => ours.dispose());

describe('stepGradients', () => {
  it('has a gradient for every parameter: the sum of those of the batches', async () => {
    const { model } = ours;
    const { losses, gradients } = await stepGradients(model, { batches: [first, second] });
    const apart = [
      await stepGradients(model, { batches: [first] }),
      await stepGradients(model, { batches: [second] }),
    ];
    expect(losses).toBeClose(
      apart.map((one) => one.losses[0]!),
      { rtol: 1e-6 },
    );
    expect(Object.keys(gradients)).toEqual(model.parameters.names());
    for (const name of model.parameters.names()) {
      const sum = tf.add(apart[0]!.gradients[name]!, apart[1]!.gradients[name]!);
      expect(gradients[name]!.arraySync(), name).toBeClose(sum.arraySync(), {
        rtol: 1e-4,
        atol: 1e-6,
      });
    }
  });

  it('hands the settings of the loss on', async () => {
    const { model } = ours;
    const loss = { temperature: 0.5, direction: 'both' } as const;
    const { losses } = await stepGradients(model, { batches: [first], loss });
    const expected = contrastiveLoss(model.embed(), first, loss).dataSync()[0]!;
    expect(losses[0]! / expected).toBeCloseTo(1, 5);
    const other = contrastiveLoss(model.embed(), first).dataSync()[0]!;
    expect(Math.abs(losses[0]! - other)).toBeGreaterThan(1e-3);
  });

  it('refuses an epoch without batches, and batches of one pair', async () => {
    const { model } = ours;
    await expect(stepGradients(model, { batches: [] })).rejects.toThrow(/no seed batch/);
    const single = { left: Int32Array.of(0), right: Int32Array.of(2) };
    const body = () => stepGradients(model, { batches: [first, single] });
    expect(String(await expectNoLeak(body))).toMatch(/1 pair/);
  });
});

describe('trainStep', () => {
  it('changes every parameter and lowers the loss', async () => {
    const { model } = ours;
    const optimizer = createOptimizer(model);
    const before = await model.parameters.toArrays();
    const input = { batches: [first], learningRate: 0.01 };
    const [start] = await trainStep(model, optimizer, input);
    const after = await model.parameters.toArrays();
    for (const name of model.parameters.names()) {
      expect(after[name]!.data, name).not.toEqual(before[name]!.data);
    }
    let last = start!;
    for (let step = 0; step < 10; step += 1) {
      last = (await trainStep(model, optimizer, input))[0]!;
    }
    expect(last).toBeLessThan(start! - 0.05);
    optimizer.dispose();
  });

  it('lets a relation that no pair has decay', async () => {
    const { model } = ours;
    const optimizer = createOptimizer(model, 0.5);
    const row = () => tf.slice(model.parameters.get('relation'), [0, 0], [1, 4]).dataSync();
    const before = Array.from(row());
    await trainStep(model, optimizer, { batches: [first], learningRate: 0.1 });
    expect(Array.from(row())).toBeClose(
      before.map((x) => 0.95 * x),
      { rtol: 1e-5 },
    );
    optimizer.dispose();
  });

  it('stops at a loss that is not finite and leaves the parameters as they were', async () => {
    const { model } = ours;
    const optimizer = createOptimizer(model);
    model.parameters.get('fusion.bias').assign(tf.fill([4], Number.NaN));
    const before = await model.parameters.toArrays();
    const input = { batches: [first], learningRate: 0.01 };
    await expect(trainStep(model, optimizer, input)).rejects.toThrow(/seed batch 1 is NaN/);
    expect(await model.parameters.toArrays()).toEqual(before);
    expect(optimizer.stepCount).toBe(0);
    optimizer.dispose();
  });

  it('leaves no tensor behind, from the first step on', async () => {
    const body = async () => {
      const { model, dispose } = smallModel();
      const optimizer = createOptimizer(model);
      const input = { batches: [first, second], learningRate: 0.01 };
      await trainStep(model, optimizer, input);
      await trainStep(model, optimizer, input);
      optimizer.dispose();
      dispose();
    };
    expect(await expectNoLeak(body)).toBeUndefined();
  });
});
