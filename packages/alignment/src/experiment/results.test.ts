import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { tableMethod } from '../__fixtures__/table-method.js';
import { type GroupResult, meanSpread, shareSpread, writeGroup } from './results.js';

const groups = tableMethod.groups({ present: ['graph', 'relation'], seedShare: 0.3 });
const group = groups.find(({ name }) => name === 'modes')!;

/** Results of as many runs a cell as there are values. */
function resultOf(values: readonly number[]): GroupResult {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const n = values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = n > 1 ? Math.sqrt(square / (n - 1)) : 0;
  const each = <T>(value: T) => ({
    'H@1': value,
    'H@10': value,
    MRR: value,
    'H@1 backward': value,
  });
  const row = { settings: {}, n, values: each([...values]), mean: each(mean) };
  const rows = group.cells.map(({ id }) => ({ ...row, id, deviation: each(deviation) }));
  return { group, table: { rows } };
}

describe('meanSpread', () => {
  it("is Student's interval of the mean, none for a single run or equal ones", () => {
    const { value, low, high } = meanSpread([0.4, 0.5, 0.6]);
    const half = (4.302653 * 0.1) / Math.sqrt(3); // t of 2 degrees of freedom at .975
    expect(value).toBeCloseTo(0.5, 12);
    expect(low).toBeCloseTo(0.5 - half, 6);
    expect(high).toBeCloseTo(0.5 + half, 6);
    expect(meanSpread([0.4])).toEqual({ value: 0.4 });
    expect(meanSpread([0.25, 0.25])).toEqual({ value: 0.25 });
  });

  it('ends at 0 and 1 for shares', () => {
    expect(meanSpread([0.9, 1]).high).toBeGreaterThan(1);
    expect(shareSpread([0.9, 1])).toEqual({ value: 0.95, low: expect.any(Number), high: 1 });
    expect(shareSpread([1, 1])).toEqual({ value: 1 });
  });
});

describe('writeGroup', () => {
  it('names automatic seeds in the table and in the figure, others not', async () => {
    const texts: string[] = [];
    for (const seedOrigin of ['AUTOMATIC: unverified pairs of equal names', 'all links']) {
      const dir = temporaryFolder();
      const heading = { dir, dataName: 'pair', epochs: 2, seeds: [1], seedOrigin };
      await writeGroup(heading, resultOf([0.5]));
      texts.push(
        ...['md', 'svg'].map((end) => readFileSync(join(dir, `${group.name}.${end}`), 'utf8')),
      );
    }
    expect(texts[0]).toContain(
      'pair, 2 epochs, seed 1; known pairs AUTOMATIC: unverified pairs of equal names.',
    );
    expect(texts[1]).toContain('(AUTOMATIC seeds)');
    for (const text of texts.slice(2)) expect(text).not.toContain('AUTOMATIC');
  });
});
