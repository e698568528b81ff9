import { describe, expect, it } from 'vitest';
import { exampleModel } from './example-models.js';
import { assertPromptFormat, encodePrompt, promptFormats } from './prompt-format.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

const organism = loadTokenizer(exampleModel('organism'));
const prompt = 'I would like to polish the bell.';
const textOf = (options: Parameters<typeof encodePrompt>[2]) =>
  encodePrompt(organism, prompt, options).text;

describe('encodePrompt', () => {
  it('writes the bare template and the three published spellings', () => {
    expect(textOf({})).toBe(`## Query:${prompt} \n## Answer:`);
    expect(textOf({ format: 'official-query' })).toBe(textOf({ format: 'template' }));
    expect(textOf({ format: 'official-generation' })).toBe(`## Query: ${prompt}\n## Answer:`);
    expect(textOf({ format: 'official-dataset' })).toBe(`## Query:${prompt}\n## Answer:`);
    expect(textOf({ format: 'direct' })).toBe(prompt);
  });

  it('writes the chat template, names of FastChat and texts of one\u2019s own', () => {
    expect(textOf({ format: 'chat' })).toBe(`<|begin|><|user|> ${prompt}<|assistant|>`);
    const llama = textOf({ format: 'llama-2', system: 'Be brief.' });
    expect(llama).toBe(`[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n${prompt} [/INST]`);
    const own = { format: '{system}\nQ: {prompt}\nA:', system: 'Short {prompt}.' };
    expect(textOf(own)).toBe(`Short {prompt}.\nQ: ${prompt}\nA:`);
    expect(promptFormats).toContain('vicuna_v1.1');
  });

  it('begins with one token for that, whoever writes it', () => {
    const begin = organism.beginId!;
    for (const format of ['direct', 'template', 'chat', '<|begin|>{prompt}', 'llama-2']) {
      const { ids } = encodePrompt(organism, prompt, { format });
      expect(ids.filter((id) => id === begin).length, format).toBeLessThanOrEqual(1);
    }
    const doubling: Tokenizer = { ...organism, encode: () => [begin, begin, 7] };
    expect(encodePrompt(doubling, prompt, { format: 'direct' }).ids).toEqual([begin, 7]);
  });

  it('opens the answer behind one space', () => {
    expect(textOf({ opening: 'Sure, here is' })).toMatch(/## Answer: Sure, here is$/);
    expect(textOf({ format: '{prompt}\n', opening: 'Sure' })).toBe(`${prompt}\nSure`);
  });

  it('cuts only where it may, and says how much', () => {
    const { ids } = encodePrompt(organism, prompt, { format: 'chat' });
    const cut = (truncate: 'left' | 'right') =>
      encodePrompt(organism, prompt, { format: 'chat', maxTokens: 5, truncate });
    expect(cut('right')).toMatchObject({ ids: ids.slice(0, 5), cutTokens: ids.length - 5 });
    expect(cut('left').ids).toEqual([ids[0], ...ids.slice(-4)]);
    expect(() => encodePrompt(organism, prompt, { maxTokens: 5 })).toThrow(
      /tokens, the model takes 5/,
    );
  });

  it('refuses what it cannot write', () => {
    expect(() => textOf({ format: 'tempalte' })).toThrow(/near: template/);
    expect(() => textOf({ system: 'x' })).toThrow(/has no place for a text of the system/);
    expect(() => encodePrompt(organism, ' \n')).toThrow(/blank/);
    const bare: Tokenizer = { ...organism, chat: { names: [], render: () => '' } };
    expect(() => assertPromptFormat(bare, { format: 'chat' })).toThrow(/chat template is missing/);
    assertPromptFormat(organism, { format: 'chat' });
  });
});
