import type { DeepPartial, Preset } from '@lab/core';
import type { Config } from './config.js';

/** What each mode changes against the defaults. */
export const modeValues: Record<string, DeepPartial<Config>> = {
  corrected: {},
  official: {
    data: { deduplicate: false },
    states: { isNormed: true },
    split: { isStratified: false },
    lens: { isDoubleNormed: true, countBy: 'text' },
    graft: { semantics: 'official' },
  },
};

const helpful = 'You are a helpful and harmless assistant';

const family = (name: string, format: string, system = ''): Preset<Config> => ({
  description: `${name} with its format of conversations`,
  values: { data: { format, ...(system === '' ? {} : { system }) } },
});

/** Formats of the models that the paper takes, and of others. */
export const presets: Record<string, Preset<Config>> = {
  bare: { description: 'prompts without a format', values: { data: { format: 'direct' } } },
  chat: family('any model', 'chat'),
  'llama-2-chat': family('Llama-2 chat', 'llama-2', helpful),
  'llama-3-instruct': family('Llama-3 Instruct', 'llama-3', helpful),
  vicuna: family(
    'Vicuna v1.5',
    'vicuna_v1.1',
    'A chat between a curious user and an artificial intelligence assistant. ' +
      "The assistant gives helpful, detailed, and polite answers to the user's questions.",
  ),
  'mistral-instruct': family('Mistral Instruct', 'mistral'),
  'falcon-instruct': family('Falcon instruct', 'falcon'),
  'debug-101': {
    description: "the first 101 prompts of each class, the released code's default",
    values: { data: { limit: 101 } },
  },
};
