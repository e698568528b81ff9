import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../tokenizer.js';
import { tokenBytes } from './token-bytes.js';

const folder = (name: string) =>
  fileURLToPath(new URL(`../../test/golden/tokenizers/${name}`, import.meta.url));
const text = 'Grün, 蓝 and 😀: x  y\n\tz';

describe('tokenBytes', () => {
  it.each(['falcon', 'gemma', 'gpt2', 'llama2', 'llama3', 'mistral', 'phi3', 'qwen2', 'qwen3'])(
    'gives the bytes of a text, token by token: %s',
    (name) => {
      const tokenizer = loadTokenizer(folder(name));
      const bytesOf = tokenBytes(tokenizer);
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      const all = Buffer.concat(ids.map((id) => bytesOf(id)));
      // Some begin every text with a space.
      expect(all.toString().trimStart()).toBe(text);
      expect(ids.some((id) => bytesOf(id).toString().includes('\ufffd'))).toBe(true);
    },
  );

  it('gives tokens that were added as texts as they are', () => {
    const tokenizer = loadTokenizer(folder('qwen2'));
    const id = tokenizer.idOf('<|im_end|>')!;
    expect(tokenBytes(tokenizer)(id).toString()).toBe('<|im_end|>');
    expect(tokenBytes(tokenizer)(100_000)).toHaveLength(0);
  });

  it('decodes where a vocabulary has neither bytes nor marks', () => {
    const words = ['plain', '##s'];
    const bytesOf = tokenBytes({
      tokenOf: (id) => words[id] ?? null,
      idOf: (token) => (words.includes(token) ? words.indexOf(token) : null),
      decode: (ids) => ids.map((id) => words[id]!.replace('##', '')).join(''),
    });
    expect([bytesOf(0).toString(), bytesOf(1).toString()]).toEqual(['plain', 's']);
  });
});
