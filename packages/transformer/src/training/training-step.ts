/**
 * One step of a training, and the loss of examples that are not trained on.
 */
import { type Random, ModelError } from '@lab/core';
import { valueAndGradients, tf } from '@lab/tensor';
import { addedGradients, type Gradients, globalNorm, type TrainingOptimizer } from './optimizer.js';
import type { TrainingConfig } from './training-config.js';
import { evaluationPass, type TrainingHooks, trainingPass } from './training-pass.js';
import type { TokenExample, TrainableModel } from './trainable-model.js';

/** What a step needs. */
export interface StepInput {
  readonly model: TrainableModel;
  readonly optimizer: TrainingOptimizer;
  readonly settings: TrainingConfig['training'];
  readonly learningRate: number;
  /** Steps before this one. */
  readonly step: number;
  /** Of the dropout of this step. */
  readonly random: Random;
  readonly hooks?: TrainingHooks | undefined;
}

/** What a step gives. */
export interface StepResult {
  /** Mean over targets before the step, nats. */
  readonly loss: number;
  /** Of all gradients together, before it was clipped. */
  readonly gradientNorm: number;
  readonly targets: number;
}

/** Added to the norm by which gradients are clipped, as in PyTorch. */
const CLIP_EPSILON = 1e-6;

/**
 * Changes the weights by the gradients of a batch.
 *
 * @throws {ModelError} for a loss or a norm that is no number; the weights are as they were.
 */
export async function trainStep(
  batch: readonly TokenExample[],
  input: StepInput,
): Promise<StepResult> {
  const { model, optimizer, settings, learningRate, step } = input;
  const targets = batch.reduce((sum, example) => sum + model.targetCount(example), 0);
  const size = settings.microBatchSize ?? batch.length;
  let gradients: Gradients | null = null;
  try {
    let sum = 0;
    for (let start = 0; start < batch.length; start += size) {
      const part = batch.slice(start, start + size);
      const own = await partGradients(part, 1 / targets, input, start / size);
      sum += own.lossSum;
      gradients = addedGradients(gradients, own.gradients);
    }
    const loss = sum / targets;
    if (!Number.isFinite(loss)) throw notFinite('the loss', loss, step, batch);
    const gradientNorm = await globalNorm(gradients!);
    if (!Number.isFinite(gradientNorm)) {
      throw notFinite('the norm of the gradients', gradientNorm, step, batch);
    }
    const { clipNorm } = settings;
    const factor = clipNorm === null ? 1 : Math.min(1, clipNorm / (gradientNorm + CLIP_EPSILON));
    optimizer.step(gradients!, learningRate, factor);
    return { loss, gradientNorm, targets };
  } catch (error) {
    if (gradients !== null) tf.dispose(gradients);
    throw error;
  }
}

/** An error that names the step and what was in its batch. */
function notFinite(
  what: string,
  value: number,
  step: number,
  batch: readonly TokenExample[],
): ModelError {
  const origins = batch.map(({ origin }) => origin).toSorted((a, b) => a - b);
  const more = origins.length > 8 ? ` and ${origins.length - 8} more` : '';
  return new ModelError(
    `transformer/train: ${what} of step ${step + 1} is ${value}; its batch has the examples ` +
      `${origins.slice(0, 8).join(', ')}${more}.`,
    {
      help: 'Lower training.learningRate, or set training.clipNorm and training.warmupSteps.',
      details: { step: step + 1, examples: origins },
    },
  );
}

async function partGradients(
  part: readonly TokenExample[],
  scale: number,
  { model, settings, random, hooks }: StepInput,
  partIndex: number,
): Promise<{ readonly lossSum: number; readonly gradients: Gradients }> {
  const pass = trainingPass(scale, {
    random: random.fork(String(partIndex)),
    hooks: hooks?.(part.map(({ origin }) => origin)),
    isRecomputed: settings.recompute,
    rates: {
      attention: settings.attentionDropout,
      residual: settings.residualDropout,
      embedding: settings.embeddingDropout,
    },
  });
  const batch = model.prepare(part, pass);
  let rowLosses: tf.Tensor1D | undefined;
  try {
    const { value, gradients } = valueAndGradients(model.parameters, () => {
      const found = model.loss(batch, pass);
      rowLosses = found.rowLosses;
      return found.loss;
    });
    value.dispose();
    return { lossSum: await doubleSum(rowLosses!), gradients };
  } finally {
    rowLosses?.dispose();
    batch.dispose();
  }
}

/** The sum of float32 numbers in float64. */
async function doubleSum(values: tf.Tensor1D): Promise<number> {
  return (await values.data<'float32'>()).reduce((sum, value) => sum + value, 0);
}

/** Loss of examples that no step has seen. */
export interface Evaluation {
  /** Mean over targets, nats. */
  readonly loss: number;
  /** `exp(loss)`. */
  readonly perplexity: number;
  readonly examples: number;
  readonly targets: number;
}

/** The loss of examples without any dropout, in batches of like lengths. */
export async function evaluateExamples(
  model: TrainableModel,
  examples: readonly TokenExample[],
  { batchSize, signal }: { readonly batchSize: number; readonly signal?: AbortSignal | undefined },
): Promise<Evaluation> {
  const sorted = examples.toSorted((a, b) => model.length(a) - model.length(b));
  const pass = evaluationPass(1);
  let [sum, targets] = [0, 0];
  for (let start = 0; start < sorted.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = model.prepare(sorted.slice(start, start + batchSize), pass);
    try {
      const losses = tf.tidy(() => {
        const { rowLosses } = model.loss(batch, pass);
        return rowLosses;
      });
      sum += await doubleSum(losses).finally(() => losses.dispose());
      targets += batch.targetCount;
    } finally {
      batch.dispose();
    }
  }
  const loss = sum / targets;
  return { loss, perplexity: Math.exp(loss), examples: examples.length, targets };
}
