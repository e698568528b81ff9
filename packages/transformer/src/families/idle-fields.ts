/** Fields of config.json that no number depends on. */

/** Fields of generation and of other tasks, which full dumps of configs have. */
const taskFields = [
  ...['bad_words_ids', 'begin_suppress_tokens', 'diversity_penalty', 'do_sample'],
  ...['early_stopping', 'encoder_no_repeat_ngram_size', 'exponential_decay_length_penalty'],
  ...['finetuning_task', 'forced_bos_token_id', 'forced_eos_token_id', 'length_penalty'],
  ...['max_length', 'max_new_tokens', 'min_length', 'no_repeat_ngram_size', 'num_beam_groups'],
  ...['num_beams', 'num_labels', '_num_labels', 'num_return_sequences', 'output_scores', 'prefix'],
  ...['remove_invalid_values', 'repetition_penalty', 'return_dict_in_generate', 'sep_token_id'],
  ...['suppress_tokens', 'temperature', 'top_k', 'top_p', 'typical_p'],
] as const;

/** Fields of programs around a model. */
const programFields = [
  ...['_attn_implementation', '_attn_implementation_autoset', '_attn_implementation_internal'],
  ...['_commit_hash', '_flash_attn_2_enabled', 'attn_implementation'],
  ...['cross_attention_hidden_size', 'custom_pipelines', 'gradient_checkpointing'],
  ...['max_sequence_length', 'model_max_length', 'name_or_path', 'neftune_noise_alpha'],
  ...['output_past', 'pruned_heads', 'seq_length', 'tf_legacy_loss', 'tie_encoder_decoder'],
  ...['tokenizer_model_max_length', 'tokenizer_padding_side', 'torchscript'],
  ...['transformers.js_config', 'unsloth_fixed', 'unsloth_version', 'use_bfloat16'],
] as const;

/** Fields of every config that change no number of a forward pass in float32. */
export const idleFields = [
  ...taskFields,
  ...programFields,
  '_name_or_path',
  'architectures',
  'attention_dropout',
  'attention_probs_dropout_prob',
  'auto_map',
  'bos_token_id',
  'cache_implementation',
  'chunk_size_feed_forward',
  'classifier_dropout',
  'decoder_start_token_id',
  'dtype',
  'embd_pdrop',
  'eos_token_id',
  'hidden_dropout',
  'hidden_dropout_prob',
  'id2label',
  'initializer_range',
  'is_decoder',
  'label2id',
  'max_position_embeddings',
  'model_type',
  'original_max_position_embeddings',
  'output_attentions',
  'output_hidden_states',
  'pad_token_id',
  'problem_type',
  'resid_pdrop',
  'return_dict',
  'task_specific_params',
  'tokenizer_class',
  'torch_dtype',
  'transformers_version',
  'use_cache',
] as const;
