import { describe, expect, it } from 'vitest';
import { fitBlocks, promptLimit } from './length.js';

const blocks = (...sizes: number[]) => sizes.map((tokens, index) => ({ name: index + 1, tokens }));
const namesOf = (items: readonly { name: number }[]) => items.map(({ name }) => name);

describe('fitBlocks', () => {
  it('skips a block that is too long and takes a shorter one behind it', () => {
    const { used, dropped, tokens } = fitBlocks(blocks(40, 70, 30, 20), { frame: 10, limit: 100 });
    expect(namesOf(used)).toEqual([1, 3, 4]);
    expect(namesOf(dropped)).toEqual([2]);
    expect(tokens).toBe(100);
  });

  it('fills the window to the last token and no further', () => {
    expect(fitBlocks(blocks(50, 40), { frame: 10, limit: 100 }).dropped).toEqual([]);
    expect(namesOf(fitBlocks(blocks(50, 41), { frame: 10, limit: 100 }).dropped)).toEqual([2]);
  });

  it('takes nothing where not even one fits', () => {
    const { used, tokens } = fitBlocks(blocks(91, 200), { frame: 10, limit: 100 });
    expect(used).toEqual([]);
    expect(tokens).toBe(10);
  });
});

describe('promptLimit', () => {
  it('keeps room for the answer and for other tokenizers', () => {
    expect(promptLimit({ maxLength: 128_000, reserveOutput: 4096, slack: 0.02 })).toBe(121_425);
    expect(promptLimit({ maxLength: 128_000, reserveOutput: 0, slack: 0 })).toBe(128_000);
  });
});
