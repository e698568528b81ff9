import { LabError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { fileOf, ggufBytes } from './__fixtures__/gguf-bytes.js';
import { openGguf } from './gguf-file.js';
import { text, u32 } from './metadata-of-model.js';

const metadata = { 'general.architecture': text('llama'), 'a.b': u32(7) };
const tensors = { one: ['F32', 2, 4], two: ['Q8_0', 3, 32] } as const;
const whole = await ggufBytes(metadata, tensors);

/** What reading changed bytes says; the error names the file and what to do. */
function refusal(change: (bytes: Buffer) => Uint8Array | undefined): string {
  const bytes = Buffer.from(whole);
  const file = fileOf(change(bytes) ?? bytes);
  try {
    openGguf(file).close();
  } catch (error) {
    if (!LabError.is(error)) throw error;
    expect(error.message).toContain(file);
    expect(error.help).toBeTruthy();
    return error.message;
  }
  return 'nothing is refused';
}

const place = (text: string) => whole.indexOf(text);
const endOf = (name: string) => place(name) + name.length;

/** Where the file has what it says of a tensor: axes, lengths, type, offset. */
const tensorOne = { axes: endOf('one'), length: endOf('one') + 4, type: endOf('one') + 20 };
const offsetOf = (name: string) => endOf(name) + 24;

describe('readGgufHeader', () => {
  it('reads keys and tensors, rows first', () => {
    const file = openGguf(fileOf(whole));
    expect(file.metadata.get('a.b')).toEqual({ type: 'uint32', value: 7 });
    expect(file.tensors.get('one')).toMatchObject({ shape: [2, 4], sizeBytes: 32 });
    expect(file.tensors.get('two')).toMatchObject({ shape: [3, 32], sizeBytes: 102 });
    expect(file.tensors.get('one')!.begin % 32).toBe(0);
    file.close();
  });

  it('reads version 2, and other alignments', async () => {
    expect(refusal((bytes) => (bytes.writeUInt32LE(2, 4), undefined))).toBe('nothing is refused');
    const own = await ggufBytes({ ...metadata, 'general.alignment': u32(8) }, tensors);
    const file = openGguf(fileOf(own));
    expect(file.tensors.get('one')!.begin % 8).toBe(0);
    file.close();
  });

  it.each([
    ['an empty file', () => Buffer.alloc(0), 'does not begin with "GGUF"'],
    ['other bytes', (bytes) => (bytes.write('GGML', 0), undefined), 'does not begin with "GGUF"'],
    ['version 1', (bytes) => (bytes.writeUInt32LE(1, 4), undefined), 'GGUF of version 1'],
    ['big endian', (bytes) => (bytes.writeUInt32BE(3, 4), undefined), 'is a big-endian GGUF file'],
    ['a cut header', (bytes) => bytes.subarray(0, 40), 'the file has'],
    ['cut data', (bytes) => bytes.subarray(0, -60), `the file has ${whole.length - 60} bytes`],
    [
      'absurd counts of tensors',
      (bytes) => (bytes.writeBigUInt64LE(2n ** 60n, 8), undefined),
      'has the count 1152921504606846976',
    ],
    [
      'more tensors than bytes',
      (bytes) => (bytes.writeBigUInt64LE(99_999n, 8), undefined),
      'is to have 99999 tensors of at least 24 bytes, the file has',
    ],
    [
      'more keys than bytes',
      (bytes) => (bytes.writeBigUInt64LE(10n ** 9n, 16), undefined),
      'is to have 1000000000 keys of at least 13 bytes',
    ],
    [
      'a long key',
      (bytes) => (bytes.writeBigUInt64LE(70_000n, 24), undefined),
      'has a name of 70000 bytes, not 65535',
    ],
    [
      'a key twice',
      (bytes) => {
        const key = 'general.architecture';
        return Buffer.concat([
          ...[bytes.subarray(0, 16), Buffer.from([3, 0, 0, 0, 0, 0, 0, 0])],
          ...[bytes.subarray(24, endOf(key) + 4 + 8 + 5), bytes.subarray(24)],
        ]);
      },
      'key 2 of 3 is general.architecture once more',
    ],
    [
      'a type of values',
      (bytes) => (bytes.writeUInt32LE(99, endOf('a.b')), undefined),
      'a.b has values of type 99',
    ],
    [
      'a text beyond the end',
      (bytes) => (bytes.writeBigUInt64LE(9999n, endOf('general.architecture') + 4), undefined),
      'general.architecture has a text of 9999 bytes, the file has',
    ],
    [
      'a text that is not UTF-8',
      (bytes) => (bytes.writeUInt8(0xff, endOf('general.architecture') + 12), undefined),
      'general.architecture has a text that is not UTF-8',
    ],
    ['axes', (bytes) => (bytes.writeUInt32LE(9, tensorOne.axes), undefined), 'one has 9 axes'],
    [
      'an axis of no numbers',
      (bytes) => (bytes.writeUInt32LE(0, tensorOne.length), undefined),
      'tensor one has the shape [0, 2], which no numbers fit',
    ],
    [
      'an axis of too many',
      (bytes) => (bytes.writeBigUInt64LE(2n ** 53n - 1n, tensorOne.length), undefined),
      'which no numbers fit',
    ],
    [
      'a type of tensors',
      (bytes) => (bytes.writeUInt32LE(77, tensorOne.type), undefined),
      'tensor one has the type 77',
    ],
    [
      'rows of a part of a block',
      (bytes) => (bytes.writeUInt32LE(12, tensorOne.type), undefined),
      'rows of Q4_K have whole blocks of 256',
    ],
    [
      'an offset beside the alignment',
      (bytes) => (bytes.writeBigUInt64LE(8n, offsetOf('two')), undefined),
      'tensor two begins at 8, no multiple of the alignment 32',
    ],
    [
      'a tensor beyond the end',
      (bytes) => (bytes.writeBigUInt64LE(4096n, offsetOf('two')), undefined),
      `the file has ${whole.length} bytes`,
    ],
    [
      'tensors on each other',
      (bytes) => (bytes.writeBigUInt64LE(0n, offsetOf('two')), undefined),
      /tensor (one|two) begins at byte \d+, where (one|two) has bytes until/,
    ],
    [
      'a tensor twice',
      (bytes) => (bytes.write('one', place('two')), undefined),
      'one is there twice',
    ],
  ] as const satisfies readonly (readonly [
    string,
    (bytes: Buffer) => Uint8Array | undefined,
    RegExp | string,
  ])[])('refuses %s', (_, change, message) => {
    expect(refusal(change)).toMatch(message);
  });

  it('refuses alignments that are no powers of two, and arrays without end', async () => {
    const own = (value: Parameters<typeof ggufBytes>[0]) => ggufBytes({ ...metadata, ...value });
    for (const wrong of [u32(0), u32(24), text('32')]) {
      const bytes = await own({ 'general.alignment': wrong });
      expect(refusal(() => bytes)).toMatch(/general.alignment must be (a power of two|of type)/);
    }
    const none = { type: 'arrays', values: [] } as const;
    const nested = (depth: number): Parameters<typeof ggufBytes>[0][string] =>
      depth === 0 ? none : { type: 'arrays', values: [nested(depth - 1) as typeof none] };
    const deep = await own({ deep: nested(6) });
    expect(refusal(() => deep)).toContain('deep has arrays 5 deep, more than 4');
    const long = await own({ long: { type: 'texts', values: ['x'] } });
    long.writeBigUInt64LE(2n ** 40n, long.indexOf('long') + 12);
    expect(refusal(() => long)).toContain(
      'long is to have 1099511627776 values of at least 8 bytes',
    );
  });
});
