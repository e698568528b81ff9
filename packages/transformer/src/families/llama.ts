/** Llama 1 to 3, Mistral, which is a Llama with a window, and Ministral, with windows by block. */
import type { ConfigFields } from '../config-fields.js';
import { type Family, llamaWeights, readSizes, readWindows, rmsDecoder } from './family.js';
import { idleFields } from './idle-fields.js';
import { readRotary } from '../rotary-rules.js';

const mistrals = new Set(['mistral', 'ministral']);
const windowFields = ['layer_types', 'max_window_layers', 'sliding_window', 'use_sliding_window'];

/** Windows of all blocks: with a list of kinds, `transformers` reads the config as Ministral's. */
const mistralWindows = (config: ConfigFields, layerCount: number) =>
  readWindows(config, layerCount, {
    window: config.optionalNumber('sliding_window'),
    isWindowed: () => true,
  });

export const llama: Family = {
  modelTypes: ['llama', ...mistrals],
  read: (config) => {
    config.ignore(...idleFields, 'is_llama_config', 'pretraining_tp');
    config.only('rope_interleaved', false);
    const sizes = readSizes(config);
    const isMistral = mistrals.has(config.text('model_type'));
    if (isMistral) for (const name of ['attention_bias', 'mlp_bias']) config.only(name, false);
    const hasBias = config.boolean('attention_bias', false);
    const hasMlpBias = config.boolean('mlp_bias', false);
    const rotary = readRotary(config, sizes);
    const windows = isMistral
      ? mistralWindows(config, sizes.layerCount)
      : Array.from({ length: sizes.layerCount }, () => null);
    // Llamas have none, whatever their files say.
    if (!isMistral) config.ignore(...windowFields);
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        ...rmsDecoder(config, sizes),
        blocks: windows.map((one) => ({ window: one, rotary, scoreScale })),
      },
      weights: {
        ...llamaWeights,
        biases: {
          queryKeyValue: hasBias,
          attentionOutput: hasBias,
          mlp: hasMlpBias,
        },
      },
    };
  },
};
