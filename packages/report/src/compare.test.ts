import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRun, DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeSampleRuns } from '../test/e2e/sample-runs.js';
import {
  compareRuns,
  comparisonPageHtml,
  comparisonSentence,
  type RunComparison,
  readRunFolder,
  resultTable,
  writeComparisonPage,
} from './index.js';

function writeRun(name: string, options: { results?: object; scores?: number[]; data?: string }) {
  const run = createRun({
    parent: temporaryFolder(),
    method: 'ibmea',
    label: name,
    seed: 1,
    command: ['ibmea'],
    config: { layers: [1, 2], name },
    data: [{ path: 'x', sha256: options.data ?? 'a', bytes: 1 }],
    packages: {},
  });
  run.finish({ status: 'success', results: { ...options.results } });
  options.scores?.forEach((score, id) => {
    appendFileSync(join(run.dir, 'predictions.jsonl'), `${JSON.stringify({ id, score })}\n`);
  });
  return run.dir;
}

describe('nine runs of three settings', () => {
  let comparison: RunComparison;
  beforeAll(() => {
    comparison = compareRuns(writeSampleRuns(temporaryFolder()).map((dir) => readRunFolder(dir)));
  });

  test('are grouped by all settings but the seed', () => {
    expect(comparison.groups.map(({ label, runs }) => [label, runs.length])).toEqual([
      ['dimension 300, rate 0.005', 3],
      ['dimension 100, rate 0.005', 3],
      ['dimension 300, rate 0.0005', 3],
    ]);
    expect(comparison.differing).toEqual(['model.dimension', 'training.rate']);
  });

  test('are tested against the best, and the count of samples is no metric', () => {
    expect(comparison.metrics.map(({ key }) => key)).toEqual(['forward.hits@1', 'forward.mrr']);
    const last = comparison.differences.find(({ group }) => group === 2)!;
    expect(last.difference).toBeCloseTo(-0.09, 2);
    expect(last.test?.pValue).toBeLessThan(0.01);
    expect(last.test!.high).toBeLessThan(0);
    expect(comparisonSentence(comparison)).toMatch(
      /^Best in H@1, forward: dimension 300, rate 0\.005 with \.79\d ± .*after adjustment\)\.$/,
    );
  });

  test('make a page with small multiples in which colours stay the same', () => {
    const html = comparisonPageHtml(comparison);
    expect(html).toContain('9 runs compared');
    expect(html).toContain('<h3>H@1, evaluation forward</h3>');
    expect(html).toContain('<h3>loss total</h3>');
    expect(html).toContain('bands 95\u00A0% intervals of the mean');
    const path = join(temporaryFolder(), 'c.html');
    expect(writeComparisonPage(path, comparison).bytes).toBe(Buffer.byteLength(html));
  });

  test('mark the best in the table', () => {
    const table = resultTable(comparison);
    expect(table.columns.map(({ label }) => label)).toEqual([
      'Settings',
      'H@1, forward',
      'MRR, forward',
    ]);
    expect(table.rows[1]!['forward.hits@1']).toMatchObject({
      n: 3,
      note: expect.stringMatching(/to best, p/),
    });
  });

  test('can be asked for certain metrics, and an unknown one is named', () => {
    const runs = comparison.groups.flatMap(({ runs: members }) => members);
    expect(compareRuns(runs, { metrics: ['forward.mrr'] }).metrics.length).toBe(1);
    expect(() => compareRuns(runs, { metrics: ['x'] })).toThrow(/no run has the metric "x"/);
  });
});

test('groups are named by the few settings people know, all are kept', () => {
  const parent = temporaryFolder();
  const write = (name: string, settings: Record<string, unknown>, preset = ''): string =>
    createRun({
      parent,
      dir: join(parent, name),
      method: 'ibmea',
      label: 'pair',
      seed: 1,
      command: ['ibmea'],
      config: { data: { share: 0.3 }, model: { heads: 2, layers: 2 }, ...settings },
      ...(preset === '' ? {} : { preset }),
      packages: {},
    }).dir;
  const far = { model: { heads: 1, layers: 1 }, data: { share: 0.2 } };
  const dirs = [
    write('a', { training: { alpha: 1, beta: 1, learningRate: 0.1, epochs: 10 } }, 'quick'),
    write('b', { training: { alpha: 2, beta: 1, learningRate: 0.2, epochs: 20 }, ...far }),
    write('c', { training: { alpha: 2, beta: 9, learningRate: 0.2, epochs: 20 }, ...far }),
  ];
  const { groups, differing } = compareRuns(dirs.map((dir) => readRunFolder(dir)));
  expect(groups.map(({ label }) => label)).toEqual([
    'preset quick, beta 1, learningRate 0.1, epochs 10, +4 more',
    'preset not set, beta 1, learningRate 0.2, epochs 20, +4 more',
    'preset not set, beta 9, learningRate 0.2, epochs 20, +4 more',
  ]);
  expect(differing).toHaveLength(8);
  expect(Object.keys(groups[0]!.settings)).toEqual(differing);
  expect(groups[2]!.settings['training.beta']).toBe('9');
});

test('one seed each is not tested, samples in common are', () => {
  const scores = Array.from({ length: 60 }, (_, index) => index % 3);
  const one = writeRun('one', { results: { accuracy: 0.5 }, scores });
  const two = writeRun('two', {
    results: { accuracy: 0.7, loss: 2 },
    scores: scores.map((score) => score + 0.5),
  });
  const comparison = compareRuns([one, two].map((dir) => readRunFolder(dir)));
  expect(comparison.testSets).toHaveLength(1);
  expect(comparison.differences.every(({ test }) => test === undefined)).toBe(true);
  expect(comparisonSentence(comparison)).toContain('not tested');
  expect(comparison.samples[0]).toMatchObject({ count: 60, estimate: 0.5 });
  expect(comparison.samples[0]!.pValue).toBeLessThan(0.01);
  expect(comparison.metrics.find(({ key }) => key === 'loss')?.best).toBe('lowest');
  expect(comparison.warnings).toEqual([]);
  expect(comparisonPageHtml(comparison)).toContain('id="sample-by-sample"');
});

test('runs without results, and a single run, still make a page', () => {
  const run = readRunFolder(writeRun('<i>', {}));
  const html = comparisonPageHtml(compareRuns([run]));
  expect(html).toContain('<h1>One run</h1>');
  expect(html).toContain('None of the runs has results yet.');
  expect(html).not.toContain('<i>');
});

test('a torn last line and an unfinished run are remarks', () => {
  const dir = writeRun('torn', {});
  writeFileSync(join(dir, 'metrics.jsonl'), '{"epoch":1,"loss":2}\n{"epoch":2,"lo');
  const run = readRunFolder(dir);
  expect(run.metrics).toEqual([{ epoch: 1, loss: 2 }]);
  expect(run.remarks[0]).toContain('torn');
});

test('samples are judged by rank, else by the gold answer; lists of batches are averaged', () => {
  const dir = writeRun('judged', {});
  const write = (name: string, rows: object[]) =>
    writeFileSync(join(dir, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const answers = [
    { id: 1, predicted: 'a', gold: 'a', score: 0.3, rank: null },
    { id: 2, predicted: 'b', gold: 'c', score: 0.9, rank: null },
    { id: 3, predicted: 'b', gold: null },
  ];
  write('predictions.jsonl', answers);
  write('metrics.jsonl', [
    { epoch: 0, batches: [{ loss: { kl: 1 } }, { loss: { kl: 3 } }], w: [1] },
  ]);
  const run = readRunFolder(dir);
  expect(run.samples).toEqual({
    kind: 'share right',
    key: expect.any(String) as unknown,
    byId: new Map([
      ['1', 1],
      ['2', 0],
    ]),
  });
  expect(run.metrics).toEqual([{ epoch: 0, 'batches.loss.kl': 2 }]);
  write(
    'predictions.jsonl',
    answers.map((answer) => ({ ...answer, rank: 4 })),
  );
  expect(readRunFolder(dir).samples).toMatchObject({ kind: 'reciprocal rank' });
  expect(readRunFolder(dir).samples.byId.get('2')).toBe(0.25);
});

test('what is no run folder is said', () => {
  expect(() => readRunFolder(temporaryFolder())).toThrow(/has no run\.json/);
  expect(() => compareRuns([])).toThrow(DataError);
});
