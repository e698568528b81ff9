/**
 * Rotary positions in the metadata of GGUF files, as config.json has them.
 *
 * Source: llama.cpp, `llama-model.cpp` (keys, defaults) and `convert_hf_to_gguf.py`.
 */
import { ModelError } from '@lab/core';
import type { ConfigFields } from '../config-fields.js';
import type { GgufContent } from './gguf-file.js';

/** Factors by which the waves of all pairs are stretched: Llama 3.1 and later. */
export const FACTORS = 'rope_freqs.weight';
/** As {@link FACTORS}, for texts beyond the length that a Phi 3 was first trained on, and not. */
export const LONG_FACTORS = 'rope_factors_long.weight';
export const SHORT_FACTORS = 'rope_factors_short.weight';
/** Tensors that say something of positions, and are no weights. */
export const factorTensors: readonly string[] = [FACTORS, LONG_FACTORS, SHORT_FACTORS];

/** What llama.cpp takes where the base is not given. */
const BASE = 10_000;

type Values = Readonly<Record<string, unknown>>;

/** `rope_theta`, and `rope_scaling` where there is one. */
export function rotaryValues(fields: ConfigFields, gguf: GgufContent): Values {
  const base = { rope_theta: fields.positive('rope.freq_base', BASE) };
  const scaling = scalingValues(fields, gguf);
  return scaling === null ? base : { ...base, rope_scaling: scaling };
}

function scalingValues(fields: ConfigFields, gguf: GgufContent): Values | null {
  fields.ignore('rope.scaling.finetuned');
  const type = fields.text('rope.scaling.type', 'none');
  const old = fields.positive('rope.scale_linear', 1);
  const factor = fields.positive('rope.scaling.factor', old);
  const positions = fields.count('context_length');
  const original = fields.optionalCount('rope.scaling.original_context_length');
  const factors = gguf.row(FACTORS);
  if (factors !== null) {
    if (type !== 'none' || factor !== 1) {
      throw new ModelError(`${gguf.path}: has ${FACTORS} and rope.scaling.type ${type} at once.`, {
        help: 'Convert the model again with a present llama.cpp.',
      });
    }
    return {
      ...{ rope_type: 'longrope', factor: 1, attention_factor: 1 },
      ...{ original_max_position_embeddings: original ?? positions },
      ...{ short_factor: factors, long_factor: factors },
    };
  }
  if (type === 'longrope' || gguf.tensors.has(LONG_FACTORS)) return longValues(fields, gguf);
  fields.only('rope.scaling.attn_factor', 1);
  if (type === 'yarn') {
    return {
      ...{ rope_type: 'yarn', factor },
      original_max_position_embeddings: original ?? positions,
      beta_fast: fields.positive('rope.scaling.yarn_beta_fast', 32),
      beta_slow: fields.positive('rope.scaling.yarn_beta_slow', 1),
    };
  }
  fields.only('rope.scaling.type', 'none', 'linear');
  if (type === 'none' && old === 1) return null;
  return factor === 1 ? null : { rope_type: 'linear', factor };
}

function longValues(fields: ConfigFields, gguf: GgufContent): Values {
  fields.only('rope.scaling.type', 'longrope');
  const [long, short] = [gguf.row(LONG_FACTORS), gguf.row(SHORT_FACTORS)];
  if (long === null || short === null) {
    throw new ModelError(`${gguf.path}: has not both of ${LONG_FACTORS} and ${SHORT_FACTORS}.`, {
      help: 'Convert the model again with a present llama.cpp.',
    });
  }
  const attention = fields.optionalNumber('rope.scaling.attn_factor');
  return {
    ...{ rope_type: 'longrope', long_factor: long, short_factor: short },
    ...(attention === null ? {} : { attention_factor: attention }),
  };
}
