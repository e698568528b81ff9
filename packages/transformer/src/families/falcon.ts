/** Falcon: 7B (one head of keys), 40B and newer (groups of heads), RW (alibi). */
import type { ConfigFields } from '../config-fields.js';
import { readRotary } from '../rotary-rules.js';
import { readActivation } from './activations.js';
import { type Family, llamaNames, llamaWeights, plainSwitches, sameBlocks } from './family.js';
import { idleFields } from './idle-fields.js';

function falconSizes(config: ConfigFields, isNew: boolean) {
  const width = config.number('n_embed', config.number('hidden_size'));
  const headCount = config.number('num_attention_heads', config.number('n_head', 71));
  const isMultiQuery = config.boolean('multi_query', true);
  const keyValueHeads = config.number('num_kv_heads', config.number('n_head_kv', headCount));
  return {
    layerCount: config.layers('num_hidden_layers', config.number('n_layer', 32)),
    vocabularySize: config.number('vocab_size'),
    width,
    headCount,
    keyValueHeadCount: isNew ? keyValueHeads : isMultiQuery ? 1 : headCount,
    headWidth: width / headCount,
    mlpWidth: config.number('ffn_hidden_size', 4 * width),
  };
}

export const falcon: Family = {
  modelTypes: ['falcon', 'RefinedWeb', 'RefinedWebModel'],
  read: (config) => {
    config.ignore(...idleFields, 'apply_residual_connection_post_layernorm', 'ff_factor');
    const isNew = config.boolean('new_decoder_architecture', false);
    const isParallel = config.boolean('parallel_attn', true) || isNew;
    const isAlibi = config.boolean('alibi', false);
    const sizes = falconSizes(config, isNew);
    const norms = config.number('num_ln_in_parallel_attn', isNew ? 2 : 1);
    const rotary = isAlibi ? null : readRotary(config, sizes);
    if (isAlibi) config.ignore('rope_parameters', 'rope_theta', 'rope_scaling');
    const hasBias = config.boolean('bias', false);
    const hasTwo = isNew && norms === 2;
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        modelType: config.text('model_type'),
        ...sizes,
        ...plainSwitches,
        norm: { kind: 'layer', epsilon: config.number('layer_norm_epsilon', 1e-5), gainOffset: 0 },
        activation: readActivation(config, 'activation', 'gelu'),
        isGated: false,
        positions: { kind: isAlibi ? 'alibi' : 'rotary' },
        isParallel,
        sharesNorm: isParallel && !hasTwo,
        isTied: config.boolean('tie_word_embeddings', true),
        blocks: sameBlocks(sizes.layerCount, { window: null, rotary, scoreScale }),
      },
      weights: {
        ...llamaWeights,
        embedding: 'transformer.word_embeddings',
        block: 'transformer.h.{i}.',
        names: {
          ...llamaNames,
          norm1: hasTwo ? 'ln_attn' : 'input_layernorm',
          norm2: hasTwo ? 'ln_mlp' : isParallel ? null : 'post_attention_layernorm',
          queryKeyValue: { fused: 'self_attention.query_key_value', order: 'grouped' },
          output: 'self_attention.dense',
          gateUp: { gate: null, up: 'mlp.dense_h_to_4h' },
          down: 'mlp.dense_4h_to_h',
        },
        finalNorm: 'transformer.ln_f',
        biases: { queryKeyValue: hasBias, attentionOutput: hasBias, mlp: hasBias },
        optionalPrefix: 'transformer.',
      },
    };
  },
};
