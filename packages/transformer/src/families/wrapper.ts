/**
 * Models for pictures and texts whose language part, on a text alone, computes as its own family.
 */
import { ModelError } from '@lab/core';
import { ConfigFields, shownValue } from '../config-fields.js';
import type { FamilyTable } from './family.js';
import { idleFields } from './idle-fields.js';

/** What a wrapper says of the language part. */
interface WrapperRules {
  /** `model_type` of the language part where its object does not say. */
  readonly inner: string;
  /** Whether embeddings are the output's weights, where the wrapper does not say. */
  readonly isTied: boolean;
}

const wrappers: Readonly<Record<string, WrapperRules>> = {
  gemma3: { inner: 'gemma3_text', isTied: true },
  llava: { inner: 'llama', isTied: false },
  llava_next: { inner: 'llama', isTied: false },
  mistral3: { inner: 'mistral', isTied: true },
};

/** Fields of wrappers that change nothing where there is no picture. */
const pictureFields = [
  ...['boi_token_id', 'boi_token_index', 'eoi_token_id', 'eoi_token_index', 'ignore_index'],
  ...['image_grid_pinpoints', 'image_seq_length', 'image_token_id', 'image_token_index'],
  ...['mm_tokens_per_image', 'multimodal_projector_bias', 'projector_hidden_act'],
  ...['spatial_merge_size', 'use_image_newline_parameter', 'vision_config'],
  ...['vision_feature_layer', 'vision_feature_select_strategy', 'vocab_size'],
];

/** The language part of a wrapper, with what the wrapper says of it. */
export interface WrappedConfig {
  readonly values: Readonly<Record<string, unknown>>;
  /** For messages. */
  readonly file: string;
  /** The table of its family as it is within the wrapper. */
  readonly within: (table: FamilyTable) => FamilyTable;
}

/**
 * The language part of a config.json, or null where it describes none within another model.
 *
 * @throws {ModelError} for a wrapper that is not known, and for a field that is not.
 */
export function wrappedConfig(
  values: Readonly<Record<string, unknown>>,
  file: string,
): WrappedConfig | null {
  const text = values['text_config'];
  if (typeof text !== 'object' || text === null || Array.isArray(text)) return null;
  const type = values['model_type'];
  const rules = typeof type === 'string' && Object.hasOwn(wrappers, type) ? wrappers[type]! : null;
  if (rules === null) {
    throw new ModelError(`${file}: model_type ${shownValue(type)} is not known with text_config.`, {
      help: `Known are ${Object.keys(wrappers).join(', ')}.`,
    });
  }
  const fields = new ConfigFields(values, file);
  fields.only('quantization_config', null);
  fields.only('add_cross_attention', false);
  fields.only('is_encoder_decoder', false);
  fields.ignore(...idleFields, ...pictureFields, 'text_config');
  const isOuterTied = fields.boolean('tie_word_embeddings', rules.isTied);
  fields.assertAllRead();
  const inner: Record<string, unknown> = { model_type: rules.inner, ...text };
  // Kinds of blocks count where the config is a Mistral's own alone.
  if (inner['model_type'] === 'mistral') inner['layer_types'] = null;
  const isLlava = !rules.isTied;
  return {
    values: inner,
    file: `${file}, text_config`,
    within: ({ architecture, weights }) => ({
      architecture: {
        ...architecture,
        isTied: isOuterTied || (isLlava && architecture.isTied),
        // Gemma 3 for pictures and texts does not cap its logits, whatever its config says.
        logitCap: type === 'gemma3' ? null : architecture.logitCap,
      },
      weights: { ...weights, isWrapped: true },
    }),
  };
}
