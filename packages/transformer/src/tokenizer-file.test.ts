import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from './index.js';

const golden = join(import.meta.dirname, '../test/golden/tokenizers');
const contentOf = (name: string) =>
  JSON.parse(readFileSync(join(golden, name, 'tokenizer.json'), 'utf8')) as Record<string, never>;

/** The tokenizer of a folder in which some fields of tokenizer.json have other values. */
function changed(name: string, fields: object) {
  const folder = temporaryFolder();
  cpSync(join(golden, name), folder, { recursive: true });
  const content = { ...contentOf(name), ...fields };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(content));
  return loadTokenizer(folder);
}

const gpt2 = contentOf('gpt2')['model'] as unknown as { vocab: object; merges: unknown[] };
const t5 = contentOf('t5')['model'] as unknown as { vocab: unknown[] };
const added = { id: 1, content: 'x' };

describe('tokenizer.json', () => {
  it.each([
    ['a type that is not known', { normalizer: { type: 'Twist' } }, 'normalizer.type must be one'],
    ['a name of objects', { decoder: { type: 'toString' } }, 'decoder.type must be one of'],
    ['a text for a step', { decoder: 'ByteLevel' }, 'decoder must be an object'],
    [
      'steps without end',
      { pre_tokenizer: { type: 'FixedLength', length: 0 } },
      'pre_tokenizer.length must be a whole number from 1 on, got 0',
    ],
    [
      'a behaviour that is an object',
      { pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: {} } },
      'pre_tokenizer.behavior must be one of Removed',
    ],
    [
      'an empty pattern',
      { normalizer: { type: 'Replace', pattern: { String: '' }, content: 'a' } },
      'normalizer.pattern must be a String or a Regex',
    ],
    [
      'a part of a sequence',
      { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, null] } },
      'normalizer.normalizers[1] must be an object, got null',
    ],
    [
      'a template',
      { post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'C' } }] } },
      'post_processor.single must be a list of SpecialToken and Sequence',
    ],
    ['ids below 0', { added_tokens: [{ ...added, id: -1 }] }, 'added_tokens[0].id must be'],
    ['an empty token', { added_tokens: [{ ...added, content: '' }] }, 'added_tokens[0].content'],
    ['no list of tokens', { added_tokens: {} }, 'added_tokens must be a list'],
    ['no model', { model: null }, 'model must be an object, got null'],
    ['another model', { model: { ...gpt2, type: 'Rhyme' } }, 'model.type must be one of BPE'],
    ['a part of an id', { model: { ...gpt2, vocab: { a: 0.5 } } }, 'the id of "a" must be a whole'],
    ['ids of 64 bits', { model: { ...gpt2, vocab: { a: 2 ** 32 } } }, 'got 4294967296'],
    ['a merge of three', { model: { ...gpt2, merges: [['a', 'b', 'c']] } }, 'model.merges[0] must'],
    ['merges of two forms', { model: { ...gpt2, merges: ['i n', ['i', 'n']] } }, 'model.merges[1]'],
    ['a merge without an id', { model: { ...gpt2, merges: ['i \u0001'] } }, 'model.merges[0]'],
    ['scores', { model: { ...t5, vocab: [['a', null]] } }, 'model.vocab[0] must be a text and a'],
    ['no tokens', { model: { ...t5, vocab: [] } }, 'model.unk_id must be an id below 0'],
    ['an unknown token', { model: { ...t5, unk_id: 320 } }, 'unk_id must be an id below 320'],
  ])('refuses %s', (_, fields, message) => {
    expect(() => changed('gpt2', fields)).toThrow(message);
    expect(() => changed('gpt2', fields)).toThrow(
      expect.objectContaining({ code: 'LAB_MODEL', help: expect.any(String) }),
    );
  });

  it('leaves out what the Python library does not need', () => {
    const parts = { normalizer: undefined, post_processor: undefined, added_tokens: undefined };
    const [whole, bare] = [loadTokenizer(join(golden, 'gpt2')), changed('gpt2', parts)];
    expect(bare.encode('a text')).toEqual(whole.encode('a text'));
  });

  it('refuses texts that it has no ids for, and leaves out ids that it has no token for', () => {
    const broken = changed('t5', { model: { ...t5, unk_id: null } });
    expect(() => broken.encode('\u4e16')).toThrow('it has no id for');
    const whole = loadTokenizer(join(golden, 'gpt2'));
    expect(whole.decode([...whole.encode('a text'), 1e6, -1])).toBe('a text');
    expect(whole.decode([1e6])).toBe('');
  });

  it('bounds the ranges of chat templates', () => {
    const folder = temporaryFolder();
    cpSync(join(golden, 'gpt2'), folder, { recursive: true });
    writeFileSync(join(folder, 'chat_template.jinja'), '{{ range(1000000000) | length }}');
    const { chat } = loadTokenizer(folder);
    expect(() => chat.render([])).toThrow(`${folder}: its chat template refuses the conversation`);
    expect(() => chat.render([])).toThrow('range(0, 1000000000, 1) is longer than 100000');
  });
});
