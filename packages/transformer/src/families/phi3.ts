/** Phi 3 and 4: Llama with fused matrices. */
import { readRotary } from '../rotary-rules.js';
import {
  type Family,
  llamaNames,
  llamaWeights,
  readSizes,
  rmsDecoder,
  sameBlocks,
} from './family.js';
import { idleFields } from './idle-fields.js';

export const phi3: Family = {
  modelTypes: ['phi3'],
  read: (config) => {
    config.ignore(...idleFields);
    // Files of Phi 4 have them.
    for (const name of ['attention_bias', 'mlp_bias', 'lm_head_bias']) config.only(name, false);
    for (const name of ['full_attn_mod', 'interpolate_factor']) config.only(name, 1);
    const sizes = readSizes(config);
    const rotary = readRotary(config, { ...sizes, isPartial: true });
    const window = config.optionalNumber('sliding_window');
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        ...rmsDecoder(config, sizes, 1e-5),
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
