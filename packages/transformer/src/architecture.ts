/**
 * What a family's table and a checkpoint's config.json make together: the numbers and switches that
 * one generic block interprets.
 */

/** Activation functions of the MLP, by what they compute. */
export type Activation =
  | 'gelu'
  | 'gelu-tanh'
  | 'quick-gelu'
  | 'relu'
  | 'relu-squared'
  | 'silu'
  | 'tanh';

/** How rows are normalised. */
export interface NormRules {
  readonly kind: 'layer' | 'rms';
  readonly epsilon: number;
  /** Added to the stored gain: 1 in Gemma. */
  readonly gainOffset: number;
}

/** Scaling of rotary positions, as config.json names it. */
export type RotaryScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly maxPositions: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalPositions: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly isTruncated: boolean;
      readonly originalPositions: number;
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'longrope';
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly originalPositions: number;
      readonly attentionFactor: number;
    };

/** Rotary positions of a block. */
export interface RotaryRules {
  readonly base: number;
  /** Leading features of a head that turn. */
  readonly width: number;
  /** R of the exponents `-2 j / R`, where it is not `width`: one less for an odd share. */
  readonly exponentWidth?: number;
  readonly scaling: RotaryScaling;
}

/** How a decoder knows where a token stands. */
export type PositionRules =
  | { readonly kind: 'learned'; readonly count: number }
  | { readonly kind: 'rotary' }
  | { readonly kind: 'alibi' };

/** One block, where blocks differ. */
export interface BlockRules {
  /** Query t sees keys s with `t - s < window`; null for all before it. */
  readonly window: number | null;
  /** Null without rotary positions. */
  readonly rotary: RotaryRules | null;
  /** Factor of the products of queries and keys. */
  readonly scoreScale: number;
}

/** Modules of a block, by the names that TransformerLens 3 has for them. */
export type BlockModule =
  | 'attn'
  | 'down'
  | 'gate'
  | 'k'
  | 'ln1'
  | 'ln1_post'
  | 'ln2'
  | 'ln2_post'
  | 'mlp'
  | 'o'
  | 'q'
  | 'up'
  | 'v';

/** What `transformers` calls the modules of a model. */
export interface ModuleNames {
  readonly embedding: string;
  /** Null without learned positions. */
  readonly positions: string | null;
  /** Block i, with `{i}` in the place of its number. */
  readonly block: string;
  /** Modules of a block, behind its own name; null where none computes just this. */
  readonly inBlock: Readonly<Record<BlockModule, string | null>>;
  readonly finalNorm: string;
  readonly output: string;
  /** First part of names that some files leave out, with its dot. */
  readonly optionalPrefix: string | null;
}

/** A decoder: everything that its forward pass depends on beside the weights. */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  readonly layerCount: number;
  readonly vocabularySize: number;
  /** D. */
  readonly width: number;
  readonly headCount: number;
  /** Heads of keys and values; a divisor of `headCount`. */
  readonly keyValueHeadCount: number;
  readonly headWidth: number;
  readonly mlpWidth: number;
  readonly norm: NormRules;
  readonly activation: Activation;
  /** Whether the MLP multiplies with a gate. */
  readonly isGated: boolean;
  readonly positions: PositionRules;
  /**
   * Tokens of a text that the model was made for; null where no end is known. More than learned
   * positions is impossible, more than rotary ones loses its sense.
   */
  readonly contextTokens: number | null;
  /** Whether attention and MLP read the same residual and are added together. */
  readonly isParallel: boolean;
  /** Whether the MLP of a parallel block reads the norm of the attention. */
  readonly sharesNorm: boolean;
  /** Whether what attention and MLP give is normalised before it is added. */
  readonly hasPostNorms: boolean;
  /** Whether queries and keys are normalised head by head. */
  readonly hasQueryKeyNorm: boolean;
  /** c of `c tanh(score / c)`; null for none. */
  readonly scoreCap: number | null;
  readonly logitCap: number | null;
  /** Factor of the embeddings. */
  readonly embeddingScale: number;
  /** Whether the embeddings are the output's weights, too. */
  readonly isTied: boolean;
  readonly blocks: readonly BlockRules[];
  /** Names only: no number depends on them. */
  readonly modules: ModuleNames;
}
