import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { createRun } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import {
  compareRuns,
  comparisonPageHtml,
  comparisonSentence,
  type RunComparison,
  readRunFolder,
  resultTable,
} from './index.js';

const parent = temporaryFolder();
let made = 0;

interface Made {
  readonly method?: string;
  readonly data?: string;
  readonly seed?: number;
  readonly config?: object;
  readonly hits?: number;
  /** Rank of each sample; null is beyond the last one kept. */
  readonly ranks?: readonly (number | null)[];
  /** First sample id. */
  readonly from?: number;
}

/** Writes a finished run and returns its folder. */
function written(options: Made): string {
  const { method = 'ibmea', data = 'films', seed = 1, config = {}, hits = 0.5 } = options;
  made += 1;
  const run = createRun({
    ...{ parent, dir: join(parent, `run-${made}`), method, label: 'own', seed },
    ...{ command: [method], config: { ...config, seed } },
    data: ['a', 'b', 'links', 'types'].map((name) => ({
      ...{ path: `/x/${data}/${name}.csv`, bytes: 1 },
      sha256: name === 'types' ? 'shared' : `${data} ${name}`,
    })),
    packages: { '@lab/alignment': '1.0.0', [`@lab/${method}`]: '1.2.3' },
  });
  for (let epoch = 0; epoch < 3; epoch += 1) run.appendMetrics({ epoch, loss: 3 - epoch });
  options.ranks?.forEach((rank, at) => {
    const id = at + (options.from ?? 0);
    const row = { id, gold: `b${id}`, rank };
    appendFileSync(run.path('predictions.jsonl'), `${JSON.stringify(row)}\n`);
  });
  run.finish({ status: 'success', results: { 'hits@1': hits } });
  return run.dir;
}

const compared = (...dirs: readonly string[]): RunComparison =>
  compareRuns(dirs.map((dir) => readRunFolder(dir)));

const right = Array.from({ length: 50 }, () => 1);
const halfWrong = right.map((rank, at) => (at % 2 === 0 ? rank : 2));

describe('runs on different data', () => {
  const here = [1, 2].map((seed) => written({ seed, hits: 0.6 + 0.01 * seed, ranks: right }));
  const there = [1, 2].map((seed) =>
    written({ data: 'books', seed, hits: 0.2 + 0.01 * seed, ranks: halfWrong }),
  );
  const comparison = compared(...here, ...there);

  test('are groups of their own, named by the data, without a test or a star', () => {
    expect(comparison.groups.map(({ label }) => label)).toEqual(['data films', 'data books']);
    expect(comparison.differences).toEqual([]);
    expect(comparison.samples.map(({ run, reference }) => [run, reference])).toEqual([
      ['run-2', 'run-1'],
      ['run-4', 'run-3'],
    ]);
    const html = comparisonPageHtml(comparison);
    expect(html).not.toContain('★');
    expect(resultTable(comparison).columns.every(({ best }) => best === undefined)).toBe(true);
    expect(resultTable(comparison).rows[0]!['hits@1']).toMatchObject({
      note: 'nothing to compare with',
    });
  });

  test('say why', () => {
    expect(comparisonSentence(comparison)).toMatch(
      /^H@1 on films \.615 ± \.007; on books \.215 ± \.007\. Different data.* not compared/,
    );
    expect(comparison.warnings).toEqual([
      'The runs did not read the same data files (films; books): ' +
        'no best and no test between these.',
    ]);
  });

  test('keep the best of the same data', () => {
    const more = [1, 2].map((seed) =>
      written({ seed, hits: 0.7 + 0.01 * seed, config: { rate: 2 } }),
    );
    const found = compared(...here, ...there, ...more);
    const [difference, ...others] = found.differences;
    expect(others).toEqual([]);
    expect(found.groups[difference!.best]!.runs[0]!.dir).toBe(more[0]);
    expect(difference!.test!.pValue).toBeLessThan(0.05);
    expect(comparisonSentence(found)).toContain('on films best rate 2 with .715');
  });
});

test('other samples of the same data are not compared either', () => {
  const few = written({ config: { share: 0.2 }, ranks: right });
  const many = written({ config: { share: 0.3 }, ranks: right.slice(10), from: 10 });
  const comparison = compared(few, many);
  expect([comparison.samples, comparison.differences]).toEqual([[], []]);
  expect(comparison.testSets.map(({ label }) => label)).toEqual([
    'films, 50 samples',
    'films, 40 samples',
  ]);
  expect(comparison.warnings[0]).toMatch(/^The runs were measured on different samples/);
});

test('ranks among other candidates are not compared, whatever the method', () => {
  const ranked = (method: string, candidates: string) =>
    written({ method, config: { evaluation: { candidates } }, ranks: right });
  const dirs = [ranked('ibmea', 'test'), ranked('loginmea', 'all')];
  const comparison = compared(...dirs);
  expect([comparison.samples, comparison.differences]).toEqual([[], []]);
  expect(comparison.testSets.map(({ label }) => label)).toEqual([
    'films, candidates test',
    'films, candidates all',
  ]);
  expect(comparison.warnings).toEqual([
    'The runs were ranked among different candidates (films, candidates test; films, candidates ' +
      'all): no best and no test between these.',
  ]);
  expect(comparisonPageHtml(comparison)).toContain('were ranked among different candidates');
  expect(compared(...dirs, ranked('ibmea', 'all')).differences).toHaveLength(1);
});

test('what was not found counts as wrong, and is not left out', () => {
  const lost = right.map((rank, at) => (at < 40 ? null : rank));
  const [difference] = compared(written({ ranks: right }), written({ ranks: lost })).samples;
  expect(difference).toMatchObject({ count: 50, kind: 'reciprocal rank', estimate: -0.8 });
});

test('a run that is given twice counts once', () => {
  const [one, two] = [written({ ranks: right }), written({ seed: 2, ranks: halfWrong })];
  const copy = join(temporaryFolder(), 'other-name');
  cpSync(one, copy, { recursive: true });
  const comparison = compared(one, two, one, copy, two);
  expect(comparison.groups.map(({ runs }) => runs.length)).toEqual([2]);
  expect(comparison.samples).toHaveLength(1);
  expect(comparison.warnings).toEqual([
    expect.stringMatching(/^run-\d+ was given 3 times, as a copy, and counts once\.$/),
    expect.stringMatching(/^run-\d+ was given twice and counts once\.$/),
  ]);
});

test('methods name the groups, and settings only where they differ among runs of one', () => {
  const fifty = (name: string) =>
    Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${name}${at}`, at]));
  const dirs = [
    written({ config: { ...fifty('i'), epochs: 10 } }),
    written({ method: 'loginmea', config: { ...fifty('l'), epochs: 20 } }),
  ];
  const { groups, differing, warnings } = compared(...dirs);
  expect(groups.map(({ label }) => label)).toEqual(['ibmea', 'loginmea']);
  expect(differing).toEqual(['method', 'epochs']);
  expect(warnings).toEqual([]);
  const third = written({ config: { ...fifty('i'), epochs: 10, i7: 8 } });
  expect(compared(...dirs, third).groups.map(({ label }) => label)).toEqual([
    'ibmea, i7 7',
    'loginmea',
    'ibmea, i7 8',
  ]);
});

test('epochs count from 1, as on the page of a run', () => {
  const html = comparisonPageHtml(compared(written({}), written({ config: { rate: 3 } })));
  expect(html).toMatch(/from 3 at epoch 1 to 1 at epoch 3/);
});
