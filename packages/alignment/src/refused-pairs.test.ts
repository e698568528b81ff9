import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { smallData } from './__fixtures__/small-task.js';
import { alignEntities, evidenceOf } from './align.js';
import { type CandidateTable } from './candidate-table.js';
import { readRefused, withoutPairs, writeRefused } from './refused-pairs.js';

const table: CandidateTable = {
  sources: Int32Array.of(10, 11),
  targets: Int32Array.of(20, 21, 22),
  width: 3,
  indices: Int32Array.of(0, 1, 2, 0, 2, -1),
  scores: Float32Array.of(0.9, 0.5, 0.1, 0.8, 0.7, Number.NEGATIVE_INFINITY),
  backwardIndices: Int32Array.of(0, 1, 0, -1, 1, 0),
  backwardScores: Float32Array.of(0.9, 0.8, 0.5, Number.NEGATIVE_INFINITY, 0.7, 0.1),
};

describe('withoutPairs', () => {
  it('moves the candidates behind a refused one up, in both directions', () => {
    const left = withoutPairs(table, Int32Array.of(10, 20));
    expect([...left.indices]).toEqual([1, 2, -1, 0, 2, -1]);
    expect(left.scores[2]).toBe(Number.NEGATIVE_INFINITY);
    expect([...left.backwardIndices]).toEqual([1, -1, 0, -1, 1, 0]);
    const pairs = alignEntities(left, null).map(({ source, target }) => `${source}-${target}`);
    expect(pairs.sort((a, b) => a.localeCompare(b))).toEqual(['10-21', '11-20']);
    expect(evidenceOf(left, 0).margin).toBeCloseTo(0.4);
    expect(evidenceOf(left, 1).mutual).toBe(true);
  });

  it('leaves a source without a pair when all its candidates are refused', () => {
    const left = withoutPairs(table, Int32Array.of(11, 20, 11, 22));
    expect(alignEntities(left, null).map(({ source }) => source)).toEqual([10]);
  });

  it('is the table itself without refused pairs', () => {
    expect(withoutPairs(table, new Int32Array(0))).toBe(table);
  });
});

describe('readRefused', () => {
  const data = smallData();
  const pairs = Int32Array.of(data.left[0]!, data.right[1]!, data.left[2]!, data.right[3]!);

  it('reads back what was written; an empty file holds none', async () => {
    const file = join(temporaryFolder(), 'refused.tsv');
    writeRefused(file, data, pairs);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    expect(await readRefused(file, data)).toEqual(pairs);
    writeFileSync(file, '\n');
    expect(await readRefused(file, data)).toEqual(new Int32Array(0));
  });

  it('says when the file is missing', async () => {
    await expect(readRefused('/no/such/file.tsv', data)).rejects.toThrow(DataError);
  });
});
