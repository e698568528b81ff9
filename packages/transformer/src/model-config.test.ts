import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { modelTypes, readModelConfig } from './index.js';

const plain = {
  model_type: 'llama',
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 16,
  vocab_size: 10,
};

const mistral = { ...plain, model_type: 'mistral', num_key_value_heads: 2 };

const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

/** A scaling by yarn whose ramp has no ends where the base is 1. */
const yarn = (base: number) => ({
  ...plain,
  max_position_embeddings: 64,
  rope_parameters: { rope_type: 'yarn', rope_theta: base, factor: 2, beta_fast: 64 / 2 / Math.PI },
});

const longrope = (factor: string) =>
  JSON.stringify({
    ...plain,
    max_position_embeddings: 64,
    rope_parameters: { rope_type: 'longrope', short_factor: ['@', 1], long_factor: [1, 1] },
  }).replace('"@"', factor);

function folderOf(config: unknown): string {
  const folder = join(temporaryFolder(), 'model');
  mkdirSync(folder);
  const isGiven = typeof config === 'string' || Buffer.isBuffer(config);
  const text = isGiven ? config : JSON.stringify(config);
  writeFileSync(join(folder, 'config.json'), text);
  return folder;
}

describe('readModelConfig', () => {
  it('fills in what a config leaves out', () => {
    const { architecture } = readModelConfig(folderOf(plain));
    expect(architecture).toMatchObject({ keyValueHeadCount: 2, headWidth: 4, isTied: false });
    const rotary = { base: 10_000, width: 4, scaling: { kind: 'default' } };
    expect(architecture.blocks[1]).toEqual({ window: null, rotary, scoreScale: 0.5 });
  });

  it('reads old and new names of rotary positions alike', () => {
    const scaling = { factor: 4, rope_type: 'linear' };
    const old = { ...plain, rope_theta: 5e5, rope_scaling: { factor: 4, type: 'linear' } };
    const recent = { ...plain, rope_parameters: { ...scaling, rope_theta: 5e5 } };
    const [one, other] = [old, recent].map((config) => readModelConfig(folderOf(config)));
    expect(one!.architecture).toEqual(other!.architecture);
    expect(one!.architecture.blocks[0]!.rotary?.scaling).toEqual({ kind: 'linear', factor: 4 });
  });

  it.each([
    ['mistral', { num_key_value_heads: 2 }, { window: 4096 }],
    ['mistral', { num_key_value_heads: 2, sliding_window: null }, { window: null }],
    ['ministral', { num_key_value_heads: 2 }, { window: 4096 }],
    [
      'mistral',
      { num_key_value_heads: 2, layer_types: ['full_attention', 'sliding_attention'] },
      { window: null },
    ],
    // Windows and kinds of layers change nothing here.
    ['llama', { sliding_window: 3, layer_types: ['full_attention'] }, { window: null }],
    ['qwen3', { num_key_value_heads: 2 }, { headWidth: 128 }],
    ['gemma2', {}, { scoreCap: 50, logitCap: 30, window: 4096, headWidth: 256 }],
    ['gemma2', { attn_logit_softcapping: null }, { scoreCap: null, logitCap: 30 }],
    ['gemma3_text', {}, { scoreCap: null, logitCap: null, headCount: 8, keyValueHeadCount: 4 }],
    // Fields of other families.
    ['gemma2', { hidden_act: 'relu', sliding_window_pattern: 9 }, { activation: 'gelu-tanh' }],
    ['gemma', { hidden_activation: 'relu' }, { activation: 'gelu-tanh' }],
    ['gemma', { final_logit_softcapping: 5, attn_logit_softcapping: 5 }, { logitCap: null }],
    ['gpt_neox', { num_key_value_heads: 1 }, { headCount: 2, keyValueHeadCount: 2 }],
  ])('fills in what transformers does: %s %j', (type, fields, wanted) => {
    const { num_attention_heads: _, ...sizes } = plain;
    const heads = type.startsWith('gemma') ? {} : { num_attention_heads: 2 };
    const config = { ...sizes, ...heads, model_type: type, ...fields };
    const { architecture } = readModelConfig(folderOf(config));
    const { window } = architecture.blocks[0]!;
    expect({ ...architecture, window }).toMatchObject(wanted);
    if (type === 'gemma2') expect(architecture.blocks[1]!.window).toBeNull();
  });

  it('refuses heads of GPT-NeoX that are no part of the width', () => {
    const config = { ...plain, model_type: 'gpt_neox', head_dim: 6 };
    expect(() => readModelConfig(folderOf(config))).toThrow('head_dim must be 4, got 6');
  });

  it.each([
    [
      { rope_theta: 5e5, rope_parameters: { rope_type: 'default' } },
      { base: 5e5, width: 4 },
    ],
    [
      { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_theta: 7 } },
      { base: 1e4, scaling: { kind: 'linear', factor: 2 } },
    ],
    [{ rope_scaling: {}, rope_parameters: { rope_theta: 7 } }, { base: 7 }],
    // Only some families turn a part of a head.
    [{ partial_rotary_factor: 0.5 }, { width: 4 }],
    [{ model_type: 'phi3', partial_rotary_factor: 0.5 }, { width: 2 }],
    [
      { model_type: 'phi3', partial_rotary_factor: 0.75 },
      { width: 4, exponentWidth: 3 },
    ],
    [
      { model_type: 'gpt_neox', rotary_pct: 0.5, rope_theta: 9 },
      { base: 1e4, width: 2 },
    ],
  ])('reads rotary positions as transformers does: %j', (fields, wanted) => {
    const { architecture } = readModelConfig(folderOf({ ...plain, ...fields }));
    expect(architecture.blocks[0]!.rotary).toMatchObject(wanted);
  });

  it.each([
    ['llama', { is_llama_config: true, rope_interleaved: false, 'transformers.js_config': {} }],
    ['llama', { num_experts: null, gradient_checkpointing: false, use_sliding_window: false }],
    ['mistral', { rope_scaling: { type: 'yarn', factor: 4, finetuned: true } }],
    ['qwen2', { dual_chunk_attention_config: { chunk_size: 8 }, seq_length: 9 }],
    ['gemma2', { sliding_window_size: 4096 }],
    ['falcon', { ff_factor: 4 }],
    ['gpt_neox', { attention_probs_dropout_prob: 0, custom_pipelines: {} }],
  ])('takes fields of files on the hub that change nothing: %s %j', (type, fields) => {
    const config = { ...plain, model_type: type, num_key_value_heads: 2 };
    if (type === 'falcon') Reflect.deleteProperty(config, 'intermediate_size');
    if (type === 'falcon' || type === 'gpt_neox') {
      Reflect.deleteProperty(config, 'num_key_value_heads');
    }
    expect(() => readModelConfig(folderOf({ ...config, ...fields }))).not.toThrow();
  });

  it('reads GPT-2 under the names that other families have, too', () => {
    const sizes = { n_embd: 8, n_layer: 2, n_head: 2 };
    const names = { hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2 };
    const old = { n_special: 0, predict_special_tokens: true, output_past: true };
    const shared = { model_type: 'gpt2', vocab_size: 10, ...old };
    const [own, other, both] = [sizes, names, { ...sizes, ...names }].map((fields) =>
      readModelConfig(folderOf({ ...shared, ...fields })),
    );
    expect(own!.architecture).toMatchObject({ width: 8, layerCount: 2, headCount: 2 });
    expect(other).toEqual(own);
    expect(both).toEqual(own);
    const torn = folderOf({ ...shared, ...sizes, hidden_size: 16 });
    expect(() => readModelConfig(torn)).toThrow('hidden_size must be 8 as n_embd, got 16');
  });

  it('reads the language part of a model for pictures and texts', () => {
    const folder = folderOf({ model_type: 'llava', text_config: plain });
    expect(readModelConfig(folder).architecture.modelType).toBe('llama');
    const kinds = { layer_types: ['full_attention', 'sliding_attention'], sliding_window: 3 };
    const inner = folderOf({ model_type: 'mistral3', text_config: { ...mistral, ...kinds } });
    const { blocks } = readModelConfig(inner).architecture;
    expect(blocks.map(({ window }) => window)).toEqual([3, 3]);
  });

  it.each([
    ['another family', { ...plain, model_type: 'lama' }, /"lama" is not known \(near: llama\)/],
    ['an unknown field', { ...plain, router_jitter: 1 }, /router_jitter is not known here/],
    [
      'an unknown field inside',
      { ...plain, rope_parameters: { rope_theta: 1, bend: 2 } },
      /rope_parameters\.bend is not known/,
    ],
    [
      'an unknown scaling',
      { ...plain, rope_scaling: { type: 'twist' } },
      /rope_scaling\.type must be one of .+, got "twist"/,
    ],
    [
      'an unknown scaling by its present name',
      { ...plain, rope_scaling: { rope_type: 'twist' } },
      /rope_scaling\.rope_type must be one of .+, got "twist"/,
    ],
    ['no family', { ...plain, model_type: undefined }, /has no model_type/],
    ['a family that is null', { ...plain, model_type: null }, /has no model_type/],
    ['a comma too many', '{\n  "a": 1,\n}', /is not JSON \(Expected .+ at line 3, column 1\)/],
    [
      'a text for a number',
      { ...plain, hidden_size: '8' },
      /hidden_size must be a number, got "8"/,
    ],
    ['sizes that do not fit', { ...plain, num_key_value_heads: 3 }, /keyValueHeadCount 3/],
    ['heads of half a feature', { ...plain, num_attention_heads: 3 }, /headWidth 2\.6/],
    ['a million blocks', { ...plain, num_hidden_layers: 1e6 }, /a whole number from 1 to 4096/],
    ['quantised weights', { ...plain, quantization_config: {} }, /quantization_config \{\} is not/],
    ['an activation', { ...plain, hidden_act: 'sine' }, /hidden_act must be one of gelu/],
    ['pairs side by side', { ...plain, rope_interleaved: true }, /rope_interleaved true is not/],
    ['a part of a head', { ...plain, num_attention_heads: 0.5 }, /headCount 0\.5/],
    ['negative heads', { ...plain, num_key_value_heads: -2 }, /keyValueHeadCount -2/],
    ['an epsilon below 0', { ...plain, rms_norm_eps: -1 }, /epsilon -1/],
    ['a window of none', { ...mistral, sliding_window: 0 }, /window 0/],
    [
      'a share above all',
      { ...plain, model_type: 'phi3', partial_rotary_factor: 2 },
      /rotary width 8/,
    ],
    ['a base below 0', { ...plain, rope_theta: -1e4 }, /rope_theta must be a number above 0/],
    ['a base of yarn', yarn(1), /rotary angle NaN/],
    ['a family that is a list', { ...plain, model_type: ['llama'] }, /\["llama"\] is not known/],
    ['a family that is an object', { ...plain, model_type: { toString: 1 } }, /is not known/],
    ['a model in a model', { text_config: { text_config: plain } }, /model_type none is not known/],
    ['a long value', { ...plain, hidden_size: 'x'.repeat(999) }, /got "x{199}\.\.\.\./],
    ['a deep value', JSON.stringify(plain).replace('8', nested), /must be a number, got a list/],
    ['factors beyond numbers', longrope('1e999'), /short_factor must be a list of numbers/],
    [
      'a share with a scaling',
      { ...plain, partial_rotary_factor: 0.5, rope_scaling: { type: 'linear', factor: 2 } },
      /partial_rotary_factor must be 1 with the scaling linear/,
    ],
    ['a bias that the family has not', { ...mistral, attention_bias: true }, /attention_bias true/],
    ['a wrapper', { model_type: 'paligemma', text_config: plain }, /"paligemma" is not known with/],
    [
      'a quantised wrapper',
      { model_type: 'llava', text_config: plain, quantization_config: {} },
      /quantization_config \{\} is not/,
    ],
    [
      'a field of a wrapper',
      { model_type: 'llava', text_config: plain, router: 1 },
      /router is not known here/,
    ],
    ['no object', '[1]', /is not a JSON object/],
    ['no JSON', '{', /is not JSON/],
    ['no UTF-8', Buffer.from('{"model_type": "\xff"}', 'latin1'), /is not JSON/],
    ['a byte order mark', `\ufeff${JSON.stringify(plain)}`, /is not JSON/],
  ])('refuses %s', (_, config, message) => {
    expect(() => readModelConfig(folderOf(config))).toThrow(message);
    expect(() => readModelConfig(folderOf(config))).toThrow(
      expect.objectContaining({ code: 'LAB_MODEL', help: expect.any(String) }),
    );
  });

  it('says what helps: no copy where a scaling is not known, a fetch of git-lfs', () => {
    const help = (config: object | string) => {
      try {
        readModelConfig(folderOf(config));
      } catch (error) {
        return (error as { help?: string }).help;
      }
      return undefined;
    };
    expect(help({ ...plain, rope_scaling: { rope_type: 'twist' } })).not.toContain('Copy');
    expect(help({ ...plain, model_type: 'lama' })).toContain('qwen3, t5');
    expect(help('version https://git-lfs.github.com/spec/v1\noid sha256:ab\n')).toContain(
      'git lfs pull',
    );
  });

  it('lists the families, and sends t5 to its own loader', () => {
    expect(modelTypes).toContain('gemma3_text');
    expect(() => readModelConfig(folderOf({ model_type: 't5' }))).toThrow('an encoder');
  });
});
