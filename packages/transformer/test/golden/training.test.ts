import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { selectBackend, tf, valueAndGradients } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { learningRates } from '../../src/training/learning-rate.js';
import { openSource } from '../../src/training/model-source.js';
import { TrainingOptimizer } from '../../src/training/optimizer.js';
import { trainingConfig, type TrainingConfig } from '../../src/training/training-config.js';
import {
  addExample,
  type ExampleRules,
  noExamples,
  type TrainingExample,
} from '../../src/training/training-examples.js';
import { trainingPass } from '../../src/training/training-pass.js';
import { trainStep } from '../../src/training/training-step.js';
import type { TokenExample, TrainableModel } from '../../src/training/trainable-model.js';
import type { Tuning } from '../../src/training/tuning.js';
import { drawnNumbers } from './golden-files.js';

interface GradientCase {
  readonly examples: readonly TrainingExample[];
  readonly loss: number;
  /** Seed, norm, and sum of products with drawn numbers. */
  readonly gradients: Readonly<Record<string, readonly [number, number, number]>>;
}

interface TrainingCase {
  readonly checkpoint: string;
  readonly kind: 'full' | 'low-rank';
  readonly learningRate: number;
  readonly examples: readonly TrainingExample[];
  readonly losses: readonly number[];
  readonly adapters: Readonly<Record<string, number>>;
}

interface Golden {
  readonly settings: Partial<TrainingConfig['training']>;
  readonly steps: number;
  readonly batchSize: number;
  readonly rank: number;
  readonly alpha: number;
  readonly gradients: Readonly<Record<string, GradientCase>>;
  readonly training: Readonly<Record<string, TrainingCase>>;
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'training.json'), 'utf8'),
) as Golden;
const folderOf = (name: string) => join(import.meta.dirname, 'checkpoints', name);
const random = createRandom(1);

function tokensOf(examples: readonly TrainingExample[], kind: 'decoder' | 't5'): TokenExample[] {
  const rules: ExampleRules = {
    ...{ kind, tokenizer: null, vocabularySize: 97, maxTokens: 64 },
    ...{ tooLong: 'refuse', template: 'none' },
  };
  const all = noExamples();
  examples.forEach((example, at) => {
    addExample(all, example, rules, { where: `example ${at + 1}`, origin: at + 1 });
  });
  return all.examples;
}

function passOf(isRecomputed: boolean, scale: number) {
  const rates = { attention: 0, residual: 0, embedding: 0 };
  return trainingPass(scale, { rates, random, isRecomputed });
}

/** Gradients under the names and in the order of the checkpoint. */
async function gradientsOf(
  model: TrainableModel,
  examples: readonly TokenExample[],
  isRecomputed: boolean,
) {
  const targets = examples.reduce((sum, example) => sum + model.targetCount(example), 0);
  const pass = passOf(isRecomputed, 1 / targets);
  const batch = model.prepare(examples, pass);
  const { value, gradients } = valueAndGradients(model.parameters, () => {
    const { loss, rowLosses } = model.loss(batch, pass);
    rowLosses.dispose();
    return loss;
  });
  batch.dispose();
  const loss = (await value.data())[0]!;
  value.dispose();
  const record: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const name of model.parameters.names()) {
    const shape = model.parameters.get(name).shape.slice();
    const data = (await gradients[name]?.data<'float32'>())?.slice();
    record[name] = { shape, data: data ?? new Float32Array(tf.util.sizeFromShape(shape)) };
  }
  tf.dispose(gradients);
  // In the places of the weights, they go the way of these into the checkpoint.
  model.parameters.load(record);
  return { loss, arrays: await model.arrays() };
}

beforeAll(async () => {
  await selectBackend('wasm', { threads: 1 });
});

describe.each(Object.entries(golden.gradients))('gradients of %s', (name, wanted) => {
  it.each([false, true])(
    'are those of PyTorch in float64, recomputed: %s',
    async (isRecomputed) => {
      const before = tf.memory().numTensors;
      const source = openSource(folderOf(name));
      const model = await source.load({ kind: 'full' }, random);
      const examples = tokensOf(wanted.examples, source.kind);
      const { loss, arrays } = await gradientsOf(model, examples, isRecomputed);
      model.dispose();
      expect(Math.abs(loss - wanted.loss)).toBeLessThan(2e-6);
      const largest = Math.max(...Object.values(wanted.gradients).map(([, norm]) => norm));
      const names = Object.keys(wanted.gradients);
      expect([...arrays.keys()].toSorted()).toEqual(expect.arrayContaining(names));
      for (const [weight, [seed, norm, dot]] of Object.entries(wanted.gradients)) {
        const { shape, numbers } = arrays.get(weight)!;
        const values = numbers();
        const rule = drawnNumbers({ seed, centre: 0, spread: 1 }, shape);
        const own = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
        const product = values.reduce((sum, value, at) => sum + value * rule[at]!, 0);
        // Relative to the norm, and for weights that hardly matter to the largest one.
        const allowed = 1e-5 * largest + 1e-4 * norm;
        expect(Math.abs(own - norm), `${weight}: norm`).toBeLessThan(allowed);
        expect(Math.abs(product - dot), `${weight}: product`).toBeLessThan(allowed);
      }
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

describe.each(Object.entries(golden.training))('200 steps of %s', (_, wanted) => {
  it('have the losses of PyTorch', async () => {
    const { settings, steps, batchSize, rank, alpha } = golden;
    const before = tf.memory().numTensors;
    const source = openSource(folderOf(wanted.checkpoint));
    const modules = ['query', 'value'] as const;
    const tuning: Tuning =
      wanted.kind === 'full' ? { kind: 'full' } : { kind: 'low-rank', rank, alpha, modules };
    const model = await source.load(tuning, random);
    loadAdapters(model, wanted.adapters);
    const { training: defaults } = trainingConfig.schema.parse({
      training: Object.assign({}, settings, { learningRate: wanted.learningRate }),
    });
    const optimizer = new TrainingOptimizer(model.parameters, defaults);
    const rate = learningRates(defaults, steps);
    const examples = tokensOf(wanted.examples, source.kind);
    const losses: number[] = [];
    let held = 0;
    for (let step = 0; step < steps; step += 1) {
      const batch = Array.from(
        { length: batchSize },
        (_one, at) => examples[(batchSize * step + at) % examples.length]!,
      );
      const input = {
        model,
        optimizer,
        settings: defaults,
        learningRate: rate(step),
        step,
        random,
      };
      losses.push((await trainStep(batch, input)).loss);
      if (step === 0) held = tf.memory().numTensors;
      expect(tf.memory().numTensors).toBe(held);
    }
    optimizer.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const farthest = losses.reduce(
      (most, loss, at) => Math.max(most, Math.abs(loss - wanted.losses[at]!)),
      0,
    );
    expect(farthest).toBeLessThan(1e-3);
    // It learns: nothing would be shown by losses that stay.
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
  });
});

/** The adapters of the Python program beside. */
function loadAdapters(model: TrainableModel, seeds: Readonly<Record<string, number>>): void {
  const names = Object.keys(seeds);
  if (names.length === 0) return;
  const record: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const name of names) {
    for (const part of ['loraA', 'loraB']) {
      const { shape } = model.parameters.get(`${name}.${part}`);
      const spread = part === 'loraA' ? 1 / Math.sqrt(shape[1]!) : 0;
      const rule = { seed: seeds[name]!, centre: 0, spread };
      record[`${name}.${part}`] = { shape: shape.slice(), data: drawnNumbers(rule, shape) };
    }
  }
  model.parameters.load(record);
}
