import { LabError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../model-config.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import {
  fileOf,
  ggufBytes,
  llamaMetadata,
  llamaTensors,
  type Tensors,
} from './__fixtures__/gguf-bytes.js';
import { openGguf } from './gguf-file.js';
import type { MetadataValue } from './metadata-values.js';
import { flag, text, u32 } from './metadata-of-model.js';

type Metadata = Readonly<Record<string, MetadataValue>>;

const f32 = (value: number): MetadataValue => ({ type: 'float32', value });

async function llama(metadata: Metadata = {}, tensors: Tensors = llamaTensors): Promise<string> {
  return fileOf(await ggufBytes({ ...llamaMetadata, ...metadata }, tensors));
}

/** The error of reading a model; it names the file and what to do. */
async function refusal(metadata: Metadata, tensors: Tensors = llamaTensors): Promise<string> {
  const file = await llama(metadata, tensors);
  try {
    openCheckpoint(file).close();
  } catch (error) {
    if (!LabError.is(error)) throw error;
    expect(error.message).toContain(file);
    expect(error.help).toBeTruthy();
    return error.message;
  }
  return 'nothing is refused';
}

const without = (name: string): Tensors =>
  Object.fromEntries(Object.entries(llamaTensors).filter(([own]) => own !== name));

describe('metadata of a GGUF file', () => {
  it('are an architecture', async () => {
    const { architecture } = readModelConfig(
      await llama({ 'llama.rope.freq_base': f32(500_000), 'general.anything': u32(1) }),
    );
    expect(architecture).toMatchObject({
      ...{ modelType: 'llama', layerCount: 1, vocabularySize: 7, width: 32, headWidth: 8 },
      ...{ keyValueHeadCount: 2, mlpWidth: 64, isTied: false },
      // The shortest number that is the same in float32.
      norm: { epsilon: 1e-5 },
      blocks: [{ window: null, rotary: { base: 500_000, scaling: { kind: 'default' } } }],
    });
  });

  it('say which factors stretch the waves of positions', async () => {
    const tensors: Tensors = { ...llamaTensors, 'rope_freqs.weight': ['F32', 4] };
    const bytes = await ggufBytes(llamaMetadata, tensors);
    const empty = openGguf(fileOf(bytes));
    const { begin } = empty.tensors.get('rope_freqs.weight')!;
    empty.close();
    for (const [at, factor] of [1, 1, 2.5, 8].entries()) bytes.writeFloatLE(factor, begin + 4 * at);
    const { blocks } = readModelConfig(fileOf(bytes)).architecture;
    expect(blocks[0]!.rotary!.scaling).toMatchObject({
      ...{ kind: 'longrope', attentionFactor: 1, longFactors: [1, 1, 2.5, 8] },
    });
    expect(() => readModelConfig(fileOf(bytes.fill(0, begin, begin + 16)))).toThrow('rotary angle');
  });

  it('have a window, tied weights, biases', async () => {
    const window = await llama({ 'llama.attention.sliding_window': u32(9) });
    expect(readModelConfig(window).architecture.blocks[0]!.window).toBe(9);
    const none = await llama({ 'llama.attention.sliding_window': u32(0) });
    expect(readModelConfig(none).architecture.blocks[0]!.window).toBeNull();
    const tied = await llama({}, without('output.weight'));
    expect(readModelConfig(tied).architecture.isTied).toBe(true);
    openCheckpoint(tied).close();
  });

  const kinds: MetadataValue = {
    ...{ type: 'numbers', of: 'int32', values: Int32Array.of(4, 4) },
  };

  it.each<[string, Metadata, string]>([
    [
      'an architecture',
      { 'general.architecture': text('lama') },
      '"lama" is not known (near: llama)',
    ],
    ['no architecture', { 'general.architecture': u32(1) }, 'general.architecture must be a text'],
    [
      'a field that is not known',
      { 'llama.logit_scale': f32(2) },
      'llama.logit_scale is not known',
    ],
    ['experts', { 'llama.expert_count': u32(8) }, 'llama.expert_count 8 is not supported'],
    ['an encoder', { 'llama.attention.causal': flag(false) }, 'llama.attention.causal false'],
    ['an adapter', { 'general.type': text('adapter') }, 'general.type "adapter" is not supported'],
    ['a part', { 'split.count': { type: 'uint16', value: 3 } }, 'is one of 3 files of a model'],
    ['heads by blocks', { 'llama.attention.head_count': kinds }, 'must be a number, got [4,4]'],
    [
      'a head of two widths',
      { 'llama.attention.value_length': u32(4) },
      'attention.value_length 4',
    ],
    [
      'a part that turns',
      { 'llama.rope.dimension_count': u32(4) },
      'rope.dimension_count 4 is not',
    ],
    ['a scaling', { 'llama.rope.scaling.type': text('twist') }, 'rope.scaling.type "twist" is not'],
    [
      'a factor of attention',
      {
        'llama.rope.scaling.type': text('yarn'),
        'llama.rope.scaling.factor': f32(2),
        'llama.rope.scaling.attn_factor': f32(3),
      },
      'rope.scaling.attn_factor 3 is not supported',
    ],
    [
      'factors without those for short texts',
      { 'llama.rope.scaling.type': text('longrope') },
      'has not both of rope_factors_long.weight and rope_factors_short.weight',
    ],
    [
      'blocks of another version',
      { 'general.quantization_version': u32(1) },
      'quantization_version',
    ],
    ['a count without an end', { 'llama.block_count': u32(2 ** 32 - 1) }, 'llama.block_count must'],
    [
      'a number beyond counting',
      { 'llama.context_length': { type: 'uint64', value: 2n ** 63n } },
      'llama.context_length must be a number, got "9223372036854775808"',
    ],
  ])('are refused with %s', async (_, metadata, message) => {
    expect(await refusal(metadata)).toContain(message);
  });
});

describe('tensors of a GGUF file', () => {
  it('must be those of the architecture', async () => {
    expect(await refusal({}, without('blk.0.attn_k.weight'))).toContain(
      'tensors do not fit the metadata: 1 missing: blk.0.attn_k.weight.',
    );
    expect(await refusal({}, { ...llamaTensors, extra: ['F32', 1] })).toContain(
      '1 not known: extra',
    );
    expect(await refusal({ 'llama.block_count': u32(2) })).toContain('9 missing: blk.1.attn_norm');
  });

  it('must be of types that are read, which the error names', async () => {
    const tensors: Tensors = { ...llamaTensors, 'blk.0.ffn_up.weight': ['IQ4_NL', 64, 32] };
    expect(await refusal({}, tensors)).toContain('tensor blk.0.ffn_up.weight is of type IQ4_NL.');
    const more: Tensors = { ...tensors, 'blk.0.ffn_gate.weight': ['MXFP4', 64, 32] };
    expect(await refusal({}, more)).toContain('MXFP4, and 1 more are not read either');
  });

  it('have rows of queries and keys with halves behind each other', async () => {
    const file = await llama();
    const checkpoint = openCheckpoint(file);
    expect(checkpoint.weights.get('model.layers.0.self_attn.q_proj.weight')).toEqual({
      ...{ shape: [32, 32], dtype: 'float32', sizeBytes: 4096 },
    });
    expect(checkpoint.weights.get('model.layers.0.mlp.up_proj.weight')!.dtype).toBe('q4_0');
    await expect(checkpoint.read('none')).rejects.toThrow('has no weight none');
    checkpoint.close();
  });
});
