/** Qwen 2, 2.5 (biases of queries, keys and values) and 3 (norms of queries and keys). */
import {
  type Family,
  llamaNames,
  llamaWeights,
  noBiases,
  readSizes,
  readWindows,
  rmsDecoder,
} from './family.js';
import { idleFields } from './idle-fields.js';
import { readRotary } from '../rotary-rules.js';

export const qwen: Family = {
  modelTypes: ['qwen2', 'qwen3'],
  read: (config) => {
    // Attention in chunks is what servers make of some files; transformers has none.
    config.ignore(...idleFields, 'dual_chunk_attention_config', 'use_mrope');
    const isThird = config.text('model_type') === 'qwen3';
    const sizes = readSizes(config);
    const rotary = readRotary(config, sizes);
    const isWindowed = config.boolean('use_sliding_window', false);
    const given = config.optionalNumber('sliding_window');
    const from = config.number('max_window_layers', 28);
    const windows = readWindows(config, sizes.layerCount, {
      window: isWindowed ? given : null,
      isWindowed: (layer) => isWindowed && layer >= from,
    });
    const hasBias = config.boolean('attention_bias', false);
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        ...rmsDecoder(config, sizes),
        hasQueryKeyNorm: isThird,
        blocks: windows.map((window) => ({ window, rotary, scoreScale })),
      },
      weights: {
        ...llamaWeights,
        names: isThird
          ? { ...llamaNames, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }
          : llamaNames,
        biases: isThird
          ? { ...noBiases, queryKeyValue: hasBias, attentionOutput: hasBias }
          : { ...noBiases, queryKeyValue: true },
      },
    };
  },
};
