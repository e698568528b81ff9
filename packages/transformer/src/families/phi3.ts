/** Phi 3 and 4: Llama with fused matrices. */
import { readRotary } from '../rotary-rules.js';
import {
  type Family,
  idleFields,
  llamaNames,
  llamaWeights,
  plainSwitches,
  readActivation,
  readSizes,
  sameBlocks,
} from './family.js';

export const phi3: Family = {
  modelTypes: ['phi3'],
  read: (config) => {
    config.ignore(...idleFields);
    config.only('attention_bias', false);
    const sizes = readSizes(config);
    const rotary = readRotary(config, sizes);
    const window = config.optionalNumber('sliding_window');
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        modelType: config.text('model_type'),
        ...sizes,
        ...plainSwitches,
        norm: { kind: 'rms', epsilon: config.number('rms_norm_eps', 1e-5), gainOffset: 0 },
        activation: readActivation(config, 'hidden_act', 'silu'),
        isGated: true,
        positions: { kind: 'rotary' },
        isTied: config.boolean('tie_word_embeddings', false),
        blocks: sameBlocks(sizes.layerCount, { window, rotary, scoreScale }),
      },
      weights: {
        ...llamaWeights,
        names: {
          ...llamaNames,
          queryKeyValue: { fused: 'self_attn.qkv_proj', order: 'concatenated' },
          gateUp: { fused: 'mlp.gate_up_proj' },
        },
      },
    };
  },
};
