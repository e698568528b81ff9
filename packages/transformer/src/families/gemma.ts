/** Gemma 1, 2 (caps, alternating windows, four norms) and 3 (norms of queries and keys). */
import type { ConfigFields } from '../config-fields.js';
import { plainRotary, readRotary, rotaryOf } from '../rotary-rules.js';
import {
  type BlockNames,
  type Family,
  idleFields,
  llamaNames,
  llamaWeights,
  noBiases,
  plainSwitches,
  readActivation,
  readSizes,
  readWindows,
} from './family.js';

type Sizes = ReturnType<typeof readSizes>;

/** Gemma 3: windowed blocks turn by another base than the others. */
function thirdBlocks(config: ConfigFields, sizes: Sizes, windows: (number | null)[]) {
  const parameters = config.object('rope_parameters');
  const [full, local] = [
    parameters?.object('full_attention'),
    parameters?.object('sliding_attention'),
  ];
  const wide = full
    ? rotaryOf(config, full, { ...sizes, base: 1_000_000 })
    : readRotary(config, { ...sizes, base: 1_000_000 });
  config.ignore('rope_theta', 'rope_scaling');
  const base = config.number('rope_local_base_freq', 10_000);
  const near = local
    ? rotaryOf(config, local, { ...sizes, base })
    : plainRotary({ ...sizes, base });
  return windows.map((window) => ({ window, rotary: window === null ? wide : near }));
}

function namesOf(modelType: string): BlockNames {
  if (modelType === 'gemma') return llamaNames;
  return {
    ...llamaNames,
    norm2: 'pre_feedforward_layernorm',
    postNorm1: 'post_attention_layernorm',
    postNorm2: 'post_feedforward_layernorm',
    ...(modelType === 'gemma2'
      ? {}
      : { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }),
  };
}

export const gemma: Family = {
  modelTypes: ['gemma', 'gemma2', 'gemma3_text'],
  read: (config) => {
    config.ignore(...idleFields, 'hidden_act', 'hidden_activation');
    // Gemma 3 has no cap of scores, whatever its config says.
    config.ignore('attn_logit_softcapping');
    config.only('use_bidirectional_attention', false);
    const modelType = config.text('model_type');
    const [isFirst, isSecond] = [modelType === 'gemma', modelType === 'gemma2'];
    const isThird = modelType === 'gemma3_text';
    const sizes = readSizes(config);
    const pattern = config.number(
      'sliding_window_pattern',
      config.number('_sliding_window_pattern', isThird ? 6 : 2),
    );
    const window = isFirst ? null : config.optionalNumber('sliding_window');
    const windows = readWindows(config, sizes.layerCount, {
      window,
      isWindowed: (layer) => !isFirst && (layer + 1) % pattern !== 0,
    });
    const rotary = isThird ? null : readRotary(config, sizes);
    const scalar = isFirst ? sizes.headWidth : config.number('query_pre_attn_scalar', 256);
    const hasBias = config.boolean('attention_bias', false);
    const act = config.has('hidden_activation') ? 'hidden_activation' : 'hidden_act';
    const scoreScale = scalar ** -0.5;
    return {
      architecture: {
        modelType,
        ...sizes,
        ...plainSwitches,
        norm: { kind: 'rms', epsilon: config.number('rms_norm_eps', 1e-6), gainOffset: 1 },
        // Files of Gemma 1 say "gelu" and mean the form with tanh.
        activation:
          isFirst && config.text(act, '') === 'gelu'
            ? 'gelu-tanh'
            : readActivation(config, act, 'gelu_pytorch_tanh'),
        isGated: true,
        positions: { kind: 'rotary' },
        hasPostNorms: !isFirst,
        hasQueryKeyNorm: isThird,
        scoreCap: isSecond ? config.optionalNumber('attn_logit_softcapping') : null,
        logitCap: config.optionalNumber('final_logit_softcapping'),
        embeddingScale: Math.sqrt(sizes.width),
        isTied: config.boolean('tie_word_embeddings', true),
        blocks:
          rotary === null
            ? thirdBlocks(config, sizes, windows).map((one) => ({ ...one, scoreScale }))
            : windows.map((one) => ({ window: one, rotary, scoreScale })),
      },
      weights: {
        ...llamaWeights,
        names: namesOf(modelType),
        biases: { ...noBiases, queryKeyValue: hasBias, attentionOutput: hasBias },
      },
    };
  },
};
