/**
 * The settings of a training: a schema with defaults, for library calls, files and flags alike.
 */
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { ADAPTED_MODULES } from './tuning.js';

const share = (text: string) => z.number().min(0).lt(1).default(0).describe(text);
const beta = (value: number, text: string) => z.number().min(0).lt(1).default(value).describe(text);

/** Which model. */
const modelSchema = z.strictObject({
  path: z
    .string()
    .default('')
    .describe('folder of a checkpoint; from scratch: of config.json and tokenizer.json'),
  from: z
    .enum(['checkpoint', 'scratch'])
    .default('checkpoint')
    .describe('weights to begin with: those of the folder, or random ones'),
});

/** Which weights are trained. */
const tuningSchema = z.strictObject({
  kind: z
    .enum(['full', 'last-blocks', 'low-rank'])
    .default('full')
    .describe('what is trained: all weights, those of the last blocks, or adapters (LoRA)'),
  lastBlocks: z
    .int()
    .min(1)
    .default(2)
    .describe('last-blocks: how many, with the norm behind them'),
  rank: z.int().min(1).max(4096).default(8).describe('low-rank: rank r of an adapter'),
  alpha: z.number().gt(0).default(16).describe('low-rank: adapters count alpha / rank times'),
  modules: z
    .array(z.enum(ADAPTED_MODULES))
    .min(1)
    .default(['query', 'value'])
    .describe('low-rank: matrices of a block that get an adapter'),
});

/** Which texts, and how they become tokens. */
const dataSchema = z.strictObject({
  train: z
    .string()
    .default('')
    .describe('file to train on: *.jsonl with text, prompt and answer, or messages; else lines'),
  evaluation: z
    .string()
    .nullable()
    .default(null)
    .describe('file of the same form to evaluate on; null: the held-out share'),
  heldOut: z
    .number()
    .min(0)
    .lt(1)
    .default(0.05)
    .describe('share of the examples that is kept out of training, to evaluate on'),
  maxTokens: z
    .int()
    .min(2)
    .nullable()
    .default(null)
    .describe('most tokens of an example; null: those of the model, 1024 at most'),
  tooLong: z
    .enum(['truncate', 'split', 'refuse'])
    .default('truncate')
    .describe('what happens to longer ones: cut, cut into several, or an error'),
  template: z
    .enum(['auto', 'chat', 'none'])
    .default('auto')
    .describe('prompts and answers through the chat template; auto: where there is one'),
});

/** How long and in which steps is trained. */
const trainingSchema = z.strictObject({
  epochs: z.int().min(1).default(1).describe('times that every example is seen'),
  steps: z.int().min(1).nullable().default(null).describe('steps in all, in the place of epochs'),
  batchSize: z.int().min(1).max(65_536).default(8).describe('examples of a step'),
  microBatchSize: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('examples computed at once; gradients of a step are added up. null: all'),
  learningRate: z.number().gt(0).default(1e-4).describe('largest learning rate'),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('cosine')
    .describe('how the learning rate goes after the warm-up: stays, or falls to 0'),
  warmupSteps: z.int().min(0).default(0).describe('steps in which it rises from 0'),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe('decoupled weight decay of matrices; norms and biases have none'),
  beta1: beta(0.9, 'decay of the first moment of AdamW'),
  beta2: beta(0.999, 'decay of the second moment of AdamW'),
  epsilon: z.number().gt(0).default(1e-8).describe('added to the root of the second moment'),
  clipNorm: z
    .number()
    .gt(0)
    .nullable()
    .default(1)
    .describe('largest norm of all gradients together; null: any'),
  recompute: z
    .boolean()
    .default(false)
    .describe('compute blocks again in the backward pass: less memory, a third more time'),
  attentionDropout: share('share of the shares of attention that is dropped'),
  residualDropout: share('share of what attention and MLP add that is dropped'),
  embeddingDropout: share('share of the embeddings that is dropped'),
  evaluateEvery: z
    .int()
    .min(0)
    .default(0)
    .describe('steps between evaluations; 0: at the end alone'),
  checkpointSeconds: z
    .number()
    .min(0)
    .default(300)
    .describe('shortest time between two checkpoints; seconds'),
});

const schema = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of every random stream'),
  model: modelSchema.prefault({}),
  tuning: tuningSchema.prefault({}),
  data: dataSchema.prefault({}),
  training: trainingSchema.prefault({}),
});

/** Every setting of a training. */
export type TrainingConfig = z.infer<typeof schema>;

/** How settings are read, shown and documented. */
export const trainingConfig: ConfigDefinition<TrainingConfig> = {
  name: 'transformer train',
  schema,
  modes: ['default'],
  defaultMode: 'default',
  modeValues: { default: {} },
  presets: {},
};
