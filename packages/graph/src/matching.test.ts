import { describe, expect, it } from 'vitest';
import { type CandidateMatrix, greedyOneToOne, mutualPairs, sinkhorn } from './matching.js';

/** Candidates of all columns, best first. */
function candidatesOf(scores: readonly (readonly number[])[]): CandidateMatrix {
  const columnCount = scores[0]?.length ?? 0;
  const sorted = scores.map((row) =>
    row.map((score, column) => ({ score, column })).sort((a, b) => b.score - a.score),
  );
  return {
    indices: Int32Array.from(sorted.flatMap((row) => row.map(({ column }) => column))),
    scores: Float32Array.from(sorted.flatMap((row) => row.map(({ score }) => score))),
    rowCount: scores.length,
    columnCount,
  };
}

const contested = candidatesOf([
  [0.9, 0.8, 0.1],
  [0.95, 0.2, 0.1],
  [0.3, 0.4, 0.1],
]);

describe('mutualPairs', () => {
  it('keeps pairs that choose each other', () => {
    const { pairs, scores } = mutualPairs(contested);
    expect([...pairs]).toEqual([1, 0]);
    expect(scores[0]).toBeCloseTo(0.95, 6);
  });
});

describe('greedyOneToOne', () => {
  it('takes the best free column from the highest score down', () => {
    const { pairs } = greedyOneToOne(contested);
    expect([...pairs]).toEqual([0, 1, 1, 0, 2, 2]);
  });

  it('leaves a row alone when its candidates are taken or missing', () => {
    const { pairs } = greedyOneToOne({
      indices: Int32Array.of(0, 0, -1),
      scores: Float32Array.of(0.5, 0.9, Number.NEGATIVE_INFINITY),
      rowCount: 3,
      columnCount: 1,
    });
    expect([...pairs]).toEqual([1, 0]);
  });

  it('handles no rows and refuses ragged input', () => {
    const none = { indices: new Int32Array(0), scores: new Float32Array(0) };
    expect(greedyOneToOne({ ...none, rowCount: 0, columnCount: 0 }).pairs).toHaveLength(0);
    const ragged = { ...contested, rowCount: 2 };
    expect(() => greedyOneToOne(ragged)).toThrow(/9 indices and 9 scores for 2 rows/);
  });
});

describe('sinkhorn', () => {
  it('makes columns sum to one on a full matrix', () => {
    const result = sinkhorn(contested, { temperature: 0.5, iterations: 200 });
    const sums = [0, 0, 0];
    for (const [e, column] of result.indices.entries()) {
      sums[column] = (sums[column] as number) + (result.scores[e] as number);
    }
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  });

  it('solves a conflict that row-wise choice does not', () => {
    // both rows prefer column 0, but the sum is best with row 0 at column 1
    const matrix = candidatesOf([
      [0.9, 0.85],
      [0.8, 0.1],
    ]);
    expect([...mutualPairs(matrix).pairs]).toEqual([0, 0]);
    expect([...greedyOneToOne(matrix).pairs]).toEqual([0, 0, 1, 1]);
    const balanced = sinkhorn(matrix, { temperature: 0.05 });
    expect([...mutualPairs(balanced).pairs]).toEqual([0, 1, 1, 0]);
  });

  it('keeps absent candidates absent and refuses a temperature of 0', () => {
    const sparse = {
      indices: Int32Array.of(1, -1, 0, 1),
      scores: Float32Array.of(1, Number.NEGATIVE_INFINITY, 1, 0.5),
      rowCount: 2,
      columnCount: 2,
    };
    const result = sinkhorn(sparse);
    expect(result.indices[1]).toBe(-1);
    expect(result.scores[1]).toBe(Number.NEGATIVE_INFINITY);
    expect([...result.scores].some(Number.isNaN)).toBe(false);
    expect(() => sinkhorn(sparse, { temperature: 0 })).toThrow(/temperature is 0/);
  });
});
