/** Gemma 1, 2 (caps, alternating windows, four norms) and 3 (norms of queries and keys). */
import type { ConfigFields } from '../config-fields.js';
import { plainRotary, readRotary, rotaryOf } from '../rotary-rules.js';
import { readActivation } from './activations.js';
import {
  type BlockNames,
  type Family,
  llamaNames,
  llamaWeights,
  noBiases,
  plainSwitches,
  readSizes,
  readWindows,
} from './family.js';
import { idleFields } from './idle-fields.js';

type Sizes = ReturnType<typeof readSizes>;

/** Gemma 3: windowed blocks turn by another base than the others. */
function thirdBlocks(config: ConfigFields, sizes: Sizes, windows: (number | null)[]) {
  const parameters = config.object('rope_parameters');
  const share = config.number('partial_rotary_factor', 1);
  const rotary = (name: string, base: number) => {
    const own = parameters?.object(name) ?? null;
    if (own === null) return plainRotary({ ...sizes, base });
    return rotaryOf(config, own, { ...sizes, base, share, isNested: true });
  };
  const base = config.positive('rope_theta', 1_000_000);
  const scaling = config.object('rope_scaling');
  const isOld = scaling !== null && !scaling.isEmpty;
  if (isOld && parameters?.has('full_attention')) {
    throw config.wrong('rope_scaling', 'absent where there are rope_parameters');
  }
  const wide = isOld
    ? rotaryOf(config, scaling, { ...sizes, base, share, isNested: true })
    : rotary('full_attention', base);
  const near = rotary('sliding_attention', config.positive('rope_local_base_freq', 10_000));
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
    config.ignore('_sliding_window_pattern', 'sliding_window_size');
    // Gemma 1 has no caps and Gemma 3 none of scores, whatever their configs say.
    config.ignore('attn_logit_softcapping', 'final_logit_softcapping');
    config.only('use_bidirectional_attention', false);
    const modelType = config.text('model_type');
    const [isFirst, isSecond] = [modelType === 'gemma', modelType === 'gemma2'];
    const isThird = modelType === 'gemma3_text';
    const sizes = readSizes(config);
    const given = config.number('sliding_window_pattern', 6);
    const pattern = isThird ? given : 2;
    const window = isFirst ? null : config.optionalNumber('sliding_window');
    const windows = readWindows(config, sizes.layerCount, {
      window,
      isWindowed: (layer) => !isFirst && (layer + 1) % pattern !== 0,
    });
    const rotary = isThird ? null : readRotary(config, sizes);
    const scalar = isFirst ? sizes.headWidth : config.number('query_pre_attn_scalar', 256);
    const hasBias = config.boolean('attention_bias', false);
    const act = isFirst ? 'hidden_act' : 'hidden_activation';
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
        logitCap: isFirst ? null : config.optionalNumber('final_logit_softcapping'),
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
