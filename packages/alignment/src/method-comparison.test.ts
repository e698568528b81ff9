import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { runPageHtml } from '@lab/report';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallTask } from './__fixtures__/small-task.js';
import { tableMethod } from './__fixtures__/table-method.js';
import { baselineLabel, compareMethods, type Contestant } from './method-comparison.js';
import { methodComparisonPage, studyTable } from './method-comparison-page.js';
import { settingsOf } from './training-run.js';

const contestant = (label: string, epochs: number, evaluation = {}): Contestant => {
  const settings = { 'evaluation.every': epochs, ...evaluation };
  return { label, method: tableMethod, config: settingsOf(tableMethod, { epochs, settings }) };
};
const contestants = [contestant('table', 3), contestant('table, longer', 5)] as const;

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('compareMethods', () => {
  it('trains every contestant at every place and goes on where it stopped', async () => {
    const task = await smallTask();
    const dir = temporaryFolder();
    const options = { task, contestants, seeds: [1, 2], dir };
    const first = await compareMethods({ ...options, seedShares: [0.25, 0.5] });
    const labels = ['table', 'table, longer', baselineLabel];
    expect([...new Set(first.map(({ label }) => label))]).toEqual(labels);
    expect(first).toHaveLength(6);
    for (const { row } of first) expect(row.values['H@1']).toHaveLength(2);

    const said: string[] = [];
    const more = { seedShares: [0.25, 0.5], faultyShares: [0.5] };
    const second = await compareMethods({ ...options, ...more, onProgress: (t) => said.push(t) });
    expect(second).toHaveLength(9);
    expect(second.slice(0, 2).map(({ row }) => row.values)).toEqual(
      first.slice(0, 2).map(({ row }) => row.values),
    );
    const lines = readFileSync(join(dir, 'comparison.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(18); // none twice
  });

  it('refuses a task without test pairs', async () => {
    const task = await smallTask();
    const untested = { ...task, split: { ...task.split, test: new Int32Array(0) } };
    const options = { contestants, seedShares: [0.5], seeds: [1], dir: temporaryFolder() };
    await expect(compareMethods({ ...options, task: untested })).rejects.toThrow(/no test pairs/);
  });
});

describe('methodComparisonPage', () => {
  it('says who is ahead; bars for one place, lines for several', async () => {
    const task = await smallTask();
    const options = { task, contestants, seeds: [1], dir: temporaryFolder() };
    const page = async (seedShares: number[]) => {
      const cells = await compareMethods({ ...options, seedShares });
      const command = 'compare';
      return methodComparisonPage({ task, cells, seeds: [1], command, conditions: ['3 epochs'] });
    };
    const one = await page([0.5]);
    expect(one.sentence).toMatch(/^With 50 % of the links as seeds, .* first in \.?\d+/);
    expect(one.numbers).toHaveLength(2);
    const several = await page([0.25, 0.5]);
    expect(several.sections[0]!.table!.rows).toHaveLength(6);
    expect(several.mainFigure!.figure.svg).not.toEqual(one.mainFigure!.figure.svg);
    const html = runPageHtml(several);
    expect(html).toContain('Few seeds');
    expect(html).not.toContain('Faulty rows');
  });

  it('says where the methods were not measured alike', async () => {
    const task = await smallTask();
    const [first] = contestants;
    const settings = { 'evaluation.candidates': 'all', 'evaluation.scores': 'evidence' };
    const other = contestant('by evidence', 3, settings);
    const warningsOf = async (contestants: readonly [Contestant, ...Contestant[]]) => {
      const options = { task, contestants, seeds: [1], dir: temporaryFolder() };
      const cells = await compareMethods({ ...options, seedShares: [0.5] });
      const texts = { command: 'compare', conditions: [], warnings: ['Quick.'] };
      return methodComparisonPage({ task, cells, seeds: [1], ...texts }).warnings;
    };
    expect(await warningsOf(contestants)).toEqual(['Quick.']);
    expect(await warningsOf([first, other])).toEqual([
      'Quick.',
      expect.stringMatching(
        /candidates is not the same \(table: test; by evidence: all; .*not comp/,
      ),
      expect.stringMatching(/scores is not the same \(table: fused; by evidence: evidence\)/),
    ]);
  });

  it('has a row per contestant and place', () => {
    expect(studyTable('few-seeds', []).rows).toEqual([]);
  });
});
