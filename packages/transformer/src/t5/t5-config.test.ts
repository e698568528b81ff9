import { describe, expect, it } from 'vitest';
import { ConfigFields } from '../config-fields.js';
import { readT5 } from './t5-config.js';

const plain = {
  model_type: 't5',
  vocab_size: 10,
  d_model: 8,
  d_kv: 4,
  d_ff: 16,
  num_heads: 2,
  num_layers: 1,
};
const read = (config: object) => readT5(new ConfigFields({ ...plain, ...config }, 'config.json'));

describe('readT5', () => {
  it('fills in what a config leaves out', () => {
    const rules = { bucketCount: 32, maxDistance: 128, startId: 0, decoderLayerCount: 1 };
    expect(read({})).toMatchObject({ ...rules, outputScale: 8 ** -0.5, isGated: false });
  });

  it('takes sizes under the names that other families have, too', () => {
    const { d_model: _, num_heads: __, num_layers: ___, ...others } = plain;
    const names = { hidden_size: 8, num_attention_heads: 2, num_hidden_layers: 1 };
    const found = readT5(new ConfigFields({ ...others, ...names }, 'config.json'));
    expect(found).toEqual(read({}));
  });

  it.each([
    [{ num_heads: -2 }, 'num_heads must be a whole number from 1 on, got -2'],
    [{ d_kv: 2.5 }, 'd_kv must be a whole number from 1 on, got 2.5'],
    [{ layer_norm_epsilon: -1 }, 'layer_norm_epsilon must be at least 0'],
    [{ relative_attention_num_buckets: 1 }, 'num_buckets must be at least 4, got 1'],
    [{ relative_attention_max_distance: 16 }, 'max_distance must be above 16, got 16'],
    [{ decoder_start_token_id: 10 }, 'decoder_start_token_id must be an id below 10, got 10'],
    [{ decoder_start_token_id: -1 }, 'decoder_start_token_id must be an id below 10, got -1'],
  ])('refuses %j', (config, message) => {
    expect(() => read(config)).toThrow(message);
  });
});
