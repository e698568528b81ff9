/**
 * What the config classes of `transformers` fill in where config.json leaves a field out: some
 * files, as those of Gemma 3 for pictures and texts, list only what differs.
 *
 * Source: `transformers` 5.18, `configuration_*.py`. A field that is null in a file stays null.
 */

type Defaults = Readonly<Record<string, unknown>>;

const llama: Defaults = {
  vocab_size: 32_000,
  hidden_size: 4096,
  intermediate_size: 11_008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  max_position_embeddings: 2048,
};

const qwen: Defaults = {
  ...llama,
  vocab_size: 151_936,
  intermediate_size: 22_016,
  num_key_value_heads: 32,
  max_position_embeddings: 32_768,
  sliding_window: 4096,
};

const gemma: Defaults = {
  vocab_size: 256_000,
  hidden_size: 3072,
  intermediate_size: 24_576,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  head_dim: 256,
  max_position_embeddings: 8192,
};

const gemma2: Defaults = {
  ...gemma,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  sliding_window: 4096,
  attn_logit_softcapping: 50,
  final_logit_softcapping: 30,
};

const mistral: Defaults = {
  ...llama,
  intermediate_size: 14_336,
  num_key_value_heads: 8,
  max_position_embeddings: 131_072,
  sliding_window: 4096,
};

const table: Readonly<Record<string, Defaults>> = {
  llama,
  mistral,
  ministral: mistral,
  qwen2: qwen,
  qwen3: { ...qwen, head_dim: 128 },
  gemma,
  gemma2,
  gemma3_text: {
    ...gemma2,
    vocab_size: 262_208,
    max_position_embeddings: 131_072,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
  },
  phi3: {
    ...llama,
    vocab_size: 32_064,
    hidden_size: 3072,
    intermediate_size: 8192,
    max_position_embeddings: 4096,
    original_max_position_embeddings: 4096,
  },
  falcon: { vocab_size: 65_024, hidden_size: 4544, max_position_embeddings: 2048 },
  gpt2: { vocab_size: 50_257, n_embd: 768, n_head: 12, n_layer: 12 },
  gpt_neox: {
    vocab_size: 50_432,
    hidden_size: 6144,
    intermediate_size: 24_576,
    num_hidden_layers: 44,
    num_attention_heads: 64,
    max_position_embeddings: 2048,
  },
  t5: { vocab_size: 32_128, d_model: 512, d_kv: 64, d_ff: 2048, num_layers: 6, num_heads: 8 },
};

/** The values of fields that a config.json of this `model_type` leaves out. */
export const classDefaults = (modelType: unknown): Defaults =>
  typeof modelType === 'string' && Object.hasOwn(table, modelType) ? table[modelType]! : {};
