/**
 * T5 (v1.0, v1.1, Flan) as config.json describes it.
 */
import type { Activation, NormRules } from '../architecture.js';
import type { ConfigFields } from '../config-fields.js';
import { idleFields, readActivation } from '../families/family.js';

/** An encoder and a decoder: everything that their passes depend on beside the weights. */
export interface T5Architecture {
  readonly modelType: string;
  readonly encoderLayerCount: number;
  readonly decoderLayerCount: number;
  readonly vocabularySize: number;
  /** D. */
  readonly width: number;
  readonly headCount: number;
  /** Width of a head; all heads together may be wider or narrower than D. */
  readonly headWidth: number;
  readonly mlpWidth: number;
  readonly norm: NormRules;
  readonly activation: Activation;
  readonly isGated: boolean;
  /** Rows of the tables of relative positions. */
  readonly bucketCount: number;
  /** Distance from which on all are the same. */
  readonly maxDistance: number;
  /** Factor of the decoder's rows before the output. */
  readonly outputScale: number;
  /** Id that the decoder begins with. */
  readonly startId: number;
}

/** Reads the fields of a T5. */
export function readT5(config: ConfigFields): T5Architecture {
  config.ignore(...idleFields.filter((name) => name !== 'decoder_start_token_id'));
  config.ignore(
    'dense_act_fn',
    'dropout_rate',
    'initializer_factor',

    'n_positions',
  );
  config.ignore('output_past', 'is_decoder', 'is_encoder_decoder');
  const width = config.number('d_model');
  const layers = config.layers('num_layers');
  const isScaled = config.boolean('tie_word_embeddings', true);
  const forward = config.text('feed_forward_proj', 'relu');
  return {
    modelType: config.text('model_type'),
    encoderLayerCount: layers,
    decoderLayerCount: config.layers('num_decoder_layers', layers),
    vocabularySize: config.number('vocab_size'),
    width,
    headCount: config.number('num_heads'),
    headWidth: config.number('d_kv'),
    mlpWidth: config.number('d_ff'),
    norm: { kind: 'rms', epsilon: config.number('layer_norm_epsilon', 1e-6), gainOffset: 0 },
    activation: activationOf(config, forward),
    isGated: config.boolean('is_gated_act', forward.startsWith('gated-')),
    bucketCount: config.number('relative_attention_num_buckets', 32),
    maxDistance: config.number('relative_attention_max_distance', 128),
    outputScale: config.boolean('scale_decoder_outputs', isScaled) ? width ** -0.5 : 1,
    startId: config.number('decoder_start_token_id', 0),
  };
}

/** Newer files name the function; in older ones "gated-gelu" means the form with tanh. */
function activationOf(config: ConfigFields, forward: string): Activation {
  if (config.has('dense_act_fn')) return readActivation(config, 'dense_act_fn');
  if (forward === 'gated-gelu') return 'gelu-tanh';
  if (forward === 'gated-silu') return 'silu';
  return readActivation(config, 'feed_forward_proj', 'relu');
}
