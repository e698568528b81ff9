/**
 * The steps of a training, with records, evaluations and checkpoints.
 */
import { setImmediate } from 'node:timers/promises';
import { createRandom, InterruptedError, type Run } from '@lab/core';
import { batchCount, epochBatches } from './batch-order.js';
import { learningRates } from './learning-rate.js';
import type { SavedTraining } from './training-checkpoint.js';
import type { TrainingConfig } from './training-config.js';
import type { TrainingData } from './training-data.js';
import type { StepRecord, TrainModelOptions } from './training-events.js';
import { type Evaluation, evaluateExamples, trainStep } from './training-step.js';
import type { TokenExample } from './trainable-model.js';

/** Steps of a training in all, and of one epoch. */
export function stepCounts(
  { epochs, steps, batchSize }: TrainingConfig['training'],
  examples: number,
): { readonly perEpoch: number; readonly steps: number; readonly epochs: number } {
  const perEpoch = batchCount(examples, batchSize);
  const all = steps ?? epochs * perEpoch;
  return { perEpoch, steps: all, epochs: Math.ceil(all / perEpoch) };
}

/** What the loop works on. */
export interface LoopInput extends SavedTraining {
  readonly config: TrainingConfig;
  readonly data: TrainingData;
  readonly run: Run | null;
  /** Steps that were made before. */
  readonly stepsDone: number;
  /** Saves the training after so many steps. */
  readonly save: (step: number) => Promise<void>;
}

/** What the loop gives. */
export interface LoopResult {
  /** Of each step of this call. */
  readonly losses: readonly number[];
  readonly evaluation: Evaluation | null;
}

/**
 * Makes the steps that are left, and saves the training at the end.
 *
 * @throws {InterruptedError} where the signal aborts, after saving.
 */
export async function runSteps(
  input: LoopInput,
  options: Pick<TrainModelOptions, 'hooks' | 'now' | 'onProgress' | 'onStep' | 'signal'>,
): Promise<LoopResult> {
  const { config, data, run, model } = input;
  const { training, seed } = config;
  const { perEpoch, steps } = stepCounts(training, data.train.length);
  const batches = batchReader(input, perEpoch);
  const rate = learningRates(training, steps);
  const now = options.now ?? (() => performance.now() / 1000);
  const losses: number[] = [];
  let evaluation: Evaluation | null = null;
  let savedAt = now();
  for (let step = input.stepsDone; step < steps; step += 1) {
    await setImmediate();
    if (options.signal?.aborted === true) throw await interrupted(input, step, options.signal);
    const began = now();
    const batch = batches(step);
    const learningRate = rate(step);
    const random = createRandom(seed).fork(`dropout/${step}`);
    const result = await trainStep(batch, {
      ...{ model, optimizer: input.optimizer, settings: training, learningRate, step, random },
      hooks: options.hooks,
    });
    const seconds = now() - began;
    losses.push(result.loss);
    const isLast = step + 1 === steps;
    const isDue = training.evaluateEvery > 0 && (step + 1) % training.evaluateEvery === 0;
    if (data.heldOut.length > 0 && (isLast || isDue)) {
      options.onProgress?.({ stage: 'evaluating' });
      evaluation = await evaluateExamples(model, data.heldOut, {
        batchSize: evaluationSize(training),
      });
    }
    const record: StepRecord = {
      step: step + 1,
      epoch: Math.floor(step / perEpoch) + 1,
      loss: result.loss,
      learningRate,
      gradientNorm: result.gradientNorm,
      targets: result.targets,
      evaluation: isLast || isDue ? evaluation : null,
    };
    run?.appendMetrics(record);
    run?.appendTimings({ step: step + 1, seconds });
    const tokens = batch.reduce((sum, example) => sum + model.length(example), 0);
    const told = Object.assign({}, record, { steps, seconds, tokens });
    options.onStep?.(told);
    options.onProgress?.(Object.assign({ stage: 'step' as const }, told));
    if (isLast || now() - savedAt < training.checkpointSeconds) continue;
    await input.save(step + 1);
    savedAt = now();
  }
  options.onProgress?.({ stage: 'saving' });
  await input.save(steps);
  return { losses, evaluation };
}

const evaluationSize = ({ microBatchSize, batchSize }: TrainingConfig['training']) =>
  microBatchSize ?? batchSize;

/** Batches by step; the order of an epoch is drawn when it begins. */
function batchReader(
  { config, data, model }: LoopInput,
  perEpoch: number,
): (step: number) => TokenExample[] {
  const lengths = data.train.map((example) => model.length(example));
  let known: { readonly epoch: number; readonly batches: readonly number[][] } | null = null;
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (known?.epoch !== epoch) {
      const random = createRandom(config.seed).fork(`order/${epoch}`);
      known = { epoch, batches: epochBatches(lengths, config.training.batchSize, random) };
    }
    return known.batches[step % perEpoch]!.map((at) => data.train[at]!);
  };
}

async function interrupted(
  { save, run }: LoopInput,
  step: number,
  { reason }: AbortSignal,
): Promise<InterruptedError> {
  await save(step);
  const details = { step, ...(run !== null && { run: run.dir }) };
  if (run === null) {
    return new InterruptedError('transformer/train: interrupted.', { details, cause: reason });
  }
  const text = `saved: resume with "transformer train --resume ${run.dir}"`;
  return new InterruptedError(text, { details, cause: reason });
}
