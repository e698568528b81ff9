/**
 * The losses of a step in blocks: each seed batch takes its final rows from the states and leaves
 * their gradient there.
 */
import type { SeedBatch } from '@lab/alignment';
import { DataError } from '@lab/core';
import { pullBack, tf } from '@lab/tensor';
import {
  type AlignmentLoss,
  alignmentLoss,
  type IclChoice,
  type InfoNceChoice,
} from './alignment-loss.js';
import type { BlockClock, GradientSums } from './block-passes.js';
import type { BlockwiseModel } from './blockwise-model.js';
import { addOutputGradient, type BlockwiseStates, outputRows } from './blockwise-states.js';
import { proxyMatching, proxyParameters } from './proxy-matching.js';
import type { StepInput } from './step.js';
import { type RowLoss, unitSidesLoss } from './unit-sides.js';

/** The rows that the loss of a batch reads, in the numbers of the targets. */
export interface LocalBatch {
  /** The target of each row: left ones, right ones, then negatives in the same order. */
  readonly targets: Int32Array;
  /** The pairs in the numbers of the rows, and those of the negatives. */
  readonly pairs: readonly SeedBatch[];
}

/** The distinct entities of the batches, and the batches in their numbers. */
export function localBatches({ batches, loss = {} }: StepInput, entityCount: number) {
  const numbers = new Int32Array(entityCount); // one more than the number; 0: not met yet
  const targets: number[] = [];
  const localOf = (entity: number): number => {
    if (!(entity >= 0 && entity < entityCount)) {
      throw new DataError(
        `loginmea/blockwise-step: a seed is entity ${entity}, outside 0 .. ${entityCount - 1}.`,
      );
    }
    if (numbers[entity] === 0) numbers[entity] = targets.push(entity);
    return (numbers[entity] as number) - 1;
  };
  const local = batches.map((batch, index): LocalBatch => {
    const negatives = loss.kind === 'margin' ? loss.negatives[index] : undefined;
    const given = negatives === undefined ? [batch] : [batch, negatives];
    const entities = given.flatMap(({ left, right }) => [...left, ...right]);
    return { targets: Int32Array.from(entities, localOf), pairs: rowPairs(given) };
  });
  return { targets: Int32Array.from(targets), batches: local };
}

/** The losses of the batches; leaves the gradient of their sum in the states. */
export async function lossGradients(
  { model, states, input }: LossContext,
  batches: readonly LocalBatch[],
  { sums, clock }: { readonly sums: GradientSums; readonly clock: BlockClock },
): Promise<readonly number[]> {
  const losses: number[] = [];
  for (const { targets, pairs } of batches) {
    const found = batchGradient(model, outputRows(states, targets), {
      ...{ pairs: pairs[0]!, sums },
      loss: withNegatives(input.loss, pairs[1]),
    });
    losses.push(found.loss);
    addOutputGradient(states, targets, found.gradient);
    await clock.tick();
  }
  return losses;
}

interface LossContext {
  readonly model: BlockwiseModel;
  readonly states: BlockwiseStates;
  readonly input: StepInput;
}

/** The given pairs by place: the left ones of the first, its right ones, those of the second. */
function rowPairs(given: readonly SeedBatch[]): SeedBatch[] {
  let next = 0;
  const places = (count: number) => {
    next += count;
    return Int32Array.from({ length: count }, (_, i) => next - count + i);
  };
  return given.map(({ left, right }) => ({
    left: places(left.length),
    right: places(right.length),
  }));
}

/** The loss with the negatives of one batch. */
function withNegatives(loss: AlignmentLoss = {}, negatives: SeedBatch | undefined): AlignmentLoss {
  if (loss.kind !== 'margin') return loss;
  return { ...loss, negatives: negatives === undefined ? [] : [negatives] };
}

/** Loss of one batch and its gradient by the final rows; that of proxies goes to the sums. */
function batchGradient(
  model: BlockwiseModel,
  values: Float32Array,
  batch: { readonly pairs: SeedBatch; readonly loss: AlignmentLoss; readonly sums: GradientSums },
): RowLoss {
  const { left, right } = batch.pairs;
  const isPaired = left.length === right.length && left.length > 1; // else an error of the loss
  const { kind = 'infonce' } = batch.loss;
  if (isPaired && model.settings.proxies === 0 && (kind === 'infonce' || kind === 'icl')) {
    return unitSidesLoss(values, model.width, batch.loss as IclChoice | InfoNceChoice);
  }
  return rowLoss(model, values, batch);
}

/** Any loss of rows, after the proxies of the model, if it has any. */
function rowLoss(
  { parameters, settings, width }: BlockwiseModel,
  values: Float32Array,
  {
    pairs,
    loss,
    sums,
  }: { readonly pairs: SeedBatch; readonly loss: AlignmentLoss; readonly sums: GradientSums },
): RowLoss {
  const proxies = settings.proxies === 0 ? null : proxyParameters(parameters);
  const variables = proxies === null ? [] : Object.values(proxies as unknown as tf.NamedTensorMap);
  const found = { loss: 0, gradient: new Float32Array(0) };
  tf.tidy(() => {
    const rows = tf.tensor2d(values, [values.length / width, width]);
    const lossOf = () => {
      const matched = proxies === null ? rows : proxyMatching(rows, proxies);
      return alignmentLoss(matched, { pairs, index: 0 }, loss);
    };
    const { value, gradients } = pullBack(lossOf, [rows, ...variables], tf.scalar(1));
    sums.add(variables, gradients.slice(1));
    found.gradient = gradients[0]!.dataSync<'float32'>() as Float32Array<ArrayBuffer>;
    found.loss = value.dataSync()[0] as number;
  });
  return found; // a scope that returned it would look for tensors among its numbers
}
