/** GPT-2: learned positions, matrices stored `[in, out]`. */
import type { ConfigFields } from '../config-fields.js';
import { readActivation } from './activations.js';
import { type Family, llamaNames, llamaWeights, plainSwitches } from './family.js';
import { idleFields } from './idle-fields.js';

function gpt2Sizes(config: ConfigFields) {
  // Names that the class of transformers takes, too.
  config.alias('n_embd', 'hidden_size');
  config.alias('n_head', 'num_attention_heads');
  config.alias('n_layer', 'num_hidden_layers');
  const width = config.number('n_embd');
  const headCount = config.number('n_head');
  return {
    layerCount: config.layers('n_layer'),
    vocabularySize: config.number('vocab_size'),
    width,
    headCount,
    keyValueHeadCount: headCount,
    headWidth: width / headCount,
    mlpWidth: config.number('n_inner', 4 * width),
  };
}

/** Files have either name. */
const placeCount = (config: ConfigFields) =>
  config.number('n_positions', config.number('max_position_embeddings', 1024));

export const gpt2: Family = {
  modelTypes: ['gpt2'],
  read: (config) => {
    config.ignore(
      ...idleFields,
      ...['attn_pdrop', 'n_ctx', 'n_special', 'predict_special_tokens', 'reorder_and_upcast_attn'],
      ...['summary_activation', 'summary_first_dropout', 'summary_proj_to_labels'],
      ...['summary_type', 'summary_use_proj'],
    );
    const isByLayer = config.boolean('scale_attn_by_inverse_layer_idx', false);
    const sizes = gpt2Sizes(config);
    const isScaled = config.boolean('scale_attn_weights', true);
    return {
      architecture: {
        modelType: 'gpt2',
        ...sizes,
        ...plainSwitches,
        norm: { kind: 'layer', epsilon: config.number('layer_norm_epsilon', 1e-5), gainOffset: 0 },
        activation: readActivation(config, 'activation_function', 'gelu_new'),
        isGated: false,
        positions: { kind: 'learned', count: placeCount(config) },
        isTied: config.boolean('tie_word_embeddings', true),
        blocks: Array.from({ length: sizes.layerCount }, (_, layer) => ({
          ...{ window: null, rotary: null },
          scoreScale: (isScaled ? sizes.headWidth ** -0.5 : 1) / (isByLayer ? layer + 1 : 1),
        })),
      },
      weights: {
        ...llamaWeights,
        embedding: 'transformer.wte',
        positions: 'transformer.wpe',
        block: 'transformer.h.{i}.',
        names: {
          ...llamaNames,
          norm1: 'ln_1',
          norm2: 'ln_2',
          queryKeyValue: { fused: 'attn.c_attn', order: 'concatenated' },
          output: 'attn.c_proj',
          gateUp: { gate: null, up: 'mlp.c_fc' },
          down: 'mlp.c_proj',
        },
        finalNorm: 'transformer.ln_f',
        isInputMajor: true,
        biases: { queryKeyValue: true, attentionOutput: true, mlp: true },
        ignored: /\.attn\.(bias|masked_bias)$/,
        optionalPrefix: 'transformer.',
      },
    };
  },
};
