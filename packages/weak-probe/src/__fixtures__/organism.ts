import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { exampleModel, loadTokenizer, readModelConfig } from '@lab/transformer';
import type { CollectOptions } from '../collect.js';
import { weakProbeConfig } from '../config.js';
import { formatPrompts, readPromptSet } from '../prompt-set.js';

/** The shipped model, whose requests are harmless. */
export const organism = exampleModel('organism');

/** Some of its requests, as it reads them. */
export async function organismPrompts(limit: number, settings: readonly string[] = []) {
  const set = [`data.limit=${limit}`, ...settings];
  const { config } = resolveConfig(weakProbeConfig, { set });
  const found = await readPromptSet([{ path: join(organism, 'prompts.csv') }], {
    ...config.data,
    classes: ['answered', 'refused'],
  });
  const { contextTokens } = readModelConfig(organism).architecture;
  const tokenizer = loadTokenizer(organism);
  const { prompts } = formatPrompts(tokenizer, found.prompts, { ...config.data, contextTokens });
  return { config, classes: found.classes, prompts };
}

/** What a collection of some of them is told. */
export async function organismCollection(
  out: string,
  { limit = 6, settings = [] }: { limit?: number; settings?: readonly string[] } = {},
): Promise<CollectOptions> {
  const given = await organismPrompts(limit, settings);
  return { modelPath: 'example:organism', out, ...given };
}
