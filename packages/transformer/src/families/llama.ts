/** Llama 1 to 3, and Mistral, which is a Llama with a window. */
import {
  type Family,
  idleFields,
  llamaWeights,
  readSizes,
  rmsDecoder,
  sameBlocks,
} from './family.js';
import { readRotary } from '../rotary-rules.js';

export const llama: Family = {
  modelTypes: ['llama', 'mistral'],
  read: (config) => {
    config.ignore(...idleFields, 'pretraining_tp', 'layer_types');
    const sizes = readSizes(config);
    const isMistral = config.text('model_type') === 'mistral';
    if (isMistral) for (const name of ['attention_bias', 'mlp_bias']) config.only(name, false);
    const hasBias = config.boolean('attention_bias', false);
    const hasMlpBias = config.boolean('mlp_bias', false);
    const rotary = readRotary(config, sizes);
    const window = isMistral ? config.optionalNumber('sliding_window') : null;
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        ...rmsDecoder(config, sizes),
        blocks: sameBlocks(sizes.layerCount, { window, rotary, scoreScale }),
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
