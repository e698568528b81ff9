/**
 * Our forward pass, losses, gradients and training steps against the independent PyTorch twin.
 *
 * All randomness comes from the file. The twin computed in float64; its own float32 run stays
 * within 2e-6 of it, so 1e-4 relative leaves room for another order of summation only.
 */
import { changeError, relativeError } from '@lab/core/testing';
import { createAdamW, selectBackend, tf } from '@lab/tensor';
import { sampleRows } from '../../src/bottleneck.js';
import { stepGradients, type StepInput, trainStep } from '../../src/step.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  goldenBatches,
  goldenConfig,
  goldenDropout,
  goldenModalities,
  goldenModel,
  goldenNoise,
  type Golden,
  numbersOf,
  readGolden,
} from './golden-model.js';

/** Values and gradients: largest difference relative to the tensor's largest value. */
const RELATIVE = 1e-4;
/** Change of a parameter tensor over all steps: norm of the difference relative to its norm. */
const CHANGE = 1e-3;
const DROPOUT = 0.45;
const LEARNING_RATE = 5e-3;

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Slots name and char have a zero gradient that f32 turns into rounding noise (see README). */
const comparable = (name: string, values: ArrayLike<number>) =>
  Array.from(values).slice(0, name === 'fusion.weights' ? 4 : undefined);

function stepInput(golden: Golden, step: number): StepInput {
  return {
    batches: goldenBatches(golden, step),
    noise: goldenNoise(golden, step),
    dropout: goldenDropout(golden, step, DROPOUT),
    learningRate: LEARNING_RATE,
  };
}

const variants = [
  { file: 'official.npz', mode: 'official', clip: 0.1, steps: 10, isRecomputed: false },
  { file: 'official.npz', mode: 'official', clip: 0.1, steps: 10, isRecomputed: true },
  { file: 'single.npz', mode: 'official', clip: 0, steps: 3, isRecomputed: false },
  { file: 'corrected.npz', mode: 'corrected', clip: 0.1, steps: 10, isRecomputed: false },
  { file: 'corrected.npz', mode: 'corrected', clip: 0.1, steps: 10, isRecomputed: true },
] as const;

describe.each(variants)('$file, recomputed $isRecomputed', (variant) => {
  const { file, mode, clip, steps, isRecomputed } = variant;
  let golden: Golden;
  const config = goldenConfig(mode, clip);
  beforeAll(async () => {
    golden = await readGolden(file);
  });
  afterAll(() => tf.disposeVariables());

  it('gives the twin’s posteriors, samples and fused rows', async () => {
    const model = goldenModel(golden, config, isRecomputed);
    const noise = goldenNoise(golden, 0);
    const everyone = Int32Array.from({ length: 80 }, (_, entity) => entity);
    const rows = tf.tensor1d(everyone, 'int32');
    const posteriors = model.encode(goldenDropout(golden, 0, DROPOUT));
    const samples: Record<string, tf.Tensor2D> = {};
    for (const modality of goldenModalities) {
      const { mean, scale } = posteriors[modality]!;
      const sample = sampleRows(posteriors[modality]!, rows, noise.rows(modality, everyone));
      samples[modality] = sample;
      for (const [kind, tensor] of [
        ['mean', mean],
        ['scale', scale!],
        ['sample', sample],
      ] as const) {
        const expected = numbersOf(golden, `step0.out.${kind}.${modality}`);
        const error = relativeError(await tensor.data(), expected);
        expect(error, `${kind} of ${modality}`).toBeLessThan(RELATIVE);
      }
    }
    const hybrid = numbersOf(golden, 'step0.out.hybrid');
    expect(relativeError(await model.fuse(samples).data(), hybrid)).toBeLessThan(RELATIVE);
  });

  it('gives the twin’s losses and gradients in the first step', async () => {
    const model = goldenModel(golden, config, isRecomputed);
    const { batches, gradients } = await stepGradients(model, stepInput(golden, 0));
    for (const modality of goldenModalities) {
      const infoNce = batches.map((batch) => batch.infoNce[modality]!);
      const kl = batches.map((batch) => batch.kl[modality] ?? 0);
      const expected = (term: string) => numbersOf(golden, `step0.loss.${term}.${modality}`);
      expect(relativeError(infoNce, expected('infoNce'))).toBeLessThan(RELATIVE);
      expect(relativeError(kl, expected('kl'))).toBeLessThan(RELATIVE);
    }
    const hybrid = batches.map((batch) => batch.hybrid!);
    const totals = batches.map((batch) => batch.total);
    expect(relativeError(hybrid, numbersOf(golden, 'step0.loss.multiSimilarity'))).toBeLessThan(
      RELATIVE,
    );
    expect(relativeError(totals, numbersOf(golden, 'step0.loss.total'))).toBeLessThan(RELATIVE);
    for (const name of model.parameters.names()) {
      const expected = comparable(name, numbersOf(golden, `step0.clippedGradient.${name}`));
      const got = comparable(name, await gradients[name]!.data());
      expect(relativeError(got, expected), name).toBeLessThan(RELATIVE);
    }
  });

  /** Largest error of any parameter's change over all steps, at this learning rate. */
  async function changeAfter(learningRate: number, checkLosses: boolean) {
    const model = goldenModel(golden, config, isRecomputed);
    const optimizer = createAdamW(model.parameters, { weightDecay: 0.01 });
    for (let step = 0; step < steps; step += 1) {
      const input = { ...stepInput(golden, step), learningRate };
      const { batches } = await trainStep(model, optimizer, input);
      if (!checkLosses) continue;
      const totals = batches.map((batch) => batch.total);
      const expected = numbersOf(golden, `step${step}.loss.total`);
      expect(relativeError(totals, expected), `loss of step ${step}`).toBeLessThan(RELATIVE);
    }
    const trained = await model.parameters.toArrays();
    return model.parameters.names().map((name) => {
      const start = comparable(name, numbersOf(golden, `param.${name}`));
      const expected = comparable(name, numbersOf(golden, `step${steps - 1}.param.${name}`));
      return { name, error: changeError(comparable(name, trained[name]!.data), expected, start) };
    });
  }

  it(`follows the twin over ${steps} steps`, async () => {
    const changes = await changeAfter(LEARNING_RATE, true);
    const inFile = Object.keys(golden).filter((key) => key.startsWith('param.'));
    expect(changes.length).toBe(inFile.length);
    for (const { name, error } of changes) expect(error, `change of ${name}`).toBeLessThan(CHANGE);
  });

  it('would not pass with updates switched off', async () => {
    for (const { name, error } of await changeAfter(0, false)) {
      expect(error, `no change of ${name}`).toBeGreaterThan(0.5);
    }
  });
});
