/**
 * Every hyperparameter of IBMEA, one field each, with its default in mode `corrected`.
 *
 * The names are the method's words. `presets.ts` holds the data sets' settings and what the two
 * modes change.
 */
import type { ConfigDefinition } from '@lab/core';
import {
  dataFields,
  evaluationFields,
  modalities,
  modalityField,
  pseudoSeedFields,
  seedField,
  trainingFields,
} from '@lab/alignment';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

const size = (value: number, text: string) =>
  z.int().min(1).max(65_536).default(value).describe(text);
const weight = (value: number, text: string) => z.number().min(0).default(value).describe(text);

const dataSchema = z.strictObject(
  dataFields({
    relationScaling: 'log1p',
    releasedScaling: 'the released code takes them as they are',
  }),
);

const modelSchema = z.strictObject({
  graphSize: size(300, 'd_g, width of entity embeddings and of the graph posterior'),
  featureSize: size(100, 'd_v = d_r = d_a, width of the other posteriors'),
  layers: z.int().min(1).max(8).default(2).describe('graph attention layers'),
  heads: z.int().min(1).max(8).default(2).describe('attention heads per layer'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.45)
    .describe('dropout rate on the input of the first attention layer'),
  structureEncoder: z
    .enum(['gat', 'gcn'])
    .default('gat')
    .describe('graph encoder: graph attention, or mean over neighbours'),
  attention: z
    .enum(['diagonal', 'full'])
    .default('diagonal')
    .describe('weights of an attention head: a vector as published, or a matrix'),
  instanceNorm: z
    .boolean()
    .default(false)
    .describe('bring every feature of the entity embeddings to mean 0, variance 1 over entities'),
  bottlenecks: z
    .array(modalityField)
    .default([...modalities])
    .describe('modalities encoded as distributions; the others by a plain encoder'),
  noise: z
    .enum(['normal', 'official'])
    .default('normal')
    .describe('noise of the samples; official is uniform on [0, 1) except for the graph'),
  graphScale: z
    .enum(['softplus', 'elu'])
    .default('softplus')
    .describe('how the standard deviation of the graph posterior is made'),
  initialScale: z
    .number()
    .gt(0)
    .default(1)
    .describe(
      'factor on the posterior deviations, which start at this (graph: 0.69 of it); no part in elu',
    ),
  prior: z
    .enum(['standard', 'official'])
    .default('standard')
    .describe('KL to N(0, 1), or the released form: clamped deviation, prior N(0, 2.51^2)'),
  fusion: z
    .enum(['weighted', 'variance', 'attention'])
    .default('weighted')
    .describe('one weight per modality; times 1 / posterior variance per entity; or attention'),
  jointBottleneck: z.boolean().default(false).describe('a bottleneck on the fused vectors too'),
  unusedSlots: z
    .boolean()
    .default(false)
    .describe('build the parameters that the released model declares beside those it uses'),
});

const lossSchema = z.strictObject({
  temperature: z.number().gt(0).default(0.1).describe('tau of InfoNCE'),
  direction: z
    .enum(['both', 'left-to-right'])
    .default('both')
    .describe('direction of InfoNCE; both is the mean of the two'),
  graphBeta: weight(0.001, 'beta_g, weight of the KL term of the graph'),
  imageBeta: weight(0.001, 'beta_v, weight of the KL term of the images'),
  relationBeta: weight(0.01, 'beta_r, weight of the KL term of the relations'),
  attributeBeta: weight(0.001, 'beta_a, weight of the KL term of the attributes'),
  jointBeta: weight(0.001, 'weight of the KL term of the fused vectors'),
  klPer: z
    .enum(['epoch', 'batch'])
    .default('epoch')
    .describe('add the KL terms once per epoch or with every seed batch'),
  hybrid: z
    .enum(['multi-similarity', 'infonce', 'icl', 'none'])
    .default('multi-similarity')
    .describe('loss of the fused vectors'),
  hybridWeight: weight(3, 'w_J, weight of the hybrid loss'),
  alpha: z.number().gt(0).default(5).describe('alpha of the multi-similarity loss'),
  beta: z.number().gt(0).default(40).describe('beta of the multi-similarity loss'),
  lambda: z.number().default(0.5).describe('lambda, margin of the multi-similarity loss'),
});

const { epochs, batchSize, learningRate, weightDecay, patience, checkpointSeconds } =
  trainingFields({
    epochs: 300,
    batchSize: 7500,
    learningRate: 0.006,
    rateText: 'peak learning rate',
  });

const trainingSchema = z.strictObject({
  epochs,
  batchSize,
  learningRate,
  schedule: z
    .enum(['warmup-cosine', 'constant'])
    .default('warmup-cosine')
    .describe('learning rate over the epochs'),
  warmup: z.int().min(0).default(200).describe('epochs of linear warm-up'),
  horizon: z.int().min(1).default(1500).describe('epoch at which the cosine reaches zero'),
  weightDecay,
  clip: weight(0.1, 'largest 2-norm of the gradient; 0 switches clipping off'),
  clipping: z
    .enum(['once', 'accumulated'])
    .default('once')
    .describe('clip the whole gradient, or the running sum after every batch (released code)'),
  patience,
  recompute: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('compute graph layers again in the backward pass: slower, far less memory'),
  checkpointSeconds,
});

const { select, baseline, ...ranking } = evaluationFields({ scores: 'evidence' });

const evaluationSchema = z.strictObject({
  ...ranking,
  samples: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('noise draws averaged at evaluation; 0 uses the posterior mean'),
  select,
  baseline,
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: seedField,
  data: dataSchema.prefault({}),
  model: modelSchema.prefault({}),
  loss: lossSchema.prefault({}),
  training: trainingSchema.prefault({}),
  pseudoSeeds: z.strictObject(pseudoSeedFields({ start: 20 })).prefault({}),
  evaluation: evaluationSchema.prefault({}),
});

/** A resolved configuration of IBMEA. */
export type IbmeaConfig = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const ibmeaConfig: ConfigDefinition<IbmeaConfig> = {
  name: 'ibmea',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
  defaultPreset: 'dbp15k',
};
