/**
 * How far the judges of a run agree.
 */
import type { Section } from '@lab/report';
import type { JudgePair } from '../several-judges.js';

/** A section with every two judges side by side; none for one judge. */
export function judgesSection(pairs: readonly JudgePair[]): Section[] {
  if (pairs.length === 0) return [];
  const number = { kind: 'number', decimals: 1 } as const;
  return [
    {
      heading: 'Judges',
      text:
        'A score is the mean of the judges; perfect is what all of them call perfect. Where they ' +
        'are far apart, let people grade some answers.',
      table: {
        caption: 'Judges on the answers that both gave a score',
        columns: [
          { key: 'first', label: 'Judge' },
          { key: 'second', label: 'Beside' },
          { key: 'n', label: 'n', kind: 'count' },
          { key: 'means', label: 'Means' },
          { key: 'difference', label: 'Difference', ...number },
          { key: 'distance', label: 'Mean distance', ...number },
          { key: 'correlation', label: 'Rank correlation', kind: 'share' },
          { key: 'perfect', label: 'Both perfect or neither', kind: 'share' },
        ],
        rows: pairs.map((pair) => ({
          ...{ first: pair.first, second: pair.second, n: pair.n },
          means: `${pair.meanJudge.toFixed(1)}, ${pair.meanSecond.toFixed(1)}`,
          difference: { ...pair.difference },
          ...{ distance: pair.meanDistance, correlation: pair.spearman, perfect: pair.samePerfect },
        })),
      },
    },
  ];
}
