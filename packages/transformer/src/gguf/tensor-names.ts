/**
 * Names of weights in GGUF files.
 *
 * Source: llama.cpp, `gguf-py/gguf/constants.py` and `tensor_mapping.py`.
 */
import type { FamilyModel, WeightNames } from '../families/family.js';
import { weightList } from '../weights/expected-weights.js';

/** Names of the modules outside of the blocks. */
const outer = (weights: WeightNames): (readonly [string | null, string])[] => [
  [weights.embedding, 'token_embd'],
  [weights.positions, 'position_embd'],
  [weights.finalNorm, 'output_norm'],
  [weights.output, 'output'],
];

/** Names of the modules of a block. */
function inner({ names }: WeightNames): (readonly [string | null, string])[] {
  const { queryKeyValue: parts, gateUp } = names;
  // Falcon's second norm is that of the attention.
  const hasTwo = names.norm1 === 'ln_attn';
  return [
    [names.norm1, hasTwo ? 'attn_norm_2' : 'attn_norm'],
    [names.norm2, hasTwo ? 'attn_norm' : 'ffn_norm'],
    [names.postNorm1, 'post_attention_norm'],
    [names.postNorm2, 'post_ffw_norm'],
    [names.queryNorm, 'attn_q_norm'],
    [names.keyNorm, 'attn_k_norm'],
    ...('fused' in parts
      ? ([[parts.fused, 'attn_qkv']] as const)
      : ([
          [parts.query, 'attn_q'],
          [parts.key, 'attn_k'],
          [parts.value, 'attn_v'],
        ] as const)),
    [names.output, 'attn_output'],
    ...('fused' in gateUp
      ? ([[gateUp.fused, 'ffn_up']] as const)
      : ([
          [gateUp.gate, 'ffn_gate'],
          [gateUp.up, 'ffn_up'],
        ] as const)),
    [names.down, 'ffn_down'],
  ];
}

/** A weight of a model, and what it is called in a GGUF file. */
export interface NamedWeight {
  readonly name: string;
  readonly ggufName: string;
  readonly shape: readonly number[];
  /** Whether a file may lack it. */
  readonly isOptional: boolean;
}

/** All weights of a model with their names in GGUF files. */
export function namedWeights(model: FamilyModel): NamedWeight[] {
  const { weights, architecture } = model;
  const modules = new Map(outer(weights));
  for (let block = 0; block < architecture.layerCount; block += 1) {
    const prefix = weights.block.replace('{i}', String(block));
    for (const [name, own] of inner(weights)) {
      if (name !== null) modules.set(`${prefix}${name}`, `blk.${block}.${own}`);
    }
  }
  const { expected, optional } = weightList(model);
  return [...expected, ...optional].map(([name, shape]) => {
    const dot = name.lastIndexOf('.');
    const ggufName = `${modules.get(name.slice(0, dot))!}${name.slice(dot)}`;
    return { name, ggufName, shape, isOptional: optional.has(name) };
  });
}
