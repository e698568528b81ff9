/** Llama 1 to 3, and Mistral, which is a Llama with a window. */
import {
  type Family,
  idleFields,
  llamaWeights,
  readSizes,
  readWindows,
  rmsDecoder,
} from './family.js';
import { readRotary } from '../rotary-rules.js';

export const llama: Family = {
  modelTypes: ['llama', 'mistral'],
  read: (config) => {
    config.ignore(...idleFields, 'pretraining_tp');
    const sizes = readSizes(config);
    const hasBias = config.boolean('attention_bias', false);
    const hasMlpBias = config.boolean('mlp_bias', false);
    const rotary = readRotary(config, sizes);
    const isMistral = config.text('model_type') === 'mistral';
    const window = isMistral ? config.optionalNumber('sliding_window') : null;
    const windows = readWindows(config, sizes.layerCount, { window, isWindowed: () => true });
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
