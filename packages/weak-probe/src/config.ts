/**
 * Every setting, one field each, with its default in mode `corrected`.
 */
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

const dataSchema = z.strictObject({
  limit: z.int().min(0).default(500).describe('prompts of each class at most; 0 is all'),
  deduplicate: z
    .boolean()
    .default(true)
    .describe('keep the first of equal prompts, so that none is in training and test'),
  normalisation: z
    .enum(['period', 'none'])
    .default('period')
    .describe('period: a full stop behind prompts that end in neither full stop nor question mark'),
  format: z
    .string()
    .default('direct')
    .describe(
      'direct: the prompt alone; chat: template of the model; template, a FastChat name ' +
        '(llama-2, llama-3, vicuna_v1.1, mistral, falcon), or a text with {prompt}',
    ),
  system: z.string().default('').describe('text of the system in chat formats; empty for none'),
  longPrompts: z
    .enum(['error', 'skip'])
    .default('error')
    .describe('prompts longer than the context: an error, or left out and counted'),
});

const statesSchema = z.strictObject({
  site: z
    .enum(['residual', 'mid', 'attention', 'mlp', 'heads'])
    .default('residual')
    .describe(
      'residual: behind 0 to L blocks; mid: the same between attention and MLP of a block; else ' +
        'what each block adds, or its heads give',
    ),
  positions: z
    .enum(['last', 'prompt-end', 'mean', 'max', 'tokens'])
    .default('last')
    .describe('token that is kept, or how tokens are pooled; prompt-end: before a format goes on'),
  isNormed: z
    .boolean()
    .default(false)
    .describe('state L behind the final norm, as released code has it; else before'),
  batchTokens: z.int().min(1).default(4096).describe('tokens that go through a block together'),
  unitPrompts: z
    .int()
    .min(1)
    .default(64)
    .describe('prompts that are saved together; a kill loses one such unit at most'),
});

const splitSchema = z.strictObject({
  testShare: z.number().gt(0).lt(1).default(0.3).describe('share of rows in the test set'),
  isStratified: z.boolean().default(true).describe('each class with its share in both parts'),
  folds: z.int().min(0).max(50).default(0).describe('folds of cross-validation; 0 is one split'),
  repeats: z.int().min(1).max(1000).default(1).describe('splits with seeds of their own'),
});

const svmSchema = z.strictObject({
  c: z.number().gt(0).default(1).describe('weight of errors'),
  kernel: z.enum(['linear', 'rbf']).default('linear').describe('kernel'),
  tolerance: z.number().gt(0).default(1e-3).describe('largest violation at the end'),
  isScaled: z.boolean().default(false).describe('features standardised on the training rows'),
});

const mlpSchema = z.strictObject({
  hiddenUnits: z.int().min(1).default(100).describe('ReLU units of the one hidden layer'),
  learningRate: z.number().gt(0).default(0.01).describe('of Adam'),
  alpha: z.number().min(0).default(0.01).describe('weight of the squared weights'),
  maxEpochs: z.int().min(1).default(300).describe('epochs at most'),
  patience: z.int().min(1).default(10).describe('epochs without a smaller loss before the end'),
  tolerance: z.number().min(0).default(1e-4).describe('by which a loss must be smaller'),
  batchSize: z.int().min(1).default(200).describe('rows of a step at most'),
});

const probeSchema = z.strictObject({
  kinds: z
    .array(
      z.enum([
        ...(['svm', 'mlp', 'scaled-svm', 'logistic', 'lda'] as const),
        ...(['mass-mean', 'nearest-centroid', 'pca'] as const),
      ]),
    )
    .min(1)
    .default(['svm', 'mlp'])
    .describe('classifiers of each state'),
  controls: z.boolean().default(true).describe('majority, words, length and random labels beside'),
  ridge: z.number().gt(0).default(1).describe('weight of squared coefficients of logistic'),
  shrinkage: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('of the covariance of lda towards the identity; 0 is as Ledoit and Wolf estimate it'),
  components: z.int().min(1).default(1).describe('principal axes of pca'),
  resamples: z.int().min(100).default(1000).describe('bootstrap resamples of an interval'),
});

const lensSchema = z.strictObject({
  topK: z.int().min(1).default(5).describe('tokens listed at each state'),
  middleFrom: z.number().min(0).max(1).default(0.5).describe('first middle state; share of blocks'),
  middleTo: z.number().min(0).max(1).default(0.75).describe('end of the middle states, excluded'),
  isDoubleNormed: z
    .boolean()
    .default(false)
    .describe('the final norm twice at the last state, as released code has it'),
  countBy: z
    .enum(['token', 'text'])
    .default('token')
    .describe('tokens are one by their id, or by their text as released code has it'),
  restrict: z
    .enum(['all', 'negative', 'positive'])
    .default('all')
    .describe('tokens that count for the consistency'),
  partMegabytes: z
    .number()
    .gt(0)
    .default(64)
    .describe('MB of logits made together; larger vocabularies are read in parts'),
});

const graftSchema = z.strictObject({
  semantics: z
    .enum(['clean', 'official'])
    .default('clean')
    .describe('clean: the last position behind a block; official: as the released code does it'),
  steps: z.int().min(1).default(1).describe('generated tokens during which a graft is in place'),
  interpolation: z.number().min(0).max(1).default(1).describe('share of the donor in the state'),
  isNormMatched: z.boolean().default(false).describe("the donor scaled to the recipient's norm"),
  donors: z.int().min(1).default(8).describe('donor prompts whose mean is grafted'),
  recipients: z.int().min(1).default(64).describe('prompts that receive'),
  maxTokens: z.int().min(1).default(32).describe('tokens of a generation at most'),
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).default(42).describe('seed of splits and of every other random stream'),
  data: dataSchema.prefault({}),
  states: statesSchema.prefault({}),
  split: splitSchema.prefault({}),
  probe: probeSchema.prefault({}),
  svm: svmSchema.prefault({}),
  mlp: mlpSchema.prefault({}),
  lens: lensSchema.prefault({}),
  graft: graftSchema.prefault({}),
});

/** A resolved configuration. */
export type Config = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const weakProbeConfig: ConfigDefinition<Config> = {
  name: 'weak-probe',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
};
