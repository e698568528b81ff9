import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@lab/tensor/io';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../src/gguf/gguf-file.js';
import type { MetadataValue } from '../../src/gguf/metadata-values.js';
import { encodeQ8_0 } from '../../src/gguf/small-blocks.js';
import { readableTypes, type TensorType, tensorTypeNamed } from '../../src/gguf/tensor-types.js';
import { ggufParts, type WritableTensor } from '../../src/gguf/write-gguf.js';
import { floatsOf, storedNumbers } from '../../src/weights/stored-numbers.js';

const folder = join(import.meta.dirname, 'gguf');
const typesOf = (name: string) => readSafetensors(join(folder, `${name}.safetensors`));

function numbersOf({ read, blockBytes, blockLength }: TensorType, bytes: Uint8Array) {
  if (typeof read === 'string') return floatsOf(storedNumbers(read, bytes));
  const numbers = new Float32Array((bytes.length / blockBytes) * blockLength);
  read!(bytes, numbers);
  return numbers;
}

describe('a file of the Python package', () => {
  it.each(readableTypes)('has the same numbers in %s, all of them and row by row', async (name) => {
    const { tensors } = await typesOf('types');
    const wanted = tensors[name]!;
    const file = openGguf(join(folder, 'types.gguf'));
    const { type, shape } = file.tensors.get(`as.${name}`)!;
    expect(type).toBe(tensorTypeNamed(name));
    expect(shape).toEqual(wanted.shape);
    const all = numbersOf(type, await file.readBytes(`as.${name}`));
    expect(all).toEqual(wanted.data);
    const last = numbersOf(type, await file.readBytes(`as.${name}`, { start: 1, count: 2 }));
    expect(last).toEqual(wanted.data.slice(512));
    file.close();
  });

  it('is read where its tensors are in several files, whichever is named', async () => {
    const { tensors } = await typesOf('split');
    for (const part of ['00001', '00002', '00003']) {
      const file = openGguf(join(folder, `split-${part}-of-00003.gguf`));
      expect(file.path).toBe(join(folder, 'split-00001-of-00003.gguf'));
      expect(file.metadata.get('llama.block_count')).toEqual({ type: 'uint32', value: 2 });
      expect([...file.tensors.keys()].toSorted()).toEqual(Object.keys(tensors).toSorted());
      for (const [name, { shape, data }] of Object.entries(tensors)) {
        expect(file.tensors.get(name)!.shape).toEqual(shape);
        const bytes = await file.readBytes(name);
        expect(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)).toEqual(data);
        const target = new Uint8Array(bytes.length);
        await file.readInto(name, target);
        expect(target).toEqual(bytes);
      }
      file.close();
    }
  });

  it('has keys of every type', async () => {
    const file = openGguf(join(folder, 'types.gguf'));
    const of = (name: string) => file.metadata.get(`of.${name}`);
    expect(of('uint8')).toEqual({ type: 'uint8', value: 200 });
    expect(of('int8')).toEqual({ type: 'int8', value: -100 });
    expect(of('uint16')).toEqual({ type: 'uint16', value: 60_000 });
    expect(of('int16')).toEqual({ type: 'int16', value: -30_000 });
    expect(of('uint32')).toEqual({ type: 'uint32', value: 4_000_000_000 });
    expect(of('int32')).toEqual({ type: 'int32', value: -2_000_000_000 });
    expect(of('float32')).toEqual({ type: 'float32', value: Math.fround(0.1) });
    expect(of('uint64')).toEqual({ type: 'uint64', value: 2n ** 63n + 1n });
    expect(of('int64')).toEqual({ type: 'int64', value: -(2n ** 62n) });
    expect(of('float64')).toEqual({ type: 'float64', value: 0.1 });
    expect(of('bool')).toEqual({ type: 'bool', value: true });
    expect(of('text')).toEqual({ type: 'text', value: 'ünï 你好 \n' });
    expect(of('numbers')).toEqual({
      ...{ type: 'numbers', of: 'int32', values: Int32Array.of(1, -2, 3) },
    });
    expect(of('reals')).toEqual({
      ...{ type: 'numbers', of: 'float32', values: Float32Array.of(0.5, -0.25) },
    });
    expect(of('flags')).toEqual({ type: 'bools', values: [true, false] });
    expect(of('texts')).toEqual({ type: 'texts', values: ['a', '', 'é'] });
    expect(of('lists')).toMatchObject({ type: 'arrays', values: [{ type: 'numbers' }, {}] });
    const { data } = (await typesOf('types')).tensors['row']!;
    expect(file.row('as.row')).toEqual(Array.from(data, Number));
    expect(file.row('none')).toBeNull();
    expect(() => file.row('as.F32')).toThrow('as.F32 is F32 of shape [3, 512], not a short row');
    file.close();
  });
});

describe('ggufParts', () => {
  it('writes what the Python package writes, byte for byte', async () => {
    const values = Float32Array.from({ length: 96 }, (_, at) => at / 8 - 5);
    const tensor = (name: string, type: string, shape: number[], bytes: Uint8Array) => ({
      ...{ name, type: tensorTypeNamed(type), shape },
      async *parts() {
        yield bytes;
      },
    });
    const tensors: WritableTensor[] = [
      tensor('blk.0.attn_q.weight', 'F32', [3, 32], new Uint8Array(values.buffer)),
      tensor('blk.0.attn_norm.weight', 'F32', [5], new Uint8Array(values.buffer, 0, 20)),
      tensor('output.weight', 'F16', [3, 32], halfBytes(values)),
      tensor('token_embd.weight', 'Q8_0', [3, 32], encodeQ8_0(values)),
    ];
    const metadata = new Map<string, MetadataValue>([
      ['general.architecture', { type: 'text', value: 'llama' }],
      ['llama.block_count', { type: 'uint32', value: 2 }],
      ['llama.rope.freq_base', { type: 'float32', value: 500 }],
      ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
      ['tokenizer.ggml.tokens', { type: 'texts', values: ['a', '\u2581b', '<s>'] }],
      [
        'tokenizer.ggml.scores',
        { type: 'numbers', of: 'float32', values: Float32Array.of(0, -1.5, 2) },
      ],
      [
        'tokenizer.ggml.token_type',
        { type: 'numbers', of: 'int32', values: Int32Array.of(1, 1, 3) },
      ],
    ]);
    const parts: Uint8Array[] = [];
    for await (const part of ggufParts(metadata, tensors)) parts.push(part);
    expect(Buffer.concat(parts).equals(readFileSync(join(folder, 'written.gguf')))).toBe(true);
  });

  it('does not write a tensor of another size than it said', async () => {
    const short: WritableTensor = {
      ...{ name: 'a', type: tensorTypeNamed('F32'), shape: [2] },
      async *parts() {
        yield new Uint8Array(4);
      },
    };
    const written = (async () => {
      for await (const part of ggufParts(new Map(), [short])) void part;
    })();
    await expect(written).rejects.toThrow('a has 4 bytes, not 8');
  });
});

/** Bytes in float16 of numbers that it holds. */
function halfBytes(values: Float32Array): Uint8Array {
  const patterns = Uint16Array.from(values, (value) => {
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(value)));
    const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
    return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
  });
  return new Uint8Array(patterns.buffer);
}

describe('encodeQ8_0', () => {
  it('makes the blocks of the Python package', async () => {
    const { tensors } = await typesOf('q8_0');
    const blocks = encodeQ8_0(tensors['numbers']!.data as Float32Array);
    expect(Buffer.from(blocks).equals(Buffer.from(tensors['blocks']!.data as Uint8Array))).toBe(
      true,
    );
  });
});
