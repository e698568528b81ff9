/** Shapes of known models, as their config.json has them. */
export const SHAPES = {
  'gpt2-small': {
    ...{ model_type: 'gpt2', vocab_size: 50_257, n_positions: 1024, n_embd: 768, n_layer: 12 },
    ...{ n_head: 12, architectures: ['GPT2LMHeadModel'] },
  },
  'qwen2.5-0.5b': {
    ...{ model_type: 'qwen2', vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864 },
    ...{ num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2 },
    ...{ tie_word_embeddings: true, rms_norm_eps: 1e-6, rope_theta: 1_000_000 },
    max_position_embeddings: 32_768,
    ...{ architectures: ['Qwen2ForCausalLM'] },
  },
  'llama3-8b': {
    ...{ model_type: 'llama', vocab_size: 128_256, hidden_size: 4096, intermediate_size: 14_336 },
    ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8 },
    ...{ tie_word_embeddings: false, rms_norm_eps: 1e-5, rope_theta: 500_000 },
    max_position_embeddings: 8192,
    ...{ architectures: ['LlamaForCausalLM'] },
  },
} as const;

/** Name of a shape. */
export type ShapeName = keyof typeof SHAPES;
