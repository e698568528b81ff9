/**
 * What one epoch trains with: rate, batches and loss, and whether the optimiser starts anew.
 */
import { type AlignmentTask, type LearnerStep, type SeedBatch, seedBatches } from '@lab/alignment';
import type { Random } from '@lab/core';
import { type Parameters, softmax, type tf } from '@lab/tensor';
import { type AlignmentLoss, drawNegatives } from './alignment-loss.js';
import type { LoginmeaConfig } from './config.js';
import type { Modality } from './modalities.js';

/** The plan of an epoch. */
export interface EpochPlan {
  readonly learningRate: number;
  /** Whether AdamW starts anew before the step. */
  readonly isReset: boolean;
  readonly batches: readonly SeedBatch[];
  readonly loss: AlignmentLoss;
}

/** What the config says of this epoch; its draws come from the epoch's stream. */
export function planEpoch(
  task: AlignmentTask,
  config: LoginmeaConfig,
  { epoch, seeds, random }: LearnerStep,
): EpochPlan {
  const { batchSize, learningRate: rate, lateRate } = config.training;
  const isLate = config.pseudoSeeds.enabled && epoch >= config.pseudoSeeds.start;
  const batches = seedBatches(seeds, batchSize, random.fork('seeds'));
  return {
    learningRate: isLate ? rate * lateRate : rate,
    isReset: isLate && isReset(config, epoch),
    batches,
    loss: lossOf(task, config, { batches, random: random.fork('negatives') }),
  };
}

/** Whether AdamW starts anew before this epoch of the stage with pseudo seeds. */
function isReset({ training, pseudoSeeds }: LoginmeaConfig, epoch: number): boolean {
  if (training.optimizerReset === 'every-epoch') return true;
  return training.optimizerReset === 'once' && epoch === pseudoSeeds.start;
}

/** Kind and settings of the loss; the margin loss draws its negatives for this epoch. */
function lossOf(
  task: AlignmentTask,
  { loss }: LoginmeaConfig,
  { batches, random }: { readonly batches: readonly SeedBatch[]; readonly random: Random },
): AlignmentLoss {
  const { kind, temperature, direction, margin } = loss;
  if (kind === 'icl') return { kind, temperature };
  if (kind === 'hard-sample') {
    const { hardMargin, hardScale: scale, hardShift: shift } = loss;
    return { kind, margin: hardMargin, scale, shift };
  }
  if (kind === 'margin') {
    const { left, right } = task.data;
    const negatives = batches.map((batch, at) =>
      drawNegatives(batch, { left, right }, random.fork(`${at}`)),
    );
    return { kind, margin, negatives };
  }
  return { kind, temperature, direction };
}

/** What is recorded of a step. */
export async function epochRecord(
  {
    parameters,
    modalities,
  }: { readonly parameters: Parameters; readonly modalities: readonly Modality[] },
  { learningRate }: EpochPlan,
  losses: readonly number[],
) {
  return {
    learningRate,
    loss: losses.reduce((sum, value) => sum + value, 0),
    batches: losses,
    ...(modalities.length === 0 ? {} : { earlyWeights: await earlyWeights(parameters) }),
  };
}

/** The soft-max of the early weights. */
async function earlyWeights(parameters: Parameters): Promise<number[]> {
  const weights = softmax(parameters.get('earlyWeights') as tf.Tensor1D);
  const values = Array.from(await weights.data());
  weights.dispose();
  return values;
}
