/**
 * One training step: losses of every seed batch, their gradient, clipping, and the update.
 */
import { ModelError } from '@lab/core';
import { type AdamW, clipByGlobalNorm, eachValueAndGradients, tf } from '@lab/tensor';
import { batchContrast, keepTerms } from './batch-contrast.js';
import type { Modality, SeedBatch } from '@lab/alignment';
import type { DropoutSource } from './encoders.js';
import { presentPosteriors } from './image-mask.js';
import { klTerms, klWeight, type LossParts, totalLoss } from './losses.js';
import type { IbmeaModel } from './model.js';
import type { EpochNoise } from './noise.js';

/** Gradients by parameter name. */
export type GradientRecord = Record<string, tf.Tensor>;

/** What one step reads. */
export interface StepInput {
  readonly batches: readonly SeedBatch[];
  readonly noise: EpochNoise;
  readonly dropout: DropoutSource;
  readonly learningRate: number;
  /** Mode official: repair non-finite posteriors before the KL terms. */
  readonly repair?: boolean;
}

/** Loss values of one batch, before their weights. */
export interface BatchLoss {
  readonly total: number;
  readonly infoNce: Partial<Record<Modality, number>>;
  readonly kl: Partial<Record<Modality, number>>;
  readonly hybrid: number | null;
  /** KL term of the fused vectors; absent without a bottleneck on them. */
  readonly joint?: number;
}

/** What one step tells. */
export interface StepResult {
  readonly batches: readonly BatchLoss[];
  /** 2-norms of the gradient before each clipping. */
  readonly gradientNorms: readonly number[];
}

/** Gradients of the whole step, and the losses on the way. */
export interface StepGradients extends StepResult {
  readonly gradients: GradientRecord;
}

/**
 * Losses and the gradient that the optimiser sees.
 *
 * One forward pass in either case. `once`: the gradient of the sum over all batches, clipped at the
 * end. `accumulated`: after every batch the running sum is clipped, `g <- clip(g + grad_b)`, as in
 * the released code.
 */
export async function stepGradients(model: IbmeaModel, input: StepInput): Promise<StepGradients> {
  const { clipping, clip } = model.config.training;
  const parts: LossParts[] = [];
  const norms: tf.Scalar[] = [];
  let sum: GradientRecord = {};
  const losses = () => {
    const totals = batchLosses(model, input, parts);
    return clipping === 'once' ? [tf.addN(totals) as tf.Scalar] : totals;
  };
  eachValueAndGradients(model.parameters, losses, ({ value, gradients }) => {
    value.dispose();
    sum = addGradients(sum, gradients);
    if (clip === 0) return;
    const clipped = clipByGlobalNorm(sum, clip);
    tf.dispose(sum);
    sum = clipped.gradients;
    norms.push(clipped.norm);
  });
  const batches: BatchLoss[] = [];
  for (const terms of parts) batches.push(await readTerms(terms, model));
  const gradientNorms: number[] = [];
  for (const norm of norms) gradientNorms.push(await readScalar(norm));
  return { gradients: sum, batches, gradientNorms };
}

/**
 * Takes one step: `stepGradients`, then AdamW.
 *
 * @throws {ModelError} when a loss is not finite, naming the term; parameters are then unchanged.
 */
export async function trainStep(
  model: IbmeaModel,
  optimizer: AdamW,
  input: StepInput,
): Promise<StepResult> {
  const { gradients, batches, gradientNorms } = await stepGradients(model, input);
  try {
    assertFinite(batches);
    optimizer.step(gradients, input.learningRate);
  } finally {
    tf.dispose(gradients);
  }
  return { batches, gradientNorms };
}

/** One total per batch, all on one forward pass; their terms are kept in `parts`. */
function batchLosses(model: IbmeaModel, input: StepInput, parts: LossParts[]): tf.Scalar[] {
  const posteriors = model.encode(input.dropout);
  const counted = presentPosteriors(model, posteriors);
  const kl = klTerms(counted, model.config.model, input.repair);
  const isRecomputed = model.isRecomputed && input.batches.length > 1;
  return input.batches.map((batch, index) => {
    const counts = model.config.loss.klPer === 'batch' || index === 0;
    const price: LossParts = { infoNce: {}, kl: counts ? kl : {}, hybrid: null, joint: null };
    const contrast = batchContrast(model, posteriors, { batch, noise: input.noise, isRecomputed });
    parts.push({ ...contrast.terms, kl: keepTerms(price.kl) });
    const terms = counts ? [contrast.total, totalLoss(price, model.config.loss)] : [contrast.total];
    return tf.addN(terms) as tf.Scalar;
  });
}

/** Numbers of one batch's kept terms; frees them. */
async function readTerms(terms: LossParts, model: IbmeaModel): Promise<BatchLoss> {
  const readAll = async (record: Partial<Record<Modality, tf.Scalar>>) => {
    const values: Partial<Record<Modality, number>> = {};
    for (const [name, x] of Object.entries(record)) values[name as Modality] = await readScalar(x);
    return values;
  };
  const infoNce = await readAll(terms.infoNce);
  const kl = await readAll(terms.kl);
  const hybrid = terms.hybrid === null ? null : await readScalar(terms.hybrid);
  const joint = terms.joint === null ? {} : { joint: await readScalar(terms.joint) };
  const values = { infoNce, kl, hybrid, ...joint };
  return { ...values, total: weightedTotal(values, model) };
}

/** The number in a scalar; frees it. */
async function readScalar(x: tf.Scalar): Promise<number> {
  const [value] = await x.data();
  x.dispose();
  return value!;
}

/** The weighted sum of a batch's terms. */
function weightedTotal(terms: Omit<BatchLoss, 'total'>, model: IbmeaModel): number {
  const { loss } = model.config;
  let total = (terms.hybrid ?? 0) * loss.hybridWeight + (terms.joint ?? 0) * loss.jointBeta;
  for (const value of Object.values(terms.infoNce)) total += value;
  for (const [name, value] of Object.entries(terms.kl)) {
    total += value * klWeight(name as Modality, loss);
  }
  return total;
}

/** `a + b` by name; frees both. */
function addGradients(a: GradientRecord, b: GradientRecord): GradientRecord {
  const sum: GradientRecord = { ...a };
  for (const [name, gradient] of Object.entries(b)) {
    const before = sum[name];
    if (before === undefined) {
      sum[name] = gradient;
      continue;
    }
    sum[name] = tf.add(before, gradient);
    tf.dispose([before, gradient]);
  }
  return sum;
}

/** Stops at the first loss term that is not a finite number. */
function assertFinite(batches: readonly BatchLoss[]): void {
  for (const [index, batch] of batches.entries()) {
    for (const [term, values] of [
      ['InfoNCE', batch.infoNce],
      ['KL', batch.kl],
      ['hybrid loss', { graph: batch.hybrid ?? 0 }],
    ] as const) {
      for (const [modality, value] of Object.entries(values)) {
        if (Number.isFinite(value)) continue;
        const place = term === 'hybrid loss' ? term : `${term} of modality "${modality}"`;
        throw new ModelError(`ibmea/train: ${place} is ${value} in seed batch ${index + 1}.`, {
          help: 'lower training.learningRate, or look for extreme values in that modality',
          details: { term, modality, batch: index },
        });
      }
    }
  }
}
