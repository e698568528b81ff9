/**
 * Every hyperparameter of LoginMEA, one field each, with its default in mode `corrected`.
 *
 * The names are the method's words. `presets.ts` holds the data sets' settings and what the two
 * modes change.
 */
import {
  dataFields,
  evaluationFields,
  pseudoSeedFields,
  seedField,
  trainingFields,
} from '@lab/alignment';
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

const size = (value: number, text: string) =>
  z.int().min(1).max(65_536).default(value).describe(text);
const positive = (value: number, text: string) => z.number().gt(0).default(value).describe(text);

const dataSchema = z.strictObject(
  dataFields({
    relationScaling: 'none',
    releasedScaling: 'the released code takes them as they are',
  }),
);

const modelSchema = z.strictObject({
  size: size(300, 'd, width of every vector'),
  rank: size(8, 'K, rank of the low-rank fusion'),
  layers: z.int().min(1).max(8).default(2).describe('L, reflection layers of each encoder'),
  modalityWeights: z
    .enum(['entity', 'uniform'])
    .default('entity')
    .describe("weights of the modalities by the entity's own vectors, or equal ones"),
  fusion: z
    .enum(['low-rank', 'sum', 'concatenation', 'early-only'])
    .default('low-rank')
    .describe('how the modalities of an entity become one vector; early-only: they do not'),
  fusionStart: z
    .enum(['official', 'unit'])
    .default('official')
    .describe('start of the fusion factors: Xavier as released, or products near 1'),
  fusionOutput: z
    .enum(['none', 'softmax', 'layer-norm'])
    .default('none')
    .describe('what follows the fusion'),
  propagation: z
    .enum(['reflection', 'gat', 'gcn', 'mean'])
    .default('reflection')
    .describe('how vectors pass from entity to entity'),
  relationSets: z
    .enum(['mean', 'one'])
    .default('mean')
    .describe('vector of a pair: mean of its relations, or its first relation'),
  proxies: z
    .int()
    .min(0)
    .max(4096)
    .default(0)
    .describe('proxies of the matching after both encoders (Dual-AMN: 64); 0 = none'),
});

const lossSchema = z.strictObject({
  kind: z
    .enum(['infonce', 'icl', 'hard-sample', 'margin'])
    .default('infonce')
    .describe('InfoNCE as published, or the loss of MCLEA, Dual-AMN or RREA'),
  temperature: positive(0.1, 'tau of infonce and icl'),
  direction: z
    .enum(['left-to-right', 'both'])
    .default('left-to-right')
    .describe('direction of InfoNCE; both is the mean of the two'),
  margin: positive(3, 'gamma of the margin loss'),
  hardMargin: positive(1, 'gamma of hard-sample'),
  hardScale: positive(30, 'lambda of hard-sample'),
  hardShift: positive(10, 'tau_0 of hard-sample'),
});

const { epochs, batchSize, learningRate, weightDecay, patience, checkpointSeconds } =
  trainingFields({
    epochs: 600,
    batchSize: 3500,
    learningRate: 0.005,
    rateText: 'learning rate',
  });

const trainingSchema = z.strictObject({
  epochs,
  batchSize,
  learningRate,
  weightDecay,
  optimizerReset: z
    .enum(['every-epoch', 'once', 'never'])
    .default('once')
    .describe('with pseudo seeds: when AdamW starts anew from pseudoSeeds.start on'),
  lateRate: positive(0.2, 'with pseudo seeds: factor on the rate from pseudoSeeds.start on'),
  layout: z
    .enum(['auto', 'whole', 'blocks'])
    .default('auto')
    .describe('the whole graph as tensors, or rows in blocks: slower, for graphs of any size'),
  blockMegabytes: z
    .int()
    .min(16)
    .default(256)
    .describe('tensors of a block, about, where the layout is blocks; MB'),
  patience,
  checkpointSeconds,
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: seedField,
  data: dataSchema.prefault({}),
  model: modelSchema.prefault({}),
  loss: lossSchema.prefault({}),
  training: trainingSchema.prefault({}),
  pseudoSeeds: z.strictObject(pseudoSeedFields({ start: 50 })).prefault({}),
  evaluation: z.strictObject(evaluationFields({ scores: 'evidence' })).prefault({}),
});

/** A resolved configuration of LoginMEA. */
export type LoginmeaConfig = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const loginmeaConfig: ConfigDefinition<LoginmeaConfig> = {
  name: 'loginmea',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
  defaultPreset: 'dbp15k',
};
