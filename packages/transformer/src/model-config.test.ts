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

function folderOf(config: unknown): string {
  const folder = join(temporaryFolder(), 'model');
  mkdirSync(folder);
  const text = typeof config === 'string' ? config : JSON.stringify(config);
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

  it('reads the language part of a model for pictures and texts', () => {
    const folder = folderOf({ model_type: 'llava', text_config: plain });
    expect(readModelConfig(folder).architecture.modelType).toBe('llama');
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
      /rope_type must be one of/,
    ],
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
    ['no object', '[1]', /is not a JSON object/],
    ['no JSON', '{', /is not JSON/],
  ])('refuses %s', (_, config, message) => {
    expect(() => readModelConfig(folderOf(config))).toThrow(message);
    expect(() => readModelConfig(folderOf(config))).toThrow(
      expect.objectContaining({ code: 'LAB_MODEL', help: expect.any(String) }),
    );
  });

  it('lists the families, and sends t5 to its own loader', () => {
    expect(modelTypes).toContain('gemma3_text');
    expect(() => readModelConfig(folderOf({ model_type: 't5' }))).toThrow('an encoder');
  });
});
