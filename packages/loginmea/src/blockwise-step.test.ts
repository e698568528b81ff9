import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@lab/core/testing';
import { createRandom } from '@lab/core';
import {
  createCsr,
  type CsrArrays,
  type HostMatrix,
  memoryReport,
  readHostTable,
  resetAllocationRecord,
  selectBackend,
  tf,
  writeHostTable,
} from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bothModels, hostPair, seedBatches } from './__fixtures__/blockwise-pair.js';
import { type AlignmentLoss, drawNegatives } from './alignment-loss.js';
import { createBlockwiseModel, loadBlockwise } from './blockwise-model.js';
import {
  blockwiseGradients,
  type BlockwiseStepInput,
  blockwiseTrainStep,
  createBlockwiseOptimizer,
} from './blockwise-step.js';
import { createModel } from './model.js';
import type { ModelSettings } from './model-settings.js';
import { createRelationGraph } from './relation-attention.js';
import { createOptimizer, stepGradients, trainStep } from './step.js';

/** Sums in another order: rounding of float32, relative to the largest entry of a gradient. */
const RELATIVE = 1e-5;

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Fails where an entry differs by more than the given part of the largest one. */
function expectNear(got: ArrayLike<number>, wanted: ArrayLike<number>, name: string): void {
  expect(got.length, name).toBe(wanted.length);
  let largest = 0;
  let error = 0;
  for (let i = 0; i < wanted.length; i += 1) {
    largest = Math.max(largest, Math.abs(wanted[i] as number));
    error = Math.max(error, Math.abs((got[i] as number) - (wanted[i] as number)));
  }
  expect(error / largest, name).toBeLessThan(RELATIVE);
}

const small = { size: 8, rank: 2, fusionStart: 'unit' } as const;

/** Fails where losses or gradients differ from those of the full step. */
async function expectFullGradients(
  both: ReturnType<typeof bothModels>,
  { budgetBytes, ...input }: BlockwiseStepInput,
): Promise<number> {
  const { whole, blockwise } = both;
  const full = await stepGradients(whole, input);
  let blocks = 0;
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    blocks += 1;
    expect(done).toBe(blocks);
    expect(total).toBeGreaterThanOrEqual(done);
  };
  const ours = await blockwiseGradients(blockwise, {
    ...input,
    budgetBytes: budgetBytes!,
    onProgress,
  });
  expect(ours.losses).toBeClose(full.losses, { rtol: RELATIVE });
  const { entity, ...others } = full.gradients;
  expect(Object.keys(ours.gradients)).toEqual(Object.keys(others));
  for (const name of Object.keys(others)) {
    expectNear(ours.gradients[name]!.dataSync(), others[name]!.dataSync(), name);
  }
  if (entity !== undefined) expectNear(blockwise.entity.gradient!, entity.dataSync(), 'entity');
  tf.dispose([full.gradients, ours.gradients]);
  return blocks;
}

describe('blockwiseGradients', () => {
  it.each([2e4, 2e5, 1e9])(
    'are those of the full step at %d bytes a block',
    async (budgetBytes) => {
      const thrown = await expectNoLeak(async () => {
        const both = bothModels(150, small);
        const batches = seedBatches(both.data.links, [20, 15, 10]);
        const blocks = await expectFullGradients(both, { batches, budgetBytes });
        if (budgetBytes === 2e4) expect(blocks).toBeGreaterThan(40);
        if (budgetBytes === 1e9) expect(blocks).toBe(2 * 5 + 3);
        both.dispose();
      });
      expect(thrown).toBeUndefined();
    },
  );

  const variants: ModelSettings[] = [
    { encoders: 'structure' },
    { encoders: 'joint' },
    { fusion: 'early-only' },
    { fusion: 'sum', modalityWeights: 'uniform', relationSets: 'one', layers: 1 },
    { fusion: 'concatenation', fusionOutput: 'layer-norm', propagation: 'gat', layers: 3 },
    { propagation: 'mean', proxies: 3 },
  ];
  it.each(variants)('are those of the full step with %j', async (settings) => {
    const both = bothModels(80, { ...small, ...settings });
    const batches = seedBatches(both.data.links, [12, 9]);
    await expectFullGradients(both, { batches, budgetBytes: 4e4 });
    both.dispose();
  });

  it('take the losses that read a batch, and refuse the one that reads all', async () => {
    const both = bothModels(80, small);
    const batches = seedBatches(both.data.links, [12, 9]);
    const { left, right } = both.data;
    const negatives = batches.map((batch, at) =>
      drawNegatives(batch, { left, right }, createRandom(at)),
    );
    const losses: AlignmentLoss[] = [
      { kind: 'infonce', direction: 'both', temperature: 0.3 },
      { kind: 'icl' },
      { kind: 'margin', negatives },
    ];
    for (const loss of losses) await expectFullGradients(both, { batches, loss, budgetBytes: 4e4 });
    const loss = { kind: 'hard-sample' } as const;
    await expect(blockwiseGradients(both.blockwise, { batches, loss })).rejects.toThrow(
      /hard-sample reads all entities/,
    );
    both.dispose();
  });

  it('reads images and masks of missing ones by block', async () => {
    const { data, inputs } = hostPair(60, { images: true });
    const available = new Float32Array(3 * data.entityCount).fill(1);
    for (let i = 0; i < data.entityCount; i += 2) available[3 * i] = 0;
    const masked = { ...inputs, available };
    const graph = createRelationGraph(data);
    const { image, relation, attribute } = inputs.features;
    const features = {
      image: tf.tensor2d((image as HostMatrix).values, [data.entityCount, 3]),
      relation: createCsr(relation as CsrArrays),
      attribute: createCsr(attribute as CsrArrays),
    };
    const mask = tf.tensor2d(available, [data.entityCount, 3]);
    const whole = createModel({ graph, features, available: mask }, small, createRandom(3));
    const blockwise = createBlockwiseModel(masked, small, createRandom(3));
    const batches = seedBatches(data.links, [10, 10]);
    const both = { data, inputs: masked, whole, blockwise, dispose: () => undefined };
    await expectFullGradients(both, { batches, budgetBytes: 4e4 });
    for (const part of [whole, blockwise, graph, mask, ...Object.values(features)]) part.dispose();
  });

  it('with a fan-out reach fewer entities, the same for the same stream', async () => {
    const { data, inputs } = hostPair(150);
    const model = createBlockwiseModel(inputs, small, createRandom(3));
    const input = { batches: seedBatches(data.links, [15]), fanOut: 2 };
    const run = async (seed: number) => {
      const { losses, gradients } = await blockwiseGradients(model, {
        ...input,
        random: createRandom(seed),
      });
      tf.dispose(gradients);
      return { losses, gradient: model.entity.gradient!.slice() };
    };
    const touched = (gradient: Float32Array) => gradient.filter((value) => value !== 0).length;
    const [one, other] = [await run(1), await run(2)];
    expect(await run(1)).toEqual(one);
    expect(other.losses).not.toEqual(one.losses);
    const { gradients } = await blockwiseGradients(model, { batches: input.batches });
    tf.dispose(gradients);
    expect(touched(one.gradient)).toBeLessThan(touched(model.entity.gradient!));
    model.dispose();
  });

  it('refuse no batch, single pairs, sides of unequal length, unknown seeds', async () => {
    const { inputs } = hostPair(60);
    const model = createBlockwiseModel(inputs, small, createRandom(3));
    const refused = async (left: number[], right: number[]) => {
      const batches = [{ left: Int32Array.from(left), right: Int32Array.from(right) }];
      return String(await expectNoLeak(() => blockwiseGradients(model, { batches })));
    };
    await expect(blockwiseGradients(model, { batches: [] })).rejects.toThrow(/no seed batch/);
    const noBudget = { batches: [], budgetBytes: 0 };
    await expect(blockwiseGradients(model, noBudget)).rejects.toThrow(/budgetBytes is 0/);
    expect(await refused([0], [60])).toMatch(/1 pair/);
    expect(await refused([0, 1], [60])).toMatch(/2 left and 1 right/);
    expect(await refused([0, 1], [60, 120])).toMatch(/entity 120, outside 0 .. 119/);
    model.dispose();
  });
});

describe('tensors of a step', () => {
  it('take no more bytes for ten times the entities', async () => {
    const budgetBytes = 2e6;
    const peakOf = async (entities: number) => {
      const { data, inputs } = hostPair(entities);
      const settings = { size: 16, rank: 2 };
      const model = createBlockwiseModel(inputs, settings, createRandom(3));
      const batches = seedBatches(data.links, [100, 100, 100]);
      resetAllocationRecord();
      const before = memoryReport().peakHeapBytes!;
      const { gradients } = await blockwiseGradients(model, { batches, budgetBytes });
      const peak = memoryReport().peakHeapBytes! - before;
      tf.dispose(gradients);
      model.dispose();
      return peak;
    };
    await peakOf(700); // threads and their memory
    const [few, many] = [await peakOf(2000), await peakOf(20_000)];
    expect(many).toBeLessThan(1.1 * few);
    expect(few).toBeGreaterThan(0.4 * budgetBytes); // the budget is what bounds
  });
});

describe('blockwiseTrainStep', () => {
  it('changes all parameters as the full step does', async () => {
    const both = bothModels(120, small);
    const { data, whole, blockwise } = both;
    const [full, ours] = [createOptimizer(whole), createBlockwiseOptimizer(blockwise)];
    for (let epoch = 0; epoch < 2; epoch += 1) {
      const input = { batches: seedBatches(data.links, [30, 20]), learningRate: 0.005 };
      const expected = await trainStep(whole, full, input);
      const losses = await blockwiseTrainStep(blockwise, ours, { ...input, budgetBytes: 50_000 });
      expect(losses).toBeClose(expected, { rtol: 1e-4 });
    }
    const { entity, ...others } = await whole.parameters.toArrays();
    const got = await blockwise.parameters.toArrays();
    for (const name of Object.keys(others)) {
      expect(got[name]!.data, name).toBeClose(others[name]!.data, { atol: 1e-4 });
    }
    expect(blockwise.entity.values).toBeClose(entity!.data, { atol: 1e-4 });
    expect(ours.stepCount).toBe(2);
    for (const part of [full, ours, both]) part.dispose();
  });

  it('goes on from files bit for bit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-blockwise-'));
    const { data, inputs } = hostPair(60);
    const input = { batches: seedBatches(data.links, [10, 10]), learningRate: 0.01 };
    const create = (seed: number) => {
      const model = createBlockwiseModel(inputs, small, createRandom(seed));
      return { model, optimizer: createBlockwiseOptimizer(model) };
    };
    const [whole, resumed] = [create(1), create(2)];
    await blockwiseTrainStep(whole.model, whole.optimizer, input);
    const parts = ({ model, optimizer }: typeof whole) => ({
      table: model.entity,
      optimizer: optimizer.entity,
    });
    await writeHostTable(folder, parts(whole), { shardBytes: 1000 });
    await readHostTable(folder, parts(resumed));
    loadBlockwise(resumed.model, await whole.model.parameters.toArrays());
    const { parameters } = whole.optimizer;
    resumed.optimizer.parameters.loadState(await parameters.state(), parameters.stepCount);
    for (const { model, optimizer } of [whole, resumed]) {
      await blockwiseTrainStep(model, optimizer, input);
    }
    expect(resumed.model.entity.values).toEqual(whole.model.entity.values);
    expect(await resumed.model.parameters.toArrays()).toEqual(
      await whole.model.parameters.toArrays(),
    );
    for (const { model, optimizer } of [whole, resumed]) {
      model.dispose();
      optimizer.dispose();
    }
    rmSync(folder, { recursive: true });
  });

  it('changes nothing when it is aborted or a loss is not finite', async () => {
    const { data, inputs } = hostPair(60);
    const model = createBlockwiseModel(inputs, small, createRandom(3));
    const optimizer = createBlockwiseOptimizer(model);
    const batches = seedBatches(data.links, [10, 10]);
    const before = { ...(await model.parameters.toArrays()), entity: model.entity.values.slice() };
    for (const last of [1, 8, 12]) {
      const stop = new AbortController();
      const onProgress = ({ done }: { done: number }) => {
        if (done === last) stop.abort(new Error('enough'));
      };
      const input = { batches, learningRate: 0.1, onProgress, signal: stop.signal };
      const thrown = await expectNoLeak(() => blockwiseTrainStep(model, optimizer, input));
      expect(String(thrown)).toMatch(/enough/);
    }
    const unchanged = { ...(await model.parameters.toArrays()), entity: model.entity.values };
    expect(unchanged).toEqual(before);
    expect(model.entity.gradient ?? new Float32Array(0)).not.toContain(1);
    model.parameters.get('fusion.bias').assign(tf.fill([8], Number.NaN));
    const input = { batches, learningRate: 0.1 };
    await expect(blockwiseTrainStep(model, optimizer, input)).rejects.toThrow(/batch 1 is NaN/);
    expect(model.entity.values).toEqual(before.entity);
    expect(optimizer.stepCount).toBe(0);
    optimizer.dispose();
    model.dispose();
  });
});
