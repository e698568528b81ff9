import { LabError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../tokenizer.js';
import { fileOf, ggufBytes } from './__fixtures__/gguf-bytes.js';
import type { MetadataValue } from './metadata-values.js';
import { flag, text, u32 } from './metadata-of-model.js';
import { scoreMerges } from './score-merges.js';

type Metadata = Readonly<Record<string, MetadataValue>>;

const texts = (...values: string[]): MetadataValue => ({ type: 'texts', values });
const scores = (...values: number[]): MetadataValue => ({
  ...{ type: 'numbers', of: 'float32', values: Float32Array.from(values) },
});
const kinds = (...values: number[]): MetadataValue => ({
  ...{ type: 'numbers', of: 'int32', values: Int32Array.from(values) },
});

/** Pieces with scores, as SentencePiece has them. */
const pieces: Metadata = {
  'tokenizer.ggml.model': text('llama'),
  'tokenizer.ggml.tokens': texts(
    '<unk>',
    '<s>',
    '\u2581',
    'a',
    'b',
    'ab',
    '\u2581a',
    '<0x41>',
    '<x>',
  ),
  'tokenizer.ggml.scores': scores(0, 0, -9, -8, -7, -2, -1, 0, 0),
  'tokenizer.ggml.token_type': kinds(2, 3, 1, 1, 1, 1, 1, 6, 4),
  'tokenizer.ggml.bos_token_id': u32(1),
  'tokenizer.ggml.unknown_token_id': u32(0),
};

/** Bytes with merges, as GPT-2 has them. */
const bytes: Metadata = {
  'tokenizer.ggml.model': text('gpt2'),
  'tokenizer.ggml.pre': text('gpt-2'),
  'tokenizer.ggml.tokens': texts('a', 'b', '\u0120', '\u0120a', 'ab', '<end>', '[PAD6]'),
  'tokenizer.ggml.token_type': kinds(1, 1, 1, 1, 1, 3, 5),
  'tokenizer.ggml.merges': texts('\u0120 a', 'a b'),
};

const tokenizer = async (base: Metadata, more: Metadata = {}) =>
  loadTokenizer(fileOf(await ggufBytes({ ...base, ...more })));

async function refusal(base: Metadata, more: Metadata): Promise<string> {
  const file = fileOf(await ggufBytes({ ...base, ...more }));
  try {
    loadTokenizer(file);
  } catch (error) {
    if (!LabError.is(error)) throw error;
    expect(error.message).toContain(file);
    expect(error.help).toBeTruthy();
    return error.message;
  }
  return 'nothing is refused';
}

describe('the tokenizer of a GGUF file', () => {
  it('merges pieces by their scores, and falls back to bytes', async () => {
    const own = await tokenizer(pieces);
    expect(own.encode('ab')).toEqual([1, 6, 4]);
    expect(own.encode('bab', { addSpecialTokens: false })).toEqual([2, 4, 5]);
    expect(own.encode('bA<x>', { addSpecialTokens: false })).toEqual([2, 4, 7, 8]);
    expect(own.decode([6, 4])).toBe('ab');
    expect(own.beginId).toBe(1);
  });

  it('adds no space and no begin where the file says so', async () => {
    const flags = { add_space_prefix: flag(false), add_bos_token: flag(false) };
    const named = Object.entries(flags).map(([name, value]) => [`tokenizer.ggml.${name}`, value]);
    const own = await tokenizer(pieces, Object.fromEntries(named) as Metadata);
    expect(own.encode('ab')).toEqual([5]);
  });

  it('merges bytes in the order of the file; other rows are no tokens', async () => {
    const own = await tokenizer(bytes);
    expect(own.encode('ab ab<end>')).toEqual([4, 3, 1, 5]);
    expect(own.decode([4, 3, 1, 5], { skipSpecialTokens: true })).toBe('ab ab');
    expect([own.idOf('[PAD6]'), own.tokenOf(6)]).toEqual([null, null]);
  });

  it('has the templates of the file', async () => {
    const one = { 'tokenizer.chat_template': text('one') };
    expect((await tokenizer(bytes, one)).chat.names).toEqual(['default']);
    const two = { ...one, 'tokenizer.chat_template.tool_use': text('two') };
    const { chat } = await tokenizer(bytes, two);
    expect(chat.names).toEqual(['default', 'tool_use']);
    expect(chat.render([], { template: 'tool_use' })).toBe('two');
  });

  it.each<[string, Metadata, Metadata, string]>([
    ['of another kind', bytes, { 'tokenizer.ggml.model': text('bert') }, 'is "bert"'],
    [
      'of another pre-tokenizer',
      bytes,
      { 'tokenizer.ggml.pre': text('gpt2') },
      'pre "gpt2" is not',
    ],
    ['without a pre-tokenizer', bytes, { 'tokenizer.ggml.pre': text('') }, 'pre "" is not known'],
    [
      'with fewer kinds',
      bytes,
      { 'tokenizer.ggml.token_type': kinds(1) },
      'has 1 values for 7 tokens',
    ],
    ['with other lists', bytes, { 'tokenizer.ggml.tokens': u32(1) }, 'must be a list of texts'],
    [
      'with a merge of three',
      bytes,
      { 'tokenizer.ggml.merges': texts('a b c') },
      'model.merges[0]',
    ],
    [
      'with a field not known',
      bytes,
      { 'tokenizer.ggml.fold': flag(true) },
      'ggml.fold is not known',
    ],
    [
      'that adds what it lacks',
      bytes,
      { 'tokenizer.ggml.add_eos_token': flag(true) },
      'adds a eos',
    ],
    [
      'with two ids of a token',
      bytes,
      { 'tokenizer.ggml.tokens': texts('a', 'b', 'a', 'd', 'e', 'f', 'g') },
      'token "a" stands for the ids 0 and 2',
    ],
    [
      'with spaces made one',
      pieces,
      { 'tokenizer.ggml.remove_extra_whitespaces': flag(true) },
      'remove_extra_whitespaces true is not supported',
    ],
    [
      'with a map of characters',
      pieces,
      { 'tokenizer.ggml.precompiled_charsmap': text('x') },
      'precompiled_charsmap is not known',
    ],
    [
      'whose scores leave open what is merged',
      pieces,
      { 'tokenizer.ggml.scores': scores(0, 0, -9, -8, -7, -1, -1, 0, 0) },
      'pieces "\u2581a" and "ab" have one score',
    ],
  ])('is refused %s', async (_, base, more, message) => {
    expect(await refusal(base, more)).toContain(message);
  });
});

describe('scoreMerges', () => {
  it('lists all cuts of a piece, and lets runs of one character have one score', () => {
    const own = ['\u2581', '\u2581\u2581', '\u2581\u2581\u2581'].map(
      (piece, id) => [piece, { id, score: 0 }] as const,
    );
    const { merges, contended } = scoreMerges(new Map(own));
    expect(merges.map((pair) => pair.map((one) => one.length))).toEqual([
      ...[
        [2, 1],
        [1, 2],
        [1, 1],
      ],
    ]);
    expect(contended).toBeNull();
  });
});
