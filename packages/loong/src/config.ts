/**
 * Every setting of a run of the benchmark, one field each, with its default in mode `corrected`.
 */
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

const windowSchema = z.strictObject({
  maxLength: z
    .int()
    .min(256)
    .default(128_000)
    .describe('context window of the model: prompt and answer, tokens'),
  tokenizer: z
    .enum(['cl100k_base', 'server'])
    .default('cl100k_base')
    .describe('who counts tokens: the encoding of the benchmark, or the server (/tokenize)'),
  reserveOutput: z.int().min(0).default(4096).describe('tokens kept free for the answer'),
  slack: z
    .number()
    .min(0)
    .lt(1)
    .default(0.02)
    .describe('share kept free as tokenizers of other models count differently'),
  shrink: z
    .number()
    .min(0)
    .lt(1)
    .default(0.05)
    .describe('share by which the window shrinks when a server says that a prompt is too long'),
  maxShrinks: z.int().min(0).max(10).default(3).describe('times that it shrinks for a question'),
});

const assemblySchema = z.strictObject({
  shuffle: z
    .enum(['record', 'never'])
    .default('record')
    .describe('order of documents: as each record says, or that of its list'),
  verdictFix: z
    .boolean()
    .default(true)
    .describe('leave verdicts out of judgments where they are asked for'),
  stableDocOrder: z
    .boolean()
    .default(false)
    .describe('documents first and in one order, so that questions share a prefix'),
  closedBook: z.boolean().default(false).describe('ask without documents: what is known by heart'),
});

const generationSchema = z.strictObject({
  temperature: z.number().min(0).max(2).default(0).describe('of sampling'),
  topP: z.number().gt(0).max(1).default(1).describe('of sampling'),
  maxTokens: z.int().min(16).default(4096).describe('tokens of an answer at most'),
  continuations: z
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe('times that an answer which was cut at its end is gone on with'),
});

const ragSchema = z.strictObject({
  retriever: z
    .enum(['off', 'embeddings', 'bm25', 'fusion'])
    .default('off')
    .describe('what finds chunks in place of whole documents; fusion is both by rank'),
  topK: z.int().min(1).default(30).describe('chunks in a prompt'),
  chunkTokens: z.int().min(32).default(1024).describe('tokens of a chunk at most'),
  overlap: z.int().min(0).default(0).describe('tokens that neighbouring chunks share at most'),
  order: z
    .enum(['similarity', 'document'])
    .default('similarity')
    .describe('order of chunks in a prompt where documents are not shuffled'),
  perDocument: z
    .int()
    .min(0)
    .default(0)
    .describe('chunks that every document gets first; 0 is none'),
  query: z
    .enum(['question', 'question+instruction'])
    .default('question')
    .describe('what is searched for; where the question is empty, the instruction'),
});

const judgeSchema = z.strictObject({
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe('form of the score: the last [[n]], or data of a schema'),
  parse: z
    .enum(['anchored', 'first'])
    .default('anchored')
    .describe('which score of a text counts: the last [[n]], or the first (released code)'),
  attempts: z
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe('times that a judge is asked until a score can be read, in either format'),
  temperature: z.number().min(0).max(2).default(0).describe('of sampling'),
  maxTokens: z.int().min(16).default(1024).describe('tokens of a judgement at most'),
  judgeEmpty: z
    .boolean()
    .default(false)
    .describe('ask the judge about empty answers too; else they get 0'),
});

const evaluationSchema = z.strictObject({
  missing: z
    .enum(['exclude', 'zero'])
    .default('exclude')
    .describe('questions without a score: left out and counted, or 0'),
  resamples: z.int().min(100).default(2000).describe('bootstrap resamples of an interval'),
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .default(1_000_000_007)
    .describe('of the order of documents and of intervals'),
  window: windowSchema.prefault({}),
  assembly: assemblySchema.prefault({}),
  generation: generationSchema.prefault({}),
  rag: ragSchema.prefault({}),
  judge: judgeSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
});

/** A resolved configuration of a run. */
export type LoongConfig = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const loongConfig: ConfigDefinition<LoongConfig> = {
  name: 'loong',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
  defaultPreset: 'window-128k',
};
