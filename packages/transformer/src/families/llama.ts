/** Llama 1 to 3, and Mistral, which is a Llama with a window. */
import {
  type Family,
  llamaWeights,
  readSizes,
  readWindows,
  rmsDecoder,
} from './family.js';
import { idleFields } from './idle-fields.js';
import { readRotary } from '../rotary-rules.js';

export const llama: Family = {
  modelTypes: ['llama', 'mistral'],
  read: (config) => {
    config.ignore(...idleFields, 'is_llama_config', 'pretraining_tp');
    config.only('rope_interleaved', false);
    const sizes = readSizes(config);
    const isMistral = config.text('model_type') === 'mistral';
    if (isMistral) for (const name of ['attention_bias', 'mlp_bias']) config.only(name, false);
    const hasBias = config.boolean('attention_bias', false);
    const hasMlpBias = config.boolean('mlp_bias', false);
    const rotary = readRotary(config, sizes);
    const window = isMistral ? config.optionalNumber('sliding_window') : null;
    if (!isMistral) config.ignore('layer_types');
    // With a list of kinds of blocks, transformers takes a Mistral for a Ministral.
    const windows = isMistral
      ? readWindows(config, sizes.layerCount, { window, isWindowed: () => true })
      : Array.from({ length: sizes.layerCount }, () => null);
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
