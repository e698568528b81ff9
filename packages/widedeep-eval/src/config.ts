/**
 * Every setting of a judge network, one field each, with its default in mode `corrected`.
 */
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

const rolesSchema = z.strictObject({
  kind: z
    .enum(['unlimited', 'limited', 'library', 'none'])
    .default('unlimited')
    .describe('angles of the judges: as many as the model names, two, those of `library`, or none'),
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe('form of the angles: names between marks as published, or data of a schema'),
  max: z
    .int()
    .min(1)
    .nullable()
    .default(8)
    .describe('angles of a sample at most; null for no limit, as in the released code'),
  min: z.int().min(1).default(2).describe('angles of a sample at least; filled with defaults'),
  attempts: z.int().min(1).max(20).default(3).describe('requests for angles until some are read'),
  maxTokens: z.int().min(16).default(512).describe('tokens of an answer that names angles'),
  mergeDuplicates: z
    .boolean()
    .default(true)
    .describe('names that differ in case alone are one angle; the released code keeps all'),
  library: z
    .array(z.string().min(1))
    .default([])
    .describe('angles of every sample under kind `library`: comparable over time, and no call'),
});

const networkSchema = z.strictObject({
  layers: z.int().min(1).max(4).default(2).describe('L, 1 is judges alone, 2 one discussion'),
  connectivity: z
    .enum(['full', 'window'])
    .default('full')
    .describe('whose reviews a judge reads: those of all, or of its neighbours'),
  window: z.int().min(1).max(64).default(1).describe('w, neighbours on either side: |i - j| <= w'),
  width: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('n, judges alike where there are no roles (kind `none`)'),
  bothOrders: z.boolean().default(true).describe('judge each pair in both orders'),
  earlyStop: z
    .boolean()
    .default(false)
    .describe('no discussion where all judges agree in both orders after the first layer'),
});

const judgeSchema = z.strictObject({
  kind: z
    .enum(['model', 'longer', 'always-1', 'always-2'])
    .default('model')
    .describe('who judges: a model, or a rule as a floor'),
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe('form of the verdict: lines with scores as published, or data of a schema'),
  scores: z
    .enum(['written', 'weighted'])
    .default('written')
    .describe('a score as written, or the mean of what could stand there, by probability'),
  system: z
    .enum(['message', 'prompt'])
    .default('message')
    .describe('who the judge is: a system message, or the head of prompts where a model has none'),
  explanation: z
    .enum(['before', 'after'])
    .default('before')
    .describe('whether the reasons stand before or after the scores'),
  temperature: z.number().min(0).max(2).default(1).describe('of sampling'),
  topP: z.number().gt(0).max(1).default(1).describe('of sampling'),
  maxTokens: z.int().min(16).default(512).describe('tokens of an answer at most'),
  maxTokensAfterCut: z
    .int()
    .min(16)
    .default(2048)
    .describe('tokens at most when an answer was cut before its scores; asked once more'),
  parseAttempts: z.int().min(1).max(20).default(3).describe('requests until scores can be read'),
  failed: z
    .enum(['exclude', 'zero'])
    .default('exclude')
    .describe('a judge without scores: left out, or (0, 0) as in the released code'),
});

const jurySchema = z.strictObject({
  models: z
    .array(z.string().min(1))
    .default([])
    .describe('further models of the network: NAME, or NAME@URL for another server'),
  assign: z
    .enum(['neurons', 'layers'])
    .default('neurons')
    .describe('models take turns over the judges of a layer, or over the layers'),
});

const aggregationSchema = z.strictObject({
  primary: z
    .enum(['average', 'vote'])
    .default('average')
    .describe('how the verdict is reached; c1 is vote, c2 average (unconfirmed)'),
  scope: z.enum(['all', 'last']).default('all').describe('scores of all layers, or of the last'),
  tau: z.number().min(0).default(0).describe('difference of mean scores that is still a tie'),
  perOrderVotes: z.boolean().default(false).describe('each order of a judge has a vote'),
  tieBreak: z
    .enum(['average', 'tie'])
    .default('average')
    .describe('when votes are equal: the mean scores decide, or it is a tie'),
  epsilon: z
    .number()
    .min(0)
    .default(0)
    .describe('added to the count under a mean; 1e-5 in the released code'),
});

const dataSchema = z.strictObject({
  shortcutIdentical: z
    .boolean()
    .default(true)
    .describe('equal answers, or two empty ones, are a tie without a call'),
  contextTokens: z
    .int()
    .min(256)
    .nullable()
    .default(null)
    .describe('context of the model; longer pairs are cut at their ends, equally'),
  truncate: z.boolean().default(true).describe('cut pairs that are too long, else refuse them'),
});

const evaluationSchema = z.strictObject({
  resamples: z.int().min(100).default(10_000).describe('bootstrap resamples of an interval'),
  human: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('beta, share of least certain samples that people decide (gold labels)'),
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).nullable().default(null).describe('sent to the server, where given'),
  roles: rolesSchema.prefault({}),
  network: networkSchema.prefault({}),
  judge: judgeSchema.prefault({}),
  jury: jurySchema.prefault({}),
  aggregation: aggregationSchema.prefault({}),
  data: dataSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
});

/** A resolved configuration of a judge network. */
export type WidedeepConfig = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const widedeepConfig: ConfigDefinition<WidedeepConfig> = {
  name: 'widedeep-eval',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
  defaultPreset: 'widedeep',
};
