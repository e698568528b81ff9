/**
 * Architectures of GGUF files: what their metadata are in config.json, and how their weights lie.
 *
 * Source: llama.cpp, `llama-model.cpp` (keys, defaults) and `convert_hf_to_gguf.py`.
 */
import type { ConfigFields } from '../config-fields.js';
import type { FamilyTable } from '../families/family.js';
import type { GgufContent } from './gguf-file.js';
import { rotaryValues } from './rotary-metadata.js';

type Values = Readonly<Record<string, unknown>>;

/** An architecture of GGUF files. */
export interface GgufArchitecture {
  /** `model_type` values of config.json that are written as this one. */
  readonly modelTypes: readonly string[];
  /** Fields of config.json, of the fields whose keys begin with the architecture's name. */
  readonly values: (fields: ConfigFields, gguf: GgufContent) => Values;
  /** The family's table for weights as they lie in the file. */
  readonly within?: (table: FamilyTable) => FamilyTable;
  /** Whether rows of queries and keys stand so that neighbours turn together. */
  readonly hasPairedRows?: boolean;
}

const has = ({ tensors }: GgufContent, name: string) => tensors.has(name);

/** Rows of a matrix: tokens of a vocabulary, positions. */
const rowsOf = ({ tensors }: GgufContent, name: string): number | undefined =>
  tensors.get(name)?.shape[0];

/** Features of a head. */
function headWidthOf(fields: ConfigFields): number {
  const width = fields.count('embedding_length') / fields.count('attention.head_count');
  const own = fields.number('attention.key_length', width);
  fields.only('attention.value_length', own);
  return own;
}

/** How many features of a head turn. */
const turningOf = (fields: ConfigFields) =>
  fields.count('rope.dimension_count', headWidthOf(fields));

/** A share that gives the part again where it is multiplied and rounded down. */
function shareOf(part: number, whole: number): number {
  const share = part / whole;
  return Math.floor(whole * share) === part ? share : share + Number.EPSILON;
}

/** Sizes under the names that most families have for them. */
function sizes(fields: ConfigFields, gguf: GgufContent): Values {
  return {
    vocab_size: rowsOf(gguf, 'token_embd.weight') ?? fields.count('vocab_size'),
    hidden_size: fields.count('embedding_length'),
    num_hidden_layers: fields.layers('block_count'),
    num_attention_heads: fields.count('attention.head_count'),
    max_position_embeddings: fields.count('context_length'),
    tie_word_embeddings: !has(gguf, 'output.weight'),
  };
}

/** A gated decoder with RMS norms. */
function rmsDecoder(fields: ConfigFields, gguf: GgufContent): Values {
  const heads = fields.count('attention.head_count');
  return {
    ...sizes(fields, gguf),
    num_key_value_heads: fields.count('attention.head_count_kv', heads),
    head_dim: headWidthOf(fields),
    intermediate_size: fields.count('feed_forward_length'),
    rms_norm_eps: fields.number('attention.layer_norm_rms_epsilon'),
    ...rotaryValues(fields, gguf),
  };
}

/** As {@link rmsDecoder}; whole heads turn. */
function wholeRotary(fields: ConfigFields, gguf: GgufContent): Values {
  fields.only('rope.dimension_count', headWidthOf(fields));
  return rmsDecoder(fields, gguf);
}

/** Weights of Gemma's norms are stored with the 1 that is added to them. */
const withGain: GgufArchitecture['within'] = ({ architecture, weights }) => ({
  architecture: { ...architecture, norm: { ...architecture.norm, gainOffset: 0 } },
  weights,
});

/** Rows of all queries, then of all keys, then of all values. */
const concatenated: GgufArchitecture['within'] = ({ architecture, weights }) => {
  const { queryKeyValue } = weights.names;
  if (!('fused' in queryKeyValue)) return { architecture, weights };
  const own = { fused: queryKeyValue.fused, order: 'concatenated' } as const;
  return { architecture, weights: { ...weights, names: { ...weights.names, queryKeyValue: own } } };
};

/** llama.cpp knows the sizes of Gemma whose scores have a scale of their own by their blocks. */
const scoreScalar = (fields: ConfigFields, largest: number): number =>
  fields.layers('block_count') === largest
    ? fields.count('embedding_length') / fields.count('attention.head_count')
    : headWidthOf(fields);

const llama: GgufArchitecture = {
  modelTypes: ['llama', 'mistral'],
  hasPairedRows: true,
  values: (fields, gguf) => {
    fields.only('tensor_data_layout', 'Meta AI original pth');
    const given = fields.optionalNumber('attention.sliding_window');
    const window = given === 0 ? null : given;
    const biases = {
      attention_bias: has(gguf, 'blk.0.attn_q.bias'),
      mlp_bias: has(gguf, 'blk.0.ffn_up.bias'),
    };
    const own = window === null ? biases : { sliding_window: window };
    const model_type = window === null ? 'llama' : 'mistral';
    return { model_type, ...wholeRotary(fields, gguf), ...own };
  },
};

const gemma2: GgufArchitecture = {
  modelTypes: ['gemma2'],
  within: withGain,
  values: (fields, gguf) => ({
    model_type: 'gemma2',
    ...wholeRotary(fields, gguf),
    sliding_window: fields.count('attention.sliding_window', 4096),
    query_pre_attn_scalar: scoreScalar(fields, 46),
    attn_logit_softcapping: fields.positive('attn_logit_softcapping', 50),
    final_logit_softcapping: fields.positive('final_logit_softcapping', 30),
  }),
};

const gemma3: GgufArchitecture = {
  modelTypes: ['gemma3_text'],
  within: withGain,
  values: (fields, gguf) => ({
    model_type: 'gemma3_text',
    ...wholeRotary(fields, gguf),
    rope_local_base_freq: fields.positive('rope.freq_base_swa', 10_000),
    sliding_window: fields.count('attention.sliding_window'),
    sliding_window_pattern: fields.count('attention.sliding_window_pattern', 6),
    query_pre_attn_scalar: scoreScalar(fields, 62),
    final_logit_softcapping: fields.optionalNumber('final_logit_softcapping'),
  }),
};

const phi3: GgufArchitecture = {
  modelTypes: ['phi3'],
  values: (fields, gguf) => {
    const positions = fields.count('context_length');
    const window = fields.number('attention.sliding_window', 0);
    const turning = turningOf(fields);
    return {
      model_type: 'phi3',
      ...rmsDecoder(fields, gguf),
      partial_rotary_factor: shareOf(turning, headWidthOf(fields)),
      sliding_window: window === 0 ? null : window,
      original_max_position_embeddings: fields.count(
        'rope.scaling.original_context_length',
        positions,
      ),
    };
  },
};

const gpt2: GgufArchitecture = {
  modelTypes: ['gpt2'],
  within: ({ architecture, weights }) => ({
    architecture,
    weights: { ...weights, isInputMajor: false },
  }),
  values: (fields, gguf) => {
    const { hidden_size, num_hidden_layers, num_attention_heads, ...others } = sizes(fields, gguf);
    return {
      model_type: 'gpt2',
      ...{ vocab_size: others['vocab_size'], tie_word_embeddings: others['tie_word_embeddings'] },
      ...{ n_embd: hidden_size, n_layer: num_hidden_layers, n_head: num_attention_heads },
      n_inner: fields.count('feed_forward_length'),
      n_positions: rowsOf(gguf, 'position_embd.weight') ?? fields.count('context_length'),
      layer_norm_epsilon: fields.number('attention.layer_norm_epsilon'),
    };
  },
};

const gptNeox: GgufArchitecture = {
  modelTypes: ['gpt_neox'],
  within: concatenated,
  values: (fields, gguf) => {
    const { rope_theta: base, ...scaling } = rotaryValues(fields, gguf);
    return {
      model_type: 'gpt_neox',
      ...sizes(fields, gguf),
      ...scaling,
      rotary_emb_base: base,
      rotary_pct: shareOf(turningOf(fields), headWidthOf(fields)),
      intermediate_size: fields.count('feed_forward_length'),
      layer_norm_eps: fields.number('attention.layer_norm_epsilon'),
      use_parallel_residual: fields.boolean('use_parallel_residual', true),
      attention_bias: has(gguf, 'blk.0.attn_qkv.bias'),
    };
  },
};

const falcon: GgufArchitecture = {
  modelTypes: ['falcon', 'RefinedWeb', 'RefinedWebModel'],
  within: concatenated,
  values: (fields, gguf) => {
    fields.only('tensor_data_layout', 'jploski');
    fields.only('rope.dimension_count', headWidthOf(fields));
    const heads = fields.count('attention.head_count');
    return {
      model_type: 'falcon',
      ...sizes(fields, gguf),
      ...rotaryValues(fields, gguf),
      // With one head of keys the older form is the same.
      new_decoder_architecture: true,
      num_kv_heads: fields.count('attention.head_count_kv', heads),
      num_ln_in_parallel_attn: has(gguf, 'blk.0.attn_norm_2.weight') ? 2 : 1,
      ffn_hidden_size: fields.count('feed_forward_length'),
      layer_norm_epsilon: fields.number('attention.layer_norm_epsilon'),
    };
  },
};

/** Architectures by `general.architecture`. */
export const ggufArchitectures: Readonly<Record<string, GgufArchitecture>> = {
  llama,
  gemma2,
  gemma3,
  phi3,
  gpt2,
  falcon,
  gptneox: gptNeox,
  qwen2: {
    modelTypes: ['qwen2'],
    values: (fields, gguf) => ({ model_type: 'qwen2', ...wholeRotary(fields, gguf) }),
  },
  qwen3: {
    modelTypes: ['qwen3'],
    values: (fields, gguf) => ({
      model_type: 'qwen3',
      ...wholeRotary(fields, gguf),
      attention_bias: has(gguf, 'blk.0.attn_q.bias'),
    }),
  },
  gemma: {
    modelTypes: ['gemma'],
    within: withGain,
    values: (fields, gguf) => ({ model_type: 'gemma', ...wholeRotary(fields, gguf) }),
  },
};
