/** Cosines of all rows with all columns, summed over the samples, in float32. */
export function referenceSimilarities(
  left: readonly (readonly number[])[][],
  right: readonly (readonly number[])[][],
): number[][] {
  const rows = left[0] ?? [];
  return rows.map((_, i) =>
    (right[0] ?? []).map((__, j) => {
      let sum = 0;
      left.forEach((sample, s) => {
        sample[i]?.forEach((x, d) => {
          sum += x * (right[s]?.[j]?.[d] ?? 0);
        });
      });
      return Math.fround(sum);
    }),
  );
}

const turned = (matrix: number[][]) =>
  (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] ?? 0));

function halfMeanOfBest(values: readonly number[], k: number): number {
  const best = [...values].sort((a, b) => b - a).slice(0, k);
  return Math.fround(best.reduce((sum, value) => sum + value, 0) / (2 * best.length));
}

/** Half neighbourhood means of the rows of a full matrix. */
export function referenceHalfMeans(matrix: number[][], k: number): number[] {
  return matrix.map((row) => halfMeanOfBest(row, k));
}

function rankIn(scores: readonly number[], gold: number): number {
  const limit = scores[gold] ?? 0;
  const above = scores.filter((score) => score > limit).length;
  const equal = scores.filter((score) => score === limit).length;
  return 1 + above + (equal - 1) / 2;
}

/** Ranks in both directions from the full matrix of similarities. */
export function referenceRanks(
  matrix: number[][],
  { gold, k, csls }: { gold: ArrayLike<number>; k: number; csls: boolean },
): { forward: number[]; backward: number[] } {
  const back = turned(matrix);
  const none = (lines: number[][]) => lines.map(() => 0);
  const rows = csls ? referenceHalfMeans(matrix, k) : none(matrix);
  const columns = csls ? referenceHalfMeans(back, k) : none(back);
  const shifted = (line: number[], shifts: number[]) =>
    line.map((value, at) => Math.fround(value - (shifts[at] ?? 0)));
  const ranked = matrix.map((_, row) => row).filter((row) => (gold[row] ?? -1) >= 0);
  return {
    forward: ranked.map((row) => rankIn(shifted(matrix[row] ?? [], columns), gold[row] ?? 0)),
    backward: ranked.map((row) => rankIn(shifted(back[gold[row] ?? 0] ?? [], rows), row)),
  };
}
