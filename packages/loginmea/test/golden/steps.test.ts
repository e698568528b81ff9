/**
 * Training steps against the independent PyTorch twin: losses of every epoch, parameters after the
 * first and the last, and the iterative stage with its new optimisers.
 */
import { changeError, relativeError } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LoginmeaModel } from '../../src/model.js';
import { createOptimizer, trainStep } from '../../src/step.js';
import { cutBatches, type Golden, goldenBatches, numbersOf, readGolden } from './golden-file.js';
import {
  type GoldenCase,
  goldenCases,
  type GoldenModel,
  goldenModel,
  startOf,
} from './golden-model.js';

/** Losses and parameters: largest difference relative to the tensor's largest value. */
const RELATIVE = 1e-4;
/** Change of a parameter tensor over all steps: norm of the difference relative to its norm. */
const CHANGE = 1e-3;
const LEARNING_RATE = 5e-3;
const ITERATIVE_RATE = LEARNING_RATE / 5;
/** Epochs of the iterative stage, and the first that trains on the adopted pairs too. */
const ITERATIVE = { first: 10, end: 17, larger: 15 };

let problem: Golden;

beforeAll(async () => {
  await selectBackend('wasm');
  problem = await readGolden('problem');
});

/** Error of the change of every parameter since the start, against those at `prefix`. */
async function changeErrors({ parameters }: LoginmeaModel, golden: Golden, prefix: string) {
  const trained = await parameters.toArrays();
  const inFile = Object.keys(golden).filter((key) => key.startsWith(`${prefix}.param.`));
  expect(inFile).toHaveLength(parameters.names().length);
  return parameters.names().map((name) => {
    const expected = numbersOf(golden, `${prefix}.param.${name}`);
    const start = Array.from(startOf(problem, golden, name).data as ArrayLike<number>);
    const error = changeError(trained[name]!.data, expected, start);
    return { name, error, largest: relativeError(trained[name]!.data, expected) };
  });
}

describe.each(goldenCases)('$file', (settings) => {
  let golden: Golden;
  beforeAll(async () => {
    golden = await readGolden(settings.file);
  });

  /** Errors of the changes after the first and after the last epoch. */
  async function run(learningRate: number, isChecked: boolean) {
    const ours = goldenModel(problem, golden, settings);
    const optimizer = createOptimizer(ours.model);
    const errors: Record<string, Awaited<ReturnType<typeof changeErrors>>> = {};
    for (let epoch = 0; epoch < settings.steps; epoch += 1) {
      const batches = goldenBatches(problem, epoch);
      const losses = await trainStep(ours.model, optimizer, { batches, learningRate });
      if (isChecked) {
        const error = relativeError(losses, numbersOf(golden, `step${epoch}.loss`));
        expect(error, `losses of epoch ${epoch}`).toBeLessThan(RELATIVE);
      }
      if (epoch > 0 && epoch < settings.steps - 1) continue;
      errors[epoch === 0 ? 'first' : 'last'] = await changeErrors(
        ours.model,
        golden,
        `step${epoch}`,
      );
    }
    if (isChecked && golden['final.embedding'] !== undefined) {
      const rows = ours.model.embed();
      const error = relativeError(rows.dataSync(), numbersOf(golden, 'final.embedding'));
      expect(error, 'embeddings').toBeLessThan(RELATIVE);
      rows.dispose();
    }
    optimizer.dispose();
    ours.dispose();
    return errors;
  }

  it(`follows the twin over ${settings.steps} steps`, async () => {
    const errors = await run(LEARNING_RATE, true);
    for (const [when, ofAll] of Object.entries(errors)) {
      for (const { name, error, largest } of ofAll) {
        expect(error, `change of ${name}, ${when} step`).toBeLessThan(CHANGE);
        expect(largest, `${name}, ${when} step`).toBeLessThan(RELATIVE);
      }
    }
  });

  it('would not pass with updates switched off', async () => {
    const { first, last } = await run(0, false);
    for (const { name, error } of [...first!, ...last!]) {
      expect(error, `no change of ${name}`).toBeGreaterThan(0.5);
    }
  });
});

type Reset = 'every-epoch' | 'once' | 'never';

const stages: readonly { file: string; reset: Reset; prefix: string }[] = [
  { file: 'official', reset: 'every-epoch', prefix: 'iterative' },
  { file: 'corrected', reset: 'once', prefix: 'iterative' },
  { file: 'corrected', reset: 'never', prefix: 'iterativeNever' },
];

describe.each(stages)('$file, optimiser made anew: $reset', ({ file, reset, prefix }) => {
  const settings = goldenCases.find((one) => one.file === file) as GoldenCase;
  let golden: Golden;
  beforeAll(async () => {
    golden = await readGolden(file);
  });

  /** The epochs of the iterative stage, after those before it. */
  async function iterate({ model }: GoldenModel, kept: Reset) {
    let optimizer = createOptimizer(model);
    for (let epoch = 0; epoch < ITERATIVE.end; epoch += 1) {
      const isIterative = epoch >= ITERATIVE.first;
      const isNew = kept === 'every-epoch' || (kept === 'once' && epoch === ITERATIVE.first);
      if (isIterative && isNew) {
        optimizer.dispose();
        optimizer = createOptimizer(model);
      }
      const seeds = epoch < ITERATIVE.larger ? numbersOf(problem, 'seeds') : null;
      const batches = isIterative
        ? cutBatches(
            seeds ?? numbersOf(golden, `${prefix}.seeds`),
            numbersOf(golden, `${prefix}.step${epoch}.batches`),
          )
        : goldenBatches(problem, epoch);
      const learningRate = isIterative ? ITERATIVE_RATE : LEARNING_RATE;
      await trainStep(model, optimizer, { batches, learningRate });
    }
    optimizer.dispose();
    return changeErrors(model, golden, `${prefix}.step${ITERATIVE.end - 1}`);
  }

  it('follows the twin through the iterative stage', async () => {
    const ours = goldenModel(problem, golden, settings);
    for (const { name, error } of await iterate(ours, reset)) {
      expect(error, `change of ${name}`).toBeLessThan(CHANGE);
    }
    ours.dispose();
  });

  it('would not pass with the other resets', async () => {
    for (const other of ['every-epoch', 'once', 'never'] as const) {
      if (other === reset) continue;
      const ours = goldenModel(problem, golden, settings);
      const errors = (await iterate(ours, other)).map(({ error }) => error);
      expect(Math.max(...errors), other).toBeGreaterThan(3 * CHANGE);
      ours.dispose();
    }
  });
});
