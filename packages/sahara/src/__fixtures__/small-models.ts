import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import {
  loadModel,
  type LoadModelOptions,
  type Model,
  writeRandomCheckpoint,
} from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';

const sizes = { vocab_size: 48, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 3 };
const heads = { num_attention_heads: 4, max_position_embeddings: 64 };

/** Configs of small models, one of each kind of block that ablations must get right. */
export const configs = {
  gpt2: {
    ...{ model_type: 'gpt2', vocab_size: 48, n_positions: 64, n_embd: 32, n_layer: 3, n_head: 4 },
    architectures: ['GPT2LMHeadModel'],
  },
  qwen2: {
    ...{ ...sizes, ...heads, model_type: 'qwen2', num_key_value_heads: 2 },
    ...{ tie_word_embeddings: true, rms_norm_eps: 1e-6, rope_theta: 10_000 },
    architectures: ['Qwen2ForCausalLM'],
  },
  qwen3: {
    ...{ ...sizes, ...heads, model_type: 'qwen3', num_key_value_heads: 2, head_dim: 16 },
    ...{ tie_word_embeddings: false, rms_norm_eps: 1e-6, rope_theta: 10_000 },
    architectures: ['Qwen3ForCausalLM'],
  },
  gemma2: {
    ...{ ...sizes, ...heads, model_type: 'gemma2', num_key_value_heads: 2, head_dim: 8 },
    ...{ sliding_window: 4, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
    ...{ query_pre_attn_scalar: 8, rms_norm_eps: 1e-6, hidden_activation: 'gelu_pytorch_tanh' },
    architectures: ['Gemma2ForCausalLM'],
  },
  falcon: {
    ...{ model_type: 'falcon', vocab_size: 48, hidden_size: 32, num_hidden_layers: 3 },
    ...{ num_attention_heads: 4, multi_query: true, parallel_attn: true, bias: false },
    ...{ alibi: false, new_decoder_architecture: false, layer_norm_epsilon: 1e-5 },
    architectures: ['FalconForCausalLM'],
  },
} as const;

/** Name of a small model. */
export type SmallModel = keyof typeof configs;

/** A small model of random weights. */
export async function smallModel(
  name: SmallModel,
  { seed = 1, ...options }: LoadModelOptions & { readonly seed?: number } = {},
): Promise<Model> {
  const folder = join(temporaryFolder(), name);
  await writeRandomCheckpoint(folder, configs[name], { seed });
  return loadModel(folder, options);
}

/** Prompts of random tokens. */
export function randomPrompts(lengths: readonly number[], seed = 1): TokenPrompt[] {
  const random = createRandom(seed).fork('prompts');
  return lengths.map((length, at) => ({
    id: `p${at + 1}`,
    ids: Array.from({ length }, () => random.integer(48)),
  }));
}
