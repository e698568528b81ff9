import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../model-config.js';
import { textBatches } from './text-batches.js';

const checkpoints = join(import.meta.dirname, '../../test/golden/checkpoints');
const architectureOf = (name: string) => readModelConfig(join(checkpoints, name)).architecture;
const ids = Array.from({ length: 5 }, (_, text) => [text, 1, 2]);
const mask = ids.map(() => [1, 1, 1]);

describe('textBatches', () => {
  it.each([
    [6, [2, 2, 1]],
    [8, [2, 2, 1]],
    [1, [1, 1, 1, 1, 1]],
    [100, [5]],
  ])('puts texts together up to %i tokens', (most, sizes) => {
    const batches = textBatches({ ids, mask }, architectureOf('llama'), most);
    expect(batches.map((batch) => batch.ids.length)).toEqual(sizes);
    expect(batches.flatMap((batch) => batch.ids)).toEqual(ids);
    expect(batches.flatMap((batch) => batch.mask!)).toEqual(mask);
  });

  it('leaves texts together where positions depend on the longest', () => {
    for (const name of ['llama-dynamic', 'phi3-longrope']) {
      expect(textBatches({ ids }, architectureOf(name), 1)).toEqual([{ ids, mask: undefined }]);
    }
  });

  it('refuses what a pass would refuse', () => {
    const architecture = architectureOf('llama');
    expect(() => textBatches({ ids: [[1], [97]] }, architecture, 1)).toThrow('has the id 97');
    expect(() => textBatches({ ids: [[1], [2, 3]] }, architecture, 1)).toThrow('ids must be');
  });
});
