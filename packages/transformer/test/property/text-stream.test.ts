import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextStream } from '../../src/generation/text-stream.js';
import { loadTokenizer } from '../../src/index.js';

const folder = join(import.meta.dirname, '../golden/tokenizers');
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('The cat sat', ' on the mat.', '\n\n', 'caf\u00e9 \u20ac5', '\ud83d\ude00!'),
);

describe.each(['gpt2', 'llama2', 'llama3', 'gemma', 'qwen2'])('tokens of %s', (name) => {
  const tokenizer = loadTokenizer(join(folder, name));
  const all = (ids: number[]) => tokenizer.decode(ids, { skipSpecialTokens: true });

  it('one by one give the text that they have together behind the prompt', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const prompt = tokenizer.encode(before);
        const ids = tokenizer.encode(after, { addSpecialTokens: false });
        const stream = new TextStream(tokenizer, prompt);
        const parts = [...ids.map((id) => stream.push(id)), stream.end()];
        expect(parts.join('')).toBe(all([...prompt, ...ids]).slice(all(prompt).length));
      }),
      { numRuns: 60 },
    );
  });
});
