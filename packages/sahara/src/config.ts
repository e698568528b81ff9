/**
 * Every setting, one field each, with its default in mode `corrected`.
 */
import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { ablationKinds, ablationSites, type HeadAblation } from './ablation.js';
import { modeValues, presets } from './presets.js';

const promptsSchema = z.strictObject({
  format: z
    .string()
    .default('template')
    .describe('how prompts are written: template, direct, chat, a name of FastChat, or a text'),
  system: z.string().default('').describe('text of the system; empty for none, as in the paper'),
  truncate: z
    .enum(['none', 'left', 'right'])
    .default('none')
    .describe('where a prompt with too many tokens is cut; none is an error'),
});

const ablationSchema = z.strictObject({
  kind: z
    .enum(ablationKinds)
    .default('uniform')
    .describe('even pattern; factor eps; zero; mean over heads; or patch; eq. 7 and 8'),
  site: z
    .enum(['auto', ...ablationSites])
    .default('auto')
    .describe('pattern, scores, q, k (eq. 7), v or z (eq. 8); auto: that of the kind'),
  eps: z.number().min(0).default(1e-5).describe('factor of kind scale; 0 is the exact limit'),
  granularity: z
    .enum(['auto', 'query-head', 'kv-group'])
    .default('auto')
    .describe('heads of queries, or of keys and values; auto is an error where k or v is shared'),
});

const scoresSchema = z.strictObject({
  numerics: z
    .enum(['stable', 'official'])
    .default('stable')
    .describe('divergence from logarithms in float64, or with 1e-12 added in float32'),
  measure: z
    .enum(['subspace', 'divergence'])
    .default('subspace')
    .describe('of a data set: turn of the subspace (eq. 11), or mean divergence'),
  side: z
    .enum(['left', 'right'])
    .default('left')
    .describe('singular vectors: of prompts (eq. 11), or of states'),
  center: z.boolean().default(false).describe('take the mean over prompts away first'),
  rank: z.int().min(1).default(1).describe('r, singular vectors of the subspace'),
  topHeads: z.int().min(1).default(10).describe('heads that are listed of each prompt'),
});

const searchSchema = z.strictObject({
  size: z.int().min(1).default(3).describe('S, heads of the group; the paper finds 3 best'),
  minGain: z
    .number()
    .min(0)
    .default(0)
    .describe('end at a head that adds less, degrees or nats; 0 is never'),
  beam: z.int().min(1).default(1).describe('groups kept at each step; 1 is greedy, as published'),
});

const scanSchema = z.strictObject({
  batchTokens: z.int().min(1).default(1024).describe('tokens that go through a layer together'),
  memoryMiB: z.int().min(1).default(512).describe('memory of variants between layers; MiB'),
  screenedShare: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('share of heads with exact scores after an estimate of all; 1 is all, exactly'),
});

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of every random stream'),
  prompts: promptsSchema.prefault({}),
  ablation: ablationSchema.prefault({}),
  scores: scoresSchema.prefault({}),
  search: searchSchema.prefault({}),
  scan: scanSchema.prefault({}),
});

/** A resolved configuration. */
export type Config = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const saharaConfig: ConfigDefinition<Config> = {
  name: 'sahara',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
};

/** The ablation that a configuration names. */
export function configuredAblation({ ablation }: Pick<Config, 'ablation'>): HeadAblation {
  const { kind, site, eps, granularity } = ablation;
  return {
    ...{ kind, eps, site: site === 'auto' ? undefined : site },
    granularity: granularity === 'auto' ? undefined : granularity,
  };
}
