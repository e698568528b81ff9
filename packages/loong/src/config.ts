import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of every random stream'),
});

/** A resolved configuration. */
export type Config = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as `resolveConfig` of `@lab/core` wants them. */
export const loongConfig: ConfigDefinition<Config> = {
  name: 'loong',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
};
