/** GPT-NeoX and Pythia: attention and MLP in parallel, a part of each head turns. */
import { scaledRotary } from '../rotary-rules.js';
import { readActivation } from './activations.js';
import {
  type Family,
  llamaNames,
  llamaWeights,
  plainSwitches,
  readSizes,
  sameBlocks,
} from './family.js';
import { idleFields } from './idle-fields.js';

export const gptNeox: Family = {
  modelTypes: ['gpt_neox'],
  read: (config) => {
    // This family has its own names for base and share.
    config.ignore(...idleFields, 'rope_theta', 'partial_rotary_factor');
    const given = readSizes(config);
    // It has as many heads of keys as of queries, whatever its config says.
    const sizes = { ...given, keyValueHeadCount: given.headCount };
    const headWidth = sizes.width / sizes.headCount;
    if (sizes.headWidth !== headWidth) throw config.wrong('head_dim', `${headWidth}`);
    const base = config.number('rotary_emb_base', 10_000);
    const share = config.number('rotary_pct', 0.25);
    const rotary = scaledRotary(config, { ...sizes, base, share, isPartial: true });
    const hasBias = config.boolean('attention_bias', true);
    const scoreScale = sizes.headWidth ** -0.5;
    return {
      architecture: {
        modelType: config.text('model_type'),
        ...sizes,
        ...plainSwitches,
        norm: { kind: 'layer', epsilon: config.number('layer_norm_eps', 1e-5), gainOffset: 0 },
        activation: readActivation(config, 'hidden_act', 'gelu'),
        isGated: false,
        positions: { kind: 'rotary' },
        isParallel: config.boolean('use_parallel_residual', true),
        isTied: config.boolean('tie_word_embeddings', false),
        blocks: sameBlocks(sizes.layerCount, { window: null, rotary, scoreScale }),
      },
      weights: {
        ...llamaWeights,
        embedding: 'gpt_neox.embed_in',
        block: 'gpt_neox.layers.{i}.',
        names: {
          ...llamaNames,
          queryKeyValue: { fused: 'attention.query_key_value', order: 'grouped' },
          output: 'attention.dense',
          gateUp: { gate: null, up: 'mlp.dense_h_to_4h' },
          down: 'mlp.dense_4h_to_h',
        },
        finalNorm: 'gpt_neox.final_layer_norm',
        output: 'embed_out',
        outputAlias: 'lm_head',
        biases: { queryKeyValue: hasBias, attentionOutput: hasBias, mlp: true },
        ignored: /attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
        optionalPrefix: 'gpt_neox.',
      },
    };
  },
};
