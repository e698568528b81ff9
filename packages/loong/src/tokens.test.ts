import { createRandom } from '@lab/core';
import { cpuMilliseconds } from '@lab/core/testing';
import { get_encoding } from 'tiktoken';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCorpus } from './synthetic/corpus.js';
import { countJoined, countTokens } from './tokens.js';

const reference = get_encoding('cl100k_base');
const expected = (text: string) => reference.encode(text, [], []).length;

afterAll(() => reference.free());

const awkward = [
  '',
  ' ',
  '\n',
  'a\n\n b\n\n\n\tc  \n',
  '<|endoftext|> and <|fim_prefix|> are plain text here',
  '《判决文书7》\n　　一、驳回上诉，维持原判。\r\n二审案件受理费13800元。\n\n',
  'naïve café 😀👩‍👩‍👧 \u{20000}\u{20001} ﷽',
  '|a|b|\n|---|---|\n|1,234,567.89|(0.39)|\n)\n\n\n\nNext',
  `${'x'.repeat(5000)} ${'=-'.repeat(300)}${' '.repeat(700)}end`,
  `line\n${'    indented\n'.repeat(900)}`,
];

describe('countTokens', () => {
  it.each(awkward.map((text, index) => [index, text] as const))(
    'counts as tiktoken does, text %i',
    async (_, text) => {
      expect(await countTokens(text)).toBe(expected(text));
    },
  );

  it('counts long documents of both languages as tiktoken does', async () => {
    for (const { text } of makeCorpus({ perGroup: 1, characters: 40_000 })) {
      expect(text.length).toBeGreaterThan(8192);
      expect(await countTokens(text)).toBe(expected(text));
    }
  });

  it('is not held up by a word of a hundred thousand letters', async () => {
    const spent = await cpuMilliseconds(async () => {
      expect(await countTokens('q'.repeat(100_000))).toBeGreaterThan(10_000);
    });
    expect(spent).toBeLessThan(15_000);
  });
});

describe('countJoined', () => {
  it('counts what is put together as one text', async () => {
    const random = createRandom(3);
    const pieces = [...awkward, 'a', 'b\n', '\n\n', 'See: ', '。\n', '(', ')\n', ' \n x'];
    for (let round = 0; round < 300; round += 1) {
      const parts = Array.from({ length: 1 + random.integer(5) }, () => {
        return pieces[random.integer(pieces.length)]!.slice(-200);
      });
      expect(await countJoined(parts), JSON.stringify(parts)).toBe(expected(parts.join('')));
    }
  });
});
