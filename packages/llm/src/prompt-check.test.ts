import { describe, expect, it } from 'vitest';
import { createPromptCheck } from './prompt-check.js';
import { countMessages } from './tokens.js';

const ask = (content: string) => [{ role: 'user' as const, content }];
const english = (from: number): string =>
  Array.from({ length: 700 }, (_, index) => `Sentence ${from + index} has words.`).join(' ');

describe('createPromptCheck', () => {
  it('counts nothing where a cut cannot be', () => {
    const check = createPromptCheck();
    expect(check.isCut(ask('short'), 1)).toBe(false);
    expect(check.isCut(ask('x'.repeat(300)), 700)).toBe(false);
  });

  it('scales our counts by what the server finds', async () => {
    const check = createPromptCheck();
    expect(check.estimate(1000)).toBe(1000);
    const ours = await countMessages(ask(english(1000)));
    for (let round = 0; round < 5; round += 1) {
      await check.isCut(ask(english(1000 + round)), Math.round(1.2 * ours));
    }
    expect(check.estimate(1000) / 1200).toBeCloseTo(1, 2);
  });

  it('finds cuts among the first prompts and later, without counting what is plain', async () => {
    const check = createPromptCheck();
    for (let round = 0; round < 25; round += 1) {
      const whole = ask(english(1000 + round));
      const tokens = await countMessages(whole);
      const isCut = check.isCut(whole, tokens);
      expect(await isCut).toBe(false);
      if (round >= 21) expect(isCut).toBe(false);
      expect(await check.isCut(ask(english(5000 + round)), tokens / 2)).toBe(true);
    }
  });
});
