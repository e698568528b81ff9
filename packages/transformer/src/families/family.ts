/**
 * What a family of models is here: a table of names and switches.
 */
import type { Architecture, BlockRules } from '../architecture.js';
import type { ConfigFields } from '../config-fields.js';
import { readActivation } from './activations.js';

/** How one fused matrix holds the rows of queries, keys and values. */
export type FusedOrder =
  /** All queries, all keys, all values. */
  | 'concatenated'
  /** For each head of keys: its queries, its keys, its values. */
  | 'grouped';

/** Names of the weights of a block, behind its prefix; null: the family has none. */
export interface BlockNames {
  readonly norm1: string;
  /** Norm before the MLP; null where it shares the first. */
  readonly norm2: string | null;
  readonly postNorm1: string | null;
  readonly postNorm2: string | null;
  readonly queryNorm: string | null;
  readonly keyNorm: string | null;
  /** One matrix each, or one for all three. */
  readonly queryKeyValue:
    | { readonly query: string; readonly key: string; readonly value: string }
    | { readonly fused: string; readonly order: FusedOrder };
  readonly output: string;
  /** One matrix each, or gate and up, one above the other, in one. */
  readonly gateUp:
    | { readonly gate: string | null; readonly up: string }
    | { readonly fused: string };
  readonly down: string;
}

/** Names of the weights of a model. */
export interface WeightNames {
  readonly embedding: string;
  readonly positions: string | null;
  /** Prefix of block i, `{i}` in it. */
  readonly block: string;
  readonly names: BlockNames;
  readonly finalNorm: string;
  readonly output: string;
  /** Another name that some files have for it. */
  readonly outputAlias?: string;
  /** Whether matrices of blocks are stored `[in, out]`. */
  readonly isInputMajor: boolean;
  /** Which matrices have a bias. */
  readonly biases: {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly mlp: boolean;
  };
  /** Names in files that hold no weight. */
  readonly ignored: RegExp | null;
  /** Prefix that some files leave out. */
  readonly optionalPrefix: string | null;
  /** Whether they stand within a model for pictures and texts; default false. */
  readonly isWrapped?: boolean;
}

/** A family: how its config is read, and how its weights are called. */
export interface Family {
  /** `model_type` values of config.json. */
  readonly modelTypes: readonly string[];
  readonly read: (config: ConfigFields) => FamilyTable;
}

/** What a family says of a model; names of its modules follow from those of its weights. */
export interface FamilyTable {
  readonly architecture: Omit<Architecture, 'contextTokens' | 'modules'>;
  readonly weights: WeightNames;
}

/** What a config says of a model. */
export interface FamilyModel {
  readonly architecture: Architecture;
  readonly weights: WeightNames;
}

/** Sizes under the names that most families share. */
export function readSizes(config: ConfigFields) {
  const width = config.number('hidden_size');
  const headCount = config.number('num_attention_heads');
  const keyValueHeadCount = config.number('num_key_value_heads', headCount);
  return {
    layerCount: config.layers('num_hidden_layers'),
    vocabularySize: config.number('vocab_size'),
    width,
    headCount,
    keyValueHeadCount,
    headWidth: config.number('head_dim', width / headCount),
    mlpWidth: config.number('intermediate_size'),
  };
}

/** Every block the same. */
export const sameBlocks = (layerCount: number, rules: BlockRules): BlockRules[] =>
  Array.from({ length: layerCount }, () => rules);

/**
 * Windows of all blocks: as `layer_types` says, else as the family has them.
 *
 * @param isWindowed - whether block i has one, where config.json does not list it.
 */
export function readWindows(
  config: ConfigFields,
  layerCount: number,
  { window, isWindowed }: { window: number | null; isWindowed: (layer: number) => boolean },
): (number | null)[] {
  const types = config.texts('layer_types');
  if (types !== null && types.length !== layerCount) {
    throw config.wrong('layer_types', `a list of ${layerCount} texts`);
  }
  return Array.from({ length: layerCount }, (_, layer) => {
    if (types === null) return isWindowed(layer) ? window : null;
    if (types[layer] === 'full_attention') return null;
    if (types[layer] === 'sliding_attention') return window;
    throw config.wrong('layer_types', 'of full_attention and sliding_attention');
  });
}

/** Names of Llama's weights, which many families have. */
export const llamaNames: BlockNames = {
  norm1: 'input_layernorm',
  norm2: 'post_attention_layernorm',
  postNorm1: null,
  postNorm2: null,
  queryNorm: null,
  keyNorm: null,
  queryKeyValue: { query: 'self_attn.q_proj', key: 'self_attn.k_proj', value: 'self_attn.v_proj' },
  output: 'self_attn.o_proj',
  gateUp: { gate: 'mlp.gate_proj', up: 'mlp.up_proj' },
  down: 'mlp.down_proj',
};

/** No bias anywhere. */
export const noBiases = {
  queryKeyValue: false,
  attentionOutput: false,
  mlp: false,
} as const;

/** Weights called as Llama's, in a block of names. */
export const llamaWeights: WeightNames = {
  embedding: 'model.embed_tokens',
  positions: null,
  block: 'model.layers.{i}.',
  names: llamaNames,
  finalNorm: 'model.norm',
  output: 'lm_head',
  isInputMajor: false,
  biases: noBiases,
  ignored: /\.rotary_emb\.inv_freq$/,
  optionalPrefix: 'model.',
};

/** Switches of a plain pre-norm decoder with RMS norms, which most families have. */
export const plainSwitches = {
  isParallel: false,
  sharesNorm: false,
  hasPostNorms: false,
  hasQueryKeyNorm: false,
  scoreCap: null,
  logitCap: null,
  embeddingScale: 1,
} as const;

/** The architecture of a gated decoder with RMS norms and rotary positions, but for its blocks. */
export const rmsDecoder = (
  config: ConfigFields,
  sizes: ReturnType<typeof readSizes>,
  epsilon = 1e-6,
): Omit<Architecture, 'blocks' | 'contextTokens' | 'modules'> => ({
  modelType: config.text('model_type'),
  ...sizes,
  ...plainSwitches,
  norm: { kind: 'rms', epsilon: config.number('rms_norm_eps', epsilon), gainOffset: 0 },
  activation: readActivation(config, 'hidden_act', 'silu'),
  isGated: true,
  positions: { kind: 'rotary' },
  isTied: config.boolean('tie_word_embeddings', false),
});
