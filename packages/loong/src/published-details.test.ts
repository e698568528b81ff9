import { describe, expect, it } from 'vitest';
import { recordWith } from './__fixtures__/small-benchmark.js';
import { evaluateScores } from './evaluate.js';
import { publishedModels } from './published.js';
import { publishedCells, publishedGains } from './published-details.js';
import { cellsTable } from './report/cells-table.js';
import type { ScoredRecord } from './scored-record.js';
import { type LengthSet, lengthSets, type Level, levels } from './tasks.js';

/** Questions of the benchmark by task, set by set. Source: Loong, table 7. */
const counts = [
  [53, 70, 80, 47],
  [60, 105, 95, 40],
  [113, 246, 194, 88],
  [97, 143, 112, 57],
] as const;

const scoredWith = (level: Level, set: LengthSet, id: number, score: number): ScoredRecord => ({
  record: recordWith({ id: `${level}-${set}-${id}`, level, set }),
  ...{
    answer: null,
    status: 'ok',
    coverage: 'all-documents',
    response: 'r',
    score,
    explanation: '',
  },
  ...{ missing: null, ruleScore: null, costUsd: null },
});

/** All questions, each with the mean score that the paper prints for its task and set. */
function published(name: string): ScoredRecord[] {
  return publishedCells
    .filter((cells) => cells.name === name)
    .flatMap(({ set, scores }) =>
      levels.flatMap((level) =>
        Array.from({ length: counts[level - 1]![set - 1]! }, (_, id) =>
          scoredWith(level, set, id, scores[level - 1]!),
        ),
      ),
    );
}

describe('printed scores by task and set', () => {
  const scored = published('GPT-4o');
  const evaluation = evaluateScores(scored, { resamples: 100 });
  const model = publishedModels.find(({ name }) => name === 'GPT-4o')!;
  const valuesOf = (groups: typeof evaluation.bySet) =>
    groups.map(({ averageScore }) => averageScore!.value);

  it('give the printed averages of sets, tasks and all', () => {
    expect(scored).toHaveLength(1600);
    expect(evaluation.overall.averageScore!.value).toBeCloseTo(model.overall[0], 2);
    for (const [at, value] of valuesOf(evaluation.bySet).entries()) {
      expect(Math.abs(value - model.bySet[at]![0])).toBeLessThan(0.15);
    }
    // Printed means leave out judgements without a score: of spotlight they differ the most.
    for (const [at, value] of valuesOf(evaluation.byLevel).entries()) {
      expect(Math.abs(value - model.byLevel[at]![0])).toBeLessThan(0.65);
    }
    const { overall } = evaluateScores(published('Gemini-1.5-pro'), { resamples: 100 });
    const gemini = publishedModels.find(({ name }) => name === 'Gemini-1.5-pro')!;
    expect(overall.averageScore!.value).toBeCloseTo(gemini.bySet[3]![0], 1);
  });

  it('stand beside those of a run', () => {
    const { rows } = cellsTable(evaluation);
    expect(rows).toHaveLength(levels.length * lengthSets.length);
    expect(rows[3]).toMatchObject({
      ...{
        task: 'spotlight locating',
        set: 4,
        here: { value: expect.closeTo(36.79, 9) },
        'GPT-4o': 36.79,
      },
      'Gemini-1.5-pro': 62.23,
    });
    expect(rows[0]).toMatchObject({
      'GPT-4o': { value: 85.67, note: 'perfect 0.81' },
      'Gemini-1.5-pro': { value: null },
    });
  });

  it('of retrieval begin with those of whole documents', () => {
    const [window, locating] = publishedGains;
    const of = (name: string) => publishedModels.find((one) => one.name === name)!;
    expect(window!.whole).toBe(of(window!.generator).bySet[3]![0]);
    expect(locating!.whole).toBe(of(locating!.generator).byLevel[0]![0]);
  });
});
