/**
 * T5 (v1.0, v1.1, Flan) as config.json describes it.
 */
import type { Activation, NormRules } from '../architecture.js';
import type { ConfigFields } from '../config-fields.js';
import { activationNamed, readActivation } from '../families/activations.js';
import { idleFields } from '../families/idle-fields.js';

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
  config.ignore('dense_act_fn', 'dropout_rate', 'initializer_factor', 'is_encoder_decoder');
  config.ignore('n_positions');
  // Names that the class of transformers takes, too.
  config.alias('d_model', 'hidden_size');
  config.alias('d_kv', 'head_dim');
  config.alias('num_heads', 'num_attention_heads');
  config.alias('num_layers', 'num_hidden_layers');
  const width = config.count('d_model');
  const layers = config.layers('num_layers');
  const isScaled = config.boolean('tie_word_embeddings', true);
  const forward = config.text('feed_forward_proj', 'relu');
  const vocabularySize = config.count('vocab_size');
  const epsilon = config.number('layer_norm_epsilon', 1e-6);
  if (epsilon < 0) throw config.wrong('layer_norm_epsilon', 'at least 0');
  return {
    modelType: config.text('model_type'),
    encoderLayerCount: layers,
    decoderLayerCount: config.layers('num_decoder_layers', layers),
    vocabularySize,
    width,
    headCount: config.count('num_heads'),
    headWidth: config.count('d_kv'),
    mlpWidth: config.count('d_ff'),
    norm: { kind: 'rms', epsilon, gainOffset: 0 },
    activation: activationOf(config, forward),
    isGated: config.boolean('is_gated_act', forward.startsWith('gated-')),
    ...readBuckets(config),
    outputScale: config.boolean('scale_decoder_outputs', isScaled) ? width ** -0.5 : 1,
    startId: readStartId(config, vocabularySize),
  };
}

/** Half of the buckets, or of those of either side, are exact: what is farther must be left. */
function readBuckets(config: ConfigFields) {
  const bucketCount = config.count('relative_attention_num_buckets', 32);
  const maxDistance = config.count('relative_attention_max_distance', 128);
  if (bucketCount < 4) throw config.wrong('relative_attention_num_buckets', 'at least 4');
  if (maxDistance > bucketCount / 2) return { bucketCount, maxDistance };
  throw config.wrong('relative_attention_max_distance', `above ${bucketCount / 2}`);
}

function readStartId(config: ConfigFields, vocabularySize: number): number {
  const id = config.number('decoder_start_token_id', 0);
  if (Number.isSafeInteger(id) && id >= 0 && id < vocabularySize) return id;
  throw config.wrong('decoder_start_token_id', `an id below ${vocabularySize}`);
}

/** Newer files name the function; in older ones "gated-gelu" means the form with tanh. */
function activationOf(config: ConfigFields, forward: string): Activation {
  if (config.has('dense_act_fn')) return readActivation(config, 'dense_act_fn');
  if (forward === 'gated-gelu') return 'gelu-tanh';
  const found = activationNamed(forward.replace(/^gated-/, ''));
  if (found !== undefined) return found;
  throw config.wrong('feed_forward_proj', 'the name of an activation, "gated-" before it or not');
}
